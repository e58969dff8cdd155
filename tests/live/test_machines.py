"""What machines ask: health that never lies, measures, the description of the API."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from bposite.journal.work import Actor, unit_of_work
from bposite.live.queries import lamps
from bposite.people import actions as people
from bposite.plumbing import db, health
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from tests.entries import seeding
from tests.people.signing import nobody, signed_in

PARTS = ("broker", "listen", "cameras", "work", "web")


def all_beat() -> None:
    """Every process says that it is alive."""
    for name in PARTS:
        health.beat(name, "up", "fine", every_s=5)


def token(*permissions: str) -> dict[str, str]:
    """The header of a new API token."""
    with unit_of_work(Actor.system("tests")) as work:
        made = people.create_token(work, "scraper", permissions)
    return {"Authorization": f"Bearer {made.secret}"}


def test_a_site_nobody_has_heard_of_is_not_up(site: Flask) -> None:
    answer = nobody(site).get("/healthz")
    assert answer.json
    assert answer.json["state"] != "up"


def test_up_then_silent_then_down(site: Flask) -> None:
    all_beat()
    with unit_of_work(Actor.system("tests")) as work:
        work.record("tests:one:thing")
    everybody = nobody(site)
    before = everybody.get("/healthz")
    assert before.status_code == 200
    with time_machine.travel(now() + timedelta(seconds=40)):
        after = everybody.get("/healthz")
    assert after.status_code == 503
    assert after.json
    assert {part["name"] for part in after.json["parts"] if part["state"] == "down"} == set(PARTS)


def test_strangers_learn_no_details(site: Flask) -> None:
    all_beat()
    told = nobody(site).get("/healthz").json
    assert told
    assert all(set(part) == {"name", "state"} for part in told["parts"])
    known = signed_in(site, "guard").get("/healthz").json
    assert known
    assert any(part.get("detail") for part in known["parts"])


def test_our_own_clock_is_outvoted_by_the_devices(site: Flask) -> None:
    seeding.apply_plan()
    seeding.heard({"ctl-lobby": 7_200_000, "ctl-floor-a": 7_200_100, "ctl-core": 3})
    with reading() as session:
        clock = next(lamp for lamp in lamps(session) if lamp.name == "clock")
    assert clock.state == "down"


def test_measures_are_for_those_who_may(site: Flask) -> None:
    seeding.apply_plan()
    seeding.many(12)
    everybody = nobody(site)
    assert everybody.get("/metrics").status_code == 401
    assert everybody.get("/metrics", headers=token("visits:read")).status_code == 403
    answer = everybody.get("/metrics", headers=token("now:read"))
    assert answer.mimetype == "text/plain"
    families = {one.name: one for one in text_string_to_metric_families(answer.get_data(as_text=True))}
    assert families["bposite_entry_newest_position"].samples[0].value >= 12
    assert {sample.labels["part"] for sample in families["bposite_part_up"].samples} >= set(PARTS)


def test_every_endpoint_of_the_api_is_in_its_description(site: Flask) -> None:
    document = nobody(site).get("/api/v1/openapi.json").json
    assert document
    assert document["openapi"] == "3.1.0"
    served = {
        rule.rule.replace("<int:", "{").replace("<", "{").replace(">", "}")
        for rule in site.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and not rule.rule.endswith("openapi.json")
    }
    assert served <= set(document["paths"]) | {rule for rule in served if "/push/" in rule}
    names = {one["name"] for one in document["paths"]["/api/v1/entries"]["get"]["parameters"]}
    assert {"after", "limit", "door", "zone", "person", "from", "to", "decision"} <= names


def test_health_answers_without_a_database(site: Flask) -> None:
    """A session cookie is sent along: who asks cannot be known then, and that must not hide the answer."""
    guard = signed_in(site, "guard")
    with db.transaction() as session:
        session.execute(text("ALTER TABLE part RENAME TO gone"))
        session.execute(text("ALTER TABLE user_session RENAME TO gone_too"))
    answer = guard.get("/healthz")
    assert answer.status_code == 503
    assert answer.json
    assert answer.json["parts"] == [{"name": "database", "state": "down"}]
