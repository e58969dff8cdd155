"""The embedded broker (iotcore: rumqttd in a wheel) for small sites and the demonstration.

Its limits: no sessions across its own restart (devices keep their events until the site has committed them), no
access lists, payloads below 256 KiB, some hundreds of clients. It listens on loopback only; beyond that use Mosquitto
with the configuration in ``hardware/broker``.
"""

from __future__ import annotations

import socket
import threading
from pathlib import Path

from iotcore import Broker

from bposite.plumbing.errors import Refusal
from bposite.plumbing.settings import Mqtt

LOOPBACK = ("127.0.0.1", "::1", "localhost")
CONFIG = """\
id = 0

[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 1000
max_segment_size = 104857600
max_segment_count = 20

[v4.1]
name = "v4-1"
listen = "{host}:{port}"
next_connection_delay_ms = 1
    [v4.1.connections]
    connection_timeout_ms = 60000
    max_payload_size = 262144
    max_inflight_count = 500
    dynamic_filters = true
"""


def serve(mqtt: Mqtt, state_dir: Path, stop: threading.Event) -> None:
    """Run the broker until ``stop``; Refusal when it may not or cannot listen where it is told."""
    if mqtt.host not in LOOPBACK:
        raise Refusal(
            "broker_address",
            f"The embedded broker has no access lists, so it listens on loopback only, not on {mqtt.host}.",
            remedy="Use Mosquitto with hardware/broker, or set mqtt.host to 127.0.0.1.",
        )
    if port_taken(mqtt.host, mqtt.port):
        raise Refusal("port_taken", f"Port {mqtt.port} is in use by another program.", remedy="Set BPOSITE_MQTT_PORT.")
    path = state_dir / "broker.toml"
    path.write_text(CONFIG.format(host="127.0.0.1" if mqtt.host == "localhost" else mqtt.host, port=mqtt.port))
    with Broker(config_path=str(path)) as broker:
        while not stop.wait(0.5):
            if not broker.is_running:
                raise Refusal("broker_ended", "The embedded broker ended by itself.", remedy="Look at the log above.")


def port_taken(host: str, port: int) -> bool:
    """Whether something listens there already."""
    try:
        with socket.create_connection((host, port), timeout=0.3):
            return True
    except OSError:
        return False
