"""A controller as a process, and a stand-in for the site that reads, answers and acknowledges as a test wants."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

HARDWARE = Path(__file__).resolve().parents[3] / "hardware"
sys.path[:0] = [str(HARDWARE / "simulator"), str(HARDWARE / "controller")]

SITE, DEVICE, KEY = "pune-1", "ctl-a", "11" * 32
BASE = f"bposite/v1/{SITE}/{DEVICE}"


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 20) -> Any:
    """The first true value of `condition`; the test fails naming `what` when none comes."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.02)
    pytest.fail(f"waited {seconds:g} s for {what}")


def device_json(folder: Path, port: int, **more: Any) -> Path:
    """The configuration of a controller with two doors: `d1` looks in its list without the site, `d2` stays closed."""
    doors = [
        {
            "id": name,
            "open_ms": 1500,
            "held_s": 2,
            "degraded": degraded,
            "readers": [{"id": f"{name}-in", "direction": "in"}, {"id": f"{name}-out", "direction": "out"}],
        }
        for name, degraded in (("d1", "list"), ("d2", "closed"))
    ]
    body = {
        "site": SITE,
        "device": DEVICE,
        "mqtt": {"host": "127.0.0.1", "port": port},
        "ref_key": KEY,
        "doors": doors,
        "answer_s": 0.5,
        "factor_s": 1.0,
    }
    path = folder / "device.json"
    path.write_text(json.dumps(body | more))
    return path


class Site:
    """The site's side of the contract. `answer` None: requests get none; `acking` false: nothing is acknowledged."""

    def __init__(self, port: int, *, acking: bool = True) -> None:
        self.port, self.acking = port, acking
        self.answer: dict[str, Any] | None = {"decision": "granted", "reason": "granted", "open_ms": 1500}
        self.messages: list[tuple[str, bytes, bool]] = []
        self._lock = threading.Lock()
        self.client: paho.Client | None = None
        self.connect()

    def connect(self) -> None:
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.on_message = self._on_message
        ready = threading.Event()
        client.on_connect = lambda c, *_: c.subscribe([(f"{BASE}/{word}/#", 1) for word in WORDS])
        client.on_subscribe = lambda *_: ready.set()
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        self.client = client
        wait_for(ready.is_set, "the site's subscriptions")

    def close(self) -> None:
        if self.client is not None:
            self.client.disconnect()
            self.client.loop_stop()

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        topic = message.topic.removeprefix(BASE + "/")
        with self._lock:
            self.messages.append((topic, message.payload, message.retain))
        if topic == "req/access" and self.answer is not None:
            self.send("rsp/access", self.answer | {"id": json.loads(message.payload)["id"]})
        if topic.startswith("evt/") and self.acking:
            event = json.loads(message.payload)
            self.ack(event["boot"], event["seq"])

    def send(self, topic: str, body: dict[str, Any], *, retain: bool = False) -> None:
        assert self.client is not None
        self.client.publish(f"{BASE}/{topic}", json.dumps(body), qos=1, retain=retain)

    def ack(self, boot: str, upto: int, missing: tuple[tuple[int, int], ...] = ()) -> None:
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        self.send("ack", {"boot": boot, "upto": upto, "missing": [list(one) for one in missing], "now": now})

    def command(self, name: str, nonce: str, *, lives: float = 15, **body: Any) -> None:
        exp = (datetime.now(UTC) + timedelta(seconds=lives)).isoformat()
        self.send(f"cmd/{name}", {"nonce": nonce, "exp": exp, **body})

    def got(self, topic: str) -> list[dict[str, Any]]:
        """Bodies that came on a topic so far."""
        with self._lock:
            return [json.loads(body) for at, body, _ in self.messages if at == topic and body]

    def events(self, decision: str = "", reason: str = "") -> list[dict[str, Any]]:
        """Events of all classes so far, by decision or reason."""
        with self._lock:
            found = [json.loads(body) for topic, body, _ in self.messages if topic.startswith("evt/")]
        return [
            one
            for one in found
            if (not decision or one["data"].get("decision") == decision)
            and (not reason or one["data"].get("reason") == reason)
        ]


WORDS = ("evt", "state", "req", "res")
