"""What programs ask of the running system: its health, its measures, the description of its API."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, current_app, jsonify
from flask.typing import ResponseReturnValue
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError

from bposite.live import queries
from bposite.live.queries import Lamp, Measures
from bposite.live.stream import hub
from bposite.people.access import current_identity, public, requires
from bposite.plumbing.api import document
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.web import iso

blueprint = Blueprint("ops", __name__)
blueprints = (blueprint,)
STATES = {"up": 1.0, "degraded": 0.5, "down": 0.0, "unknown": 0.0}
LANES = ("expected", "at_desk", "on_site", "overdue")


@blueprint.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    """The parts and their state: 200 while the site works, 503 when a part is down. Details for signed-in callers."""
    tell = False
    try:
        with reading() as session:
            lamps = queries.lamps(session)
        tell = current_identity() is not None
    except SQLAlchemyError:  # who asks cannot be known either without the database
        lamps = [Lamp("database", "down", "it does not answer", now())]
    state = queries.overall(lamps)
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
    _gauge(registry, "entry_newest_position", "insert position of the newest entry", measured.newest_entry)
    _gauge(registry, "alarms_open", "live alarms that nobody has closed", measured.open_alarms)
    _gauge(registry, "quarantine_open", "messages that nobody has looked at", measured.open_quarantine)
    _gauge(registry, "live_streams", "open live streams of this process", hub.count())
    _gauge(registry, "disk_free_bytes", "free space of the state directory", measured.disk_free)
    devices, cameras, visits = measured.devices, measured.cameras, measured.visits
    for name, words, labels, values in (
        ("part_up", "1 up, 0.5 degraded, 0 down or unknown", "part", {lamp.name: STATES[lamp.state] for lamp in lamps}),
        ("jobs", "jobs by kind and state", "kind state", measured.jobs),
        ("device_online", "1 when the device is reachable", "device", {one.id: bool(one.online) for one in devices}),
        ("device_missing_events", "events known to be missing", "device", {one.id: one.missing for one in devices}),
        ("device_messages", "messages of a device by outcome", "device outcome", measured.messages),
        ("camera_working", "1 when the picture is usable", "camera", {one.id: not one.failed for one in cameras}),
        ("people_present", "people last seen in a zone", "zone kind", measured.present),
        ("visits", "visits of today by where they stand", "lane", {one: getattr(visits, one) for one in LANES}),
    ):
        _gauges(registry, name, words, labels, values)


def _gauge(registry: CollectorRegistry, name: str, words: str, value: float | None) -> None:
    if value is not None:
        Gauge(f"bposite_{name}", words, registry=registry).set(value)


def _gauges(registry: CollectorRegistry, name: str, words: str, labels: str, values: Mapping[Any, float]) -> None:
    family = Gauge(f"bposite_{name}", words, labels.split(), registry=registry)
    for key, value in values.items():
        family.labels(*(key if isinstance(key, tuple) else (key,))).set(value)
