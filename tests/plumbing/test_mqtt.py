"""The link to the broker against real brokers: Mosquitto and the embedded one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence

import paho.mqtt.client as paho
import pytest

from bposite.plumbing.mqtt import Message, MqttLink
from bposite.plumbing.settings import Mqtt
from tests.brokers import embedded, mosquitto


@pytest.fixture(params=["mosquitto", "embedded"])
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    start = mosquitto if request.param == "mosquitto" else embedded
    with start(tmp_path_factory.mktemp("broker")) as port:
        yield port


def wait_for(what: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


class Running:
    """A link in a thread of its own."""

    def __init__(self, port: int, handler: Callable[[Sequence[Message]], None], client_id: str = "site") -> None:
        self.stop = threading.Event()
        self.link = MqttLink(Mqtt(port=port), client_id, [("t/#", 1)], handler)
        self.thread = threading.Thread(target=self.link.run, args=(self.stop,), daemon=True)
        self.thread.start()
        wait_for(lambda: self.link.connected)
        time.sleep(0.1)

    def end(self) -> None:
        self.stop.set()
        self.thread.join(10)


def publish(port: int, payloads: Sequence[bytes]) -> None:
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for payload in payloads:
        client.publish("t/a", payload, qos=1).wait_for_publish(10)
    client.loop_stop()
    client.disconnect()


def test_everything_arrives_once_and_in_order(broker: int) -> None:
    got: list[bytes] = []
    running = Running(broker, lambda batch: got.extend(message.payload for message in batch))
    sent = [str(number).encode() for number in range(200)]
    publish(broker, sent)
    wait_for(lambda: len(got) >= 200)
    running.end()
    assert got == sent


def test_a_handler_that_fails_loses_nothing(broker: int) -> None:
    got: list[bytes] = []
    failures = 3

    def handler(batch: Sequence[Message]) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise RuntimeError("the disk is full")
        got.extend(message.payload for message in batch)

    running = Running(broker, handler)
    publish(broker, [b"one", b"two"])
    wait_for(lambda: {b"one", b"two"} <= set(got), 30)
    running.end()


def test_messages_wait_while_the_site_is_away(broker: int) -> None:
    got: list[bytes] = []
    Running(broker, lambda _: None).end()
    publish(broker, [b"kept"])
    running = Running(broker, lambda batch: got.extend(message.payload for message in batch))
    wait_for(lambda: got == [b"kept"])
    running.end()


def test_a_broken_topic_does_not_stop_the_stream(broker: int) -> None:
    got: list[str] = []
    running = Running(broker, lambda batch: got.extend(message.topic for message in batch))
    publish(broker, [b"\xff\xfe", b"ok"])
    wait_for(lambda: len(got) == 2)
    running.end()
