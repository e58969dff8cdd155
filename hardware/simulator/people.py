#!/usr/bin/env python3
"""The staff of the simulated building: they come, work, take breaks, visit each other, try wrong doors, and go home.

    python people.py world.json

What they do goes to the standard output as orders for controllers and cameras; what the controllers answer comes on
the standard input. The program knows the building and its people, not the product: whoever is refused turns round.
"""

from __future__ import annotations

import json
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import stage
from clockwork import Clockwork
from incidents import Incidents
from moves import Later, Move, Mover, say

EVERY_S = 5.0  # mean distance between two people who set out, at pace 1
OPENING_S, OPENING_EVERY_S = 100.0, 3.0  # the morning's rush, when the house is still empty
WALK_S = (9.0, 18.0)  # from one door to the next
AT_WORK = 0.7  # share of the staff that is in the house
KEEP_STATE = "people.json"


@dataclass(slots=True)
class Person:
    """One member of staff: where they are and where they belong."""

    number: str
    home: str
    card: str
    finger: str
    doors: frozenset[str]
    zone: str = "outside"
    busy: bool = False


class World:
    """Everybody, and the doors between the zones."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.doors = {row["id"]: row for row in plan["doors"]}
        key = {(row["person"], row["type"]): row["number"] for row in reversed(plan["credentials"])}
        opened = {row["number"]: frozenset(stage.allowed(plan, row["number"])) for row in plan["persons"]}
        self.people = {
            row["number"]: Person(
                row["number"],
                _home(row, plan, opened[row["number"]]),
                key.get((row["number"], "card"), ""),
                key.get((row["number"], "finger"), ""),
                opened[row["number"]],
            )
            for row in plan["persons"]
            if row.get("active", True)
        }

    def route(self, person: Person, goal: str) -> list[tuple[str, str]]:
        """Doors with directions from where a person is to a zone, by doors they may use; empty when there is none."""
        ways: dict[str, list[tuple[str, str]]] = {person.zone: []}
        line = [person.zone]
        for zone in line:
            for door, direction, there in self._exits(zone):
                if there not in ways and door in person.doors and door != "main-entrance":
                    ways[there] = [*ways[zone], (door, direction)]
                    line.append(there)
        return ways.get(goal, [])

    def _exits(self, zone: str) -> list[tuple[str, str, str]]:
        found = []
        for name, row in self.doors.items():
            if row["from_zone"] == zone:
                found.append((name, "in", row["to_zone"]))
            elif row["to_zone"] == zone:
                found.append((name, "out", row["from_zone"]))
        random.shuffle(found)
        return found


def _home(row: dict[str, Any], plan: dict[str, Any], opened: frozenset[str]) -> str:
    """The zone where somebody works: where their team's desks are, if they may go there; else a floor that they may."""
    if row["role"].startswith("Stores"):
        return "goods"
    reachable = [door["to_zone"] for door in plan["doors"] if door["id"] in opened]
    desks = [desk["zone"] for desk in plan["desks"] if desk["team"] == row["team"] and desk["kind"] == "desk"]
    floors = [zone["id"] for zone in plan["zones"] if zone["client"] == row["client"] and row["client"]]
    return next((zone for zone in (*desks, *floors) if zone in reachable), "lobby")


class Staff:
    """Decides who goes where next, and follows everyone from door to door."""

    def __init__(self, world: World, mover: Mover, later: Later, pace: float, state: Path) -> None:
        self._world, self._mover, self._later, self._pace, self._state = world, mover, later, pace, state
        self._began = time.time()
        self._load()

    def next_one(self) -> None:
        """Somebody sets out, and the next one soon after."""
        idle = [one for one in self._world.people.values() if not one.busy]
        random.shuffle(idle)
        for person in idle:
            goal = self._wish(person)
            route = self._world.route(person, goal) if goal != person.zone else []
            if route:
                person.busy = True
                self._walk(person, route)
                break
        opening = time.time() - self._began < OPENING_S / self._pace and self._share_inside() < AT_WORK
        mean = OPENING_EVERY_S if opening else EVERY_S
        self._later(random.uniform(0.4, 1.6) * mean / self._pace, self.next_one)

    def _share_inside(self) -> float:
        people = self._world.people.values()
        return sum(one.zone != "outside" for one in people) / len(people)

    def _wish(self, person: Person) -> str:
        """Where somebody would like to be next."""
        dice = random.random()
        if person.zone == "outside":
            return person.home if self._share_inside() < AT_WORK or dice < 0.25 else "outside"
        if person.zone != person.home:
            return person.home if dice < 0.7 else person.zone
        if dice < 0.15 and self._share_inside() > AT_WORK * 0.85:
            return "outside"
        if dice < 0.45:
            return "lobby"
        reachable = sorted({self._world.doors[door]["to_zone"] for door in person.doors})
        return random.choice(reachable) if reachable else person.zone

    def _walk(self, person: Person, route: list[tuple[str, str]]) -> None:
        door, direction = route[0]
        reader = f"{door}-{direction}"
        shown = {"card": person.card} | ({"finger": person.finger} if self._mover.wants_finger(reader) else {})
        passes = random.random() > 0.03  # now and then somebody badges and walks on
        move = Move(door, direction, shown, person.number, passes=passes)
        self._mover.go(move, lambda granted: self._arrived(person, route, granted and passes))

    def _arrived(self, person: Person, route: list[tuple[str, str]], passed: bool) -> None:
        if not passed:
            person.busy = False
            return
        door, direction = route[0]
        row = self._world.doors[door]
        person.zone = row["to_zone"] if direction == "in" else row["from_zone"]
        self._save()
        if len(route) > 1:
            self._later(random.uniform(*WALK_S), lambda: self._walk(person, route[1:]))
        else:
            self._later(random.uniform(20, 90) / self._pace, lambda: setattr(person, "busy", False))

    def _load(self) -> None:
        """Where everybody was when the building was last simulated: the doors remember it too."""
        path = self._state / KEEP_STATE
        if path.exists():
            for number, zone in json.loads(path.read_text("utf-8")).items():
                if number in self._world.people:
                    self._world.people[number].zone = zone

    def _save(self) -> None:
        zones = {one.number: one.zone for one in self._world.people.values()}
        stage.write(self._state / KEEP_STATE, zones)


def main(path: Path) -> None:
    """Run the staff until the building closes."""
    config = json.loads(path.read_text("utf-8"))
    plan = stage.read_plan(Path(config["site_plan"]))
    clockwork = Clockwork()
    mover = Mover(plan, config["views"], clockwork.later)
    pace = float(config["pace"])
    world = World(plan)
    staff = Staff(world, mover, clockwork.later, pace, Path(config["state"]))
    clockwork.start()
    clockwork.later(4.0, staff.next_one)
    Incidents(plan, mover, clockwork.later, pace).begin()
    clockwork.run(lambda message: hear(message, mover))


def hear(message: dict[str, Any], mover: Mover) -> None:
    """An answer of a controller, or a visitor whom the reception sends through a door."""
    if "move" in message:
        name, move = message["id"], Move(**message["move"])
        mover.go(move, lambda granted: say({"event": "moved", "id": name, "granted": granted}))
    elif "walk" in message:
        mover.walk_only(**message["walk"])
    else:
        mover.hear(message)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
