"""Builds one site from its settings: the only module that knows every part."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import structlog
from flask import Blueprint, Flask
from sqlalchemy.orm import Session

from bposite.cameras import actions as cameras
from bposite.cameras import proof as cameras_proof
from bposite.cameras import queries as cameras_queries
from bposite.cleandesk import actions as cleandesk
from bposite.cleandesk import proof as cleandesk_proof
from bposite.doors import actions as doors
from bposite.doors import proof as doors_proof
from bposite.evidence.actions import run_waiting
from bposite.journal import actions as journal
from bposite.journal.proof import Witness
from bposite.journal.work import Actor, Work, unit_of_work
from bposite.passes import proof as passes_proof
from bposite.people import access
from bposite.people import actions as people
from bposite.plumbing import db, health, jobs
from bposite.plumbing.errors import Refusal
from bposite.plumbing.logs import configure_logs
from bposite.plumbing.secrets import make_master
from bposite.plumbing.settings import Settings, configure, current, load, state_dir_from
from bposite.plumbing.web import make_app
from bposite.visits import actions as visits
from bposite.visits import proof as visits_proof

log = structlog.get_logger(__name__)
FEATURES = ("people", "passes", "visits", "doors", "cameras", "cleandesk", "evidence", "entries", "live")
EDGES = ("views", "api", "push", "kiosk")
PLAN = ("zones", "schedules", "devices", "doors", "readers", "persons", "levels", "credentials", "cameras", "desks")
TICK_S = 2.0
TIMERS: dict[str, Callable[[Work], object]] = {"visits": visits.expire, "cleandesk": cleandesk.tick}
PARTS = (jobs, health)  # their rows belong to no feature


def open_site(state_dir: Path | None = None, settings: Settings | None = None, *, new: bool = False) -> Flask:
    """The application of the site in ``state_dir``: settings read, database open, every feature's routes in place.

    ``new`` makes the master key of a site that has none; otherwise its absence is a Refusal.
    """
    chosen = settings or load(state_dir or state_dir_from())
    configure(chosen)
    configure_logs(chosen.log_level)
    if new:
        make_master(chosen.state_dir)
    app = make_app(chosen)
    for feature in FEATURES:
        for edge in EDGES:
            _register(app, f"bposite.{feature}.{edge}")
    access.install(app)
    return app


def _register(app: Flask, name: str) -> None:
    """The blueprints of one edge; a feature that has no such edge has no such module."""
    if find_spec(name) is None:
        return
    blueprints: tuple[Blueprint, ...] = import_module(name).blueprints
    for blueprint in blueprints:
        app.register_blueprint(blueprint)


def apply_plan(work: Work, plan: dict[str, Any]) -> dict[str, int]:
    """Apply every section of a site plan in the order in which they refer to each other; section -> rows."""
    unknown = sorted(set(plan) - {"site", *PLAN})
    if unknown:
        raise Refusal("plan", f"There is no section {unknown[0]!r} in a site plan.", field=unknown[0])
    people.apply_plan(work, plan.get("persons", []))
    visits.apply_plan(work, plan.get("zones", []))
    doors.apply_plan(work, plan)
    cameras.apply_plan(work, plan.get("cameras", []))
    cleandesk.apply_plan(work, plan.get("desks", []))
    return {section: len(plan[section]) for section in PLAN if section in plan}


def watched_doors(session: Session) -> set[str]:
    """Doors in the view of a camera of the plan, working or not: their entries are to have pictures or a reason."""
    return {door for camera in cameras_queries.cameras(session) for door, _ in camera.doors}


def witnesses() -> list[Witness]:
    """Every feature's check of its own rows and files against its facts."""
    return [
        passes_proof.witness,
        visits_proof.witness,
        doors_proof.witness,
        cameras_proof.witness,
        cleandesk_proof.witness,
    ]


def keep_time(stop: threading.Event) -> None:
    """Call what time brings about, every few seconds, until ``stop``: a failing part does not stop the others."""
    verifier = threading.Thread(target=_verify_on_demand, args=(stop,), name="verifier", daemon=True)
    verifier.start()
    signed = 0.0
    while not stop.wait(TICK_S):
        bad = [name for name, tick in TIMERS.items() if not _ticked(name, tick)]
        if time.monotonic() - signed >= current().checkpoint_seconds:
            signed = time.monotonic()
            if not _guarded("checkpoint", journal.checkpoint):
                bad.append("checkpoint")
        _guarded("beat", partial(_beat_work, bad))
    _guarded("checkpoint", journal.checkpoint)


def _verify_on_demand(stop: threading.Event) -> None:
    """Verifications take minutes on a large journal: they have a thread of their own."""
    while not stop.wait(TICK_S):
        _guarded("verification", lambda: run_waiting(witnesses()))


def _ticked(name: str, tick: Callable[[Work], object]) -> bool:
    def once() -> None:
        with unit_of_work(Actor.system(name)) as work:
            tick(work)

    return _guarded(name, once)


def _beat_work(bad: list[str]) -> None:
    """The timers' own beat, by the loop that does the work: a loop that hangs cannot call itself alive."""
    health.beat("work", "degraded" if bad else "up", f"failing: {', '.join(bad)}" if bad else "", every_s=5)


def _guarded(name: str, step: Callable[[], object]) -> bool:
    try:
        step()
    except Exception as error:
        log.error("work:timer:failed", timer=name, exc_info=error)
        return False
    return True


def know_tables() -> None:
    """Import every feature's rows, so that the metadata knows all tables."""
    for feature in FEATURES:
        if find_spec(f"bposite.{feature}.tables") is not None:
            import_module(f"bposite.{feature}.tables")


def make_tables() -> None:
    """All tables straight from the models, for tests; a real site goes through the migrations."""
    know_tables()
    db.Base.metadata.create_all(db.engine())
