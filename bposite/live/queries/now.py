"""What is happening now, for Site now, the wall and the health of the system."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy.orm import Session

from bposite.cameras.queries import CameraRow, cameras
from bposite.doors import queries as doors
from bposite.doors.queries import EntryFilter, EntryRow, search_entries
from bposite.doors.queries.board import AlarmRow, DoorNow, ZoneNow, alarms, doors_now, zones_now
from bposite.doors.queries.devices import COUNTERS, DeviceHealth, device_memos, devices_health, open_quarantine
from bposite.entries.queries import Line, Still, lines, names
from bposite.entries.queries.stills import NO_STILL, stills_of
from bposite.journal import queries as journal
from bposite.journal.queries import standing
from bposite.live.queries.rollcall import still_inside
from bposite.plumbing import health, jobs
from bposite.plumbing.clock import now
from bposite.plumbing.settings import current
from bposite.visits.queries.board import Card
from bposite.visits.queries.tally import Tally, overdue, tally

FEED = 12
ALARMS = 4
SAME_PASSAGE = timedelta(minutes=1)
LEAST_DISK_MB = 1024
LATE_CHECKPOINT = 10  # times the interval of checkpoints; beyond it the signing is not working
WORDS = {"listen": "Door listener", "work": "Timers"}
NEEDED = ("listen", "cameras", "work", "web")
LEAST_CLOCKS = 3  # fewer clocks cannot outvote ours
SKEW_WARN_MS, SKEW_BAD_MS = 5_000, 60_000
HEARD_WITHIN = timedelta(minutes=10)
PEOPLE = EntryFilter(classes=("access", "reader", "alarm"))


@dataclass(frozen=True, slots=True)
class Lamp:
    """One part of the system. ``state``: up | degraded | down | unknown; never up by default."""

    name: str
    state: str
    detail: str
    at: datetime | None

    @property
    def word(self) -> str:
        """What people call it."""
        return WORDS.get(self.name, self.name.capitalize())

    @property
    def status(self) -> str:
        """The interface's status colour."""
        return {"up": "good", "degraded": "attention", "down": "alarm"}.get(self.state, "unknown")


@dataclass(frozen=True, slots=True)
class DoorCard:
    """A door with the still of its last entry and the cameras that should see it."""

    door: DoorNow
    still: Still
    covered: bool


@dataclass(frozen=True, slots=True)
class SiteNow:
    """Everything on the page."""

    at: datetime
    zones: Sequence[ZoneNow]
    doors: Sequence[DoorCard]
    alarms: Sequence[AlarmRow]
    more_alarms: int
    feed: Sequence[Line]
    visits: Tally
    overdue: Sequence[Card]
    cameras: Sequence[CameraRow]
    lamps: Sequence[Lamp]

    @property
    def heads(self) -> int:
        """Everybody inside."""
        return sum(zone.heads for zone in self.zones if zone.kind != "outside")


def site_now(session: Session, *, pictures: bool) -> SiteNow:
    """The site at this moment; ``pictures`` False leaves stills out."""
    at = now()
    here, seen = doors_now(session), cameras(session)
    working = {door for row in seen if row.enabled and not row.failed for door, _ in row.doors}
    last = [door.last.position for door in here if door.last is not None]
    stills = stills_of(session, last) if pictures else {}
    raised = sorted((row for row in alarms(session, limit=50) if row.live), key=urgency)
    rows = one_a_passage(search_entries(session, PEOPLE, limit=3 * FEED))[:FEED]
    return SiteNow(
        at, heads_now(session),
        [DoorCard(one, stills.get(one.last.position, NO_STILL) if one.last else NO_STILL, one.id in working)
         for one in here],
        raised[:ALARMS], max(0, len(raised) - ALARMS), lines(session, rows, names(session), pictures=pictures),
        tally(session, at), overdue(session, at), seen, lamps(session),
    )  # fmt: skip


def heads_now(session: Session) -> list[ZoneNow]:
    """Zones with their head-counts, without visitors whose departure was proven since a door last saw them."""
    guests = Counter(one.zone for one in still_inside(session) if one.visit)
    return [zone if zone.kind == "outside" else replace(zone, visitors=guests[zone.id]) for zone in zones_now(session)]


def urgency(row: AlarmRow) -> tuple[bool, bool, bool, float]:
    """Sorts alarms: nobody has it, alarm before warning, still there before over, newest first."""
    return row.state != "open", row.severity != "alarm", row.condition_over, -row.raised_at.timestamp()


def one_a_passage(rows: Sequence[EntryRow]) -> list[EntryRow]:
    """Entries (newest first) without the grants of passages that are told anyway: one line for one person at a door."""
    told: dict[tuple[str | None, str | None, str | None, str | None], datetime] = {}
    kept = []
    for row in rows:
        key = (row.door, row.direction, row.person, row.visit)
        if row.decision in ("taken", "not-taken"):
            told[key] = row.time_used
        elif row.decision == "granted" and key in told and told[key] - row.time_used <= SAME_PASSAGE:
            del told[key]
            continue
        kept.append(row)
    return kept


def lamps(session: Session) -> list[Lamp]:
    """Every part that the site needs, with the truth about it; one that never spoke is unknown, not up."""
    spoken = {part.name: part for part in health.parts(session)}
    needed = ("broker", *NEEDED) if current().mqtt.embedded else NEEDED
    found = [Lamp("database", "up", session.get_bind().dialect.name, now())]
    for name in (*needed, *(name for name in spoken if name not in needed)):
        part = spoken.get(name)
        found.append(Lamp(name, part.state, part.detail, part.beat_at) if part else Lamp(name, "unknown", "", None))
    if not current().mqtt.embedded:
        found.append(_outside_broker(spoken.get("listen")))
    return [*found, _devices(session), _clock(session), _disk(), _checkpoint(session)]


def overall(found: Sequence[Lamp]) -> str:
    """up | degraded | down: the worst of what the site needs."""
    states = {lamp.state for lamp in found}
    if "down" in states:
        return "down"
    return "degraded" if states & {"degraded", "unknown"} else "up"


def _devices(session: Session) -> Lamp:
    rows = [row for row in devices_health(session, now()) if row.planned and not row.revoked]
    silent = [row.name for row in rows if row.status == "alarm"]
    if silent:
        return Lamp("devices", "degraded", f"{len(silent)} of {len(rows)} need a look: {', '.join(silent[:3])}", now())
    return Lamp("devices", "up", f"{len(rows)} of {len(rows)} heard", now())


def _outside_broker(listener: health.Part | None) -> Lamp:
    """A broker of the site's own has no beat: what the listener says of its link to it is what is known."""
    if listener is None:
        return Lamp("broker", "unknown", "nobody has connected yet", None)
    lost = listener.state == "down"
    return Lamp("broker", "down" if lost else "up", listener.detail if lost else "linked", listener.beat_at)


def _clock(session: Session) -> Lamp:
    """Our clock against the devices': when the middle of them disagrees, it is ours that is wrong."""
    at = now()
    skews = [
        memo.skew_ms
        for memo in device_memos(session).values()
        if memo.skew_ms is not None and memo.heard_at is not None and at - memo.heard_at < HEARD_WITHIN
    ]
    if len(skews) < LEAST_CLOCKS:
        return Lamp("clock", "up", "no other clocks to compare with", None)
    middle = abs(median(skews))
    state = "up" if middle <= SKEW_WARN_MS else "degraded" if middle <= SKEW_BAD_MS else "down"
    return Lamp("clock", state, f"{middle / 1000:.1f} s from the middle of {len(skews)} devices", at)


def _disk() -> Lamp:
    free = shutil.disk_usage(current().state_dir).free // 2**20
    state = "up" if free >= LEAST_DISK_MB else "degraded" if free >= LEAST_DISK_MB // 8 else "down"
    return Lamp("disk", state, f"{free / 1024:.1f} GB free", now())


def _checkpoint(session: Session) -> Lamp:
    stand = standing(session)
    if stand.signed_at is None:
        return Lamp("checkpoint", "unknown" if stand.size else "up", "nothing signed yet", None)
    age = (now() - stand.signed_at).total_seconds()
    late = stand.behind > 0 and age > LATE_CHECKPOINT * current().checkpoint_seconds
    return Lamp("checkpoint", "degraded" if late else "up", f"{stand.signed} facts signed", stand.signed_at)


@dataclass(frozen=True, slots=True)
class Measures:
    """Numbers for the monitoring of the system. ``messages``: (device, outcome) -> count."""

    facts: int
    signed: int
    checkpoint_age_s: float | None
    newest_entry: int
    jobs: dict[tuple[str, str], int]
    open_alarms: int
    open_quarantine: int
    cameras: Sequence[CameraRow]
    devices: Sequence[DeviceHealth]
    messages: dict[tuple[str, str], int]
    present: dict[tuple[str, str], int]
    visits: Tally
    disk_free: int


def measures(session: Session) -> Measures:
    """Read at every scrape; all of it from indexed or small tables."""
    stand, at = standing(session), now()
    devices = devices_health(session, at)
    return Measures(
        facts=journal.size(session),
        signed=stand.signed,
        checkpoint_age_s=(at - stand.signed_at).total_seconds() if stand.signed_at else None,
        newest_entry=doors.newest_position(session),
        jobs=jobs.counts(session),
        open_alarms=doors.open_alarms(session),
        open_quarantine=open_quarantine(session),
        cameras=[row for row in cameras(session) if row.enabled],
        devices=devices,
        messages={(row.id, what): row.counts.get(what, 0) for row in devices for what in COUNTERS},
        present={
            (zone.id, kind): count
            for zone in heads_now(session)
            for kind, count in (("staff", zone.staff), ("visitor", zone.visitors))
        },
        visits=tally(session, at),
        disk_free=shutil.disk_usage(current().state_dir).free,
    )
