"""A small house to decide in: outside - lobby - floor - vault, with an airlock between floor and vault."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bposite.doors.rules.calendar import Schedule, parse_window
from bposite.doors.rules.decide import Answer, Request, decide
from bposite.doors.rules.policy import Credential, Door, FactorRow, Holder, Level, Policy, Zone, compile_policy
from bposite.doors.rules.scene import Scene, Whereabouts

KOLKATA = ZoneInfo("Asia/Kolkata")
BERLIN = ZoneInfo("Europe/Berlin")
HOLIDAY = date(2026, 12, 25)


def schedule(*windows: str, zone: ZoneInfo = KOLKATA, holidays_open: bool = True, special: Any = None) -> Schedule:
    """A schedule from its windows."""
    days = {HOLIDAY: "holiday"} if special is None else special
    return Schedule("s", "S", tuple(map(parse_window, windows)), zone, holidays_open, days)


ALWAYS = schedule("mon-sun 00:00-24:00")
DAY = schedule("mon-fri 08:00-18:00", holidays_open=False)
NIGHT = schedule("mon-fri 21:00-06:00")


def at(text: str, zone: ZoneInfo = KOLKATA) -> datetime:
    """A wall-clock time as a moment."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


NOON = at("2026-11-23 12:00")  # a Monday
ZONES = (
    Zone("outside", "Outside", "outside"),
    Zone("lobby", "Lobby", "lobby"),
    Zone("floor", "Floor", "operations", client="Northwind"),
    Zone("vault", "Vault", "restricted"),
)


def doors(**changes: Any) -> tuple[Door, ...]:
    """The doors; ``changes`` go to the door of the floor."""
    return (
        Door("front", "Front", "ctl", "outside", "lobby"),
        Door("floor", "Floor door", "ctl", "lobby", "floor", **changes),
        Door("inner", "Inner", "ctl", "floor", "vault", interlock="airlock"),
        Door("outer", "Outer", "ctl", "lobby", "vault", interlock="airlock"),
    )


def credential(person: str, **changes: Any) -> Credential:
    """A person's card."""
    return Credential("card", f"h:{person}", person, **changes)


def level(name: str, *sides: tuple[str, str], **changes: Any) -> Level:
    """An access level for everybody unless told otherwise."""
    told: dict[str, Any] = {
        "effect": "grant", "schedule": None, "members": frozenset({"anna", "ben", "carla"}), "sides": frozenset(sides),
    }  # fmt: skip
    return Level(name, name, **(told | changes))


EVERY_SIDE = tuple((door.id, way) for door in doors() for way in ("in", "out"))


def house(**changes: Any) -> Policy:
    """The policy: three people with a card each who may go everywhere at any time, unless changed."""
    told: dict[str, Any] = {
        "site": "pune-1",
        "version": "1",
        "zones": ZONES,
        "doors": doors(),
        "credentials": [credential("anna"), credential("ben"), credential("carla")],
        "holders": [
            Holder("anna", "Anna", client="Northwind"),
            Holder("ben", "Ben", client="Meridian", groups=frozenset({"night crew"})),
            Holder("carla", "Carla", rank=5, may_escort=True),
        ],
        "levels": [level("everywhere", *EVERY_SIDE)],
    }
    return compile_policy(**(told | changes))


def zones(**changed: Zone) -> tuple[Zone, ...]:
    """The zones with some replaced by name."""
    return tuple(changed.get(zone.id, zone) for zone in ZONES)


def scene(**places: str) -> Scene:
    """Who is where since an hour before noon."""
    return Scene(Whereabouts(name, zone, at("2026-11-23 11:00")) for name, zone in places.items())


def ask(
    policy: Policy | None = None,
    here: Scene | None = None,
    *,
    who: str = "anna",
    door: str = "floor",
    way: Any = "in",
    when: datetime = NOON,
    **more: Any,
) -> Answer:
    """One decision."""
    request = Request(door, way, more.pop("kind", "card"), more.pop("ref", f"h:{who}"), **more)
    return decide(policy or house(), here or Scene(), request, when)


def factors(*rows: tuple[str, Schedule | None]) -> dict[str, tuple[FactorRow, ...]]:
    """What must be shown on the way in."""
    return {"in": tuple(FactorRow(frozenset(text.split("+")), when) for text, when in rows)}
