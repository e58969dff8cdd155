"""The controller itself: readings in, decisions asked for, doors moved, events kept until the site has them.

One thread does everything, in the order of its queue; readers, contacts and the broker's line only post to it.
"""

from __future__ import annotations

import itertools
import queue
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from commands import Commands
from contract import CLOCK_FLOOR, BadMessageError, Credential, decode, encode, event, instant, reference, stamp
from doors import DoorState, Said
from forward import Forwarder
from lists import AccessList, Lists
from settings import DoorPlan, ReaderPlan, Settings
from store import Store

TICK = 0.1  # seconds between looks at the clock
HEARTBEAT = 30.0
FIRMWARE = "1.0"


class Line(Protocol):
    """What the core needs of the broker's line."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool: ...


class Relays(Protocol):
    """The locks: `set(door, True)` releases."""

    def set(self, door: str, released: bool) -> None: ...


@dataclass(slots=True)
class Attempt:
    """Somebody at a reader: what has been shown so far, when it began, and what for we wait."""

    reader: ReaderPlan
    shown: list[Credential]
    at: datetime
    began: float
    request: str = ""

    @property
    def kinds(self) -> list[str]:
        """The factors shown, in order."""
        return [one.type for one in self.shown]


@dataclass(slots=True)
class SiteClock:
    """The device's clock and how far it may be trusted: ntp or rtc, unset until the site tells the time."""

    source: str
    offset: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        """The time for events."""
        return datetime.now(UTC) + self.offset

    def quality(self) -> str:
        """The word for `clock` in events."""
        return "unset" if self.now() < CLOCK_FLOOR else self.source

    def told(self, now: datetime) -> None:
        """The site tells its time: taken over by a device that has none."""
        if self.quality() == "unset":
            self.offset, self.source = now - datetime.now(UTC), "rtc"


class Controller:
    """One door controller. `report` is told of every answer and passage, for displays and simulators."""

    def __init__(
        self, settings: Settings, store: Store, line: Line, relays: Relays, report: Callable[[dict[str, Any]], None]
    ) -> None:
        self.settings, self.store, self.line, self._relays, self._report = settings, store, line, relays, report
        self.clock = SiteClock(settings.clock)
        self.doors = {one.id: DoorState(one.id, one.held_s, base_mode(one)) for one in settings.doors}
        self._released: dict[str, bool] = {}
        self._readers = {one.id: one for one in settings.readers}
        self._attempts: dict[str, Attempt] = {}
        self._asked: dict[str, Attempt] = {}
        self._numbers = itertools.count(1)
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._facets: dict[str, dict[str, Any]] = {}
        self._beat = 0.0
        self.online = False
        first = AccessList.of(settings.entries)
        self.lists = Lists({first.part: first})
        self.forwarder = Forwarder(store, line, settings.names)
        self._commands = Commands(self)

    # what others post, from any thread

    def read(self, reader: str, credential: Credential) -> None:
        """A reader has read something."""
        at = self.clock.now()
        self._inbox.put(lambda: self._read(reader, credential, at))

    def read_error(self, reader: str, why: str) -> None:
        """A reader could not read what was shown."""
        plan = self._readers[reader]
        data = {"reason": "read-error", "door": plan.door, "reader": reader, "direction": plan.direction, "error": why}
        self._inbox.put(lambda: self.say(Said("reader", data)))

    def device(self, reason: str, detail: str) -> None:
        """Something about the device itself (a reader that does not answer, for example)."""
        self._inbox.put(lambda: self.say(Said("system", {"reason": reason, "detail": detail})))

    def contact(self, door: str, opened: bool) -> None:
        """A door's contact changed."""
        self._inbox.put(lambda: self._contact(door, opened))

    def exit_button(self, door: str) -> None:
        """Somebody asks to leave; an exit is never refused."""
        self._inbox.put(lambda: self._exit_button(door))

    def alarm(self, data: dict[str, Any]) -> None:
        """A reader or the cabinet reports tamper or another alarm; data as in `evt/alarm`."""
        self._inbox.put(lambda: self.say(Said("alarm", data)))

    def message(self, topic: str, payload: bytes, retained: bool) -> None:
        """The site says something."""
        self._inbox.put(lambda: self._message(topic, payload, retained))

    def link(self, online: bool) -> None:
        """The line to the broker came or went."""
        self._inbox.put(lambda: self._link(online))

    # the loop

    def run(self, stopped: Callable[[], bool]) -> None:
        """Work until `stopped()`."""
        while not stopped():
            self.turn(TICK)

    def turn(self, wait: float) -> None:
        """Do what is in the queue, waiting at most `wait` seconds for the first, then what time brings."""
        end = time.monotonic() + wait
        while (left := end - time.monotonic()) > 0:
            try:
                self._inbox.get(timeout=left)()
            except queue.Empty:
                break
        self._time()

    def _time(self) -> None:
        now = time.monotonic()
        for door in self.doors.values():
            for said in door.time(now):
                self._tell(door, said)
            self._move_lock(door, now)
        self._late_attempts(now)
        self._publish_facets(now)
        self.forwarder.time(now)
        if self.online and now - self._beat >= HEARTBEAT:
            self._heartbeat(now)

    # readings

    def _read(self, reader: str, credential: Credential, at: datetime) -> None:
        plan = self._readers.get(reader)
        if plan is None:
            return
        attempt = self._attempts.pop(reader, None) or Attempt(plan, [], at, time.monotonic())
        attempt.shown.append(credential)
        wanted = ["qr"] if attempt.kinds[0] == "qr" else list(plan.factors)
        if set(wanted) <= set(attempt.kinds):
            self._ask(attempt)
        else:
            self._attempts[reader] = attempt
            self._report({"event": "wants", "reader": reader, "factors": sorted(set(wanted) - set(attempt.kinds))})

    def _ask(self, attempt: Attempt) -> None:
        """Ask the site, or decide here when it cannot be reached."""
        if not self.lists.same_holder(self._refs(attempt), self.clock.now()):
            # the reader matches fingers by itself, so that only we can notice another person's
            return self._conclude(attempt, False, "deniedIncorrectAuthenticationFactor", None)
        attempt.request = f"{self.store.boot}-r{next(self._numbers)}"
        body = {
            "id": attempt.request,
            "boot": self.store.boot,
            "door": attempt.reader.door,
            "reader": attempt.reader.id,
            "direction": attempt.reader.direction,
            "credential": self._leading(attempt).wire(self.settings.ref_key),
            "factors": attempt.kinds,
            "time": stamp(attempt.at),
            "clock": self.clock.quality(),
        }
        if self.online and self.line.publish(self.settings.names.topic("req", "access"), encode(body)):
            attempt.began = time.monotonic()
            self._asked[attempt.request] = attempt
            return None
        return self._decide_alone(attempt)

    def _leading(self, attempt: Attempt) -> Credential:
        """The credential that names the holder: the card where there is one, else what came first."""
        return next((one for one in attempt.shown if one.type == "card"), attempt.shown[0])

    def _refs(self, attempt: Attempt) -> list[str]:
        leading = self._leading(attempt)
        ordered = [leading, *(one for one in attempt.shown if one is not leading)]
        return [reference(self.settings.ref_key, one.type, one.number) for one in ordered]

    def _answer(self, body: dict[str, Any]) -> None:
        attempt = self._asked.pop(str(body.get("id")), None)
        if attempt is None:
            return  # too late: decided here already
        granted = body.get("decision") == "granted"
        open_ms = body.get("open_ms")
        plan = self.settings.door(attempt.reader.door)
        length = open_ms if isinstance(open_ms, int) and 0 < open_ms <= 60_000 else plan.open_ms
        reason = str(body.get("reason", "deniedOther"))
        self._show(attempt, granted, reason, offline=False, message=str(body.get("message") or ""))
        if granted:
            self._open(attempt, length, self._grant_data(attempt, None, offline=False))

    def _late_attempts(self, now: float) -> None:
        for name, attempt in list(self._asked.items()):
            if now - attempt.began >= self.settings.answer_s:
                del self._asked[name]
                self._decide_alone(attempt)
        for reader, attempt in list(self._attempts.items()):
            if now - attempt.began >= self.settings.factor_s:
                del self._attempts[reader]
                self._conclude(attempt, False, "deniedAuthenticationFactorTimeout", None)

    def _decide_alone(self, attempt: Attempt) -> None:
        """The site does not answer: exits open, entries as the door's degraded mode says."""
        door = self.settings.door(attempt.reader.door)
        granted, reason, holder = self.lists.answer(door.id, self._refs(attempt), self.clock.now())
        if attempt.reader.direction == "out":
            granted, reason = True, "granted"
        elif granted and self.clock.quality() == "unset":
            granted, reason = False, "clock_untrusted"
        elif self.doors[door.id].mode == "lockdown":
            granted, reason = False, "deniedThreatLevel"
        elif self.doors[door.id].mode == "locked":
            granted, reason = False, "deniedDenyAll"
        elif door.degraded != "list":
            granted, reason = False, "deniedAuthenticationUnavailable"
        self._conclude(attempt, granted, reason, holder)

    def _conclude(self, attempt: Attempt, granted: bool, reason: str, holder: str | None) -> None:
        """A decision made here: an event of its own tells the site, now or later."""
        offline = bool(attempt.request)
        data = self._grant_data(attempt, holder, offline=offline) | {"decision": "granted" if granted else "denied"}
        self.say(Said("access", data | {"reason": reason}), attempt.at)
        self._show(attempt, granted, reason, offline=offline, message="")
        if granted:
            self._open(attempt, self.settings.door(attempt.reader.door).open_ms, data)

    def _grant_data(self, attempt: Attempt, holder: str | None, *, offline: bool) -> dict[str, Any]:
        return {
            "decision": "granted",
            "reason": "granted",
            "door": attempt.reader.door,
            "direction": attempt.reader.direction,
            "reader": attempt.reader.id,
            "credential": self._leading(attempt).wire(self.settings.ref_key),
            "factors": attempt.kinds,
            "holder": holder,
            "taken": None,
            "duress": False,
            "offline": offline,
        }

    def _open(self, attempt: Attempt, length_ms: int, data: dict[str, Any]) -> None:
        self.release(attempt.reader.door, length_ms, data)

    def _show(self, attempt: Attempt, granted: bool, reason: str, *, offline: bool, message: str) -> None:
        word = "granted" if granted else "denied"
        where = {"reader": attempt.reader.id, "door": attempt.reader.door, "direction": attempt.reader.direction}
        said = {"decision": word, "reason": reason, "offline": offline, "message": message}
        self._report({"event": "answer", "at": attempt.at.timestamp(), **where, **said})

    # doors

    def release(self, door: str, length_ms: int, grant: dict[str, Any] | None) -> None:
        """Release a door's lock for so long; `grant` is the data of the access event that is taken or not."""
        now = time.monotonic()
        self.doors[door].release(now + length_ms / 1000, grant)
        self._move_lock(self.doors[door], now)

    def _move_lock(self, door: DoorState, now: float) -> None:
        """Tell the relay when the lock's wanted state changed."""
        released = door.is_released(now)
        if self._released.get(door.id) != released:
            self._released[door.id] = released
            self._relays.set(door.id, released)

    def lock(self, door: str, mode: str) -> None:
        """Lock a door now and set its mode (normal, unlocked, locked, lockdown)."""
        self.doors[door].lock()
        self.doors[door].mode = mode
        self._move_lock(self.doors[door], time.monotonic())

    def _contact(self, door: str, opened: bool) -> None:
        state = self.doors.get(door)
        if state is not None:
            for said in state.contact(opened, time.monotonic()):
                self._tell(state, said)

    def _tell(self, door: DoorState, said: Said) -> None:
        """Keep, send and show what a door has done."""
        self.say(said)
        word = said.data.get("decision", said.data["reason"])
        self._report({"event": word, "door": door.id, "active": said.data.get("active", True)})

    def _exit_button(self, door: str) -> None:
        if door not in self.doors:
            return
        data = self.operator_grant(door, "rex", "request-to-exit") | {"direction": "out"}
        self.say(Said("access", data))
        self.release(door, self.settings.door(door).open_ms, data)

    def operator_grant(self, door: str, kind: str, reason: str) -> dict[str, Any]:
        """Data of a grant that no credential asked for: by a button (rex) or an operator."""
        shown = {"type": kind}
        return {
            "decision": "granted",
            "reason": reason,
            "door": door,
            "direction": None,
            "credential": shown,
            "factors": [],
            "holder": None,
            "taken": None,
            "duress": False,
            "offline": False,
        }

    # the site

    def say(self, said: Said, at: datetime | None = None) -> None:
        """Keep one event durably and send it."""
        moment, clock = at or self.clock.now(), self.clock.quality()
        names, topic = self.settings.names, self.settings.names.topic("evt", said.kind)
        held = self.store.add(topic, lambda boot, seq: event(names, said.kind, boot, seq, moment, clock, said.data))
        self.forwarder.added(held)

    def _message(self, topic: str, payload: bytes, retained: bool) -> None:
        word, _, name = topic.removeprefix(self.settings.names.topic("")).partition("/")
        try:
            if word == "ack":
                self._acknowledged(decode(payload))
            elif word == "rsp" and name == "access":
                self._answer(decode(payload))
            elif word == "rsp":
                self._report({"event": "quarantined", "detail": decode(payload)})
            elif word == "cmd" and not retained:
                self._commands.take(name, decode(payload))
            elif word == "cfg" and payload:
                self._commands.configure(name, payload)
        except BadMessageError as error:
            self._report({"event": "unreadable", "topic": topic, "why": str(error)})

    def _acknowledged(self, body: dict[str, Any]) -> None:
        self.clock.told(instant(body, "now"))
        if not isinstance(body.get("boot"), str) or not isinstance(body.get("upto"), int):
            raise BadMessageError("ack without boot and upto")
        missing = body.get("missing") or ()
        if not all(isinstance(one, list) and len(one) == 2 and all(isinstance(n, int) for n in one) for one in missing):
            raise BadMessageError("missing is not a list of pairs")
        self.forwarder.acknowledged(body["boot"], body["upto"], missing)

    def _link(self, online: bool) -> None:
        self.online = online
        self._report({"event": "link", "online": online})
        if online:
            self.birth()
            self.forwarder.connected(time.monotonic())
        else:
            self.forwarder.disconnected()

    def birth(self) -> None:
        """Tell who we are, that we are there, and how the doors stand."""
        topic = self.settings.names.topic
        info = {
            "boot": self.store.boot,
            "model": self.settings.model,
            "fw": FIRMWARE,
            "proto": 1,
            "doors": list(self.settings.door_ids),
            "seq_next": self.store.next_seq,
            "seq_oldest": self.store.oldest_seq(),
            "buffer_max": self.store.limit,
            "tz": self.settings.timezone,
            "clock": self.clock.quality(),
        }
        self.line.publish(topic("state", "info"), encode(info), retain=True)
        here = {"online": True, "boot": self.store.boot, "time": stamp(self.clock.now())}
        self.line.publish(topic("state", "link"), encode(here), retain=True)
        self._facets.clear()
        self._publish_facets(time.monotonic())
        self._heartbeat(time.monotonic())
        self._commands.tell_versions()

    def _publish_facets(self, now: float) -> None:
        """Each door's state, when it changed."""
        if not self.online:
            return
        for door in self.doors.values():
            facet = door.facet(now)
            if self._facets.get(door.id) != facet:
                self._facets[door.id] = facet
                body = encode(facet | {"time": stamp(self.clock.now())})
                self.line.publish(self.settings.names.topic("state", "door", door.id), body, retain=True)

    def _heartbeat(self, now: float) -> None:
        self._beat = now
        body = {
            "used": self.store.count(),
            "max": self.store.limit,
            "lost": self.store.lost,
            "time": stamp(self.clock.now()),
        }
        self.line.publish(self.settings.names.topic("state", "buffer"), encode(body), retain=True)


def base_mode(door: DoorPlan) -> str:
    """The mode of a door that nobody has locked."""
    return "unlocked" if door.unlocked else "normal"
