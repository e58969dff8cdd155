"""UHPPOTE controllers, asked over the network: a look each second, every event fetched by its number, none skipped.

The controller keeps its events; what has been fetched and how far is stored in one transaction, so a restart asks on
where it stopped and an outage is filled afterwards. The package ``uhppoted`` speaks the protocol (extra ``uhppote``).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError

from bposite.doors.actions import inbox
from bposite.doors.actions.inbox import Cursor
from bposite.doors.queries.devices import DeviceMemo, device_memos
from bposite.plumbing.clock import now, site_zone
from bposite.plumbing.db import reading

KIND = "uhppote"
EVERY_S = 1.0
MOST_AT_ONCE = 200
LOST_AFTER = 3  # looks in a row without an answer
STATUS_EVERY = timedelta(minutes=10)
PLAN_EVERY = timedelta(seconds=10)
LIVE = timedelta(seconds=60)
OVERWRITTEN = 255
Message = tuple[str, bytes]
log = structlog.get_logger(__name__)


class NoAnswerError(Exception):
    """The controller did not answer, or answered nonsense."""


@dataclass(frozen=True, slots=True)
class Status:
    """What a controller says of itself. ``clock`` is local time without zone; ``last`` 0: it has no events."""

    last: int
    clock: datetime | None
    doors_open: tuple[int, ...] = ()
    system_error: int = 0


class Controllers(Protocol):
    """The network side, so that tests can stand in for it."""

    def status(self, serial: int, address: str) -> Status:
        """The controller's status; NoAnswerError."""
        ...

    def event(self, serial: int, address: str, index: int) -> dict[str, Any] | None:
        """One event with the field names of the package, None when the controller does not have it; NoAnswerError."""
        ...


class Uhppoted:
    """The package ``uhppoted``; ImportError when the extra is not installed."""

    def __init__(self, timeout_s: float = 2.5) -> None:
        self._api = import_module("uhppoted.uhppote").Uhppote(bind="0.0.0.0", listen="0.0.0.0:60001")  # noqa: S104
        self._timeout = timeout_s

    def status(self, serial: int, address: str) -> Status:
        """See Controllers."""
        told = self._ask(self._api.get_status, (serial, address or None, "udp"))
        clock = datetime.combine(told.system_date, told.system_time) if told.system_date and told.system_time else None
        doors = tuple(door for door in (1, 2, 3, 4) if getattr(told, f"door_{door}_open"))
        return Status(told.event_index, clock, doors, told.system_error)

    def event(self, serial: int, address: str, index: int) -> dict[str, Any] | None:
        """See Controllers."""
        told = self._ask(self._api.get_event, (serial, address or None, "udp"), index)
        if told.index != index:
            return None
        return {key: str(value) if isinstance(value, datetime) else value for key, value in asdict(told).items()}

    def _ask(self, method: Any, *question: Any) -> Any:
        try:
            answer = method(*question, timeout=self._timeout)
        except Exception as error:  # the package raises bare exceptions for what comes over the wire
            raise NoAnswerError(str(error)) from error
        if answer is None:
            raise NoAnswerError("no answer")
        return answer


@dataclass(slots=True)
class Standing:
    """What is known of one controller between looks."""

    failures: int = 0
    online: bool | None = None
    told_at: datetime | None = None
    waits: dict[int, int] = field(default_factory=dict)


class Poller:
    """Asks every planned controller in turn."""

    def __init__(self, controllers: Controllers) -> None:
        self.controllers = controllers
        self.standing: dict[str, Standing] = {}
        self._planned: list[DeviceMemo] = []
        self._read_at: datetime | None = None

    def look(self) -> None:
        """One look at each controller; one that does not answer stops no other."""
        at = now()
        if self._read_at is None or at - self._read_at >= PLAN_EVERY:
            with reading() as session:
                memos = device_memos(session).values()
            self._planned = [memo for memo in memos if memo.kind == KIND and memo.planned]
            self._read_at = at
        for memo in self._planned:
            serial = memo.options.get("serial", "")
            if serial.isascii() and serial.isdigit():
                self._look_at(memo, int(serial))

    def _look_at(self, memo: DeviceMemo, serial: int) -> None:
        standing = self.standing.setdefault(memo.device, Standing())
        address = memo.options.get("address", "")
        try:
            status = self.controllers.status(serial, address)
        except NoAnswerError as error:
            self._silent(memo, serial, standing, error)
            return
        standing.failures = 0
        before = inbox.cursor_of(memo.device)
        cursor = before or Cursor(status.last)  # what was there before the first contact is not fetched
        messages = list(self._news(memo, serial, standing, status))
        if status.last < cursor.upto:
            cursor = Cursor(0, cursor.generation + 1)
            messages.append(("uhppote/reset", _encoded(serial, {})))
        found, cursor = self._fetch(serial, address, standing, status, cursor, _zone(memo))
        if messages or found or cursor != before:
            inbox.receive_asked(memo.device, [*messages, *found], cursor)

    def _silent(self, memo: DeviceMemo, serial: int, standing: Standing, error: NoAnswerError) -> None:
        standing.failures += 1
        if standing.failures >= LOST_AFTER and standing.online is not False:
            standing.online = False
            log.warning("doors:controller:silent", device=memo.device, why=str(error))
            inbox.receive(memo.device, "uhppote/link", _encoded(serial, {"online": False}))

    def _news(self, memo: DeviceMemo, serial: int, standing: Standing, status: Status) -> Iterator[Message]:
        """That it answers (again), and every ten minutes how its clock and doors are."""
        if standing.online is not True:
            standing.online = True
            yield "uhppote/link", _encoded(serial, {"online": True})
        at = now()
        if standing.told_at is None or at - standing.told_at >= STATUS_EVERY:
            standing.told_at = at
            yield "uhppote/status", _encoded(serial, _facet(status, at, _zone(memo)))

    def _fetch(
        self, serial: int, address: str, standing: Standing, status: Status, cursor: Cursor, zone: ZoneInfo
    ) -> tuple[list[Message], Cursor]:
        """Events behind the cursor, in order; stops at one that does not come, and gives it up after three looks."""
        found: list[Message] = []
        upto = cursor.upto
        while upto < status.last and len(found) < MOST_AT_ONCE:
            index = upto + 1
            try:
                told = self.controllers.event(serial, address, index)
            except NoAnswerError:
                break
            if told is None and not _given_up(standing, index):
                break
            event = told or {"controller": serial, "index": index, "event_type": OVERWRITTEN, "reason": 0}
            path = "uhppote/live" if _is_live(event, zone) else "uhppote/replay"
            found.append((path, _encoded(serial, {**event, "generation": cursor.generation})))
            upto = index
        return found, Cursor(upto, cursor.generation)


def _given_up(standing: Standing, index: int) -> bool:
    standing.waits = {index: standing.waits.get(index, 0) + 1}
    return standing.waits[index] >= LOST_AFTER


def _is_live(event: dict[str, Any], zone: ZoneInfo) -> bool:
    try:
        told = datetime.fromisoformat(str(event.get("timestamp"))).replace(tzinfo=zone)
    except ValueError:
        return False
    return abs(now() - told) <= LIVE


def _facet(status: Status, at: datetime, zone: ZoneInfo) -> dict[str, Any]:
    skew = None if status.clock is None else round((status.clock.replace(tzinfo=zone) - at).total_seconds())
    clock = None if status.clock is None else status.clock.isoformat()
    doors = [str(door) for door in status.doors_open]
    return {
        "clock": clock, "skew_s": skew, "doors_open": doors, "last_event": status.last,
        "system_error": status.system_error,
    }  # fmt: skip


def _zone(memo: DeviceMemo) -> ZoneInfo:
    return ZoneInfo(memo.zone_name) if memo.zone_name else site_zone()


def _encoded(serial: int, body: dict[str, Any]) -> bytes:
    return msgspec.json.encode({**body, "controller": serial})


def run(stop: threading.Event, controllers: Controllers | None = None) -> None:
    """Ask until ``stop`` is set. Without the package there is nothing to ask with, and that is said once."""
    try:
        poller = Poller(controllers or Uhppoted())
    except ImportError:
        log.info("doors:controller:no_package", remedy="install the extra uhppote to ask UHPPOTE controllers")
        return
    while not stop.wait(EVERY_S):
        try:
            poller.look()
        except SQLAlchemyError as error:  # the store is away: nothing was fetched, nothing is lost
            log.warning("doors:controller:not_stored", why=str(error))
