"""Reading the entry log: keyset pages by time for people, by insert position for exports and programs.

Every query here is served by one of the few indexes of the log. Several persons, visits or doors are read one by one,
each through its own index, and merged: one ``IN`` over many values makes a planner walk the whole log instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnExpressionArgument,
    Row,
    Select,
    and_,
    case,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from bposite.doors.reasons import REASONS
from bposite.doors.tables import Door, Entry
from bposite.plumbing.clock import from_micros, to_micros

SPLIT_AT_MOST = 50
CAP = 1000
Condition = ColumnExpressionArgument[bool]


class Cursor(NamedTuple):
    """A place in the log as people read it: the time used of an entry, and its position."""

    at: datetime
    position: int


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """What to look for; an empty part means anything. Times are aware and half-open: [since, until).

    ``zones``: the zone that was entered (or asked for). ``visits`` and ``persons`` together mean either of them.
    ``nothing``: an earlier search (such as by name) found nobody, so nothing can match.
    """

    persons: tuple[str, ...] = ()
    visits: tuple[str, ...] = ()
    doors: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    directions: tuple[str, ...] = ()
    credential_types: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    notable: bool = False
    late: bool = False
    nothing: bool = False


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry of the log. ``position``: journal number and insert order; ``time_used``: the best known time.

    ``decision``: granted | denied | taken | not-taken | request, None for events that are no decision.
    ``decided_by``: site | device | operator. ``raised``: concerns that did not refuse. ``shadow``: what our own policy
    would have said where a device decided.
    """

    position: int
    time_used: datetime
    received_at: datetime
    time_told: datetime | None
    time_source: str
    skew_ms: int | None
    late: bool
    device: str
    key: str
    boot: str | None
    seq: int | None
    cls: str
    decision: str | None
    reason: str
    vendor_reason: str | None
    notable: bool
    door: str | None
    door_ref: str | None
    direction: str | None
    zone: str | None
    reader: str | None
    person: str | None
    visit: str | None
    pass_id: str | None
    credential_type: str | None
    credential_ref: str | None
    factors: tuple[str, ...]
    decided_by: str
    taken: bool | None
    duress: bool
    raised: tuple[str, ...]
    shadow: str | None
    digest: str
    adapter: str

    @property
    def cursor(self) -> Cursor:
        """Where this entry stands in the log as people read it."""
        return Cursor(self.time_used, self.position)


_NAMES = tuple(EntryRow.__dataclass_fields__)
_COLUMNS = tuple(getattr(Entry, name) for name in _NAMES)


def search_entries(
    session: Session,
    wanted: EntryFilter,
    *,
    before: Cursor | None = None,
    after: Cursor | None = None,
    limit: int = 50,
) -> list[EntryRow]:
    """One page, newest first. ``before`` goes on to older entries; ``after`` gives the page just newer than it."""
    ascending = after is not None and before is None
    parts = [
        _page(session, wanted, condition, before, after, ascending, limit) for condition in _split(session, wanted)
    ]
    rows = list(islice(merge(*parts, key=lambda row: row.cursor, reverse=not ascending), limit))
    return rows[::-1] if ascending else rows


def entries_after(session: Session, wanted: EntryFilter, after: int, *, limit: int = 500) -> list[EntryRow]:
    """Entries with position > ``after`` in the order of insertion: late ones are never skipped by a cursor."""
    statement = select(*_COLUMNS).where(Entry.position > after, *_conditions(wanted), *_identity(session, wanted))
    return [_row(row) for row in session.execute(statement.order_by(Entry.position).limit(limit))]


def entry(session: Session, position: int) -> EntryRow | None:
    """One entry by its position."""
    row = session.execute(select(*_COLUMNS).where(Entry.position == position)).one_or_none()
    return None if row is None else _row(row)


def entry_of(session: Session, device: str, key: str) -> EntryRow | None:
    """The entry of one event, by its device and canonical key."""
    row = session.execute(select(*_COLUMNS).where(Entry.device == device, Entry.key == key)).one_or_none()
    return None if row is None else _row(row)


def newest_position(session: Session) -> int:
    """The position of the newest entry; -1 in an empty log."""
    newest = session.scalar(select(func.max(Entry.position)))
    return -1 if newest is None else newest


def capped_count(session: Session, wanted: EntryFilter, *, cap: int = CAP) -> int:
    """How many entries match, but never more than ``cap`` + 1: an exact count of everything is not worth its price."""
    inner = select(literal(1)).where(*_conditions(wanted), *_identity(session, wanted)).limit(cap + 1).subquery()
    return session.scalar(select(func.count()).select_from(inner)) or 0


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bar: entries in [start, start + width), and how many of them were refused or alarms."""

    start: datetime
    count: int
    notable: int


def histogram(session: Session, wanted: EntryFilter, *, start: datetime, end: datetime, bars: int = 48) -> list[Bucket]:
    """Counts in ``bars`` equal steps of [start, end); ValueError when the span is empty."""
    width = to_micros(end) - to_micros(start)
    width = -(-width // bars)
    if width <= 0:
        raise ValueError("the span of a histogram is empty")
    inside = replace(wanted, since=max(start, wanted.since or start), until=min(end, wanted.until or end))
    bar = ((type_coerce(Entry.time_used, BigInteger) - to_micros(start)) // width).label("bar")
    counts = (bar, func.count(), func.count(case((Entry.notable, 1))))
    statement = select(*counts).where(*_conditions(inside), *_identity(session, inside)).group_by(bar)
    found = {int(row[0]): (int(row[1]), int(row[2])) for row in session.execute(statement)}
    starts = (from_micros(to_micros(start) + step * width) for step in range(bars))
    return [Bucket(at, *found.get(step, (0, 0))) for step, at in enumerate(starts)]


def last_entries(session: Session, doors: Sequence[str]) -> dict[str, EntryRow]:
    """The newest entry of each door that has one."""
    found = {door: search_entries(session, EntryFilter(doors=(door,)), limit=1) for door in doors}
    return {door: rows[0] for door, rows in found.items() if rows}


# --- how a filter becomes SQL ----------------------------------------------------------------------------------------


def _page(
    session: Session,
    wanted: EntryFilter,
    condition: Condition,
    before: Cursor | None,
    after: Cursor | None,
    ascending: bool,
    limit: int,
) -> list[EntryRow]:
    statement = select(*_COLUMNS).where(condition, *_conditions(wanted))
    if before is not None:
        statement = statement.where(_beyond(before, older=True))
    if after is not None:
        statement = statement.where(_beyond(after, older=False))
    return [_row(row) for row in session.execute(_ordered(statement, ascending).limit(limit))]


def _ordered(statement: Select[Any], ascending: bool) -> Select[Any]:
    if ascending:
        return statement.order_by(Entry.time_used, Entry.position)
    return statement.order_by(Entry.time_used.desc(), Entry.position.desc())


def _beyond(cursor: Cursor, *, older: bool) -> Condition:
    """Strictly older or newer than a cursor, in a form that an index on the time alone can seek to."""
    same = Entry.time_used == cursor.at
    if older:
        return and_(
            Entry.time_used <= cursor.at,
            or_(Entry.time_used < cursor.at, and_(same, Entry.position < cursor.position)),
        )
    return and_(
        Entry.time_used >= cursor.at,
        or_(Entry.time_used > cursor.at, and_(same, Entry.position > cursor.position)),
    )


def _split(session: Session, wanted: EntryFilter) -> list[Condition]:
    """Conditions that exclude each other and together are the filter's identity part; each has an index of its own."""
    if wanted.nothing:
        return [false()]
    people = [Entry.person == one for one in wanted.persons]
    visits = [Entry.visit == one for one in wanted.visits]
    if people or visits:
        either: list[Condition] = [*people, *visits]
        return either if len(either) <= SPLIT_AT_MOST else _identity(session, wanted)
    doors = _doors(session, wanted)
    if doors is None:
        return [true()]
    if len(doors) > SPLIT_AT_MOST:
        return [Entry.door.in_(doors)]
    return [Entry.door == one for one in doors] or [false()]


def _identity(session: Session, wanted: EntryFilter) -> list[Condition]:
    """The same part as one condition, for counts and for walks by position."""
    if wanted.nothing:
        return [false()]
    either = []
    if wanted.persons:
        either.append(Entry.person.in_(wanted.persons))
    if wanted.visits:
        either.append(Entry.visit.in_(wanted.visits))
    if either:
        return [or_(*either)]
    doors = _doors(session, wanted)
    return [] if doors is None else [Entry.door.in_(doors)]


def _doors(session: Session, wanted: EntryFilter) -> list[str] | None:
    """The doors that can match: the ones asked for, or all that border the zones asked for; None = any."""
    if wanted.doors or not wanted.zones:
        return list(dict.fromkeys(wanted.doors)) or None
    borders = or_(Door.from_zone.in_(wanted.zones), Door.to_zone.in_(wanted.zones))
    return list(session.scalars(select(Door.id).where(borders)))


_IN: tuple[tuple[str, InstrumentedAttribute[Any]], ...] = (
    ("doors", Entry.door),
    ("zones", Entry.zone),
    ("devices", Entry.device),
    ("classes", Entry.cls),
    ("decisions", Entry.decision),
    ("reasons", Entry.reason),
    ("directions", Entry.direction),
    ("credential_types", Entry.credential_type),
)


def _conditions(wanted: EntryFilter) -> list[Condition]:
    conditions: list[Condition] = []
    for name, column in _IN:
        values = getattr(wanted, name)
        if values:
            conditions.append(column == values[0] if len(values) == 1 else column.in_(values))
    if wanted.since is not None:
        conditions.append(Entry.time_used >= wanted.since)
    if wanted.until is not None:
        conditions.append(Entry.time_used < wanted.until)
    if wanted.late:
        conditions.append(Entry.late)
    if wanted.notable or _only_notable(wanted):
        conditions.append(literal_column("notable", Boolean))  # word for word as in the partial index
    return conditions


def _only_notable(wanted: EntryFilter) -> bool:
    """Whether everything asked for is in the partial index of refusals and alarms anyway."""
    refused = bool(wanted.decisions) and set(wanted.decisions) == {"denied"}
    reasons = [REASONS.get(code) for code in wanted.reasons]
    return refused or (bool(reasons) and all(reason is not None and reason.outcome == "denied" for reason in reasons))


def _row(row: Row[Any]) -> EntryRow:
    values = dict(zip(_NAMES, row, strict=True))
    values["factors"] = tuple(filter(None, values["factors"].split(",")))
    values["raised"] = tuple(filter(None, values["raised"].split(",")))
    values["digest"] = values["digest"].hex()
    return EntryRow(**values)
