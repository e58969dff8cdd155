"""Starts the parts of the cameras process and keeps them going until it is told to stop."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from bposite.cameras.actions.links import LINK_JOB
from bposite.cameras.places import evidence_store, lock_path
from bposite.cameras.worker.fleet import Fleet
from bposite.cameras.worker.keeper import Keeper
from bposite.cameras.worker.linker import Linker, policy_from
from bposite.plumbing import health, jobs
from bposite.plumbing.db import reading, transaction
from bposite.plumbing.errors import Conflict
from bposite.plumbing.settings import current

log = structlog.get_logger(__name__)
BUSY_S, IDLE_S = 0.08, 0.25
PLAN_S, BEAT_S, SWEEP_S = 2.0, 5.0, 3600.0


def run(stop: threading.Event) -> None:
    """Record, link and watch until `stop`. Conflict when another process of this site does so already."""
    with only_one():
        with transaction() as session:
            jobs.release(session, (LINK_JOB,))
        store, fleet = evidence_store(), Fleet()
        settings = current().cameras
        linker = Linker(fleet, store, policy_from(settings.pre_roll, settings.post_roll))
        keeper = Keeper(fleet, store)
        store.sweep()
        try:
            follow(fleet, keeper)
            watching = threading.Thread(target=_every, args=(stop, 1.0, keeper.step), name="keeper", daemon=True)
            watching.start()
            _link(stop, fleet, linker, keeper)
            watching.join(5)
        finally:
            fleet.stop()


def follow(fleet: Fleet, keeper: Keeper) -> None:
    """Take over the plan as it stands."""
    with reading() as session:
        changed = fleet.sync(session)
    if changed:
        keeper.load()


def _link(stop: threading.Event, fleet: Fleet, linker: Linker, keeper: Keeper) -> None:
    plan_due, beat_due = time.monotonic() + PLAN_S, 0.0
    while not stop.is_set():
        busy = _guarded("link", linker.step)
        moment = time.monotonic()
        if moment >= plan_due:
            plan_due = moment + PLAN_S
            _guarded("plan", lambda: follow(fleet, keeper))
        if moment >= beat_due:
            beat_due = moment + BEAT_S
            _guarded("beat", lambda: _beat(fleet, linker))
        stop.wait(0.0 if busy else BUSY_S if linker.waiting else IDLE_S)


def _beat(fleet: Fleet, linker: Linker) -> None:
    manned = fleet.all()
    live = sum(one.recorder is not None and one.recorder.tally.connected for one in manned)
    wanted = sum(one.row.enabled for one in manned)
    detail = f"{live} of {wanted} cameras connected, {linker.waiting} links waiting"
    health.beat("cameras", "up" if live == wanted else "degraded", detail, every_s=int(BEAT_S))


def _guarded(part: str, act: Callable[[], object]) -> bool:
    """Run one step; an error (the database is away) is logged and the step comes again."""
    try:
        return bool(act())
    except Exception as error:  # the edge of the process: it must outlive a database that is restarted
        log.error("cameras:worker:failed", part=part, exc_info=error)
        return False


def _every(stop: threading.Event, seconds: float, act: Callable[[], object]) -> None:
    while not stop.wait(seconds):
        _guarded("health", act)


@contextmanager
def only_one() -> Iterator[None]:
    """Hold the site's lock on the rings; the system gives it back when the process dies, however it dies."""
    handle = os.open(lock_path(), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise Conflict("cameras_running", "Another process records the cameras of this site already.") from error
    try:
        yield
    finally:
        os.close(handle)
