"""The site plan: zones, schedules, devices, doors, readers, access levels and credentials from one file.

Applying is an idempotent upsert of whole sections: everything is read and checked before the first row changes, and an
error names its place (``doors, row 3``). A door that the plan drops is retired, because its log stays; other rows that
the plan does not name are kept. Numbers of cards are turned into keyed references here and never stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as day_time
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from sqlalchemy import select

from bposite.doors.actions.notes import note
from bposite.doors.references import reference
from bposite.doors.rules.calendar import parse_window
from bposite.doors.rules.policy import AntiPassback, CredentialStatus, Effect, ZoneKind
from bposite.doors.tables import AccessLevel, Credential, Device, Door, Holiday, Reader, Schedule, Zone
from bposite.doors.wire.routes import OptionError, configuration
from bposite.journal.work import Work
from bposite.plumbing.clock import site_zone
from bposite.plumbing.db import Model
from bposite.plumbing.errors import Refusal
from bposite.plumbing.ids import new_id

Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,40}\Z")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class Row(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A row of a section; an unknown key is an error, because it is a misspelt one."""


class ZonePlan(Row, frozen=True, kw_only=True):
    """An area; ``supervisors`` are person numbers of whom one must be inside first."""

    id: Slug
    name: Name
    kind: ZoneKind
    client: Annotated[str, msgspec.Meta(max_length=80)] = ""
    capacity: Count = 0
    reopen_at: Count = 0
    no_device: bool = False
    escort: bool = False
    two_person: bool = False
    supervisors: list[str] = []


class SchedulePlan(Row, frozen=True, kw_only=True):
    """``windows`` such as ``mon-fri 07:30-20:00``; ``holidays`` says whether weekdays count on special days."""

    id: Slug
    name: Name
    windows: list[str]
    holidays: Literal["open", "closed"] = "open"


class DevicePlan(Row, frozen=True, kw_only=True):
    """A controller; ``kind`` is ``native`` or the adapter of a vendor."""

    id: Slug
    name: Name
    kind: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,40}\Z")] = "native"
    model: Annotated[str, msgspec.Meta(max_length=120)] = ""
    timezone: Annotated[str, msgspec.Meta(max_length=64)] = ""
    options: dict[str, str] = {}


class DoorPlan(Row, frozen=True, kw_only=True):
    """One opening; ``unlocked`` names a schedule or is empty."""

    id: Slug
    name: Name
    device: Slug
    from_zone: Slug
    to_zone: Slug
    open_ms: Annotated[int, msgspec.Meta(ge=100, le=600_000)] = 4000
    held_s: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = 30
    anti_passback: AntiPassback = "none"
    passback_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 5
    degraded: Literal["list", "closed"] = "list"
    unlocked: str = ""
    interlock: Annotated[str, msgspec.Meta(max_length=40)] = ""
    senses_passage: bool = True
    out_of_service: bool = False
    max_failures: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 5
    lockout_s: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = 60


class FactorPlan(Row, frozen=True, kw_only=True):
    """What must be shown (``card+finger``) while ``schedule`` runs; an empty schedule means always."""

    factors: str
    schedule: str = ""


class ReaderPlan(Row, frozen=True, kw_only=True):
    """A reader at one side of a door."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,60}\Z")]
    door: Slug
    direction: Literal["in", "out"]
    kinds: list[str] = []
    factors: str | list[FactorPlan] = ""


class LevelPlan(Row, frozen=True, kw_only=True):
    """Who may pass what and when. ``doors`` may name one side (``card-room:in``); ``groups`` are teams or clients."""

    id: Slug
    name: Name
    schedule: str = ""
    doors: list[str] = []
    zones: list[str] = []
    members: list[str] = []
    groups: list[str] = []
    effect: Effect = "grant"
    since: str = ""
    until: str = ""


class CredentialPlan(Row, frozen=True, kw_only=True):
    """What a person shows; dates are local and ``valid_until`` is the last day."""

    person: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    type: Literal["card", "finger", "face", "iris", "mobile", "pin"]
    number: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    format: Annotated[str, msgspec.Meta(max_length=40)] = ""
    status: CredentialStatus = "active"
    valid_from: str = ""
    valid_until: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The sections that doors read, checked."""

    holidays: tuple[str, ...]
    zones: tuple[ZonePlan, ...]
    schedules: tuple[SchedulePlan, ...]
    devices: tuple[DevicePlan, ...]
    doors: tuple[DoorPlan, ...]
    readers: tuple[ReaderPlan, ...]
    levels: tuple[LevelPlan, ...]
    credentials: tuple[CredentialPlan, ...]


R = TypeVar("R", bound=Row)


def apply_plan(work: Work, plan: Mapping[str, Any]) -> None:
    """Make the site's doors agree with ``plan`` (the whole file as a mapping); Refusal names the place of an error."""
    read = read_plan(plan)
    changed = {
        "zones": _upsert(work, Zone, _zones(read.zones)),
        "schedules": _upsert(work, Schedule, _schedules(read.schedules)),
        "holidays": _upsert(work, Holiday, [{"day": day} for day in read.holidays], key="day"),
        "devices": _upsert(work, Device, _devices(read.devices)),
        "doors": _upsert(work, Door, _doors(read.doors)) + _retire(work, read.doors),
        "readers": _upsert(work, Reader, _readers(read.readers)),
        "levels": _upsert(work, AccessLevel, _levels(read.levels)),
        "credentials": _credentials(work, read.credentials),
    }
    if touched := {section: names for section, names in changed.items() if names}:
        work.record("doors:plan:applied", data=touched)
        note(work, "policy")


def read_plan(plan: Mapping[str, Any]) -> Plan:
    """Every section that doors need, checked row by row and against each other."""
    site = plan.get("site") or {}
    read = Plan(
        holidays=tuple(
            _day(f"site.holidays, entry {at + 1}", day) for at, day in enumerate(site.get("holidays") or ())
        ),
        zones=_section(plan, "zones", ZonePlan),
        schedules=_section(plan, "schedules", SchedulePlan),
        devices=_section(plan, "devices", DevicePlan),
        doors=_section(plan, "doors", DoorPlan),
        readers=_section(plan, "readers", ReaderPlan),
        levels=_section(plan, "levels", LevelPlan),
        credentials=_section(plan, "credentials", CredentialPlan),
    )
    _check(read)
    return read


# --- reading and checking --------------------------------------------------------------------------------------------


def _section(plan: Mapping[str, Any], name: str, kind: type[R]) -> tuple[R, ...]:
    rows = plan.get(name) or []
    if not isinstance(rows, list):
        raise Refusal("plan", f"{name}: a list is expected", field=name)
    return tuple(_read(name, at, row, kind) for at, row in enumerate(rows))


def _read(name: str, at: int, row: Any, kind: type[R]) -> R:
    try:
        return msgspec.convert(row, kind)
    except msgspec.ValidationError as error:
        raise _fault(name, at, str(error)) from error


def _fault(section: str, at: int, what: str) -> Refusal:
    return Refusal("plan", f"{section}, row {at + 1}: {what}", field=f"{section}[{at}]", remedy="Mend the plan file.")


def _check(plan: Plan) -> None:
    ids = {name: _unique(name, getattr(plan, name)) for name in ("zones", "schedules", "devices", "doors", "readers")}
    _unique("levels", plan.levels)
    _check_schedules(plan.schedules)
    _check_devices(plan.devices)
    for at, door in enumerate(plan.doors):
        _known("doors", at, "zone", {door.from_zone, door.to_zone}, ids["zones"])
        _known("doors", at, "device", {door.device}, ids["devices"])
        _known("doors", at, "schedule", {door.unlocked} - {""}, ids["schedules"])
    for at, reader in enumerate(plan.readers):
        _known("readers", at, "door", {reader.door}, ids["doors"])
        _known("readers", at, "schedule", {row["schedule"] for row in _factors(reader)} - {""}, ids["schedules"])
    for at, level in enumerate(plan.levels):
        _known("levels", at, "door", {side.partition(":")[0] for side in level.doors}, ids["doors"])
        _known("levels", at, "zone", set(level.zones), ids["zones"])
        _known("levels", at, "schedule", {level.schedule} - {""}, ids["schedules"])
    for at, row in enumerate(plan.credentials):
        for text in (row.valid_from, row.valid_until):
            if text:
                _day(f"credentials, row {at + 1}", text)


def _unique(section: str, rows: Sequence[Any]) -> set[str]:
    seen: set[str] = set()
    for at, row in enumerate(rows):
        if row.id in seen:
            raise _fault(section, at, f"the id {row.id!r} is there twice")
        seen.add(row.id)
    return seen


def _known(section: str, at: int, what: str, names: set[str], known: set[str]) -> None:
    for name in sorted(names - known):
        raise _fault(section, at, f"there is no {what} {name!r}")


def _check_schedules(schedules: Iterable[SchedulePlan]) -> None:
    for at, schedule in enumerate(schedules):
        for window in schedule.windows:
            try:
                parse_window(window)
            except ValueError as error:
                raise _fault("schedules", at, str(error)) from error


def _check_devices(devices: Iterable[DevicePlan]) -> None:
    for at, device in enumerate(devices):
        try:
            configuration("site", device.id, device.kind, str, device.timezone, device.options)
        except OptionError as error:
            raise _fault("devices", at, str(error)) from error


def _day(place: str, text: Any) -> str:
    try:
        return date.fromisoformat(str(text)).isoformat()
    except ValueError as error:
        raise Refusal("plan", f"{place}: {text!r} is not a date such as 2026-12-25") from error


# --- rows ------------------------------------------------------------------------------------------------------------


def _zones(rows: Iterable[ZonePlan]) -> list[dict[str, Any]]:
    return [msgspec.structs.asdict(row) | {"ordinal": at} for at, row in enumerate(rows)]


def _schedules(rows: Iterable[SchedulePlan]) -> list[dict[str, Any]]:
    return [
        {"id": row.id, "name": row.name, "windows": row.windows, "holidays_open": row.holidays == "open"}
        for row in rows
    ]


def _devices(rows: Iterable[DevicePlan]) -> list[dict[str, Any]]:
    return [
        {"id": row.id, "name": row.name, "kind": row.kind, "model": row.model, "zone_name": row.timezone}
        | {"options": row.options, "planned": True}
        for row in rows
    ]


def _doors(rows: Iterable[DoorPlan]) -> list[dict[str, Any]]:
    return [
        msgspec.structs.asdict(row)
        | {"device_id": row.device, "unlocked": row.unlocked or None, "ordinal": at, "retired": False, "device": None}
        for at, row in enumerate(rows)
    ]


def _readers(rows: Iterable[ReaderPlan]) -> list[dict[str, Any]]:
    return [
        {"id": row.id, "door_id": row.door, "direction": row.direction, "kinds": row.kinds, "factors": _factors(row)}
        for row in rows
    ]


def _factors(row: ReaderPlan) -> list[dict[str, Any]]:
    rows = [FactorPlan(factors=row.factors)] if isinstance(row.factors, str) else row.factors
    return [
        {"factors": sorted(filter(None, one.factors.split("+"))), "schedule": one.schedule}
        for one in rows
        if one.factors
    ]


def _levels(rows: Iterable[LevelPlan]) -> list[dict[str, Any]]:
    return [
        {
            "id": row.id, "name": row.name, "effect": row.effect, "schedule_id": row.schedule or None,
            "sides": row.doors, "zones": row.zones, "members": row.members, "groups": row.groups,
            "since": local_midnight(row.since), "until": local_midnight(row.until, days=1),
        }
        for row in rows
    ]  # fmt: skip


def local_midnight(text: str, *, days: int = 0) -> datetime | None:
    """The start of a local date (plus ``days``) in UTC; None for an empty text."""
    if not text:
        return None
    day = date.fromisoformat(text) + timedelta(days=days)
    return datetime.combine(day, day_time(), site_zone()).astimezone(UTC)


def _credentials(work: Work, rows: Iterable[CredentialPlan]) -> list[str]:
    """Credentials are known by type and reference; the list of changed ones names their holders only."""
    wanted = {(row.type, reference(row.type, row.number)): row for row in rows}
    held = {(row.type, row.ref): row for row in work.session.scalars(select(Credential))}
    changed = []
    for key, plan in wanted.items():
        values = {
            "person": plan.person, "format": plan.format, "status": plan.status,
            "valid_from": local_midnight(plan.valid_from), "valid_until": local_midnight(plan.valid_until, days=1),
        }  # fmt: skip
        row = held.get(key)
        if row is None:
            row = Credential(id=new_id(), type=key[0], ref=key[1])
            work.session.add(row)
        elif all(getattr(row, name) == value for name, value in values.items()):
            continue
        _set(row, values)
        changed.append(plan.person)
    return sorted(set(changed))


def _upsert(work: Work, model: type[Model], rows: Sequence[dict[str, Any]], *, key: str = "id") -> list[str]:
    """Add or change rows; the keys of those that were not as wanted."""
    columns = set(model.__table__.columns.keys())
    held = {getattr(row, key): row for row in work.session.scalars(select(model))}
    changed = []
    for wanted in rows:
        values = {name: value for name, value in wanted.items() if name in columns}
        row = held.get(values[key])
        if row is None:
            work.session.add(model(**values))
        elif all(getattr(row, name) == value for name, value in values.items()):
            continue
        else:
            _set(row, values)
        changed.append(values[key])
    work.session.flush()
    return changed


def _set(row: Model, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)


def _retire(work: Work, rows: Iterable[DoorPlan]) -> list[str]:
    kept = {row.id for row in rows}
    gone = [row for row in work.session.scalars(select(Door).where(Door.retired.is_(False))) if row.id not in kept]
    for row in gone if kept else ():
        row.retired = True
    return [row.id for row in gone] if kept else []
