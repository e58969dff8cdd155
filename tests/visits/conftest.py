"""Fixtures of the tests of visits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask

from bposite.journal.work import Actor, unit_of_work
from bposite.visits import actions
from tests.visits.visit_site import NINE, ZONES


@pytest.fixture
def at_nine() -> Iterator[time_machine.Traveller]:
    """The clock stands at nine in the morning until a test moves it."""
    with time_machine.travel(NINE, tick=False) as clock:
        yield clock


@pytest.fixture
def desk(at_nine: time_machine.Traveller, site: Flask) -> Flask:
    """A site on SQLite at nine in the morning, with its zones."""
    with unit_of_work(Actor.system("plan")) as work:
        actions.apply_plan(work, ZONES)
    return site


@pytest.fixture
def any_desk(at_nine: time_machine.Traveller, any_site: Flask) -> Flask:
    """The same on both databases."""
    with unit_of_work(Actor.system("plan")) as work:
        actions.apply_plan(work, ZONES)
    return any_site
