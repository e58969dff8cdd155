"""Builds one site from its settings: the only module that knows every part."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from flask import Blueprint, Flask

from bposite.plumbing import db
from bposite.plumbing.logs import configure_logs
from bposite.plumbing.settings import Settings, configure, load, state_dir_from
from bposite.plumbing.web import make_app

FEATURES = ("people", "passes", "visits", "doors", "cameras", "cleandesk", "incidents", "evidence", "entries", "live")
EDGES = ("views", "api", "push", "kiosk")


def open_site(state_dir: Path | None = None, settings: Settings | None = None) -> Flask:
    """The application of the site in ``state_dir``: settings read, database open, every feature's routes in place."""
    chosen = settings or load(state_dir or state_dir_from())
    configure(chosen)
    configure_logs(chosen.log_level)
    app = make_app(chosen)
    for feature in FEATURES:
        for edge in EDGES:
            _register(app, f"bposite.{feature}.{edge}")
    import_module("bposite.people.access").install(app)
    return app


def _register(app: Flask, name: str) -> None:
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return
    blueprints: tuple[Blueprint, ...] = module.blueprints
    for blueprint in blueprints:
        app.register_blueprint(blueprint)


def make_tables() -> None:
    """All tables straight from the models, for tests; a real site goes through the migrations."""
    for feature in FEATURES:
        try:
            import_module(f"bposite.{feature}.tables")
        except ModuleNotFoundError as error:
            if error.name != f"bposite.{feature}.tables":
                raise
    import_module("bposite.plumbing.jobs")
    import_module("bposite.plumbing.health")
    db.Base.metadata.create_all(db.engine())
