"""What a listener holds in memory between batches: policy, scene, and for each device its clock and watermarks.

It is rebuilt from the database at the start, after a failed batch, and in part when a note says that somebody else
changed something. One listener owns a device at a time, so memory and store agree.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Container
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from bposite.doors.events import DeviceConfig
from bposite.doors.queries.devices import DeviceMemo, device_memos, sequences
from bposite.doors.queries.judge import Subject
from bposite.doors.queries.policy import load_policy, load_scene, newest_note
from bposite.doors.references import reference
from bposite.doors.rules.policy import Policy
from bposite.doors.rules.scene import Scene
from bposite.doors.rules.sequence import Range, Watermark, begin
from bposite.doors.rules.times import Clockwork
from bposite.doors.wire.routes import NATIVE, OUTWARD, OptionError, Route, Routes, configuration, routes_of
from bposite.journal.queries import size as journal_size
from bposite.plumbing.clock import EPOCH, site_zone

log = structlog.get_logger(__name__)

FINGERPRINTS = 20_000
Watched = Callable[[Session], Container[str]]
ADOPT_AFTER = timedelta(seconds=5)
GRANT_MEMORY = timedelta(seconds=30)


class _Every:
    """Contains everything: no camera was asked about, so every door may be seen."""

    def __contains__(self, _door: object) -> bool:
        return True


EVERY = _Every()


class Boot:
    """The numbers of one boot of a device.

    ``hole_since``: when its oldest hole was noticed. ``adopting``: events before the first one seen are asked for until
    this moment; then they count as before the first contact.
    """

    __slots__ = (
        "acked", "adopting", "awaited", "dirty", "first_at", "hole_since", "holes", "mark", "oldest_held", "pending",
    )  # fmt: skip

    def __init__(self, mark: Watermark, oldest_held: int | None, first_at: datetime) -> None:
        self.mark = mark
        self.oldest_held = oldest_held
        self.first_at = first_at
        self.hole_since: datetime | None = None
        self.holes: list[Range] = []
        self.adopting: datetime | None = None
        self.awaited: Range | None = None
        self.dirty = True
        self.pending = 0
        self.acked: datetime | None = None


class DeviceMemory:
    """One device: clock, boots, counters since the last store, and what foreign adapters must know of it."""

    __slots__ = (
        "boots", "clock", "config", "counts", "heard_at", "id", "known", "lag_ms", "oldest", "planned", "skew_ms",
        "written_at",
    )  # fmt: skip

    def __init__(self, memo: DeviceMemo, config: DeviceConfig, *, known: bool) -> None:
        self.id = memo.device
        self.known = known  # heard of before this moment
        self.planned = memo.planned
        self.config = config
        skew = timedelta(milliseconds=-memo.skew_ms) if memo.skew_ms is not None else None
        self.clock = Clockwork([] if skew is None else [skew])
        self.boots: dict[str, Boot] = {}
        self.oldest: dict[str, int] = {}
        self.counts: dict[str, int] = dict(memo.counts)
        self.heard_at: datetime | None = memo.heard_at
        self.skew_ms: int | None = memo.skew_ms
        self.lag_ms: int | None = None
        self.written_at: datetime | None = memo.heard_at

    def boot(self, name: str, seq: int, at: datetime, *, asked: bool = True) -> Boot:
        """The boot ``name``, begun now when nobody has seen it before (``seq`` is its first number).

        ``asked`` False: a foreign device, which nobody asks for what came before; its count begins here.
        """
        found = self.boots.get(name)
        if found is None:
            oldest = self.oldest.get(name) if asked else seq
            found = self.boots[name] = Boot(begin(seq, oldest), oldest, at)
            if asked and not self.known and len(self.boots) == 1 and seq > found.mark.upto + 1:
                found.adopting = at + ADOPT_AFTER
                found.awaited = (found.mark.upto + 1, seq - 1)
        return found

    @property
    def newest(self) -> str | None:
        """The boot that was first heard of last; None for a device that does not count its events."""
        return max(self.boots, key=lambda name: self.boots[name].first_at, default=None)

    def count(self, what: str, number: int = 1) -> None:
        """Count something for the health page."""
        self.counts[what] = self.counts.get(what, 0) + number


class Memory:
    """Everything that one listener knows."""

    def __init__(self, site: str, watched: Watched | None = None) -> None:
        self.site = site
        self.watched: Container[str] = EVERY
        self.watched_at = EPOCH
        self._watched = watched
        self.native = DeviceConfig(adapter=NATIVE, site=site, card_ref=card_ref)
        self.policy = Policy(site=site, version="")
        self.scene = Scene()
        self.devices: dict[str, DeviceMemory] = {}
        self.routes = Routes(self.native)
        self.note = 0
        self.fingerprints: OrderedDict[tuple[str, str], datetime] = OrderedDict()
        self.granted: dict[tuple[str, str], tuple[Subject, datetime]] = {}
        self.journal_size = 0
        self.devices_written = EPOCH
        self.restless: set[tuple[str, str]] = set()
        """Boots whose watermark moved without a message: to be acknowledged again."""
        self._memos: dict[str, DeviceMemo] = {}

    def load(self, session: Session) -> None:
        """Read everything again."""
        self.note = newest_note(session)
        self.policy = load_policy(session)
        self.scene = load_scene(session)
        self.journal_size = journal_size(session)
        self.watch(session)
        self.granted.clear()
        self._memos = device_memos(session)
        self.routes = self._routes()
        self.devices = {}
        for row in sequences(session):
            boot = Boot(Watermark(row.upto, row.ahead), row.oldest_held, row.first_at)
            boot.dirty = False
            if boot.mark.ahead:  # its gaps are rows already: they close when the holes do
                boot.holes, boot.hole_since = boot.mark.missing(limit=1000), row.first_at
            self.device(row.device).boots[row.boot] = boot
            if row.oldest_held is not None:
                self.device(row.device).oldest[row.boot] = row.oldest_held

    def device(self, name: str) -> DeviceMemory:
        """A device by its id, made when it was never heard of."""
        found = self.devices.get(name)
        if found is None:
            memo = self._memos.get(name)
            known = memo is not None and memo.heard_at is not None
            memo = memo or DeviceMemo(name)
            config = DeviceConfig(adapter=memo.kind, site=self.site, card_ref=card_ref, device=name)
            found = self.devices[name] = DeviceMemory(memo, config, known=known)
        return found

    def _routes(self) -> Routes:
        """The ways to the foreign devices of the plan; one whose options make no sense any more is left out."""
        found: list[Route] = []
        for memo in self._memos.values():
            if memo.kind in (NATIVE, *OUTWARD) or not memo.planned:
                continue
            try:
                zone = memo.zone_name or site_zone().key
                config = configuration(self.site, memo.device, memo.kind, card_ref, zone, memo.options)
            except OptionError as error:
                log.error("doors:device:misconfigured", device=memo.device, why=str(error))
                continue
            found.extend(routes_of(memo.device, config))
        return Routes(self.native, found)

    def watch(self, session: Session) -> None:
        """Which doors a camera sees: only their entries get a job to find pictures."""
        if self._watched is not None:
            self.watched = self._watched(session)

    def told(self) -> list[DeviceMemo]:
        """The systems of the plan that are told what happens."""
        return [memo for memo in self._memos.values() if memo.kind in OUTWARD and memo.planned]

    def plan_changed(self, session: Session) -> None:
        """The plan was changed: a new policy, and devices that are planned now."""
        self.policy = load_policy(session)
        self._memos = device_memos(session)
        self.routes = self._routes()
        for name, device in self.devices.items():
            memo = self._memos.get(name)
            device.planned = memo is not None and memo.planned

    @property
    def planned_native(self) -> set[str]:
        """Devices of the plan that speak the contract themselves."""
        return {name for name, memo in self._memos.items() if memo.planned and memo.kind == "native"}

    def seen_just_now(self, device: str, fingerprint: str, at: datetime, window: timedelta) -> bool:
        """Whether a source without numbers said the same within ``window``; remembers it."""
        key = (device, fingerprint)
        before = self.fingerprints.pop(key, None)
        self.fingerprints[key] = at
        if len(self.fingerprints) > FINGERPRINTS:
            self.fingerprints.popitem(last=False)
        return before is not None and abs(at - before) <= window


def card_ref(identity: str) -> str:
    """The reference of what a foreign device shows, given as ``card:NUMBER`` or ``qr:CODE``."""
    kind, _, number = identity.partition(":")
    return reference(kind, number)
