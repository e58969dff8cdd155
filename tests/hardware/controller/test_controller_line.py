"""A controller on real brokers: nothing is lost, nothing is done twice, and a door works without the site."""

from __future__ import annotations

import base64
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from contract import reference
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from lists import canonical

from tests.brokers import MOSQUITTO, mosquitto_program, wait_for_port
from tests.conftest import free_port
from tests.hardware.controller.kit import KEY, Site, wait_for
from tests.hardware.simulator.kit import Program

Start = Callable[..., Program]
CARD = "21:10400"
REF = reference(bytes.fromhex(KEY), "card", CARD)


def _held(tmp_path: Path) -> list[tuple[str, int]]:
    with sqlite3.connect(tmp_path / "ctl-a.sqlite") as db:
        return list(db.execute("SELECT boot, seq FROM event ORDER BY number"))


def test_it_introduces_itself_and_its_death_is_told(controller: Start, site: Site) -> None:
    program = controller(site.port)
    birth = wait_for(lambda: site.got("state/info"), "the birth")[-1]
    assert set(birth["doors"]) == {"d1", "d2"}
    assert (birth["seq_next"], birth["seq_oldest"], birth["clock"]) == (1, 1, "ntp")
    assert wait_for(lambda: site.got("state/link"), "the link")[-1]["online"] is True
    assert wait_for(lambda: site.got("state/door/d1"), "the door")[-1]["lock"] == "locked"
    assert wait_for(lambda: site.got("state/buffer"), "the buffer")[-1]["used"] == 0
    program.kill()
    gone = wait_for(lambda: [one for one in site.got("state/link") if not one["online"]], "the will")[-1]
    assert gone == {"online": False, "boot": birth["boot"], "reason": "lwt"}


def test_a_granted_card_opens_and_the_passage_is_told(controller: Start, site: Site, tmp_path: Path) -> None:
    program = controller(site.port)
    program.wait_for("link", online=True)
    program.send({"swipe": {"reader": "d1-in", "card": CARD}})
    assert program.wait_for("answer")["decision"] == "granted"
    taken = wait_for(lambda: site.events("taken"), "the passage")[0]
    request = site.got("req/access")[0]
    assert request["credential"] == {"type": "card", "format": "wiegand26", "bits": 26, "ref": REF}
    assert (request["door"], request["direction"], request["factors"]) == ("d1", "in", ["card"])
    assert taken["source"] == "/pune-1/ctl-a"
    assert taken["data"]["taken"] is True
    assert not site.events("granted")  # the site wrote that entry itself
    wait_for(lambda: _held(tmp_path) == [], "the acknowledged event to be deleted")
    assert CARD not in "".join(str(body) for _, body, _ in site.messages)
    assert CARD.encode() not in (tmp_path / "ctl-a.sqlite").read_bytes()


def test_who_does_not_go_through_and_who_is_refused(controller: Start, site: Site) -> None:
    program = controller(site.port)
    program.wait_for("link", online=True)
    program.send({"swipe": {"reader": "d1-in", "card": CARD, "passes": False}})
    assert wait_for(lambda: site.events("not-taken"), "nobody going through")[0]["data"]["taken"] is False
    site.answer = {"decision": "denied", "reason": "deniedUnknownCredential", "message": "The credential is not known."}
    program.send({"swipe": {"reader": "d1-in", "card": "1:1"}})
    assert program.wait_for("answer", decision="denied")["message"] == "The credential is not known."
    assert not site.events("denied")  # the site wrote that entry too


def test_without_an_answer_the_door_decides_from_its_list(controller: Start, site: Site) -> None:
    program = controller(site.port, entries=[{"ref": REF, "holder": "E-1", "doors": ["d1", "d2"]}])
    program.wait_for("link", online=True)
    site.answer = None
    for reader, card in (("d1-in", CARD), ("d1-in", "9:9"), ("d2-in", CARD), ("d2-out", "9:9")):
        program.send({"swipe": {"reader": reader, "card": card, "passes": False}})
        program.wait_for("answer", reader=reader, offline=True)
    told = wait_for(
        lambda: len(site.events("granted") + site.events("denied")) == 4 and site.events(), "four decisions"
    )
    said = [(one["data"]["reader"], one["data"]["reason"], one["data"]["holder"]) for one in told]
    wanted = [
        ("d1-in", "granted", "E-1"),
        ("d1-in", "deniedUnknownCredential", None),
        ("d2-in", "deniedAuthenticationUnavailable", "E-1"),
        ("d2-out", "granted", None),  # an exit is never refused
    ]
    assert [one for one in said if one[1] != "noEntryAfterGranted"] == wanted
    assert all(one["data"]["offline"] for one in told if one["data"]["decision"] in ("granted", "denied"))


def test_events_stay_until_the_site_says_so(controller: Start, site: Site, tmp_path: Path) -> None:
    site.acking = False
    program = controller(site.port)
    program.wait_for("link", online=True)
    for _ in range(3):
        program.send({"alarm": {"reason": "tamper", "door": "d1"}})
    wait_for(lambda: len(site.events(reason="tamper")) == 3, "three events")
    boot = site.events()[0]["boot"]
    assert [seq for _, seq in _held(tmp_path)] == [1, 2, 3]  # a PUBACK deletes nothing
    site.ack(boot, 1)
    wait_for(lambda: [seq for _, seq in _held(tmp_path)] == [2, 3], "the first to be deleted")
    site.ack(boot, 1, ((2, 2),))
    wait_for(lambda: [one["seq"] for one in site.events()].count(2) == 2, "the missing one again")
    first, second = (one for one in site.events() if one["seq"] == 2)
    assert first == second
    site.ack("other-boot", 99)
    site.ack(boot, 3)
    wait_for(lambda: _held(tmp_path) == [], "all to be deleted")


def test_a_new_start_counts_anew_and_sends_what_was_left(controller: Start, site: Site, tmp_path: Path) -> None:
    site.acking = False
    first = controller(site.port)
    first.wait_for("link", online=True)
    first.send({"alarm": {"reason": "tamper", "door": "d1"}})
    wait_for(lambda: site.events(), "an event")
    first.kill()
    second = controller(site.port)
    second.wait_for("link", online=True)
    second.send({"alarm": {"reason": "tamper", "door": "d2"}})
    wait_for(lambda: len({one["boot"] for one in site.events()}) == 2, "events of two boots")
    assert {(one["boot"], one["seq"]) for one in site.events()} == set(_held(tmp_path))
    assert {one["seq"] for one in site.events()} == {1}


def test_a_broker_that_is_killed_right_after_its_puback_loses_nothing(controller: Start, tmp_path: Path) -> None:
    """Mosquitto in memory only, killed while the site is away: exactly what a PUBACK does not promise."""
    port, folder = free_port(), tmp_path / "broker"
    folder.mkdir()
    config = folder / "mosquitto.conf"
    config.write_text(MOSQUITTO.format(port=port, folder=folder).replace("persistence true", "persistence false"))
    broker = subprocess.Popen([mosquitto_program(), "-c", config], stderr=subprocess.DEVNULL)
    wait_for_port(port)
    program = controller(port)
    program.wait_for("link", online=True)
    for number in range(40):
        program.send({"alarm": {"reason": "tamper", "door": "d1", "vendor_reason": str(number)}})
    wait_for(lambda: len(_held(tmp_path)) == 40, "forty events in the store")
    time.sleep(0.3)  # and at the broker, which has acknowledged them
    broker.kill()
    broker.wait()
    program.wait_for("link", online=False)
    broker = subprocess.Popen([mosquitto_program(), "-c", config], stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        site = Site(port)
        got = lambda: {one["data"]["vendor_reason"] for one in site.events(reason="tamper")}  # noqa: E731
        wait_for(lambda: got() == {str(number) for number in range(40)}, "all forty events")
        wait_for(lambda: _held(tmp_path) == [], "all to be deleted after the acknowledgement")
        site.close()
    finally:
        broker.terminate()
        broker.wait()


def test_commands_are_done_once_in_time_and_answered(controller: Start, site: Site) -> None:
    site.send("cmd/unlock", {"nonce": "n-0", "exp": "2099-01-01T00:00:00Z", "door": "d1"}, retain=True)
    program = controller(site.port)
    program.wait_for("link", online=True)
    for _ in range(2):
        site.command("unlock", "n-1", door="d1", open_ms=800)
    wait_for(lambda: len(site.got("res/unlock")) == 2, "two answers")
    assert site.got("res/unlock")[0] == site.got("res/unlock")[1]
    assert len(site.events(reason="operator-unlock")) == 1  # the door moved once
    site.command("unlock", "n-2", door="d1", lives=-5)
    site.command("unlock", "n-3", door="nowhere")
    results = lambda: {one["nonce"]: one.get("detail") for one in site.got("res/unlock") if not one["ok"]}  # noqa: E731
    wait_for(lambda: results() == {"n-2": "expired", "n-3": "no such door"}, "two refusals")
    site.send("cmd/unlock", {"nonce": "n-4"})
    program.wait_for("unreadable")
    assert "n-0" not in {one["nonce"] for one in site.got("res/unlock")}  # a retained command is an old one


def test_lockdown_keeps_entries_closed_and_exits_free(controller: Start, site: Site) -> None:
    program = controller(site.port, entries=[{"ref": REF, "holder": "E-1", "doors": ["d1"]}])
    program.wait_for("link", online=True)
    site.command("lockdown", "n-1", door="d1", rank=5)
    wait_for(lambda: [one for one in site.got("state/door/d1") if one["mode"] == "lockdown"], "the lockdown")
    site.command("unlock", "n-2", door="d1")
    assert wait_for(lambda: site.got("res/unlock"), "the refusal")[0]["detail"] == "lockdown"
    site.answer = None
    program.send({"swipe": {"reader": "d1-in", "card": CARD}})
    assert program.wait_for("answer")["reason"] == "deniedThreatLevel"
    program.send({"swipe": {"reader": "d1-out", "card": CARD}})
    assert program.wait_for("answer")["decision"] == "granted"
    site.command("release", "n-3", door="d1")
    wait_for(lambda: site.got("state/door/d1")[-1]["mode"] == "normal", "the end of the lockdown")


def test_resend_and_sync_bring_what_is_held(controller: Start, site: Site) -> None:
    site.acking = False
    program = controller(site.port)
    program.wait_for("link", online=True)
    for _ in range(3):
        program.send({"alarm": {"reason": "tamper", "door": "d1"}})
    wait_for(lambda: len(site.events()) == 3, "three events")
    site.command("resend", "n-1", boot=site.events()[0]["boot"], ranges=[[2, 3]])
    wait_for(lambda: [one["seq"] for one in site.events()] == [1, 2, 3, 2, 3], "two again")
    site.command("sync", "n-2")
    wait_for(lambda: len(site.got("state/info")) == 2 and len(site.events()) == 8, "everything again")


def test_a_forced_door_and_one_held_open_are_alarms_that_end(controller: Start, site: Site) -> None:
    program = controller(site.port)
    program.wait_for("link", online=True)
    program.send({"force": {"door": "d1", "seconds": 0.3}})
    wait_for(
        lambda: [one["data"]["active"] for one in site.events(reason="forcedOpen")] == [True, False], "a forced door"
    )
    program.send({"swipe": {"reader": "d2-in", "card": CARD, "seconds": 3}})
    wait_for(lambda: len(site.events(reason="doorOpenTooLong")) == 2, "a held door")
    assert site.events("taken")[0]["data"]["door"] == "d2"


def test_a_cut_line_is_bridged(controller: Start, site: Site) -> None:
    program = controller(site.port, entries=[{"ref": REF, "holder": "E-1", "doors": ["d1"]}])
    program.wait_for("link", online=True)
    program.send({"cut": {"seconds": 1.5}})
    program.wait_for("link", online=False)
    program.send({"swipe": {"reader": "d1-in", "card": CARD}})
    assert program.wait_for("answer")["offline"] is True
    program.wait_for("link", online=True)
    wait_for(lambda: site.events("granted") and site.events("taken"), "what happened meanwhile")
    assert site.events("granted")[0]["data"]["offline"] is True


def test_a_second_factor_is_waited_for_and_must_be_the_same_persons(controller: Start, site: Site) -> None:
    shown = (("card", "1:1", "E-1"), ("finger", "F-1", "E-1"), ("card", "2:2", "E-2"), ("finger", "F-2", "E-2"))
    entries = [
        {"ref": reference(bytes.fromhex(KEY), kind, number), "holder": holder, "doors": ["d1"]}
        for kind, number, holder in shown
    ]
    readers = [{"id": "d1-in", "direction": "in", "factors": "card+finger"}]
    program = controller(site.port, entries=entries, doors=[{"id": "d1", "readers": readers}])
    program.wait_for("link", online=True)
    program.send({"swipe": {"reader": "d1-in", "card": "1:1"}})
    assert program.wait_for("answer")["reason"] == "deniedAuthenticationFactorTimeout"
    program.send({"swipe": {"reader": "d1-in", "card": "1:1", "finger": "F-2"}})
    assert program.wait_for("answer")["reason"] == "deniedIncorrectAuthenticationFactor"
    program.send({"swipe": {"reader": "d1-in", "card": "2:2", "finger": "F-2"}})
    assert program.wait_for("answer")["decision"] == "granted"
    assert [one["factors"] for one in site.got("req/access")] == [["card", "finger"]]
    program.send({"swipe": {"reader": "d1-in", "qr": "BPXYZ"}})
    assert program.wait_for("answer")["decision"] == "granted"
    assert site.got("req/access")[-1]["credential"]["type"] == "qr"


def test_only_a_signed_and_newer_list_is_taken(controller: Start, site: Site) -> None:
    key = Ed25519PrivateKey.generate()
    program = controller(site.port, site_key=key.public_key().public_bytes_raw().hex())
    program.wait_for("link", online=True)

    def give(version: int, signer: Ed25519PrivateKey) -> None:
        entries = [{"ref": REF, "holder": "E-7", "doors": ["d1"]}]
        body = {"part": "access-list", "version": version, "issued_at": "2026-11-23T08:00:00Z", "entries": entries}
        mark = base64.b64encode(signer.sign(canonical(body))).decode()
        site.send("cfg/access-list", body | {"signature": mark}, retain=True)

    refused = lambda: [one["refused"] for one in site.got("state/cfg") if "refused" in one]  # noqa: E731
    give(4, Ed25519PrivateKey.generate())
    wait_for(lambda: refused() == ["signature"], "a refusal")
    give(5, key)
    wait_for(lambda: site.got("state/cfg")[-1] | {"time": ""} == {"part": "access-list", "version": 5, "time": ""}, "5")
    give(3, key)
    wait_for(lambda: refused() == ["signature", "older"], "a refusal")
    assert len(site.events(reason="list-changed")) == 1
    program.kill()
    again = controller(site.port, site_key=key.public_key().public_bytes_raw().hex())  # the list is kept
    again.wait_for("link", online=True)
    site.answer = None
    again.send({"swipe": {"reader": "d1-in", "card": CARD}})
    assert again.wait_for("answer")["decision"] == "granted"
