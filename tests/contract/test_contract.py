"""The published contract says what the code does: document, schemas, examples, lists of words."""

import json
import re
import typing
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator, FormatChecker
from referencing import Registry, Resource

from bposite.doors import events
from bposite.doors.events import Rejection
from bposite.doors.reasons import CLASSES, REASONS
from bposite.doors.wire.topics import OURS, ROOT, parse_topic
from tests.contract.table import README, reasons_table
from tests.doors.wire.vectors import Vector, vectors

REPO = Path(__file__).resolve().parents[2]
CONTRACT = REPO / "hardware" / "contract"
OFFICIAL = REPO / "node_modules" / "@asyncapi" / "specs" / "schemas" / "3.0.0.json"
DOCUMENT: dict[str, Any] = yaml.safe_load((CONTRACT / "asyncapi.yaml").read_text("utf-8"))
SCHEMAS: dict[str, Any] = {
    path.name: json.loads(path.read_text("utf-8")) for path in (CONTRACT / "schemas").glob("*.json")
}
REGISTRY: Registry[Any] = Registry().with_resources(
    (name, Resource.from_contents(doc)) for name, doc in SCHEMAS.items()
)
OURS_HERE = [v for v in vectors() if v.path.parent == CONTRACT / "examples" and v.doc["vendor"] == "bposite"]


@cache
def validator(name: str) -> Draft7Validator:
    return Draft7Validator(SCHEMAS[name], registry=REGISTRY, format_checker=FormatChecker())


def channel_of(topic: str) -> str:
    """The channel of the document that a topic belongs to."""
    for name, channel in DOCUMENT["channels"].items():
        pattern = re.sub(r"\\\{[a-z]+\\\}", "[a-z0-9-]{1,40}", re.escape(channel["address"]))
        if re.fullmatch(pattern, topic):
            return str(name)
    raise AssertionError(f"no channel for {topic}")


def schema_of(topic: str) -> str:
    (message,) = DOCUMENT["channels"][channel_of(topic)]["messages"].values()
    name = message["$ref"].rpartition("/")[2]
    return str(DOCUMENT["components"]["messages"][name]["payload"]["$ref"].rpartition("/")[2])


def test_document_is_valid_asyncapi() -> None:
    if not OFFICIAL.exists():
        pytest.skip("AsyncAPI's own schema is not installed (npm ci)")
    official = json.loads(OFFICIAL.read_text("utf-8"))
    faults = [f"{list(e.absolute_path)}: {e.message}" for e in Draft7Validator(official).iter_errors(DOCUMENT)]
    assert not faults


def test_every_reference_in_the_document_resolves() -> None:
    """Also where AsyncAPI's own schema is absent."""

    def walk(doc: Any) -> list[str]:
        if isinstance(doc, dict):
            own = [doc["$ref"]] if isinstance(doc.get("$ref"), str) else []
            return own + [found for inner in doc.values() for found in walk(inner)]
        return [found for inner in doc for found in walk(inner)] if isinstance(doc, list) else []

    references = walk(DOCUMENT)
    assert len(references) > 50
    for reference in references:
        if reference.startswith("./"):
            assert (CONTRACT / reference).exists(), reference
            continue
        target: Any = DOCUMENT
        for word in reference.removeprefix("#/").split("/"):
            target = target[word]


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_schemas_are_schemas(name: str) -> None:
    Draft7Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("vector", OURS_HERE, ids=lambda v: v.path.stem)
def test_examples_hold_to_their_schema(vector: Vector) -> None:
    if "payload" not in vector.doc:
        return  # broken on purpose, or zero bytes
    faults = list(validator(schema_of(vector.doc["topic"])).iter_errors(vector.doc["payload"]))
    bad = vector.expect.get("quarantine") in events.REJECTION_CODES and vector.expect["quarantine"] not in (
        "unknown-door",
        "spoofing",
    )
    lenient = "unknown-reason" in vector.path.stem
    assert bool(faults) == (bad or lenient), [fault.message for fault in faults]


def test_every_message_has_an_example() -> None:
    shown = {schema_of(v.doc["topic"]) for v in OURS_HERE}
    assert set(SCHEMAS) - shown == {"common.json"}


def test_every_example_names_its_source() -> None:
    named = re.findall(r"^\| (\S+\.json) \|", (CONTRACT / "examples" / "sources.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(named) == sorted(path.name for path in (CONTRACT / "examples").glob("*.json"))


def addresses() -> dict[str, str]:
    return {name: channel["address"] for name, channel in DOCUMENT["channels"].items()}


def test_topics_are_the_codes_topics() -> None:
    values = {
        "site": "pune-1",
        "device": "ctl-a",
        "door": "floor-a",
        "facet": "clock",
        "command": "unlock",
        "part": "x",
    }
    for name, address in addresses().items():
        topic = parse_topic(address.format_map(values))
        assert address.startswith(f"{ROOT}/")
        action = {
            op["action"] for op in DOCUMENT["operations"].values() if op["channel"]["$ref"] == f"#/channels/{name}"
        }
        assert action == ({"send"} if topic.kind == "ours" else {"receive"})
    words = {address.split("/")[4] for address in addresses().values()}
    assert words == {"evt", "state", "req", "res", *OURS}
    assert {a.rpartition("/")[2] for a in addresses().values() if "/evt/" in a} == set(CLASSES)


@pytest.mark.parametrize("kind", CLASSES)
def test_reasons_are_the_codes_reasons(kind: str) -> None:
    data = SCHEMAS[f"event.{kind}.json"]["properties"]["data"]["properties"]
    assert set(data["reason"]["enum"]) == {code for code, reason in REASONS.items() if kind in reason.classes}


def test_other_words_are_the_codes_words() -> None:
    shared = SCHEMAS["common.json"]["definitions"]
    assert shared["clock"]["enum"] == list(events.CLOCKS)
    assert shared["decision"]["enum"] == list(events.DECISIONS)
    assert shared["credential"]["properties"]["type"]["enum"] == list(events.NATIVE_CREDENTIALS)
    assert shared["seq"]["maximum"] == events.MAX_SEQ
    assert DOCUMENT["components"]["parameters"]["command"]["enum"] == list(events.COMMANDS)
    assert SCHEMAS["response.error.json"]["properties"]["code"]["enum"] == list(events.REJECTION_CODES)
    answers = {code for code, reason in REASONS.items() if "access" in reason.classes and reason.outcome != "fact"}
    assert set(SCHEMAS["response.access.json"]["properties"]["reason"]["enum"]) == answers


def test_the_readme_prints_the_list_of_reasons() -> None:
    assert reasons_table() in README.read_text("utf-8"), "write it anew: python -m tests.contract.table"


def test_every_reason_has_a_bacnet_name_of_the_standard() -> None:
    standard = {reason.code for reason in REASONS.values() if not reason.ours}
    assert {reason.bacnet for reason in REASONS.values()} <= standard


def test_codes_are_one_closed_list() -> None:
    assert list(events.REJECTION_CODES) == list(typing.get_args(events.RejectionCode))
    assert Rejection("bad-json", "x").code in events.REJECTION_CODES
