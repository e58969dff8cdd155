"""A door controller that behaves as the contract asks: it keeps an event until the site has it, and sends it again."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import Any

import paho.mqtt.client as paho

from tests.doors.kit import Device


@dataclass
class KeepingDoor:
    """Events stay in ``kept`` until an acknowledgement covers them; a reconnect sends all that is kept."""

    device: Device
    port: int
    kept: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    upto: int = 0
    asked: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=self.device.id)
        self.client.max_inflight_messages_set(1000)
        self.client.max_queued_messages_set(0)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = self._on_connect
        self.client.on_message = self._on_message
        self.client.connect_async("127.0.0.1", self.port, keepalive=5)
        self.client.loop_start()

    def say(self, **more: Any) -> None:
        """One more event."""
        with self._lock:
            message = self.device.access(**more)
            self.kept[self.device.seq] = (message.topic, message.payload)
        self.client.publish(message.topic, message.payload, 1)

    def again(self) -> None:
        """Send everything that is kept once more."""
        with self._lock:
            waiting = sorted(self.kept.items())
        for _, (topic, payload) in waiting:
            self.client.publish(topic, payload, 1)

    def close(self) -> None:
        """Go away."""
        self.client.disconnect()
        self.client.loop_stop()

    def _on_connect(self, client: paho.Client, *_: Any) -> None:
        client.subscribe([(self.device.topic("ack"), 1), (self.device.topic("cmd", "sync"), 1)])
        self.again()

    def _on_message(self, client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        if message.topic.endswith("/cmd/sync"):
            self.again()
            return
        body = json.loads(message.payload)
        if body["boot"] != self.device.boot:
            return
        with self._lock:
            self.upto = max(self.upto, body["upto"])
            for seq in [seq for seq in self.kept if seq <= self.upto]:
                del self.kept[seq]
            wanted = [
                self.kept[seq] for first, last in body["missing"] for seq in range(first, last + 1) if seq in self.kept
            ]
        self.asked += len(wanted)
        for topic, payload in wanted:
            client.publish(topic, payload, 1)
