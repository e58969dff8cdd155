"""Certificates on a real Mosquitto with the shipped configuration: nobody speaks for another, a revoked one is out."""

from __future__ import annotations

import os
import shutil
import signal
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from flask import Flask
from paho.mqtt.enums import CallbackAPIVersion

from bposite.doors import authority
from bposite.plumbing.errors import Conflict, NotFound
from bposite.plumbing.mqtt import Message, MqttLink
from bposite.plumbing.settings import Mqtt
from tests.brokers import mosquitto_program, wait_for_port
from tests.conftest import REPO, free_port

SHIPPED = REPO / "hardware" / "broker"


class Broker:
    """Mosquitto with the shipped files; only the port and the folders are those of the test."""

    def __init__(self, folder: Path) -> None:
        self.port, self.folder = free_port(), folder
        folder.chmod(0o777)
        for path in folder.iterdir():
            path.chmod(0o644)  # started by root, Mosquitto reads them as its own user
        shutil.copy(SHIPPED / "acl", folder / "acl")
        (folder / "acl").chmod(0o700)
        as_root = "\nuser root\n" if os.geteuid() == 0 else ""  # its own user cannot read the folders of tests
        text = (SHIPPED / "mosquitto.conf").read_text()
        text = text.replace("/etc/bposite/broker/", f"{folder}/").replace("/var/lib/bposite/broker/", f"{folder}/")
        (folder / "mosquitto.conf").write_text(
            text.replace("listener 8883", f"listener {self.port} 127.0.0.1") + as_root
        )
        command = [mosquitto_program(), "-c", str(folder / "mosquitto.conf")]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        wait_for_port(self.port)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture
def broker(site: Flask, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    mosquitto_program()
    folder = tmp_path_factory.mktemp("certificates")
    folder.parent.chmod(0o755)
    authority.found(folder, "pune-1", ["127.0.0.1", "localhost"])
    for name in ("ctl-a", "ctl-b"):
        authority.enrol(folder, name)
    running = Broker(folder)
    yield running
    running.close()


def device(broker: Broker, name: str) -> paho.Client:
    """A connected controller; ConnectionError when the broker does not take it."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name)
    files = (str(broker.folder / f"{name}.crt"), str(broker.folder / f"{name}.key"))
    client.tls_set(str(broker.folder / "ca.crt"), *files)
    joined = threading.Event()
    client.on_connect = lambda _c, _d, _f, reason, _p: joined.set() if not reason.is_failure else None
    try:
        client.connect("127.0.0.1", broker.port)
    except ssl.SSLError as error:
        raise ConnectionError(str(error)) from error
    client.loop_start()
    if not joined.wait(3):
        client.loop_stop()
        raise ConnectionError("the broker did not take the certificate")
    return client


def test_each_speaks_for_itself_and_the_site_hears_all(broker: Broker) -> None:
    heard: list[str] = []

    def take(batch: list[Message]) -> None:
        heard.extend(message.topic for message in batch)

    folder = broker.folder
    mqtt = Mqtt(
        port=broker.port, tls=True, embedded=False, ca_file=str(folder / "ca.crt"),
        cert_file=str(folder / f"{authority.SITE}.crt"), key_file=str(folder / f"{authority.SITE}.key"),
    )  # fmt: skip
    link, stop = MqttLink(mqtt, "whatever", [("bposite/v1/pune-1/+/evt/#", 1)], take), threading.Event()
    thread = threading.Thread(target=link.run, args=(stop,), daemon=True)
    thread.start()
    end = time.monotonic() + 10
    while not link.connected and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.3)
    a = device(broker, "ctl-a")
    for topic in ("bposite/v1/pune-1/ctl-b/evt/access", "bposite/v1/pune-1/ctl-a/evt/access"):
        a.publish(topic, b"{}", qos=1).wait_for_publish(5)
    while not heard and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.3)
    stop.set()
    a.disconnect()
    a.loop_stop()
    thread.join(5)
    assert heard == ["bposite/v1/pune-1/ctl-a/evt/access"]


def test_a_revoked_device_is_out_and_can_be_enrolled_again(broker: Broker) -> None:
    device(broker, "ctl-a").loop_stop()
    for kind in (".crt", ".key"):
        shutil.copy(broker.folder / f"ctl-a{kind}", broker.folder / f"old{kind}")
    authority.revoke(broker.folder, "ctl-a")
    (broker.folder / "revoked.crl").chmod(0o644)
    broker.process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    with pytest.raises((ConnectionError, OSError)):
        device(broker, "old")
    authority.enrol(broker.folder, "ctl-a")
    device(broker, "ctl-a").loop_stop()


def test_nobody_is_enrolled_twice_or_revoked_unknown(site: Flask, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no device authority"):
        authority.enrol(tmp_path, "ctl-a")
    authority.found(tmp_path, "pune-1", ["broker.example"])
    authority.enrol(tmp_path, "ctl-a")
    with pytest.raises(Conflict):
        authority.enrol(tmp_path, "ctl-a")
    with pytest.raises(NotFound):
        authority.revoke(tmp_path, "ctl-z")
    assert (tmp_path / "ca.key").stat().st_mode & 0o077 == 0
