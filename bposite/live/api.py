"""What programs ask of the running system: its health, its measures, the description of its API."""

from __future__ import annotations

import time
from datetime import datetime

from flask import Blueprint, Response, current_app, jsonify
from flask.typing import ResponseReturnValue
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError

from bposite.live import queries
from bposite.live.queries import Lamp, Measures
from bposite.people.access import current_identity, public, requires
from bposite.plumbing.api import document
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.web import iso

blueprint = Blueprint("ops", __name__)
blueprints = (blueprint,)
STATES = {"up": 1.0, "degraded": 0.5, "down": 0.0, "unknown": 0.0}


@blueprint.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    """The parts and their state: 200 while the site works, 503 when a part is down. Details for signed-in callers."""
    try:
        with reading() as session:
            lamps = queries.lamps(session)
    except SQLAlchemyError:
        lamps = [Lamp("database", "down", "it does not answer", now())]
    state, tell = queries.overall(lamps), current_identity() is not None
    answer = jsonify(state=state, time=iso(now()), parts=[_part(lamp, tell) for lamp in lamps])
    answer.status_code = 503 if state == "down" else 200
    return answer


def _part(lamp: Lamp, tell: bool) -> dict[str, str | None]:
    plain: dict[str, str | None] = {"name": lamp.name, "state": lamp.state}
    return plain | {"detail": lamp.detail, "at": _stamp(lamp.at)} if tell else plain


def _stamp(at: datetime | None) -> str | None:
    return iso(at) if at else None


@blueprint.get("/api/v1/openapi.json")
@public
def openapi() -> ResponseReturnValue:
    """The OpenAPI document. It is public: it holds no data of the site, and tools read it before they sign in."""
    return jsonify(document(current_app))


@blueprint.get("/metrics")
@requires("now:read")
def metrics() -> Response:
    """Prometheus measures, made at every scrape. A scraper sends a bearer token that holds ``now:read``."""
    began = time.perf_counter()
    with reading() as session:
        measured, lamps = queries.measures(session), queries.lamps(session)
    registry = CollectorRegistry()
    _fill(registry, measured, lamps)
    _gauge(registry, "scrape_seconds", "time to collect these measures", time.perf_counter() - began)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _fill(registry: CollectorRegistry, measured: Measures, lamps: list[Lamp]) -> None:
    _gauge(registry, "journal_facts", "facts in the journal", measured.facts)
    _gauge(registry, "journal_signed_facts", "facts under the newest checkpoint", measured.signed)
    _gauge(registry, "checkpoint_age_seconds", "age of the newest checkpoint", measured.checkpoint_age_s)
    _gauge(registry, "alarms_open", "alarms that nobody has closed", measured.open_alarms)
    _gauge(registry, "quarantine_open", "messages that nobody has looked at", measured.open_quarantine)
    _gauge(registry, "cameras", "cameras of the plan", measured.cameras)
    _gauge(registry, "cameras_failed", "cameras without a usable picture", measured.cameras_failed)
    _gauge(registry, "devices_silent", "devices that need a look", measured.devices_silent)
    _gauge(registry, "people_inside", "staff and visitors in all zones", measured.inside)
    work = Gauge("bposite_jobs", "jobs by kind and state", ["kind", "state"], registry=registry)
    for (kind, state), count in measured.jobs.items():
        work.labels(kind, state).set(count)
    parts = Gauge("bposite_part_up", "1 up, 0.5 degraded, 0 down or unknown", ["part"], registry=registry)
    for lamp in lamps:
        parts.labels(lamp.name).set(STATES[lamp.state])


def _gauge(registry: CollectorRegistry, name: str, words: str, value: float | None) -> None:
    if value is not None:
        Gauge(f"bposite_{name}", words, registry=registry).set(value)
