"""What a day looks like before it is signed: its labels, and the guests nobody has seen leave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bposite.passes import queries as passes
from bposite.passes.queries import MediumRow
from bposite.passes.rules import MediumState, reconciled
from bposite.plumbing.clock import site_zone
from bposite.visits.queries.board import Card, cards
from bposite.visits.rules.inputs import local_day
from bposite.visits.rules.machine import VisitState
from bposite.visits.tables import DayClose, Visit, Visitor

_LOOSE = (VisitState.OVERSTAY, VisitState.UNACCOUNTED)
MOST = 200


@dataclass(frozen=True, slots=True)
class OpenMedium:
    """A label or card that is neither back, destroyed, void nor missing, and whose it is."""

    medium: MediumRow
    visitor: str


@dataclass(frozen=True, slots=True)
class Day:
    """One calendar day of the site. It can be signed when it is over and its media add up (PCI DSS 9.3.3)."""

    day: date
    counts: dict[MediumState, int]
    still_out: tuple[OpenMedium, ...]
    loose: tuple[Card, ...]
    over: bool
    signed_by_name: str | None
    signed_at: datetime | None

    @property
    def adds_up(self) -> bool:
        """Whether issued = returned + destroyed + void + missing."""
        return reconciled(self.counts)


def day_close(session: Session, day: date, at: datetime) -> Day:
    """The day as it stands at `at`. `loose` are guests of any day who are over their time without evidence."""
    start, end = local_day(day, site_zone())
    signed = session.get(DayClose, day.isoformat())
    loose = session.scalars(select(Visit.id).where(Visit.state.in_(_LOOSE)).order_by(Visit.window_until).limit(MOST))
    return Day(
        day=day,
        counts=passes.media_counts(session, start, end),
        still_out=_open(session, start, end),
        loose=cards(session, loose.all(), at),
        over=end <= at,
        signed_by_name=signed.signed_by_name if signed else None,
        signed_at=signed.at if signed else None,
    )


def _open(session: Session, start: datetime, end: datetime) -> tuple[OpenMedium, ...]:
    media = passes.open_media(session, start, end, limit=MOST)
    names = dict(
        session.execute(
            select(Visit.id, Visitor.name).join(Visitor).where(Visit.id.in_({row.visit_id for row in media}))
        )
        .tuples()
        .all()
    )
    return tuple(OpenMedium(row, names.get(row.visit_id, "")) for row in media)
