"""A small site for clean desk tests: zones through the doors plan, people, desks, and accounts that act."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bposite.cleandesk import actions
from bposite.cleandesk.actions import NewRound
from bposite.cleandesk.wire import FoundItem, Look
from bposite.doors.actions.plan import apply_plan as apply_doors
from bposite.journal.work import Actor, Work, unit_of_work
from bposite.people.actions.accounts import add_user
from bposite.people.actions.directory import apply_plan as apply_people
from bposite.people.queries import persons_by_number
from bposite.plumbing.clock import now
from bposite.plumbing.ids import new_id

ZONES: list[dict[str, Any]] = [
    {"id": "outside", "name": "Outside", "kind": "outside"},
    {"id": "ops-a", "name": "Operations floor A", "kind": "operations", "client": "Northwind Retail"},
    {"id": "card-a", "name": "Card room", "kind": "clean_room", "client": "Northwind Retail", "no_device": True},
]
PERSONS = [
    {"number": "E-1001", "name": "Asha Rao", "team": "Facilities"},
    {"number": "E-1002", "name": "Ben Okafor", "team": "Security"},
    {"number": "E-1003", "name": "Chitra Iyer", "team": "Orders"},
    {"number": "E-1004", "name": "Dev Nair", "team": "Security"},
]


def desks(count: int = 30, zone: str = "ops-a", prefix: str = "A") -> list[dict[str, Any]]:
    """Desks in rows of six, two metres apart."""
    return [
        {
            "id": f"{prefix}{n // 6 + 1}-{n % 6 + 1:02d}",
            "zone": zone,
            "row": f"{prefix}{n // 6 + 1}",
            "team": "Orders" if n % 2 else "Returns",
            "client": "Northwind Retail",
            "shifts": ["day", "night"],
            "x": 2.0 * (n % 6),
            "y": 3.0 * (n // 6),
        }
        for n in range(count)
    ]


@dataclass(frozen=True, slots=True)
class People:
    """Actors with accounts: a planner, a guard who walks, a second guard, somebody of the Orders team."""

    planner: Actor
    guard: Actor
    second: Actor
    orders: Actor


@contextmanager
def work_as(actor: Actor) -> Iterator[Work]:
    """One unit of work of somebody."""
    with unit_of_work(actor) as work:
        yield work


def _account(name: str, role: str, person: str) -> Actor:
    with unit_of_work(Actor.system("tests")) as work:
        found = persons_by_number(work.session, [person])[person]
        user = add_user(work, name, found.name, (role,), person_id=found.id)
        user.password_hash, user.factor, user.password_at = "unused", b"unused", work.now
    return Actor("user", user.id, found.name, role)


def furnish(count: int = 30, card: int = 8) -> People:
    """Apply a plan with two zones of desks and make the accounts."""
    with unit_of_work(Actor.system("tests")) as work:
        apply_people(work, PERSONS)
        apply_doors(work, {"zones": ZONES})
        actions.apply_plan(work, desks(count) + desks(card, "card-a", "C"))
    return People(
        _account("asha", "facilities", "E-1001"),
        _account("ben", "guard", "E-1002"),
        _account("dev", "guard", "E-1004"),
        _account("chitra", "guard", "E-1003"),
    )


def new_round(people: People, **more: Any) -> NewRound:
    """A round of twelve desks over both zones, tomorrow's day shift, with a second auditor."""
    values: dict[str, Any] = {
        "name": "Weekly walk", "purpose": "random", "zones": ("ops-a", "card-a"), "kinds": ("desk",), "shift": "day",
        "moment": "end_of_shift", "size": 12, "planned_for": now() + timedelta(hours=1), "auditor": people.guard.id,
        "second": people.second.id,
    }  # fmt: skip
    return NewRound(**(values | more))


def started(people: People, **more: Any) -> str:
    """A round that its auditor has started."""
    with work_as(people.planner) as work:
        round_id = actions.plan_round(work, new_round(people, **more))
    with work_as(people.guard) as work:
        actions.start_round(work, round_id)
    return round_id


def look(place: str, *items: str, answer: str = "", seen_at: datetime | None = None, **more: Any) -> Look:
    """A look as a phone would send it: with items it is a fail, else a pass."""
    found = tuple(FoundItem(item) if isinstance(item, str) else item for item in items)
    return Look(new_id(), place, answer or ("fail" if items else "pass"), seen_at or now(), items=found, **more)  # type: ignore[arg-type]


def send(actor: Actor, round_id: str, sent: Look, photos: dict[str, bytes] | None = None) -> actions.Observed:
    """Send a look the way the edge does."""
    kept = actions.keep_photos(sent, photos or {})
    with work_as(actor) as work:
        return actions.observe(work, round_id, sent, photos or {}, kept)
