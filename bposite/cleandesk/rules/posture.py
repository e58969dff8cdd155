"""Endpoint posture: what workstations report about themselves (osquery), judged by the rules of the floor.

It stands beside the walks and never enters their figures: it is no sample and nobody looked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

Kind = Literal["usb_rule", "usb_device", "lock_rule", "session"]
KINDS: tuple[Kind, ...] = ("usb_rule", "usb_device", "lock_rule", "session")
QUERIES: Mapping[str, Kind] = {
    "bposite_usb_rule": "usb_rule",
    "bposite_usb_devices": "usb_device",
    "bposite_lock_rule": "lock_rule",
    "bposite_session": "session",
}
"""The queries of config/osquery_pack.json; a pack's name may stand before one, as osquery writes it."""

LOCK_WITHIN_S = 60
STALE = timedelta(days=3)
BADGED_OUT = timedelta(minutes=2)
LONGEST_HOST = 120
_LOCK_EVENTS = {"4800": False, "4801": True}
"""Windows security events: 4800 the workstation was locked, 4801 unlocked."""


class OddResultError(ValueError):
    """A line that is no result of these queries, with words for whoever sent it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing a workstation reported. `good`: as the rule wants it; for a session, whether it is locked."""

    host: str
    kind: Kind
    at: datetime
    good: bool
    words: str


def read_result(raw: object, received: datetime) -> list[Reading]:
    """One line of an osquery result log (differential or snapshot) as readings; OddResultError when it is none.

    Results of other queries give nothing: a log may hold anything else. A removed row says that something is gone and
    gives nothing either. A moment ahead of ours is ours: a wrong clock must not make a reading the newest for ever.
    """
    if not isinstance(raw, dict) or not isinstance(raw.get("name"), str):
        raise OddResultError("this is no osquery result: it has no name")
    kind = QUERIES.get(raw["name"].rpartition("/")[2].rpartition("_pack_")[2])
    if kind is None:
        return []
    host = raw.get("hostIdentifier")
    if not isinstance(host, str) or not host.strip() or len(host) > LONGEST_HOST or not host.isprintable():
        raise OddResultError("this result does not name its workstation")
    at = min(_moment(raw.get("unixTime")), received)
    return [_reading(host.strip().lower(), kind, at, row) for row in _rows(raw)]


def _rows(raw: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if raw.get("action") == "removed":
        return []
    rows = raw.get("snapshot") if raw.get("action") == "snapshot" else [raw.get("columns")]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise OddResultError("this result has no columns")
    return rows


def _moment(value: object) -> datetime:
    """Seconds since 1970 as a number or as ASCII digits; anything else is odd."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise OddResultError("this result has no time")
    return datetime.fromtimestamp(int(text), UTC)


def _reading(host: str, kind: Kind, at: datetime, row: Mapping[str, Any]) -> Reading:
    if kind == "usb_rule":
        blocked = str(row.get("blocked")) == "1"
        return Reading(host, kind, at, blocked, "storage ports blocked" if blocked else "storage ports open")
    if kind == "usb_device":
        name = f"{row.get('vendor', '')} {row.get('model', '')}".strip()[:80]
        return Reading(host, kind, at, False, f"removable storage: {name or 'no name'}")
    if kind == "lock_rule":
        return _lock_rule(host, at, str(row.get("seconds", "")))
    unlocked = _LOCK_EVENTS.get(str(row.get("eventid")))
    if unlocked is None:
        raise OddResultError("this session event is neither a lock nor an unlock")
    return Reading(host, kind, at, not unlocked, "unlocked" if unlocked else "locked")


def _lock_rule(host: str, at: datetime, text: str) -> Reading:
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) <= 7 else 0
    if seconds == 0:
        return Reading(host, "lock_rule", at, False, "screen never locks by itself")
    return Reading(host, "lock_rule", at, seconds <= LOCK_WITHIN_S, f"screen locks after {seconds} s")


@dataclass(frozen=True, slots=True)
class Seat:
    """A workstation whose place and user are known: the zone it stands in, its newest session reading."""

    host: str
    zone: str
    person: str
    session: Reading


def left_unlocked(
    seats: Iterable[Seat], whereabouts: Mapping[str, tuple[str | None, datetime]], at: datetime
) -> list[Seat]:
    """Seats that are unlocked although the doors have had their user elsewhere for two minutes or more.

    `whereabouts`: person -> (zone, since). Nothing is said where the zone is unknown, or where the screen was unlocked
    after the user left: then somebody else did it, or the doors missed the way back.
    """
    found = []
    for seat in seats:
        zone, since = whereabouts.get(seat.person, (None, at))
        away = zone is not None and zone != seat.zone and at - since >= BADGED_OUT
        if away and not seat.session.good and seat.session.at <= since:
            found.append(seat)
    return found


def is_stale(newest: datetime | None, at: datetime) -> bool:
    """Whether a workstation has been silent so long that what it said no longer counts."""
    return newest is None or at - newest >= STALE
