"""The device's line to the broker: one thread that connects, listens and connects again, with jittered pauses.

All doors come back at once when power returns, so every pause is random. Each connection uses a fresh client: nothing
of an old one, such as a request whose holder has long left, is sent again by the library; events come from the store.
"""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import paho.mqtt.client as paho
from contract import Names, encode
from paho.mqtt.enums import CallbackAPIVersion

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 20.0


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and who we are there. TLS files are paths; empty = not used."""

    host: str
    port: int
    username: str = ""
    password: str = ""
    tls: bool = False
    ca: str = ""
    cert: str = ""
    key: str = ""
    keepalive: int = 10


class Link:
    """Runs in its own thread; gives messages and changes of the connection to the callbacks, which must not block."""

    def __init__(
        self,
        broker: Broker,
        names: Names,
        boot: str,
        on_message: Callable[[str, bytes, bool], None],
        on_change: Callable[[bool], None],
    ) -> None:
        self._broker, self._names, self._boot = broker, names, boot
        self._on_message, self._on_change = on_message, on_change
        self._client: paho.Client | None = None
        self._stop, self._cut = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="broker", daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye and end the thread."""
        self._stop.set()
        if self._client is not None and self._client.is_connected():
            gone = encode({"online": False, "boot": self._boot, "reason": "stopped"})
            self._client.publish(self._names.topic("state", "link"), gone, qos=1, retain=True).wait_for_publish(2)
            self._client.disconnect()
        self._thread.join(5)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Send at QoS 1; False when there is no connection (the caller keeps what must not be lost)."""
        client = self._client
        if client is None or not client.is_connected():
            return False
        return client.publish(topic, payload, qos=1, retain=retain).rc == paho.MQTT_ERR_SUCCESS

    def cut(self, seconds: float) -> None:
        """Lose the network for so long (the simulator's way to pull the cable)."""
        client = self._client
        self._cut.set()
        timer = threading.Timer(seconds, self._cut.clear)
        timer.daemon = True
        timer.start()
        sock = cast("socket.socket | None", client.socket()) if client else None
        if sock is not None:
            sock.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            if not self._cut.is_set() and self._talk():
                pause = FIRST_PAUSE
            self._stop.wait(pause * random.uniform(0.5, 1.5))
            pause = min(pause * 2, LONGEST_PAUSE) if not self._cut.is_set() else FIRST_PAUSE

    def _talk(self) -> bool:
        """One connection from its begin to its end; whether it came to stand."""
        client, stood = self._new_client(), threading.Event()

        def connected(_client: paho.Client, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:
            if not reason.is_failure:
                client.subscribe([(self._names.topic(word), 1) for word in ("ack", "rsp/#", "cmd/#", "cfg/#")])

        def subscribed(_client: paho.Client, _data: Any, _mid: int, reasons: Any, _more: Any) -> None:
            if any(reason.is_failure for reason in reasons):
                client.disconnect()  # an answer that cannot come is worse than no line: the doors decide alone
            elif not stood.is_set():
                stood.set()
                self._on_change(True)

        client.on_connect, client.on_subscribe = connected, subscribed
        self._client = client
        try:
            client.connect(self._broker.host, self._broker.port, keepalive=self._broker.keepalive)
            client.loop_forever(retry_first_connection=False)
        except (OSError, ValueError):  # refused, unreachable, TLS, or a socket that was cut under select
            pass
        finally:
            self._client = None
            if stood.is_set():
                self._on_change(False)
        return stood.is_set()

    def _new_client(self) -> paho.Client:
        broker = self._broker
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._names.device,
            clean_session=False,
            protocol=paho.MQTTv311,
            reconnect_on_failure=False,
        )
        if broker.username:
            client.username_pw_set(broker.username, broker.password)
        if broker.tls:
            client.tls_set(broker.ca or None, broker.cert or None, broker.key or None)
        gone = encode({"online": False, "boot": self._boot, "reason": "lwt"})
        client.will_set(self._names.topic("state", "link"), gone, qos=1, retain=True)
        client.on_message = lambda _client, _data, message: self._on_message(
            message.topic, bytes(message.payload), bool(message.retain)
        )
        client.on_socket_open = _no_delay
        return client


def _no_delay(_client: paho.Client, _data: Any, sock: Any) -> None:
    """Without it Nagle and delayed acknowledgement cost 40 ms a request."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
