"""Telling other systems what happens at the doors: ONVIF (``onvif-ej``) and Home Assistant, on the site's own broker.

Told is what is stored, in the order of the log, from the moment the listener started: it is news, not a copy of the log
(that is the API's business). Late events are told to ONVIF with their own time, and never change a state.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bposite.doors.listener.memory import Memory
from bposite.doors.queries.devices import DeviceMemo
from bposite.doors.queries.entries import EntryFilter, EntryRow, entries_after
from bposite.doors.rules.policy import Door
from bposite.doors.tables import Entry
from bposite.doors.wire import outward
from bposite.doors.wire.outward import Message, Outward
from bposite.plumbing.db import reading

MOST_AT_ONCE = 200
_CONTACT = {"door-opened": "OPEN", "door-closed": "CLOSED"}
_LOCK = {
    "door-unlocked": "UNLOCKED",
    "freeAccess": "UNLOCKED",
    "door-locked": "LOCKED",
    "lockDown": "LOCKED",
    "door-jammed": "JAMMED",
}


class Telling:
    """What still has to be told, and to whom."""

    def __init__(self) -> None:
        self._after: int | None = None
        self._introduced: dict[str, tuple[str, ...]] = {}

    def news(self, memory: Memory) -> list[Message]:
        """Everything new since the last call, as messages; without anybody to tell nothing is read."""
        told = memory.told()
        if not told:
            self._after = None
            return []
        with reading() as session:
            if self._after is None:
                self._after = _head(session)
            rows = entries_after(session, EntryFilter(), self._after, limit=MOST_AT_ONCE)
        found = [message for memo in told for message in self._introduce(memo, memory)]
        for row in rows:
            self._after = row.position
            found += [message for memo in told for message in _tell(memo, row, memory)]
        return found

    def _introduce(self, memo: DeviceMemo, memory: Memory) -> Iterator[Message]:
        """Home Assistant learns of doors by discovery, again whenever the plan's doors change."""
        doors = tuple(memory.policy.doors)
        if memo.kind != "home-assistant" or self._introduced.get(memo.device) == doors:
            return
        self._introduced[memo.device] = doors
        for door in memory.policy.doors.values():
            yield from _introduction(memo, door)


def _head(session: Session) -> int:
    return session.scalar(select(func.max(Entry.position))) or 0


def _prefix(memo: DeviceMemo, default: str) -> str:
    return memo.options.get("prefix", default)


def _introduction(memo: DeviceMemo, door: Door) -> Iterator[Message]:
    prefix, discovery = _prefix(memo, "bposite/ha"), memo.options.get("discovery", "homeassistant")
    yield outward.home_assistant_lock(door.id, prefix, discovery)
    yield outward.home_assistant_contact(door.id, door.name, prefix, discovery)
    for side in ("in", "out"):
        yield outward.home_assistant_tag(f"{door.id}-{side}", f"{door.name}, {side}", prefix, discovery)
    yield outward.home_assistant_state(door.id, "online", "online", prefix)
    yield outward.home_assistant_state(door.id, "lock", "LOCKED", prefix)  # without a state it would look unlocked


def _tell(memo: DeviceMemo, row: EntryRow, memory: Memory) -> Iterator[Message]:
    if row.door is None or row.cls not in ("access", "door", "alarm"):
        return
    if memo.kind == "home-assistant":
        yield from _to_home_assistant(memo, row)
        return
    message = outward.onvif_ej(_prefix(memo, memory.site), _event(row))
    if message is not None:
        yield message


def _event(row: EntryRow) -> Outward:
    return Outward(
        cls=row.cls,  # type: ignore[arg-type]  # one of the three
        reason=row.reason,
        door=row.door or "",
        time=row.time_used,
        decision=row.decision,
        direction=row.direction,  # type: ignore[arg-type]  # in, out or None
        token=row.credential_ref,
        active=row.cls != "alarm" or row.notable,  # the end of an alarm is not notable
    )


def _to_home_assistant(memo: DeviceMemo, row: EntryRow) -> Iterator[Message]:
    if row.late or row.door is None:
        return
    prefix = _prefix(memo, "bposite/ha")
    if row.reason in _CONTACT:
        yield outward.home_assistant_state(row.door, "contact", _CONTACT[row.reason], prefix)
    if row.reason in _LOCK:
        yield outward.home_assistant_state(row.door, "lock", _LOCK[row.reason], prefix)
    if row.cls == "access" and row.decision in ("granted", "denied") and row.credential_ref and row.direction:
        yield outward.home_assistant_scan(f"{row.door}-{row.direction}", row.credential_ref, prefix)
