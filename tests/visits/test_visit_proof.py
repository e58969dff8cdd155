"""``bposite verify`` sees what somebody does to visits, passes and photos behind the journal's back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from bposite.passes import proof as pass_proof
from bposite.passes.tables import Pass
from bposite.plumbing.db import reading, transaction
from bposite.visits import actions, photos, proof
from bposite.visits.tables import Transition, Visit, Visitor
from tests.visits.visit_day import face
from tests.visits.visit_site import DESK, does, on_site


def problems() -> list[str]:
    with reading() as session:
        return [str(problem) for witness in (proof.witness, pass_proof.witness) for problem in witness(session)]


def test_an_honest_site_has_no_problem(desk: Flask) -> None:
    visit, _ = on_site()
    does(DESK, actions.set_photo, visit, photos.store(face(1)))
    does(DESK, actions.issue_pass, visit)
    assert problems() == []


@pytest.mark.parametrize(
    "harm",
    [
        lambda session: session.execute(update(Visit).values(state="departed", departure="exit_door")),
        lambda session: session.execute(delete(Transition).where(Transition.event == "admit")),
        lambda session: session.execute(update(Pass).values(state="ended", ending="revoked")),
        lambda session: session.execute(update(Visitor).values(photo="0" * 64)),
    ],
)
def test_a_changed_row_is_seen(desk: Flask, harm: Callable[[Session], object]) -> None:
    visit, _ = on_site()
    does(DESK, actions.set_photo, visit, photos.store(face(1)))
    with transaction() as session:
        harm(session)
    assert problems()


def test_a_swapped_photo_file_is_seen(desk: Flask) -> None:
    visit, _ = on_site()
    digest = photos.store(face(1))
    does(DESK, actions.set_photo, visit, digest)
    photos.path_of(digest).write_bytes(face(2))
    assert len(problems()) == 1
    photos.path_of(digest).unlink()
    assert len(problems()) == 1
