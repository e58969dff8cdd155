"""The access policy built from the site's rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bposite.doors.events import Direction
from bposite.doors.rules import policy as rules
from bposite.doors.rules.calendar import Schedule, parse_window
from bposite.doors.rules.scene import Confidence, Lockdown, Scene, Whereabouts
from bposite.doors.tables import (
    AccessLevel,
    Credential,
    Door,
    DoorAlias,
    DoorState,
    Holiday,
    LockdownRow,
    Note,
    Presence,
    Reader,
    Zone,
)
from bposite.doors.tables import Schedule as ScheduleRow
from bposite.people.queries import PersonRow, search_persons
from bposite.plumbing.clock import site_zone
from bposite.plumbing.settings import current

EVERYBODY = 1_000_000
Factors = dict[str, tuple[rules.FactorRow, ...]]
_SIDES: dict[str, tuple[Direction, ...]] = {"in": ("in",), "out": ("out",), "": ("in", "out")}


def load_policy(session: Session) -> rules.Policy:
    """Everything a decision needs, compiled; its version is the number of the newest note it has seen."""
    schedules = load_schedules(session)
    people = search_persons(session, "", active=False, limit=EVERYBODY)
    return rules.compile_policy(
        site=current().site.id,
        version=str(newest_note(session)),
        zones=[_zone(row) for row in session.scalars(select(Zone).order_by(Zone.ordinal))],
        doors=_doors(session, schedules),
        credentials=[_credential(row) for row in session.scalars(select(Credential))],
        holders=[_holder(row) for row in people],
        levels=[_level(row, schedules) for row in session.scalars(select(AccessLevel).order_by(AccessLevel.id))],
        aliases=_aliases(session),
    )


def load_scene(session: Session) -> Scene:
    """The live facts as they were last stored."""
    scene = Scene(whereabouts(session))
    for row in session.scalars(select(DoorState)):
        if row.contact == "open":
            scene.open_doors.add(row.door)
    scene.modes = load_modes(session)
    scene.lockdowns = load_lockdowns(session)
    for used in session.scalars(select(Credential).where(Credential.last_used.is_not(None))):
        if used.last_used is not None:
            scene.last_used[used.type, used.ref] = used.last_used
        scene.uses[used.type, used.ref] = used.uses
    return scene


def whereabouts(session: Session) -> list[Whereabouts]:
    """Where everybody was last known to be."""
    return [
        Whereabouts(row.subject, row.zone, row.at, row.door, _way(row.direction), _confidence(row), row.position)
        for row in session.scalars(select(Presence))
    ]


def load_modes(session: Session) -> dict[str, str]:
    """Doors that an operator or their controller keeps locked or unlocked."""
    kept = select(DoorState.door, DoorState.mode).where(DoorState.mode.in_(("locked", "unlocked")))
    return {row.door: row.mode for row in session.execute(kept)}


def load_lockdowns(session: Session) -> dict[str, Lockdown]:
    """Lockdowns in force, by scope."""
    rows = session.scalars(select(LockdownRow))
    return {row.scope: Lockdown(row.scope, row.rank, row.since, row.until, row.by, row.reason) for row in rows}


def load_schedules(session: Session) -> dict[str, Schedule]:
    """All schedules, compiled with the site's zone and special days."""
    zone = site_zone()
    special = {date.fromisoformat(row.day): row.name for row in session.scalars(select(Holiday))}
    return {row.id: _schedule(row, zone, special) for row in session.scalars(select(ScheduleRow))}


def newest_note(session: Session) -> int:
    """The number of the newest note to listeners; 0 when there is none."""
    return session.scalar(select(func.max(Note.id))) or 0


def notes_after(session: Session, after: int) -> list[tuple[int, str, str]]:
    """Notes to listeners that came after number ``after``: (number, kind, subject)."""
    rows = session.execute(select(Note.id, Note.kind, Note.subject).where(Note.id > after).order_by(Note.id))
    return [(row.id, row.kind, row.subject) for row in rows]


def _schedule(row: ScheduleRow, zone: ZoneInfo, special: Mapping[date, str]) -> Schedule:
    windows = tuple(parse_window(window) for window in row.windows)
    return Schedule(row.id, row.name, windows, zone, row.holidays_open, special)


def _aliases(session: Session) -> dict[tuple[str, str], tuple[str, Direction | None]]:
    return {(row.device_id, row.ref): (row.door_id, _way(row.direction)) for row in session.scalars(select(DoorAlias))}


def _zone(row: Zone) -> rules.Zone:
    return rules.Zone(
        row.id, row.name, row.kind, row.client, row.capacity, row.reopen_at, row.no_device, row.escort, row.two_person,  # type: ignore[arg-type]
        frozenset(row.supervisors),
    )  # fmt: skip


def _doors(session: Session, schedules: Mapping[str, Schedule]) -> list[rules.Door]:
    factors: dict[str, Factors] = {}
    for reader in session.scalars(select(Reader).order_by(Reader.id)):
        rows = tuple(
            rules.FactorRow(frozenset(one["factors"]), schedules.get(one["schedule"])) for one in reader.factors
        )
        factors.setdefault(reader.door_id, {}).setdefault(reader.direction, rows)
    found = session.scalars(select(Door).where(Door.retired.is_(False)).order_by(Door.ordinal))
    return [_door(row, schedules, factors.get(row.id, {})) for row in found]


def _door(row: Door, schedules: Mapping[str, Schedule], factors: Factors) -> rules.Door:
    return rules.Door(
        id=row.id, name=row.name, device=row.device_id, from_zone=row.from_zone, to_zone=row.to_zone,
        open_ms=row.open_ms, held_s=row.held_s, anti_passback=row.anti_passback,  # type: ignore[arg-type]
        passback_minutes=row.passback_minutes, unlocked=schedules.get(row.unlocked or ""), factors=factors,
        interlock=row.interlock, senses_passage=row.senses_passage, out_of_service=row.out_of_service,
        max_failures=row.max_failures, lockout_s=row.lockout_s,
    )  # fmt: skip


def _credential(row: Credential) -> rules.Credential:
    return rules.Credential(
        row.type, row.ref, row.person, row.status, row.valid_from, row.valid_until, row.idle_days, row.max_uses,  # type: ignore[arg-type]
    )  # fmt: skip


def _holder(row: PersonRow) -> rules.Holder:
    groups = frozenset(filter(None, (row.team, row.client)))
    return rules.Holder(row.number, row.name, row.active, row.client, groups, may_escort=row.can_host)


def _level(row: AccessLevel, schedules: Mapping[str, Schedule]) -> rules.Level:
    sides = {
        (door, way) for door, _, side in (text.partition(":") for text in row.sides) for way in _SIDES.get(side, ())
    }
    return rules.Level(
        row.id, row.name, row.effect,  # type: ignore[arg-type]
        schedules.get(row.schedule_id or ""), frozenset(row.members), frozenset(row.groups), frozenset(sides),
        frozenset(row.zones), row.since, row.until,
    )  # fmt: skip


def _way(text: str | None) -> Direction | None:
    return "in" if text == "in" else "out" if text == "out" else None


def _confidence(row: Presence) -> Confidence:
    return row.confidence  # type: ignore[return-value]
