"""A foreign device and a system that is told, on real brokers: in at one topic, out at another."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator

import paho.mqtt.client as paho
import pytest
from flask import Flask

from bposite.doors import listener
from bposite.plumbing.clock import now
from bposite.plumbing.settings import Mqtt, configure, current
from tests.brokers import embedded, mosquitto
from tests.doors import test_foreign, test_telling
from tests.doors.kit import apply, log


@pytest.fixture(params=["mosquitto", "embedded"])
def port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    start = mosquitto if request.param == "mosquitto" else embedded
    with start(tmp_path_factory.mktemp("broker")) as found:
        yield found


def wait_for(what: Callable[[], object], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def outside(port: int) -> Iterator[tuple[paho.Client, dict[str, bytes]]]:
    """Another client of the broker, and the last message of every topic that it hears."""
    heard: dict[str, bytes] = {}
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _data, message: heard.update({message.topic: message.payload})
    client.on_connect = lambda found, *_: found.subscribe([("out/#", 1), ("homeassistant/#", 1), ("bposite/ha/#", 1)])
    client.connect("127.0.0.1", port)
    client.loop_start()
    yield client, heard
    client.loop_stop()
    client.disconnect()


def test_from_one_topic_to_the_log_and_out_at_another(
    planned: Flask, port: int, outside: tuple[paho.Client, dict[str, bytes]]
) -> None:
    client, heard = outside
    plan = test_foreign.plan()
    plan["devices"] += test_telling.plan()["devices"][-2:]
    apply(plan)
    configure(current().model_copy(update={"mqtt": Mqtt(port=port, embedded=False)}))
    stop = threading.Event()
    running = threading.Thread(target=listener.run, args=(stop,), daemon=True)
    running.start()
    try:
        wait_for(lambda: "bposite/ha/stairs/lock" in heard)  # introduced, so subscribed as well
        swipe = {
            "type": "access",
            "time": int(now().timestamp()),
            "isKnown": "true",
            "access": "Always",
            "uid": "f9c2f720",
        }
        client.publish("/rfid/send", json.dumps(swipe), qos=0)
        client.publish("/rfid/send", b"\xff\xfe", qos=0)
        wait_for(log)
        (entry,) = log()
        assert (entry.device, entry.door, entry.person) == ("esp-stairs", "stairs", "E-1003")
        wait_for(lambda: "out/pune-1/onvif-ej/AccessControl/AccessGranted/Credential/&stairs-in" in heard)
        assert json.loads(heard["bposite/ha/stairs-in/tag"])["uid"].startswith("h:")
        assert json.loads(heard["homeassistant/lock/stairs/config"])["unique_id"] == "bposite_stairs"
    finally:
        stop.set()
        running.join(10)
