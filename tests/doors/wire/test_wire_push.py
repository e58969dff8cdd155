"""Terminals that push over HTTP: Hikvision, ZKTeco: messages beyond the sample files; one row, one thing learnt."""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bposite.doors.events import Translation
from tests.doors.wire.reading import check, facts, reading


def hikvision(major: int, minor: int, **more: Any) -> dict[str, Any]:
    return {
        "ipAddress": "192.0.2.55",
        "macAddress": "00:00:5e:00:53:07",
        "dateTime": "2026-11-23T14:30:00+05:30",
        "eventType": "AccessControllerEvent",
        "AccessControllerEvent": {"majorEventType": major, "subEventType": minor, "serialNo": 5, "doorNo": 1, **more},
    }


@pytest.mark.parametrize(
    ("major", "minor", "expected"),
    [
        (5, 0x02, {"decision": "granted", "factors": ("card", "pin")}),
        (5, 39, {"decision": "denied", "reason": "deniedVerificationFailed", "shown_type": "finger"}),
        (5, 0x4C, {"reason": "deniedVerificationFailed", "shown_type": "face"}),
        (5, 0x06, {"reason": "deniedPointNoAccessRights"}),
        (5, 0x07, {"reason": "deniedOutOfTimeRange"}),
        (5, 0x08, {"reason": "deniedCredentialExpired"}),
        (5, 0x09, {"reason": "deniedUnknownCredential"}),
        (5, 0x0A, {"reason": "deniedPassback"}),
        (5, 0x0B, {"reason": "interlock"}),
        (5, 0x15, {"kind": "DoorEvent", "reason": "door-unlocked"}),
        (5, 0x17, {"reason": "request-to-exit", "shown_type": "rex"}),
        (5, 0x19, {"kind": "DoorEvent", "reason": "door-opened"}),
        (5, 0x1B, {"kind": "AlarmEvent", "reason": "forcedOpen"}),
        (5, 0x1C, {"kind": "AlarmEvent", "reason": "doorOpenTooLong"}),
        (5, 0x25, {"kind": "ReaderEvent", "reason": "intercom-call"}),
        (5, 999, {"reason": "deniedOther", "vendor_reason": "5/999"}),
        (1, 0x404, {"kind": "AlarmEvent", "reason": "tamper", "active": True}),
        (1, 0x405, {"kind": "AlarmEvent", "reason": "tamper", "active": False}),
        (1, 0x40A, {"kind": "AlarmEvent", "reason": "duress", "silent": True}),
        (2, 0x400, {"kind": "SystemEvent", "reason": "device-restarted"}),
        (2, 0x405, {"kind": "SystemEvent", "reason": "power-lost"}),
        (3, 0x400, {"reason": "operator-unlock"}),
        (3, 0x403, {"kind": "DoorEvent", "reason": "lockDown"}),
        (9, 1, {"kind": "SystemEvent", "reason": "otherEvent"}),
    ],
)
def test_hikvision_codes(major: int, minor: int, expected: dict[str, Any]) -> None:
    check(reading("hikvision", "/push", hikvision(major, minor)), **expected)


def test_hikvision_multipart_takes_the_text_and_leaves_the_picture() -> None:
    event = json.dumps(hikvision(5, 75, employeeNoString="100054")).encode()
    picture = b"\xff\xd8\xff" + bytes(range(256)) * 800
    body = (
        b'--MIME_boundary\r\nContent-Disposition: form-data; name="event_log"\r\nContent-Type: application/json\r\n\r\n'
        + event
        + b'\r\n--MIME_boundary\r\nContent-Disposition: form-data; name="Picture"; filename="Picture.jpg"\r\n'
        + b"Content-Type: image/jpeg\r\n\r\n"
        + picture
        + b"\r\n--MIME_boundary--\r\n"
    )
    translation = reading("hikvision", "/push", body)
    check(translation, decision="granted", holder="100054", seq=5)
    assert translation.evidence is not None
    assert b"\xff\xd8" not in translation.evidence
    assert reading("hikvision", "/push", b"--b\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\r\n--b--\r\n").rejections


XML = """<?xml version="1.0" encoding="UTF-8"?>
<EventNotificationAlert version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">
<ipAddress>192.0.2.55</ipAddress><macAddress>00:00:5e:00:53:07</macAddress>
<dateTime>2026-11-23T14:30:00+05:30</dateTime><eventType>AccessControllerEvent</eventType>
<AccessControllerEvent><majorEventType>5</majorEventType><subEventType>1</subEventType>
<cardNo>0010058400</cardNo><serialNo>7</serialNo><frontSerialNo>6</frontSerialNo>
<currentEvent>false</currentEvent><doorNo>1</doorNo></AccessControllerEvent></EventNotificationAlert>"""


def test_hikvision_xml() -> None:
    translation = reading("hikvision", "/push", XML)
    check(translation, decision="granted", seq=7, prev_seq=6, replayed=True, shown_ref="h:card:0010058400")
    assert b"0010058400" not in (translation.evidence or b"")


@pytest.mark.parametrize(
    "body",
    [
        XML.replace("?>", '?><!DOCTYPE a [<!ENTITY b "bb">]>'),
        XML[:200],
        XML.replace("<serialNo>7<", "<serialNo>٧<"),
        XML.replace("2026-11-23T", "2026-11-33T"),
        "<" * 40000,
        "<a>" * 2000 + "</a>" * 2000,
    ],
)
def test_hikvision_bad_xml(body: str) -> None:
    assert reading("hikvision", "/push", body).rejections


def test_hikvision_others() -> None:
    check(
        reading("hikvision", "/push", {"ipAddress": "192.0.2.55", "eventType": "heartBeat"}), kind="Link", online=True
    )
    check(reading("hikvision", "/push", {"eventType": "VMD", "dateTime": "2026-11-23T14:30:00+05:30"}), kind="Ignored")
    texted = hikvision(5, 1)
    texted["AccessControllerEvent"] = json.dumps(texted["AccessControllerEvent"])
    check(reading("hikvision", "/push", texted), decision="granted")
    local_time = hikvision(5, 1, cardNo="12")
    local_time["dateTime"] = "2026-11-23T14:30:00"
    check(reading("hikvision", "/push", local_time), time=datetime(2026, 11, 23, 9, 0, tzinfo=UTC))


def zk(line: str, table: str = "rtlog", **config: Any) -> Translation:
    return reading("zkteco", f"/iclock/cdata?SN=CGXH1&table={table}&Stamp=9", line.replace("|", "\t"), **config)


ZK = (
    "time=2026-11-23 14:30:12|pin={pin}|cardno={card}|eventaddr=1|event={event}"
    "|inoutstatus={io}|verifytype={verify}|index={index}\n"
)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            {"event": 0, "card": 1233447, "pin": 1, "verify": 4},
            {"decision": "granted", "shown_ref": "h:card:1233447", "holder": "1"},
        ),
        ({"event": 0, "pin": 9, "verify": 15}, {"decision": "granted", "shown_type": "face"}),
        ({"event": 17, "pin": 9, "card": 55, "verify": 10}, {"factors": ("card", "finger"), "shown_ref": "h:card:55"}),
        ({"event": 22, "pin": 9}, {"reason": "deniedOutOfTimeRange"}),
        ({"event": 24, "pin": 9, "io": 1}, {"reason": "deniedPassback", "direction": "out"}),
        ({"event": 25}, {"reason": "interlock"}),
        ({"event": 29, "card": 5, "verify": 4}, {"reason": "deniedCredentialExpired"}),
        ({"event": 34}, {"reason": "deniedUnknownCredential", "shown_type": "finger"}),
        ({"event": 8, "io": 2}, {"reason": "operator-unlock", "direction": None}),
        ({"event": 101, "pin": 4}, {"kind": "AlarmEvent", "reason": "duress", "silent": True}),
        ({"event": 200}, {"kind": "DoorEvent", "reason": "door-opened"}),
        ({"event": 201}, {"kind": "DoorEvent", "reason": "door-closed"}),
        ({"event": 202}, {"reason": "request-to-exit", "shown_type": "rex"}),
        ({"event": 206}, {"kind": "SystemEvent", "reason": "device-restarted"}),
        ({"event": 55}, {"decision": "denied", "reason": "deniedOther", "vendor_reason": "55"}),
        ({"event": 155}, {"kind": "AlarmEvent", "reason": "alarm"}),
        ({"event": 237}, {"kind": "DoorEvent", "reason": "otherEvent"}),
        ({"event": 0, "pin": 1, "index": 0}, {"seq": None}),
    ],
)
def test_zkteco_codes(values: dict[str, Any], expected: dict[str, Any]) -> None:
    line = ZK.format_map({"pin": 0, "card": 0, "io": 0, "verify": 200, "index": 9} | values)
    check(zk(line), **expected)


def test_zkteco_tables() -> None:
    check(zk("", "rtlog"), kind="Link", online=True)
    check(zk("1005|2026-11-23 14:30:12|1|15|0|0\n", "ATTLOG"), holder="1005", direction="out", shown_type="face")
    check(zk(ZK.format(pin=1, card=0, event=0, io=0, verify=1, index=4), "ATTLOG"), holder="1", seq=4)
    check(
        zk("time=2026-11-23 14:30:12|sensor=01|relay=00|alarm=0000000000000000", "rtstate"),
        kind="Facet",
        facet="rtstate",
    )
    operations = zk("FP PIN=1|FID=0|TMP=secret\n", "OPERLOG")
    assert operations.evidence == b"[not kept]"
    check(operations, kind="Ignored")


def test_zkteco_key_is_index_and_time() -> None:
    first = facts(zk(ZK.format(pin=1, card=0, event=0, io=0, verify=1, index=4)))
    assert first["key"] == "4:2026-11-23 14:30:12"
    assert first["device"] == "zkteco-cgxh1"


def test_zkteco_repeated_hour_by_sequence() -> None:
    """Berlin, 25 October 2026: 02:10 comes twice; the batch counts on while the clock goes back."""
    lines = "".join(
        ZK.format(pin=1, card=0, event=0, io=0, verify=1, index=index).replace(
            "2026-11-23 14:30:12", f"2026-10-25 {text}"
        )
        for index, text in enumerate(("01:59:00", "02:10:00", "02:50:00", "02:10:00", "02:55:00", "03:05:00"), 1)
    )
    translation = zk(lines, zone=ZoneInfo("Europe/Berlin"))
    hours = [item.time.strftime("%H:%M") for item in translation.items]  # type: ignore[union-attr]
    assert hours == ["23:59", "00:10", "00:50", "01:10", "01:55", "02:05"]
