"""Findings as the board, their own page and other features read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Integer, case, cast, func, or_, select
from sqlalchemy.orm import Session

from bposite.cleandesk.rules.machines import SETTLED, STILL_OPEN, Finding
from bposite.cleandesk.tables import CorrectiveAction, FindingRow, FindingStep, Photo, TeamFault
from bposite.doors.queries.policy import load_schedules


@dataclass(frozen=True, slots=True)
class FindingNow:
    """A finding. `person` is a directory number and only for those who may verify: screens decide."""

    id: str
    number: int
    observation_id: str
    round_id: str
    place_id: str
    item_id: str
    catalogue_version: int
    severity: str
    fault: str
    zone: str
    client: str
    team: str
    shift: str
    moment: str
    exercise: bool
    note: str
    secured: bool
    incident: str
    person: str | None
    state: str
    seen_at: datetime
    raised_at: datetime
    raised_by: str
    raised_name: str
    due_at: datetime
    owner: str
    owner_name: str
    done_by: str
    done_at: datetime | None
    settled_at: datetime | None
    disputed_by: str
    risk_until: datetime | None
    repeat: int
    escalated: int

    def overdue(self, at: datetime) -> bool:
        """Whether it should have been mended by `at` and is not settled."""
        return self.state in STILL_OPEN and self.due_at <= at


@dataclass(frozen=True, slots=True)
class StepRow:
    """What was done about a finding."""

    at: datetime
    event: str
    state: str
    actor_name: str
    words: str


@dataclass(frozen=True, slots=True)
class ActionRow:
    """A corrective action of a finding."""

    id: str
    what: str
    owner: str
    owner_name: str
    due_at: datetime
    state: str
    proposed_by: str
    proposed_at: datetime
    proof: str


@dataclass(frozen=True, slots=True)
class PhotoRow:
    """A picture. `path` is relative to the folder of clean desk pictures."""

    id: str
    item_id: str
    sha256: str
    path: str
    width: int
    height: int
    masks: int
    taken_at: datetime
    kept_by: str


@dataclass(frozen=True, slots=True)
class FaultRow:
    """A fault of a team's process."""

    id: str
    item_id: str
    fault: str
    team: str
    client: str
    findings: tuple[str, ...]
    state: str
    found_at: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for on the board; an empty part means anything."""

    states: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    place: str = ""
    round_id: str = ""
    overdue: bool = False
    exercise: bool = False


def findings(
    session: Session, wanted: Wanted, at: datetime, *, after: tuple[datetime, int] | None = None, limit: int = 60
) -> list[FindingNow]:
    """Findings by due time, then number; `after` is (due, number) of the last one of the page before."""
    statement = select(FindingRow).where(*_conditions(wanted, at)).order_by(FindingRow.due_at, FindingRow.number)
    if after is not None:
        due, number = after
        statement = statement.where(
            or_(FindingRow.due_at > due, (FindingRow.due_at == due) & (FindingRow.number > number))
        )
    return [_row(row) for row in session.scalars(statement.limit(limit))]


def findings_by_number(
    session: Session, wanted: Wanted, at: datetime, *, after: int | None = None, limit: int = 100
) -> list[FindingNow]:
    """Findings in the order in which they were raised: for programs that page through all of them."""
    statement = select(FindingRow).where(*_conditions(wanted, at)).order_by(FindingRow.number)
    if after is not None:
        statement = statement.where(FindingRow.number > after)
    return [_row(row) for row in session.scalars(statement.limit(limit))]


def finding(session: Session, finding_id: str) -> FindingNow | None:
    """One finding."""
    row = session.get(FindingRow, finding_id)
    return None if row is None else _row(row)


def finding_by_number(session: Session, number: int) -> str | None:
    """The id of the finding with this number."""
    return session.scalar(select(FindingRow.id).where(FindingRow.number == number))


def board_counts(session: Session, wanted: Wanted, at: datetime) -> dict[str, int]:
    """state -> number of findings, and `overdue`."""
    rows = session.execute(
        select(
            FindingRow.state,
            func.count(),
            cast(func.sum(case((FindingRow.due_at <= at, 1), else_=0)), Integer),
        )
        .where(*_conditions(wanted, at))
        .group_by(FindingRow.state)
    ).all()
    counts = {state: count for state, count, _ in rows}
    return counts | {"overdue": sum(late for state, _, late in rows if state in STILL_OPEN)}


def open_findings(session: Session, zones: Sequence[str] = ()) -> list[FindingNow]:
    """All findings that are not settled, gravest first; for Site now, exposure and the overview."""
    statement = select(FindingRow).where(FindingRow.state.in_(STILL_OPEN), FindingRow.exercise.is_(False))
    if zones:
        statement = statement.where(FindingRow.zone.in_(zones))
    return [_row(row) for row in session.scalars(statement.order_by(FindingRow.severity, FindingRow.due_at))]


def findings_between(session: Session, start: datetime, end: datetime, zones: Sequence[str] = ()) -> list[FindingNow]:
    """Findings that were open at some moment of [start, end): seen before its end and not settled before its start."""
    statement = select(FindingRow).where(
        FindingRow.seen_at < end,
        or_(FindingRow.settled_at.is_(None), FindingRow.settled_at >= start),
        FindingRow.exercise.is_(False),
    )
    if zones:
        statement = statement.where(FindingRow.zone.in_(zones))
    return [_row(row) for row in session.scalars(statement.order_by(FindingRow.seen_at))]


def steps(session: Session, finding_id: str) -> list[StepRow]:
    """The history of a finding, oldest first."""
    rows = session.scalars(
        select(FindingStep).where(FindingStep.finding_id == finding_id).order_by(FindingStep.at, FindingStep.id)
    )
    return [StepRow(row.at, row.event, row.state, row.actor_name, row.words) for row in rows]


def actions_of(session: Session, finding_id: str) -> list[ActionRow]:
    """The corrective actions of a finding, newest first."""
    rows = session.scalars(
        select(CorrectiveAction)
        .where(CorrectiveAction.finding_id == finding_id)
        .order_by(CorrectiveAction.proposed_at.desc())
    )
    return [ActionRow(*(getattr(row, name) for name in ActionRow.__dataclass_fields__)) for row in rows]


def photos_of(session: Session, observation_id: str, item_id: str, finding_id: str) -> list[PhotoRow]:
    """The pictures of a finding: of its item in the observation, and proofs added later."""
    rows = session.scalars(
        select(Photo)
        .where(
            or_(
                (Photo.observation_id == observation_id) & (Photo.item_id == item_id),
                Photo.finding_id == finding_id,
            )
        )
        .order_by(Photo.taken_at, Photo.id)
    )
    return [_photo(row) for row in rows]


def photo(session: Session, photo_id: str) -> PhotoRow | None:
    """One picture."""
    row = session.get(Photo, photo_id)
    return None if row is None else _photo(row)


def all_photos(session: Session) -> list[PhotoRow]:
    """Every picture, for the check of files against facts."""
    return [_photo(row) for row in session.scalars(select(Photo).order_by(Photo.id))]


def team_faults(session: Session, *, settled: bool = False) -> list[FaultRow]:
    """Faults of teams' processes, newest first."""
    statement = select(TeamFault).order_by(TeamFault.found_at.desc())
    if not settled:
        statement = statement.where(TeamFault.state == "open")
    return [
        FaultRow(row.id, row.item_id, row.fault, row.team, row.client, tuple(row.findings), row.state, row.found_at)
        for row in session.scalars(statement)
    ]


def overdue_critical(session: Session, at: datetime, zones: Sequence[str] = ()) -> int:
    """How many critical findings are past due: one makes a zone red."""
    statement = (
        select(func.count())
        .select_from(FindingRow)
        .where(
            FindingRow.severity == "S1",
            FindingRow.state.in_(STILL_OPEN),
            FindingRow.due_at <= at,
            FindingRow.exercise.is_(False),
        )
    )
    if zones:
        statement = statement.where(FindingRow.zone.in_(zones))
    return session.scalar(statement) or 0


def holidays(session: Session) -> frozenset[date]:
    """The site's special days, which are no working days."""
    return frozenset(day for schedule in load_schedules(session).values() for day in schedule.special)


def _conditions(wanted: Wanted, at: datetime) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [FindingRow.exercise.is_(wanted.exercise)]
    for column, values in (
        (FindingRow.state, wanted.states),
        (FindingRow.severity, wanted.severities),
        (FindingRow.zone, wanted.zones),
        (FindingRow.team, wanted.teams),
        (FindingRow.item_id, wanted.items),
    ):
        if values:
            conditions.append(column.in_(values))
    if wanted.place:
        conditions.append(FindingRow.place_id == wanted.place)
    if wanted.round_id:
        conditions.append(FindingRow.round_id == wanted.round_id)
    if wanted.overdue:
        conditions += [FindingRow.due_at <= at, FindingRow.state.in_(STILL_OPEN)]
    return conditions


def _row(row: FindingRow) -> FindingNow:
    return FindingNow(**{name: getattr(row, name) for name in FindingNow.__dataclass_fields__})


def _photo(row: Photo) -> PhotoRow:
    return PhotoRow(**{name: getattr(row, name) for name in PhotoRow.__dataclass_fields__})


OPEN, CLOSED_STATES = tuple(sorted(STILL_OPEN)), tuple(sorted(SETTLED))
LANES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("new", "To look at", (Finding.OPEN, Finding.ACKNOWLEDGED)),
    ("work", "In work", (Finding.ACTION_PROPOSED, Finding.IN_ACTION)),
    ("verify", "To verify", (Finding.DONE_CLAIMED,)),
    ("disputed", "Disputed", (Finding.DISPUTED,)),
)
