#!/usr/bin/env python3
"""Visitors, and the receptionist who looks after them, through the product's own web pages.

    python reception.py world.json

Guests are invited, come, are checked in with a photo, get a pass, show it at doors (sometimes the wrong ones), and
leave: by the exit reader or by handing the label back. Doors are passed by way of people.py, which moves everybody.
"""

from __future__ import annotations

import itertools
import json
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import cv2
import stage
from clockwork import Clockwork
from desk import Desk, DeskError
from figures import Look, portrait
from guests import GUESTS, PURPOSES
from moves import Move, order, say

Step = float | Move  # so many seconds, or a door
Story = Iterator[Step]

FIRST_S, EVERY_S = 25.0, 70.0  # the first guest, then one so often, at pace 1
EXPECTED = 6  # guests who are announced beforehand at any time
AGAIN_S = 5.0  # until the web server is asked again
FLOOR, WRONG_DOORS = "ops-a-main", ("ops-b-main", "card-room")
LOBBY_WALK_S = 12.0
# how the desk ends a visit that waits for this next step
ENDINGS: dict[str, tuple[str, dict[str, str]]] = {
    "check_in": ("/cancel", {"reason": "Did not come"}),
    "admit": ("/turn-away", {"reason": "Left before the check-in was finished"}),
    "print": ("/depart", {"evidence": "card_surrendered", "returned": "yes"}),
    "check_out": ("/depart", {"evidence": "card_surrendered", "returned": "yes"}),
    "find": ("/depart", {"evidence": "card_surrendered", "returned": "yes"}),
}


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who will come."""

    name: str
    company: str
    purpose: str
    host: str
    visit: str = ""


class Reception:
    """The desk's work, one story per guest."""

    def __init__(self, config: dict[str, Any], plan: dict[str, Any], clockwork: Clockwork) -> None:
        users = {user["role"]: user for user in config["users"]}
        self._desk = Desk(config["url"], users["reception"])
        self._manager = Desk(config["url"], users["facilities"]) if "facilities" in users else None
        self._pace, self._later = float(config["pace"]), clockwork.later
        self._zone = ZoneInfo(plan["site"]["timezone"])
        hosts = [row for row in plan["persons"] if row.get("host") and row["client"] in ("", "Northwind Retail")]
        self._hosts = [f"{row['name']} ({row['number']})" for row in hosts]
        self._names = itertools.cycle(random.sample(GUESTS, len(GUESTS)))
        self._expected: list[Guest] = []
        self._book = Path(config["state"]) / "reception.json"
        self._ours: list[str] = json.loads(self._book.read_text("utf-8")) if self._book.exists() else []
        self._waiting: dict[str, Story] = {}
        self._ids = itertools.count(1)
        self._trouble = ""

    def open(self) -> None:
        """Sign in, tidy up what an earlier run left, announce the day's first guests."""
        try:
            self._desk.sign_in()
            self._tidy_up()
            while len(self._expected) < EXPECTED:
                self._expected.append(self._invite())
        except DeskError as error:
            if str(error) != self._trouble:  # once: run.py shows errors to whoever started the building
                self._trouble = str(error)
                say({"event": "error", "message": f"the desk waits: {error}"})
            self._later(AGAIN_S, self.open)
            return
        self._later(FIRST_S / self._pace, self._next_guest)

    def hear(self, message: dict[str, Any]) -> None:
        """Somebody has gone through a door, or was refused."""
        if message.get("event") == "moved":
            story = self._waiting.pop(str(message["id"]), None)
            if story is not None:
                self._go_on(story)

    # stories

    def _next_guest(self) -> None:
        tell = random.choices((self._announced, self._walk_in), (5, 1))[0]
        self._go_on(tell())
        self._later(random.uniform(0.6, 1.4) * EVERY_S / self._pace, self._next_guest)

    def _go_on(self, story: Story) -> None:
        """Tell a story up to its next pause. What the product refuses ends it, and is told to whoever watches."""
        try:
            step = next(story, None)
        except DeskError as error:
            say({"event": "error", "message": str(error)})
            return
        if isinstance(step, Move):
            name = f"guest-{next(self._ids)}"
            self._waiting[name] = story
            body = {
                key: getattr(step, key) for key in ("door", "direction", "shown", "seed", "kind", "passes", "seconds")
            }
            order("people", {"id": name, "move": body})
        elif step is not None:
            self._later(step, lambda: self._go_on(story))

    def _announced(self) -> Story:
        guest = self._expected.pop(0) if self._expected else self._invite()
        yield from self._comes_in(guest)
        home = f"/reception/visits/{guest.visit}"
        if random.random() < 0.15:  # has a pass from the invitation and tries a door before the desk
            page = self._desk.press(f"{home}/pass", {}, home)
            yield self._shows(guest, page.code, FLOOR, passes=False)
            yield 4.0
        self._desk.press(f"{home}/arrive", {}, home)
        self._expected.append(self._invite())
        yield from self._checked_in(guest)

    def _walk_in(self) -> Story:
        guest = self._new_guest()
        yield from self._comes_in(guest)
        until = datetime.now(self._zone) + timedelta(hours=2)
        fields = self._fields(guest) | {"until": f"{until:%H:%M}", "zones": ["ops-a"]}
        page = self._desk.press("/reception/walk-in", fields, "/reception/walk-in")
        self._note(page.visit)
        guest = Guest(guest.name, guest.company, guest.purpose, guest.host, page.visit)
        yield from self._checked_in(guest)

    def _comes_in(self, guest: Guest) -> Story:
        order("people", {"walk": {"door": "main-entrance", "direction": "in", "seed": guest.name, "kind": "visitor"}})
        yield LOBBY_WALK_S

    def _checked_in(self, guest: Guest) -> Story:
        """From the desk to the end of the visit."""
        home = f"/reception/visits/{guest.visit}"
        self._desk.photo(guest.visit, _photo(guest.name))
        yield 8.0
        if self._desk.get(home).next_step == "wait_approval":
            yield from self._approved(home)
        if random.random() < 0.08:
            self._desk.press(f"{home}/turn-away", {"reason": "The host cannot receive the visitor today"}, home)
            yield LOBBY_WALK_S
            order(
                "people", {"walk": {"door": "main-entrance", "direction": "out", "seed": guest.name, "kind": "visitor"}}
            )
            return
        fields = {"identity": "national_id", "host_told": "told by phone", "token": "", "escort": ""}
        page = self._desk.press(f"{home}/admit", fields, home)
        code = page.code or self._desk.press(f"{home}/pass", {}, home).code
        yield LOBBY_WALK_S
        yield from self._visit(guest, code)

    def _approved(self, home: str) -> Story:
        yield 15.0
        if self._manager is None:
            raise DeskError("nobody can approve this visit")
        self._manager.press(f"{home}/decide", {"answer": "approve", "reason": ""}, home)
        yield 5.0

    def _visit(self, guest: Guest, code: str) -> Story:
        if random.random() < 0.3:
            yield self._shows(guest, code, random.choice(WRONG_DOORS), passes=False)
            yield LOBBY_WALK_S
        yield self._shows(guest, code, FLOOR)
        yield random.uniform(60, 240) / self._pace
        yield self._shows(guest, code, FLOOR, "out")
        yield LOBBY_WALK_S
        if random.random() < 0.5:
            yield self._shows(guest, code, "main-entrance", "out")
            return
        home = f"/reception/visits/{guest.visit}"
        self._desk.press(f"{home}/depart", {"evidence": "card_surrendered", "returned": "yes"}, home)
        yield 5.0
        if random.random() < 0.3:  # "I forgot my umbrella": the pass has ended
            yield self._shows(guest, code, FLOOR, passes=False)
        order("people", {"walk": {"door": "main-entrance", "direction": "out", "seed": guest.name, "kind": "visitor"}})

    @staticmethod
    def _shows(guest: Guest, code: str, door: str, direction: str = "in", *, passes: bool = True) -> Move:
        return Move(door, direction, {"qr": code}, guest.name, "visitor", passes=passes)

    # the desk

    def _tidy_up(self) -> None:
        """Our guests of an earlier run are gone; those whom somebody else entered are none of our business."""
        for visit in self._ours:
            home = f"/reception/visits/{visit}"
            page = self._desk.get(home)
            ending = ENDINGS.get(page.next_step) if page.status == 200 else None
            if ending is not None:
                self._desk.press(home + ending[0], ending[1], home)
        self._ours = []

    def _note(self, visit: str) -> None:
        self._ours = [*self._ours[-200:], visit]
        stage.write(self._book, self._ours)

    def _new_guest(self) -> Guest:
        name, company = next(self._names)
        return Guest(name, company, random.choice(PURPOSES), random.choice(self._hosts))

    def _fields(self, guest: Guest) -> dict[str, Any]:
        return {"name": guest.name, "company": guest.company, "host": guest.host, "purpose": guest.purpose}

    def _invite(self) -> Guest:
        guest, ahead = self._new_guest(), (FIRST_S + EVERY_S * len(self._expected)) / self._pace
        start = datetime.now(self._zone) + timedelta(seconds=ahead)
        start -= timedelta(minutes=start.minute % 5)  # nobody is invited for 10:03, and nobody comes too early
        until = start + timedelta(hours=2)
        times = {"day": f"{start:%Y-%m-%d}", "start": f"{start:%H:%M}", "until": f"{until:%H:%M}"}
        fields = self._fields(guest) | times | {"zones": ["ops-a"], "email": "", "phone": ""}
        page = self._desk.press("/reception/invite", fields, "/reception/invite")
        self._note(page.visit)
        return Guest(guest.name, guest.company, guest.purpose, guest.host, page.visit)


def _photo(name: str) -> bytes:
    good, data = cv2.imencode(".jpg", portrait(Look.of(name, "visitor")), [cv2.IMWRITE_JPEG_QUALITY, 90])
    assert good
    return bytes(data)


def main(path: Path) -> None:
    """Run the reception until the building closes."""
    config = json.loads(path.read_text("utf-8"))
    clockwork = Clockwork()
    reception = Reception(config, stage.read_plan(Path(config["site_plan"])), clockwork)
    clockwork.start()
    clockwork.later(3.0, reception.open)
    clockwork.run(reception.hear)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
