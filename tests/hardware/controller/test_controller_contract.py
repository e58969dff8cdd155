"""Every message that a controller sends in a lively minute is what the contract's schemas say."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from contract import reference
from jsonschema import Draft7Validator, RefResolver

from tests.hardware.controller.kit import HARDWARE, KEY, Site, wait_for
from tests.hardware.simulator.kit import Program

SCHEMAS = HARDWARE / "contract" / "schemas"
CARD = "21:10400"


def _validator(name: str) -> Draft7Validator:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text("utf-8"))
    return Draft7Validator(schema, resolver=RefResolver(f"{SCHEMAS.as_uri()}/{name}.json", schema))


def _schema_of(topic: str) -> str:
    word, _, name = topic.partition("/")
    if word == "evt":
        return f"event.{name}"
    if word == "state":
        return f"state.{name}" if name in ("info", "link") else "state.facet"
    return {"req": "request.access", "res": "result"}[word]


def _faults(site: Site) -> list[str]:
    with site._lock:
        messages: list[tuple[str, Any]] = [(topic, json.loads(body)) for topic, body, _ in site.messages if body]
    return [
        f"{topic}: {error.message}"
        for topic, body in messages
        for error in _validator(_schema_of(topic)).iter_errors(body)
    ]


def test_everything_said_is_in_the_contract(controller: Callable[..., Program], site: Site) -> None:
    entry = {"ref": reference(bytes.fromhex(KEY), "card", CARD), "holder": "E-1", "doors": ["d1"]}
    program = controller(site.port, entries=[entry])
    program.wait_for("link", online=True)
    program.send({"swipe": {"reader": "d1-in", "card": CARD}})
    wait_for(lambda: site.events("taken"), "a passage")
    program.send({"force": {"door": "d2", "seconds": 0.2}})
    program.send({"alarm": {"reason": "tamper", "door": "d1"}})
    program.send({"button": {"door": "d1"}})
    site.command("unlock", "n-1", door="d2")
    site.command("sync", "n-2")
    site.answer = None
    program.send({"swipe": {"reader": "d1-in", "card": CARD, "passes": False}})
    program.send({"swipe": {"reader": "d2-in", "qr": "BPXCDFGH", "passes": False}})
    wait_for(lambda: site.events("denied") and site.events("not-taken"), "decisions of its own")
    wait_for(lambda: site.got("res/unlock") and site.got("res/sync"), "results")
    assert {topic.partition("/")[0] for topic, _, _ in site.messages} == {"evt", "state", "req", "res"}
    assert _faults(site) == []


def test_the_check_can_fail(site: Site) -> None:
    site.messages.append(("evt/access", b'{"specversion": "1.0"}', False))
    assert _faults(site)
