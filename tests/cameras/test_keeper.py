"""The watch over real streams: a camera that goes black, freezes or falls silent is a failure, and recovers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from bposite.cameras import queries
from bposite.cameras.actions import apply_plan
from bposite.cameras.places import evidence_store, still_path
from bposite.cameras.queries import CameraRow
from bposite.cameras.rules.health import HealthPolicy, Verdict
from bposite.cameras.worker import keeper as keeping
from bposite.cameras.worker.fleet import Fleet
from bposite.cameras.worker.keeper import Keeper
from bposite.journal.queries import tail
from bposite.journal.work import unit_of_work
from bposite.plumbing.db import reading

from .conftest import Cameras, frame_number, wait_for
from .made import ACTOR

QUICK = HealthPolicy(silent_us=1_500_000)


@pytest.fixture
def watched(
    site: Flask, cameras: Callable[..., Cameras], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Cameras, Keeper]]:
    """A camera that is sampled five times a second, so that two votes take less than a second."""
    for name in ("QUICKEST_US", "SLOWEST_US", "WRITE_US"):
        monkeypatch.setattr(keeping, name, 200_000)
    camera = cameras("--gop", "5", "--fault", "report_every=1.0")
    with unit_of_work(ACTOR) as work:
        section = {"id": "cam-1", "name": "Lobby", "url": camera.url(), "doors": ["door-1"], "expected_rate": 10.0}
        apply_plan(work, [section])
    fleet = Fleet()
    with reading() as session:
        fleet.sync(session)
    yield camera, Keeper(fleet, evidence_store(), QUICK)
    fleet.stop()


def row() -> CameraRow | None:
    with reading() as session:
        return queries.camera(session, "cam-1")


def until(keeper: Keeper, verdict: Verdict) -> CameraRow:
    def stepped() -> Any:
        keeper.step()
        found = row()
        return found if found is not None and found.verdict is verdict and found.state is not None else None

    found = wait_for(stepped, f"the verdict {verdict}")
    assert isinstance(found, CameraRow)
    return found


def test_black_frozen_and_silent_are_failures_with_a_beginning_and_an_end(watched: tuple[Cameras, Keeper]) -> None:
    camera, keeper = watched
    wait_for(lambda: keeper.step() or still_path("cam-1").exists(), "the first still")
    good = until(keeper, Verdict.OK)
    assert not good.failed
    assert frame_number(still_path("cam-1").read_bytes()) is not None
    for fault, verdict in (({"picture": "black"}, Verdict.BLACK), ({"picture": "frozen"}, Verdict.FROZEN)):
        camera.faults(**fault)
        assert until(keeper, verdict).failed
        camera.faults(picture="normal")
        until(keeper, Verdict.OK)
    camera.faults(answer="refuse")
    camera.order(camera="*", drop=True)
    silent = until(keeper, Verdict.NO_STREAM)
    assert silent.failed
    assert silent.state is not None
    assert silent.state.error
    camera.faults(answer="normal")
    until(keeper, Verdict.OK)
    with reading() as session:
        facts = tail(session, -1, ("cameras:camera:failed", "cameras:camera:recovered"))
        assert [fact.data["health"] for fact in facts] == ["black", "ok", "frozen", "ok", "no_stream", "ok"]
        assert queries.open_failures(session) == []
        assert len(queries.failures(session)) == 3


def test_a_wrong_rate_and_a_wrong_clock_are_told_but_are_no_failure(
    watched: tuple[Cameras, Keeper], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "RATE_WINDOW_US", 2_500_000)
    camera, keeper = watched
    until(keeper, Verdict.OK)
    camera.faults(every=2)
    slow = until(keeper, Verdict.WRONG_RATE)
    assert not slow.failed
    assert slow.status == "attention"
    camera.faults(every=1, skew=30.0)
    wrong = until(keeper, Verdict.WRONG_CLOCK)
    assert wrong.state is not None
    assert wrong.state.clock_bad
    assert (wrong.state.time_source, wrong.failed) == ("arrival", False)
    with reading() as session:
        assert tail(session, -1, ("cameras:camera:failed",)) == []
