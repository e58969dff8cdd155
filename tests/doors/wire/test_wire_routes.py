"""Topics find their adapters; options that make no sense are told to whoever wrote them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bposite.doors.events import AccessEvent, Delivery
from bposite.doors.wire.routes import OptionError, Route, Routes, configuration, matches
from tests.doors.wire.samples import CONFIG, RECEIVED, TOPIC, access, delivery


def lock() -> Route:
    return Route(
        "zigbee2mqtt/#",
        configuration("pune-1", "z2m", "zigbee2mqtt", str, "Asia/Kolkata", {"names": "own", "topic": "zigbee2mqtt/#"}),
    )


def test_native_and_foreign_on_one_broker() -> None:
    reader = configuration(
        "pune-1", "esp-1", "esp-rfid", str, options={"topic": "/rfid/send", "door": "floor-a", "direction": "in"}
    )
    routes = Routes(CONFIG, [lock(), Route("/rfid/send", reader)])
    assert routes.filters == ("zigbee2mqtt/#", "/rfid/send")
    (native,) = routes.translate(delivery(access())).items
    assert isinstance(native, AccessEvent)
    body = json.dumps({"action": "unlock", "action_source_name": "keypad", "action_user": 3}).encode()
    (item,) = routes.translate(Delivery(topic="zigbee2mqtt/records", payload=body, received_at=RECEIVED)).items
    assert item.device == "records"
    card = {
        "type": "access",
        "time": 1790240400,
        "isKnown": "true",
        "access": "Always",
        "username": "x",
        "uid": "f9c2",
        "hostname": "liar",
    }
    (item,) = routes.translate(delivery(card, "/rfid/send")).items
    assert isinstance(item, AccessEvent)
    assert (item.device, item.door_ref, item.direction) == ("esp-1", "floor-a", "in")
    assert routes.translate(delivery(b"x", "elsewhere")).rejections[0].code == "unknown-topic"


@pytest.mark.parametrize(
    ("kind", "zone", "options", "word"),
    [
        ("no-such", "", {}, "no kind"),
        ("shelly", "Mars/Base", {}, "time zone"),
        ("shelly", "../etc/passwd", {}, "time zone"),
        ("shelly", "", {"colour": "red"}, "no option"),
        ("shelly", "", {"card_format": "guess"}, "one of"),
        ("shelly", "", {"input:0": "contact"}, "input:0"),
        ("shelly", "", {"topic": "a/#/b"}, "filter"),
        ("shelly", "", {"topic": "a/b+"}, "filter"),
        ("shelly", "", {"topic": ""}, "filter"),
        ("shelly", "", {"topic": "#"}, "native"),
        ("shelly", "", {"topic": TOPIC}, "native"),
        ("shelly", "", {"topic": "$SYS/#"}, "filter"),
        ("shelly", "", {"door": "Floor A"}, "door"),
        ("onvif-out", "", {"prefix": "a/+/b"}, "prefix"),
        ("home-assistant", "", {"discovery": ""}, "discovery"),
    ],
)
def test_options_that_make_no_sense(kind: str, zone: str, options: dict[str, str], word: str) -> None:
    with pytest.raises(OptionError, match=word):
        configuration("pune-1", "d", kind, str, zone, options)


@pytest.mark.parametrize(
    ("filter_", "topic", "covered"),
    [
        ("a/+/c", "a/b/c", True),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("a/+", "a", False),
        ("+", "a/b", False),
        ("/+", "/a", True),
        ("#", "$SYS/x", False),
        ("a", "a/b", False),
    ],
)
def test_filters(filter_: str, topic: str, covered: bool) -> None:
    assert matches(filter_, topic) is covered


@given(st.text("ab/+#$", max_size=8), st.text("ab/$", max_size=8))
def test_matching_never_raises(filter_: str, topic: str) -> None:
    assert matches(filter_, topic) in (True, False)
