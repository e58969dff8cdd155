"""A site with zones, and people who act at it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bposite.journal.work import Actor, Work, unit_of_work
from bposite.visits import actions
from bposite.visits.actions import IdentityKind, NewVisit

ZONES = [
    {"id": "outside", "name": "Outside", "kind": "outside"},
    {"id": "lobby", "name": "Lobby", "kind": "lobby", "capacity": 60},
    {"id": "ops-a", "name": "Operations A", "kind": "operations", "capacity": 48},
    {"id": "card-a", "name": "Card room", "kind": "clean_room", "capacity": 2, "no_device": True, "escort": True},
]
NINE = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)  # 09:00 in Pune
DESK = Actor("user", "01RECEPTION", "Lakshmi Iyer", "reception", "127.0.0.1")
MANAGER = Actor("user", "01FACILITIES", "Sunita Bhosale", "facilities", "127.0.0.1")
GUARD = Actor("user", "01GUARD", "Vikram Rathore", "guard", "127.0.0.1")


def guest(**changes: Any) -> NewVisit:
    """An invitation for nine to seventeen o'clock."""
    facts: dict[str, Any] = {
        "name": "Asha Rao",
        "company": "Initech",
        "email": "asha@initech.example.com",
        "host": "E-1002",
        "host_name": "Farhan Siddiqui",
        "purpose": "Quarterly review",
        "window_from": NINE,
        "window_until": NINE + timedelta(hours=8),
        "zones": ("ops-a",),
    }
    return NewVisit(**(facts | changes))


def does(actor: Actor, action: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """One action as one unit of work of `actor`."""
    with unit_of_work(actor) as work:
        return action(work, *args, **kwargs)


def ready(work: Work, visit_id: str) -> None:
    """Everything that admission needs, done."""
    actions.check_identity(work, visit_id, IdentityKind.PASSPORT, matches=True)
    actions.acknowledge(work, visit_id, "told by phone")


def on_site(**changes: Any) -> tuple[str, str]:
    """An invited guest who is inside: the visit and the code of the pass."""
    placed = does(DESK, actions.invite, guest(**changes))
    with unit_of_work(DESK) as work:
        actions.arrive(work, placed.visit_id)
        ready(work, placed.visit_id)
        admission = actions.admit(work, placed.visit_id)
    assert admission.issued is not None
    return placed.visit_id, admission.issued.codes.code
