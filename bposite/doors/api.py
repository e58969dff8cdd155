"""REST: doors, zones, alarms and devices as they are now (read only)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field

from bposite.doors import queries
from bposite.doors.queries import AlarmRow, DoorNow, ZoneNow
from bposite.doors.queries.devices import DeviceHealth, devices_health
from bposite.people.access import requires
from bposite.plumbing.api import endpoint
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound

api = Blueprint("doors_api", __name__, url_prefix="/api/v1")


class Door(BaseModel):
    """A door and how it stands."""

    id: str
    name: str
    device: str
    from_zone: str
    to_zone: str = Field(description="direction `in` leads here")
    status: Literal["good", "attention", "alarm", "unknown"]
    contact: Literal["open", "closed", "unknown"]
    lock: Literal["locked", "unlocked", "unknown"]
    mode: Literal["normal", "locked", "unlocked", "lockdown"]
    alarm: str = Field(description="reason of the alarm at the door, or empty")
    online: bool | None = Field(description="whether its controller is there; null: nothing was ever heard of it")
    changed_at: datetime | None
    last_entry: int | None = Field(description="position of its newest entry")


class DoorList(BaseModel):
    """All doors, in the order of the plan."""

    items: list[Door]


class Zone(BaseModel):
    """A zone and its head-count."""

    id: str
    name: str
    kind: str
    client: str
    capacity: int = Field(description="0: no limit")
    staff: int
    visitors: int
    lockdown: bool


class ZoneList(BaseModel):
    """All zones, in the order of the plan."""

    items: list[Zone]


class AlarmQuery(BaseModel):
    """Which alarms."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["open", "closed", "any"] = Field("open", description="open includes acknowledged ones")
    before: str = Field("", max_length=26, description="id of the last alarm of the page before")
    limit: int = Field(50, ge=1, le=500)


class Alarm(BaseModel):
    """An alarm."""

    id: str
    kind: str
    severity: Literal["alarm", "warning"]
    state: Literal["open", "acknowledged", "closed"]
    summary: str
    door: str | None
    device: str | None
    zone: str | None
    camera: str | None
    entry: int | None
    live: bool
    condition_over: bool
    count: int
    raised_at: datetime
    last_at: datetime
    closed_at: datetime | None


class AlarmList(BaseModel):
    """Alarms, newest first."""

    items: list[Alarm]


class Device(BaseModel):
    """A device and how it is."""

    id: str
    name: str
    kind: str
    status: Literal["good", "attention", "alarm", "unknown"]
    word: str
    online: bool | None
    heard_at: datetime | None
    skew_ms: int | None
    buffered: int | None
    missing: int = Field(description="events it counted that are not here")
    completeness: float | None = Field(description="percent; null while it has not counted")
    duplicates: int
    rejected: int


class DeviceList(BaseModel):
    """All devices, worst first."""

    items: list[Device]


@api.get("/doors")
@requires("doors:read")
@endpoint(returns=DoorList, summary="All doors and how they stand")
def list_doors() -> DoorList:
    """All doors."""
    with reading() as session:
        return DoorList(items=[_door(row) for row in queries.doors_now(session)])


@api.get("/doors/<door_id>")
@requires("doors:read")
@endpoint(returns=Door, summary="One door")
def one_door(door_id: str) -> Door:
    """One door."""
    with reading() as session:
        row = queries.door_now(session, door_id)
    if row is None:
        raise NotFound("door", "There is no such door.")
    return _door(row)


@api.get("/zones")
@requires("doors:read")
@endpoint(returns=ZoneList, summary="All zones with their head-counts")
def list_zones() -> ZoneList:
    """All zones."""
    with reading() as session:
        return ZoneList(items=[_zone(row) for row in queries.zones_now(session)])


@api.get("/alarms")
@requires("doors:read")
@endpoint(query=AlarmQuery, returns=AlarmList, summary="Alarms, newest first")
def list_alarms(query: AlarmQuery) -> AlarmList:
    """Alarms."""
    wanted = {"open": ("open", "acknowledged"), "closed": ("closed",)}
    states = wanted.get(query.state, ("open", "acknowledged", "closed"))
    with reading() as session:
        rows = queries.alarms(session, states=states, before=query.before, limit=query.limit)
    return AlarmList(items=[_alarm(row) for row in rows])


@api.get("/devices")
@requires("devices:read")
@endpoint(returns=DeviceList, summary="All devices and their health")
def list_devices() -> DeviceList:
    """All devices."""
    with reading() as session:
        return DeviceList(items=[_device(row) for row in devices_health(session, now())])


def _door(row: DoorNow) -> Door:
    return Door.model_validate(
        {
            "id": row.id, "name": row.name, "device": row.device, "from_zone": row.from_zone, "to_zone": row.to_zone,
            "status": row.status, "contact": row.contact, "lock": row.lock, "mode": row.mode, "alarm": row.alarm,
            "online": row.online, "changed_at": row.changed_at, "last_entry": row.last.position if row.last else None,
        }
    )  # fmt: skip


def _zone(row: ZoneNow) -> Zone:
    return Zone(
        id=row.id, name=row.name, kind=row.kind, client=row.client, capacity=row.capacity, staff=row.staff,
        visitors=row.visitors, lockdown=row.lockdown is not None,
    )  # fmt: skip


def _alarm(row: AlarmRow) -> Alarm:
    return Alarm.model_validate({name: getattr(row, name) for name in Alarm.model_fields})


def _device(row: DeviceHealth) -> Device:
    return Device.model_validate(
        {
            "id": row.id, "name": row.name, "kind": row.kind, "status": row.status, "word": row.word,
            "online": row.online, "heard_at": row.heard_at, "skew_ms": row.skew_ms, "buffered": row.buffered,
            "missing": row.missing, "completeness": row.completeness, "duplicates": row.counts.get("duplicates", 0),
            "rejected": row.counts.get("rejected", 0),
        }
    )  # fmt: skip


blueprints = (api,)
