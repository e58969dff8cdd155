"""Terminals that push over HTTP: durable before "OK", entries once the listener looks, and nobody else gets in."""

from __future__ import annotations

import copy
import json
from base64 import b64encode
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bposite.doors import push as push_edge
from bposite.doors.actions import inbox
from bposite.doors.listener.service import Listener
from bposite.doors.queries.push import pusher
from bposite.doors.tables import DeviceState, Quarantine
from bposite.people import access
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading, transaction
from bposite.plumbing.errors import Refusal
from bposite.plumbing.jobs import JobRow
from bposite.plumbing.settings import current
from bposite.plumbing.web import limiter, make_app
from tests.doors.kit import PLAN, apply, log, new_listener, rows

HIK, ZK = "face-lobby", "zk-stairs"


def plan(**options: str) -> dict[str, Any]:
    """The demonstration plan with two terminals, one door each."""
    found = copy.deepcopy(PLAN)
    found["devices"] += [
        {"id": HIK, "name": "Lobby terminal", "kind": "hikvision", "options": {"card_format": "wiegand26-decimal"}},
        {"id": ZK, "name": "Stairs terminal", "kind": "zkteco", "timezone": "Asia/Kolkata",
         "options": {"serial": "CGXH1", "network": "127.0.0.0/8", **options}},
    ]  # fmt: skip
    return found


@pytest.fixture
def pushing(planned: Flask) -> tuple[FlaskClient, Listener]:
    """The web shell with the push endpoints alone, the plan, and a listener."""
    app = make_app(current())
    app.register_blueprint(push_edge.blueprint)
    access.install(app)
    apply(plan())
    return app.test_client(), new_listener()[0]


Pushing = tuple[FlaskClient, Listener]


def secret(device: str) -> str:
    """A device's secret, as its page shows it."""
    with reading() as session:
        found = pusher(session, device)
    assert found is not None
    return found.secret


def hikvision(serial: int = 5, **more: Any) -> dict[str, Any]:
    """One event of a card."""
    event = {"majorEventType": 5, "subEventType": 1, "serialNo": serial, "doorNo": 1, "cardNo": "2110400", **more}
    stamp = now().isoformat(timespec="seconds")
    return {"macAddress": "00:00:5e:00:53:07", "dateTime": stamp, "AccessControllerEvent": event}


def push(client: FlaskClient, body: Any, device: str = HIK, key: str | None = None) -> TestResponse:
    """A push to the address with the secret."""
    return client.post(f"/push/{device}/{secret(device) if key is None else key}", json=body)


def test_an_event_is_durable_before_ok_and_an_entry_soon(pushing: Pushing) -> None:
    client, listener = pushing
    assert push(client, hikvision()).status_code == 200
    assert len(rows(JobRow)) == 1
    assert "2110400" not in json.dumps([row.payload for row in rows(JobRow)])
    listener.take_pushed(now())
    assert rows(JobRow) == []
    (entry,) = log()
    assert (entry.device, entry.reason, entry.door_ref, entry.person) == (HIK, "granted", "1", "E-1001")


def test_the_same_event_twice_is_one_entry(pushing: Pushing) -> None:
    client, listener = pushing
    for _ in range(3):
        push(client, hikvision())
    listener.take_pushed(now())
    push(client, hikvision())
    listener.take_pushed(now())
    assert len(log()) == 1


def test_pictures_are_left_behind(pushing: Pushing) -> None:
    client, listener = pushing
    picture = b"\xff\xd8\xff" + bytes(300_000)
    head = b'--b\r\nContent-Disposition: form-data; name="event_log"\r\nContent-Type: application/json\r\n\r\n'
    tail = b"\r\n--b\r\nContent-Type: image/jpeg\r\n\r\n" + picture + b"\r\n--b--\r\n"
    whole = head + json.dumps(hikvision()).encode() + tail
    address = f"/push/{HIK}/{secret(HIK)}"
    assert client.post(address, data=whole, content_type="multipart/form-data; boundary=b").status_code == 200
    assert len(json.dumps(rows(JobRow)[0].payload)) < 5000
    listener.take_pushed(now())
    assert len(log()) == 1


def test_what_nobody_can_read_goes_to_quarantine_and_is_answered_ok(pushing: Pushing) -> None:
    client, listener = pushing
    assert client.post(f"/push/{HIK}/{secret(HIK)}", data=b"{broken").status_code == 200
    push(client, hikvision(6))
    listener.take_pushed(now())
    (row,) = rows(Quarantine)
    assert (row.code, row.raw, row.device) == ("bad-json", b"{broken", HIK)
    assert len(log()) == 1


@pytest.mark.parametrize(
    ("device", "key"), [(HIK, "wrong"), ("no-such", "x"), ("ctl-floor-a", "x"), (HIK, "é"), (HIK, "x" * 3000)]
)
def test_wrong_secrets(pushing: Pushing, device: str, key: str) -> None:
    client, _ = pushing
    assert push(client, hikvision(), device, key).status_code == 404
    assert rows(JobRow) == []


def test_a_secret_opens_its_own_device_only(pushing: Pushing) -> None:
    client, _ = pushing
    assert push(client, hikvision(), ZK, secret(HIK)).status_code == 404


def test_guessing_is_slowed_down(pushing: Pushing) -> None:
    client, _ = pushing
    limiter.enabled = True
    try:
        answers = [push(client, {}, HIK, f"guess{n}").status_code for n in range(40)]
        assert (answers[0], answers[-1]) == (404, 429)
        assert push(client, hikvision()).status_code == 429  # this sender has to wait, whatever it knows now
        assert client.get(f"/push/{ZK}/{secret(ZK)}/iclock/ping?SN=CGXH1").status_code == 200
    finally:
        limiter.enabled = False
        limiter.reset()


def test_a_new_generation_makes_a_new_secret(pushing: Pushing) -> None:
    client, _ = pushing
    old = secret(ZK)
    apply(plan(push_generation="2"))
    assert client.get(f"/push/{ZK}/{old}/iclock/ping?SN=CGXH1").status_code == 404
    assert client.get(f"/push/{ZK}/{secret(ZK)}/iclock/ping?SN=CGXH1").status_code == 200


def test_too_large(pushing: Pushing) -> None:
    client, _ = pushing
    assert client.post(f"/push/{HIK}/{secret(HIK)}", data=b"x" * (4 * 1024 * 1024 + 1)).status_code == 413


LINE = "time={time}\tpin=E-1016\tcardno=0\teventaddr=1\tevent=14\tinoutstatus=0\tverifytype=1\tindex={index}\n"


def test_zkteco_from_greeting_to_entry(pushing: Pushing) -> None:
    client, listener = pushing
    for path in (f"/push/{ZK}/{secret(ZK)}/iclock", "/iclock"):
        assert client.get(f"{path}/cdata?SN=CGXH1&options=all").text.startswith("GET OPTION FROM: CGXH1")
        assert client.post(f"{path}/registry?SN=CGXH1").text.startswith("RegistryCode=")
        assert "Realtime=1" in client.post(f"{path}/push?SN=CGXH1").text
        assert client.get(f"{path}/getrequest?SN=CGXH1").text == "OK"
    lines = "".join(LINE.format(time="2026-11-23 14:30:12", index=index) for index in (1, 2))
    answer = client.post("/iclock/cdata?SN=CGXH1&table=rtlog", data=lines)
    assert (answer.status_code, answer.text, answer.mimetype) == (200, "OK", "text/plain")
    answer = client.post("/iclock/cdata?SN=CGXH1&table=ATTLOG", data="7\t2026-11-23 14:31:00\t0\t1\t0\t0\n")
    assert answer.text == "OK: 1"
    listener.take_pushed(now())
    assert [(entry.device, entry.seq, entry.reason) for entry in log()] == [
        (ZK, 1, "granted"),
        (ZK, 2, "granted"),
        (ZK, None, "granted"),
    ]
    assert next(row for row in rows(DeviceState) if row.device == ZK).online


@pytest.mark.parametrize("serial", ["CGXH2", "", "é", "x" * 5000])
def test_zkteco_of_another_serial(pushing: Pushing, serial: str) -> None:
    client, _ = pushing
    assert client.post("/iclock/cdata", query_string={"SN": serial, "table": "rtlog"}, data="x").status_code == 404


def test_zkteco_from_another_network(pushing: Pushing) -> None:
    client, _ = pushing
    apply(plan(network="192.0.2.0/24"))
    assert client.post("/iclock/cdata?SN=CGXH1&table=rtlog", data="x").status_code == 404
    assert client.get(f"/push/{ZK}/{secret(ZK)}/iclock/ping?SN=CGXH1").status_code == 404


@pytest.mark.parametrize("table", ["rt/log", "a&SN=b", "t" * 41])
def test_zkteco_odd_tables(pushing: Pushing, table: str) -> None:
    client, _ = pushing
    assert client.post("/iclock/cdata", query_string={"SN": "CGXH1", "table": table}, data="x").status_code == 400


def test_templates_are_never_kept(pushing: Pushing) -> None:
    client, listener = pushing
    client.post("/iclock/cdata?SN=CGXH1&table=OPERLOG", data="FP PIN=1\tTMP=secret\n")
    listener.take_pushed(now())
    assert log() == []
    assert rows(Quarantine) == []


def test_a_message_that_cannot_be_stored_does_not_stop_the_others(
    pushing: Pushing, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, listener = pushing
    for serial in (5, 6, 7):
        push(client, hikvision(serial))
    told = listener.memory.routes.translate

    def fails(delivery: Any) -> Any:
        if b'"serialNo": 6' in delivery.payload or b'"serialNo":6' in delivery.payload:
            raise RuntimeError("a fault of ours")
        return told(delivery)

    monkeypatch.setattr(type(listener.memory.routes), "translate", lambda _self, delivery: fails(delivery))
    listener.take_pushed(now())
    assert [entry.seq for entry in log()] == [5, 7]
    (job,) = rows(JobRow)
    assert job.error == "a fault of ours"


def test_what_was_sealed_with_another_key_stays_as_a_record(pushing: Pushing) -> None:
    client, listener = pushing
    push(client, hikvision())
    with transaction() as session:
        for row in session.query(JobRow):
            row.payload = row.payload | {"sealed": b64encode(b"x" * 40).decode()}
    listener.take_pushed(now())
    (job,) = rows(JobRow)
    assert job.state == "failed"


def test_the_page_with_the_address_asks_for_a_fresh_code(site: Flask, client_as: Any) -> None:
    apply(plan())
    assert client_as("guard").get(f"/doors/devices/{HIK}/push").status_code == 403
    page = client_as("administrator").get(f"/doors/devices/{HIK}/push")
    assert page.status_code == 200
    assert secret(HIK) in page.text


@pytest.mark.parametrize(
    ("options", "word"),
    [({"network": "here"}, "network"), ({"colour": "red"}, "no option")],
)
def test_a_plan_with_senseless_options_is_refused_whole(planned: Flask, options: dict[str, str], word: str) -> None:
    with pytest.raises(Refusal, match=word):
        apply(plan(**options))


def test_the_inbox_keeps_the_time_of_arrival(planned: Flask) -> None:
    before = now()
    inbox.receive("d", "isapi", b"x")
    (one,) = inbox.waiting()
    assert before <= one.delivery.received_at <= now()
    assert (one.delivery.topic, one.delivery.payload) == ("push/d/isapi", b"x")


def test_the_devices_page_leads_to_the_address_and_says_what_it_cannot_see(site: Flask, client_as: Any) -> None:
    apply(plan())
    page = client_as("administrator").get(f"/doors/devices/{HIK}").text
    assert f"/doors/devices/{HIK}/push" in page
    assert "No gap detection" not in page
    assert f"/doors/devices/{HIK}/push" not in client_as("guard").get(f"/doors/devices/{HIK}").text
