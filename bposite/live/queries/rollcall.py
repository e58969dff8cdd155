"""The roll call: who is inside at this moment, and a frozen list with everybody's marks."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bposite.doors.queries import Present, inside
from bposite.doors.queries.names import door_names, zone_names
from bposite.live.rules import STALE_AFTER, Tick, standing
from bposite.live.tables import RollCall, RollCallMember, RollCallTick
from bposite.people.queries import persons_by_number
from bposite.visits.queries.names import VisitName, visit_names, visits_inside
from bposite.visits.rules.machine import VisitState

NOWHERE = "Not seen at a door"
AT_MUSTER = "At the muster point"


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody to be accounted for, as the list will keep it."""

    subject: str
    kind: str
    name: str
    detail: str
    zone: str
    door: str
    seen_at: datetime | None
    confidence: str
    entry: int | None


@dataclass(frozen=True, slots=True)
class Call:
    """A roll call; ``people`` are on its list, ``safe`` of them are marked so."""

    id: str
    drill: bool
    reason: str
    started_at: datetime
    started_by: str
    closed_at: datetime | None
    closed_by: str
    people: int


@dataclass(frozen=True, slots=True)
class Member:
    """A line of the list. ``tick`` None: nobody has marked this person yet."""

    id: str
    kind: str
    name: str
    detail: str
    zone: str
    door: str
    seen_at: datetime | None
    confidence: str
    entry: int | None
    tick: Tick | None

    @property
    def state(self) -> str:
        """safe | missing | unknown."""
        return self.tick.state if self.tick else "unknown"


@dataclass(frozen=True, slots=True)
class Roll:
    """A roll call with its list by zone, in the order of the plan."""

    call: Call
    zones: list[tuple[str, list[Member]]]
    counts: dict[str, int]
    last_safe: datetime | None

    @property
    def complete(self) -> bool:
        """Whether everybody is safe."""
        return self.counts["safe"] == sum(self.counts.values())


def everybody_inside(session: Session, at: datetime) -> list[Found]:
    """Everybody who was last seen in the building, and every visitor who is checked in but was seen at no door.

    Visits that overstay or are unaccounted for are among them: no timer takes anybody off this list.
    """
    present = still_inside(session)
    persons = persons_by_number(session, [one.person for one in present if one.person])
    guests = {visit.id: visit for visit in visits_inside(session, [one.visit for one in present if one.visit])}
    doors, zones = door_names(session), zone_names(session)
    found = []
    for one in present:
        visit = guests.pop(one.visit, None) if one.visit else None
        person = persons.get(one.person or "")
        name = visit.visitor if visit else person.name if person else one.person or "Visitor"
        detail = _of_visit(visit) if visit else " · ".join(filter(None, (one.person, person.team if person else "")))
        zone = zones[one.zone].name if one.zone in zones else one.zone or NOWHERE
        door = doors[one.door].name if one.door in doors else one.door or ""
        found.append(
            Found(
                one.subject, "visitor" if one.visit else "staff", name, detail, zone, door, one.at,
                _confidence(one, at), one.position if one.position >= 0 else None,
            )
        )  # fmt: skip
    unseen = [
        Found(f"visit:{visit.id}", "visitor", visit.visitor, _of_visit(visit), NOWHERE, "", None, "inferred", None)
        for visit in guests.values()
    ]
    return [*found, *unseen]


def still_inside(session: Session) -> list[Present]:
    """Everybody whom doors saw in the building last, without visitors whose departure was proven after that.

    Many leave by a door that stands open, after handing the pass back at the desk: no door tells. Whoever a door saw
    *after* the recorded departure stays on the list.
    """
    present = inside(session)
    visits = visit_names(session, [one.visit for one in present if one.visit])
    return [one for one in present if not (one.visit in visits and _left_after(visits[one.visit], one.at))]


def _left_after(visit: VisitName, seen: datetime) -> bool:
    return visit.state is VisitState.DEPARTED and visit.departed_at is not None and visit.departed_at >= seen


def _of_visit(visit: VisitName) -> str:
    state = "" if visit.state.value == "on_site" else visit.state.value.replace("_", " ")
    return " · ".join(filter(None, (visit.company, f"with {visit.host_name}", state)))


def _confidence(one: Present, at: datetime) -> str:
    return "stale" if at - one.at > STALE_AFTER else one.confidence


def open_call(session: Session) -> Call | None:
    """The roll call that is under way, the newest when there are several."""
    return next((call for call in calls(session, limit=5) if call.closed_at is None), None)


def calls(session: Session, *, limit: int = 20) -> list[Call]:
    """Roll calls, newest first."""
    people = select(func.count()).where(RollCallMember.call_id == RollCall.id).scalar_subquery()
    rows = session.execute(select(RollCall, people).order_by(RollCall.started_at.desc()).limit(limit))
    return [_call(row, count) for row, count in rows]


def roll(session: Session, call_id: str) -> Roll | None:
    """One roll call with its list; None when there is none."""
    row = session.get(RollCall, call_id)
    if row is None:
        return None
    ticks: dict[str, list[Tick]] = defaultdict(list)
    for tick in session.scalars(select(RollCallTick).where(RollCallTick.call_id == call_id)):
        ticks[tick.member_id].append(Tick(tick.state, tick.at, tick.by))
    found = session.scalars(
        select(RollCallMember).where(RollCallMember.call_id == call_id).order_by(RollCallMember.name)
    )
    members = [_member(one, standing(ticks[one.id])) for one in found]
    counts = {state: sum(one.state == state for one in members) for state in ("safe", "missing", "unknown")}
    safe = [one.tick.at for one in members if one.tick is not None and one.state == "safe"]
    return Roll(_call(row, len(members)), _by_zone(session, members), counts, max(safe, default=None))


def _by_zone(session: Session, members: list[Member]) -> list[tuple[str, list[Member]]]:
    order = {zone.name: rank for rank, zone in enumerate(zone_names(session).values())}
    groups: dict[str, list[Member]] = defaultdict(list)
    for one in members:
        groups[one.zone].append(one)
    return sorted(groups.items(), key=lambda pair: (order.get(pair[0], len(order)), pair[0]))


def _call(row: RollCall, people: int) -> Call:
    return Call(
        row.id, row.drill, row.reason, row.started_at, row.started_by, row.closed_at, row.closed_by, people
    )  # fmt: skip


def _member(row: RollCallMember, tick: Tick | None) -> Member:
    return Member(
        row.id, row.kind, row.name, row.detail, row.zone, row.door, row.seen_at, row.confidence, row.entry, tick
    )  # fmt: skip
