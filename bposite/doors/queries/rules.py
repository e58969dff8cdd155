"""Which rules apply at a door now, in words, and what they would say to somebody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bposite.doors.events import Direction
from bposite.doors.queries.policy import load_policy, load_scene
from bposite.doors.rules.calendar import opening_at
from bposite.doors.rules.decide import Answer, Request, decide
from bposite.doors.rules.policy import Door, Level, Policy

PASSBACK = {
    "none": "Not checked",
    "soft": "Second entry is granted and reported",
    "hard": "Second entry is refused",
    "timed": "Second entry is refused for some minutes",
}


@dataclass(frozen=True, slots=True)
class LevelNow:
    """An access level at this door: whom it concerns, and whether it runs now."""

    name: str
    effect: str
    sides: str
    holders: int
    runs: bool
    words: str


@dataclass(frozen=True, slots=True)
class DoorRules:
    """The rules of one door. ``factors``: side -> what must be shown now."""

    levels: tuple[LevelNow, ...]
    factors: dict[str, str]
    passback: str
    unlocked: str
    unlocked_now: bool
    capacity: int
    notes: tuple[str, ...]


def door_rules(session: Session, door_id: str, at: datetime) -> DoorRules | None:
    """The rules that apply at a door at ``at``; None for a door that is not in the plan."""
    policy = load_policy(session)
    door = policy.doors.get(door_id)
    if door is None:
        return None
    zone = policy.zones.get(door.to_zone)
    notes = [f"Interlock “{door.interlock}”"] if door.interlock else []
    if zone is not None:
        notes += ["Phones are deposited before entry"] * zone.no_device
        notes += ["Visitors need an escort"] * zone.escort
        notes += ["Two persons or none"] * zone.two_person
        notes += ["A supervisor first"] * bool(zone.supervisors)
    return DoorRules(
        _levels(policy, door, at),
        {side: _factors(door, side, at) for side in ("in", "out")},
        PASSBACK[door.anti_passback],
        door.unlocked.name if door.unlocked else "",
        door.unlocked is not None and opening_at(door.unlocked, at) is not None,
        zone.capacity if zone else 0,
        tuple(notes),
    )


def try_person(
    session: Session, door_id: str, person: str, direction: str, factors: frozenset[str], at: datetime
) -> Answer:
    """What the rules would say to a person with their first active credential of the kind; nothing is changed."""
    policy, scene = load_policy(session), load_scene(session)
    kind = "card" if "card" in factors else next(iter(sorted(factors)), "card")
    held = [one for one in policy.credentials.values() if one.person == person and one.type == kind]
    chosen = next((one for one in held if one.status == "active"), held[0] if held else None)
    way: Direction = "out" if direction == "out" else "in"
    return decide(policy, scene, Request(door_id, way, kind, chosen.ref if chosen else None, factors), at)


def _levels(policy: Policy, door: Door, at: datetime) -> tuple[LevelNow, ...]:
    sides: dict[str, list[str]] = {}
    found: dict[str, Level] = {}
    for index in (policy.denials, policy.grants):
        for way in ("in", "out"):
            for level in index.get((door.id, way), ()):
                sides.setdefault(level.id, []).append(way)
                found[level.id] = level
    return tuple(_level(policy, level, sides[key], at) for key, level in found.items())


def _level(policy: Policy, level: Level, sides: list[str], at: datetime) -> LevelNow:
    opening = opening_at(level.schedule, at) if level.schedule else None
    runs = level.runs(at) and (level.schedule is None or opening is not None)
    holders = sum(1 for holder in policy.holders.values() if holder.active and level.covers(holder))
    words = level.schedule.name if level.schedule else "Always"
    both = "Both ways" if len(sides) == 2 else "In" if sides == ["in"] else "Out"
    return LevelNow(level.name, level.effect, both, holders, runs, words)


def _factors(door: Door, side: str, at: datetime) -> str:
    for row in door.factors.get(side, ()):
        if row.schedule is None or opening_at(row.schedule, at) is not None:
            return " and ".join(sorted(row.factors)).capitalize()
    return "No reader" if side not in door.factors else "Anything"
