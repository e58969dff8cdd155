"""The watchlist holds; it does not merely warn."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from bposite.journal.queries import tail
from bposite.plumbing.db import reading
from bposite.plumbing.errors import Refusal
from bposite.visits import actions
from bposite.visits.actions import NewEntry
from bposite.visits.rules.watch import Guest, Watched, matches
from bposite.visits.tables import Hold
from tests.visits.visit_site import DESK, MANAGER, NINE, does, guest

RECEPTION_MAY = frozenset({"visits:read", "visits:write"})
MANAGER_MAY = RECEPTION_MAY | {"visits:approve", "watchlist:write"}


def entry(**facts: Any) -> Watched:
    return Watched(id="W", expires_at=NINE + timedelta(days=1), **facts)


def listed(**facts: Any) -> str:
    said = {"name": "", "company": "", "contact": "", "reason": "theft", "expires_at": NINE + timedelta(days=9)}
    return str(does(MANAGER, actions.watch, NewEntry(**(said | facts))))


def holds() -> list[tuple[str, str, int | None]]:
    with reading() as session:
        return [(row.id, row.reason, row.score) for row in session.scalars(select(Hold))]


@pytest.mark.parametrize(
    ("known", "watched", "score"),
    [
        ({"name": "José García"}, {"name": "GARCIA, Jose"}, 100),
        ({"name": "Mohamed Al Farsi"}, {"name": "Mohammed Al-Farsi"}, None),
        ({"name": "X Y", "email": "A@b.example"}, {"contact": "a@B.example"}, 100),
        ({"name": "X Y", "phone": "+91 98765 43210"}, {"contact": "098765-43210"}, 100),
        ({"name": "X Y", "company": "Initéch"}, {"company": "INITECH"}, 100),
    ],
)
def test_what_matches(known: dict[str, str], watched: dict[str, str], score: int | None) -> None:
    (found,) = matches(Guest(**known), [entry(**watched)], NINE)
    assert score is None or found.score == score
    assert found.score >= 86


@pytest.mark.parametrize(
    ("known", "watched"),
    [
        ({"name": "Priya Nair"}, {"name": "Vikram Shah"}),
        ({"name": "Priya Nair", "company": "Initech"}, {"name": "Vikram Shah", "company": "Initech"}),
        ({"name": "X Y", "phone": "12345"}, {"contact": "12345"}),
        ({"name": "X Y"}, {"contact": "a@b.example"}),
    ],
)
def test_what_does_not_match(known: dict[str, str], watched: dict[str, str]) -> None:
    assert matches(Guest(**known), [entry(**watched)], NINE) == ()


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_looking_up_never_raises_and_an_expired_entry_matches_nobody(name: str, company: str, contact: str) -> None:
    known = Guest(name=name, company=company, phone=contact, email=contact)
    watched = entry(name=name, company=company, contact=contact)
    matches(known, [watched], NINE)
    assert matches(known, [watched], watched.expires_at) == ()


def test_a_walk_in_on_the_watchlist_is_held_and_reception_cannot_release(any_desk: Flask) -> None:
    """A walk-in whose name is on the watchlist in another order, case or accent is held."""
    listed(name="RAO, Ásha")
    placed = does(DESK, actions.register_walk_in, guest(zones=()))
    ((hold, told, score),) = holds()
    assert score == 100
    assert "theft" not in told
    assert not does(DESK, actions.admit, placed.visit_id).admitted
    with pytest.raises(Refusal, match="watchlist"):
        does(DESK, actions.release_hold, hold, "looks fine", RECEPTION_MAY)
    does(MANAGER, actions.release_hold, hold, "another person", MANAGER_MAY)


def test_a_released_match_does_not_hold_the_same_visit_again(desk: Flask) -> None:
    listed(name="Asha Rao")
    placed = does(DESK, actions.invite, guest())
    ((hold, _, _),) = holds()
    does(MANAGER, actions.release_hold, hold, "another person", MANAGER_MAY)
    does(DESK, actions.arrive, placed.visit_id)
    assert len(holds()) == 1


def test_an_entry_made_after_the_invitation_holds_at_arrival(desk: Flask) -> None:
    placed = does(DESK, actions.invite, guest())
    assert holds() == []
    listed(contact="asha@initech.example.com")
    does(DESK, actions.arrive, placed.visit_id)
    assert len(holds()) == 1


def test_every_look_up_is_a_fact_and_an_ended_entry_holds_nobody(desk: Flask) -> None:
    listing = listed(name="Asha Rao")
    does(MANAGER, actions.unwatch, listing, "settled")
    does(DESK, actions.invite, guest())
    assert holds() == []
    with reading() as session:
        (fact,) = tail(session, -1, ("visits:watchlist:looked_up",))
    assert fact.data == {"entries": 0, "matches": []}


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({}, "name"),
        ({"name": "<b>"}, "name"),
        ({"contact": "nobody"}, "contact"),
        ({"name": "A B", "reason": ""}, "reason"),
        ({"name": "A B", "expires_at": NINE - timedelta(days=1)}, "until"),
    ],
)
def test_an_entry_says_whom_why_and_until_when(desk: Flask, facts: dict[str, Any], field: str) -> None:
    with pytest.raises(Refusal) as refused:
        listed(**facts)
    assert refused.value.field == field
