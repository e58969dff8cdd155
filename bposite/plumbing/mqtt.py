"""The site's link to the broker: one paho client whose loop we run ourselves, in batches, acknowledging after commit.

paho's own thread dies silently from one exception in a callback and acknowledges before work is durable; here the
caller's handler gets what one drain of the socket brought, and only what it returns from is acknowledged. A handler
that raises costs the connection, not the messages: the session is persistent and the broker delivers them again.
"""

from __future__ import annotations

import contextlib
import random
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from bposite.plumbing.mqtt_bulk import BulkClient, Message
from bposite.plumbing.settings import Mqtt

__all__ = ["Handler", "Message", "MqttLink"]

log = structlog.get_logger(__name__)
BATCH = 1000
IDLE_S = 0.05
MAX_BACKOFF_S = 15.0
FIRST_BACKOFF_S = 0.2

Handler = Callable[[Sequence[Message]], bool | None]
"""Makes a batch durable. Returning means: acknowledge all of it; raising means: none of it. Returning False means that
the handler acknowledges later, by ``MqttLink.acknowledge``, from the thread that runs the loop."""


class MqttLink:
    """A persistent session with the broker. ``run`` blocks until ``stop``; ``connected`` tells the truth.

    ``sessions`` counts connections, ``session_kept`` says whether the broker still had ours at the last one: if not,
    it has dropped what came meanwhile.
    """

    def __init__(
        self,
        settings: Mqtt,
        client_id: str,
        subscriptions: Sequence[tuple[str, int]],
        handler: Handler,
        *,
        idle: Callable[[], None] | None = None,
        clean: bool = False,
    ) -> None:
        self._settings = settings
        self._subscriptions = list(subscriptions)
        self._handler = handler
        self._idle = idle
        self._client = _client(settings, client_id, clean)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self.connected = False
        self.problem = "not connected yet"
        self.sessions = 0
        self.session_kept = True

    def run(self, stop: threading.Event) -> None:
        """Connect, drain, handle, acknowledge; reconnect with jittered back-off until ``stop`` is set."""
        backoff = FIRST_BACKOFF_S
        while not stop.is_set():
            handled = self._turn(stop)
            if stop.is_set():
                break
            backoff = FIRST_BACKOFF_S if handled else min(backoff * 2, MAX_BACKOFF_S)
            self._wait(stop, backoff * (0.5 + random.random()))
        self._close()

    def _turn(self, stop: threading.Event) -> bool:
        """One connection from its beginning to its end; whether anything was handled on it."""
        self._handled = False
        try:
            self._connect()
            self._serve(stop)
        except (OSError, ConnectionError, ValueError) as error:
            self._lost(str(error) or type(error).__name__)
        except Exception as error:  # the handler's failure: drop the link, the broker sends it all again
            log.error("mqtt:batch:failed", exc_info=error)
            self._lost(f"the handler failed: {error}")
        return self._handled

    def subscribe(self, topics: Sequence[tuple[str, int]]) -> None:
        """Ask for further topics, from the thread that runs the loop; they are asked for again at every connection."""
        self._subscriptions.extend(topics)
        if self.connected:
            self._client.subscribe(list(topics))

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Send from within the handler or the idle call (the thread that runs the loop)."""
        self._client.publish(topic, payload, qos=qos, retain=retain)

    def acknowledge(self, batch: Sequence[Message], session: int) -> None:
        """Acknowledge a batch for which the handler returned False; that of an earlier ``session`` comes again."""
        if session == self.sessions and self.connected:
            self._client.ack_many(batch)

    def _connect(self) -> None:
        self._client.inbox = []
        self._client.connect(self._settings.host, self._settings.port, keepalive=self._settings.keepalive)

    def _serve(self, stop: threading.Event) -> None:
        misc = 0.0
        while not stop.is_set():
            self._drain()
            if self._client.inbox:
                self._handle()
            if self._idle is not None and self.connected:
                self._idle()
            if time.monotonic() - misc >= 0.5:
                misc = time.monotonic()
                _check(self._client.loop_misc())

    def _drain(self) -> None:
        """Read until the socket is empty or the batch is full; wait at most ``IDLE_S`` for the first byte."""
        wait = IDLE_S
        while len(self._client.inbox) < BATCH:
            sock = self._client.socket()
            if sock is None:
                raise ConnectionError(self.problem or "the broker closed the connection")
            pending = isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
            writers = [sock] if self._client.want_write() else []
            ready, writable, _ = select.select([sock], writers, [], 0 if pending else wait)
            if writable:
                _check(self._client.loop_write())
            if not ready and not pending:
                return
            _check(self._client.loop_read())
            wait = 0.0

    def _handle(self) -> None:
        batch, self._client.inbox = self._client.inbox, []
        session = self.sessions
        if self._handler(batch) is not False and session == self.sessions:
            self._client.ack_many(batch)
        self._handled = True

    def _on_connect(self, client: paho.Client, _data: Any, flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self.problem = f"the broker refused: {reason}"
            return
        self.sessions += 1
        self.session_kept = bool(flags.session_present)
        self.connected, self.problem = True, ""
        log.info("mqtt:link:connected", host=self._settings.host, port=self._settings.port, kept=self.session_kept)
        if self._subscriptions:
            client.subscribe(self._subscriptions)

    def _on_subscribe(self, _client: paho.Client, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            self.problem = "the broker refused a subscription"
            log.error("mqtt:subscription:refused")

    def _on_disconnect(self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        # only noted: paho holds a lock here, and the loop finds the socket gone
        self._gone(str(reason))

    def _lost(self, why: str) -> None:
        self._gone(why)
        sock = cast("socket.socket | None", self._client.socket())
        if sock is not None:
            with contextlib.suppress(OSError):  # it may be gone already
                sock.shutdown(socket.SHUT_RDWR)
            self._client.loop_read()

    def _gone(self, why: str) -> None:
        if self.connected:
            log.warning("mqtt:link:lost", why=why)
        self.connected, self.problem = False, why
        self._client.inbox = []

    def _wait(self, stop: threading.Event, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not stop.is_set() and time.monotonic() < end:
            stop.wait(min(0.2, max(0.0, end - time.monotonic())))

    def _close(self) -> None:
        self._client.disconnect()
        if self._client.socket() is not None:
            self._client.loop_write()
        self.connected, self.problem = False, "stopped"


def _client(settings: Mqtt, client_id: str, clean: bool) -> BulkClient:
    client = BulkClient(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=clean,
        protocol=paho.MQTTv311,  # costs half of v5 on the receiving side (docs/performance.md)
        manual_ack=True,
        reconnect_on_failure=False,
    )
    client.max_inflight_messages_set(2000)
    client.max_queued_messages_set(0)
    if settings.username:
        client.username_pw_set(settings.username, settings.password.get_secret_value())
    if settings.tls:
        client.tls_set(settings.ca_file or None, settings.cert_file or None, settings.key_file or None)
    client.on_socket_open = _no_delay
    return client


def _no_delay(_client: paho.Client, _data: Any, sock: Any) -> None:
    """Without it Nagle and delayed acknowledgement cost 40 ms a request."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _check(code: int) -> None:
    if code != paho.MQTT_ERR_SUCCESS:
        raise ConnectionError(paho.error_string(MQTTErrorCode(code)))
