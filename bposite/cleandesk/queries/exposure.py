"""What a visitor could have seen: stays in a zone, what was looked at there, and what was open at that time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bposite.cleandesk.queries.figures import COUNTED
from bposite.cleandesk.queries.findings import FindingNow, findings_between
from bposite.cleandesk.queries.roster import counts
from bposite.cleandesk.rules.exposure import Passage, Stay, stays
from bposite.cleandesk.rules.machines import Round
from bposite.cleandesk.tables import AuditRound, Observation, RoundPlace
from bposite.doors.queries import EntryFilter, search_entries
from bposite.visits.queries import VisitRow, Wanted, visit_rows
from bposite.visits.queries.names import VisitName, visit_names
from bposite.visits.rules.machine import VisitState

LOOK_BACK = timedelta(hours=24)
AUDITS_BEFORE = timedelta(days=1)
MOST_ENTRIES = 5000
AHEAD = timedelta(hours=36)
COMING = (VisitState.APPROVED, VisitState.INVITED, VisitState.PREREGISTERED, VisitState.AT_DESK, VisitState.CLEARED)


@dataclass(frozen=True, slots=True)
class Guest:
    """A visitor in the zone. `visit` None: the visit is no longer known (erased)."""

    stay: Stay
    visit: VisitName | None
    findings: tuple[FindingNow, ...]
    """What was open while this guest was there."""


@dataclass(frozen=True, slots=True)
class Audit:
    """A walk through the zone: when it was there, desk-moments judged and passed."""

    round_id: str
    number: int
    first: datetime
    last: datetime
    judged: int
    passed: int


@dataclass(frozen=True, slots=True)
class Exposure:
    """The answer for one zone and one window. `complete`: the door log was read to its end."""

    guests: tuple[Guest, ...]
    audits: tuple[Audit, ...]
    findings: tuple[FindingNow, ...]
    complete: bool


def exposure(session: Session, zone: str, start: datetime, end: datetime) -> Exposure:
    """Visitors in `zone` during [start, end), walks there from a day before, findings that were open meanwhile."""
    wanted = EntryFilter(decisions=("granted", "taken"), since=start - LOOK_BACK, until=end)
    entries = search_entries(session, wanted, limit=MOST_ENTRIES)
    passages = [
        Passage(entry.visit, entry.time_used, entry.zone)
        for entry in entries
        if entry.visit and entry.zone and entry.taken is not False
    ]
    found = stays(passages, zone, start, end)
    names = visit_names(session, {stay.who for stay in found})
    opened = findings_between(session, start, end, (zone,))
    guests = tuple(Guest(stay, names.get(stay.who), _open_during(opened, stay, end)) for stay in found)
    return Exposure(guests, _audits(session, zone, start, end), tuple(opened), len(entries) < MOST_ENTRIES)


def coming_guests(session: Session, at: datetime) -> list[VisitRow]:
    """Visits of the next day and a half to zones with desks: before each of them a sweep may be wanted."""
    zones = {zone for zone, _ in counts(session)}
    rows = visit_rows(session, Wanted(states=COMING, start=at, end=at + AHEAD), limit=200)
    return sorted((row for row in rows if zones & set(row.zones)), key=lambda row: row.window_from)


def _open_during(found: list[FindingNow], stay: Stay, end: datetime) -> tuple[FindingNow, ...]:
    until = stay.until or end
    return tuple(
        row for row in found if row.seen_at < until and (row.settled_at is None or row.settled_at > stay.since)
    )


def _audits(session: Session, zone: str, start: datetime, end: datetime) -> tuple[Audit, ...]:
    rows = session.execute(
        select(
            AuditRound.id,
            AuditRound.number,
            func.min(Observation.seen_at),
            func.max(Observation.seen_at),
            func.count(),
            func.count().filter(Observation.complies.is_(True)),
        )
        .join(Observation, Observation.round_id == AuditRound.id)
        .join(RoundPlace, (RoundPlace.round_id == Observation.round_id) & (RoundPlace.place_id == Observation.place_id))
        .where(
            RoundPlace.zone == zone,
            AuditRound.exercise.is_(False),
            AuditRound.state.in_((*COUNTED, Round.IN_PROGRESS)),
            Observation.seat == "first",
            Observation.superseded.is_(False),
            Observation.complies.is_not(None),
            Observation.seen_at >= start - AUDITS_BEFORE,
            Observation.seen_at < end,
        )
        .group_by(AuditRound.id, AuditRound.number)
        .order_by(func.min(Observation.seen_at))
    )
    return tuple(Audit(*row) for row in rows)
