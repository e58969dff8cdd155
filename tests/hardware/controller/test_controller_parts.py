"""The controller's parts by themselves: store, forwarding, doors, lists, references."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from contract import BadMessageError, Credential, Names, decode, event, reference, stamp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from doors import DoorState
from forward import FIRST_PATIENCE, WINDOW, Forwarder
from hypothesis import given, settings
from hypothesis import strategies as st
from lists import AccessList, Lists, RefusedError, canonical
from settings import SettingsError, read
from store import Store

from tests.hardware.controller.kit import device_json

NAMES = Names("pune-1", "ctl-a")
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SITE_KEY = Ed25519PrivateKey.generate()


class Line:
    """A line that takes everything, or nothing."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.up = True

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        if self.up:
            self.sent.append(payload)
        return self.up


def _add(store: Store, forwarder: Forwarder, count: int = 1) -> None:
    for _ in range(count):
        forwarder.added(store.add("evt/alarm", lambda boot, seq: f"{boot}:{seq}".encode()))


def _numbers(line: Line) -> list[int]:
    return [int(one.partition(b":")[2]) for one in line.sent]


def _empty(boot: str, seq: int) -> bytes:
    return b""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store.sqlite", limit=1000)


def test_a_store_survives_its_process(tmp_path: Path) -> None:
    first = Store(tmp_path / "s.sqlite")
    held = [first.add("t", lambda boot, seq: f"{boot}{seq}".encode()) for _ in range(3)]
    del first  # no goodbye
    second = Store(tmp_path / "s.sqlite")
    assert second.after(0, 10) == held
    assert second.boot != held[0].boot
    assert second.add("t", _empty).seq == 1


def test_a_full_store_drops_its_oldest_and_counts(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.sqlite", limit=3)
    for _ in range(5):
        store.add("t", _empty)
    assert [one.seq for one in store.after(0, 10)] == [3, 4, 5]
    assert (store.lost, store.oldest_seq(), store.next_seq) == (2, 3, 6)


def test_forwarding_keeps_a_window_and_the_order(store: Store) -> None:
    line = Line()
    forwarder = Forwarder(store, line, NAMES)
    _add(store, forwarder, WINDOW + 50)
    assert line.sent == []
    forwarder.connected(0)
    assert _numbers(line) == list(range(1, WINDOW + 1))
    forwarder.acknowledged(store.boot, 30, ())
    assert _numbers(line) == list(range(1, WINDOW + 31))
    assert store.count() == WINDOW + 20


def test_silence_sends_everything_again_ever_more_rarely(store: Store) -> None:
    line = Line()
    forwarder = Forwarder(store, line, NAMES)
    forwarder.connected(0)
    _add(store, forwarder, 2)
    start = forwarder._progress
    for after in (FIRST_PATIENCE - 1, FIRST_PATIENCE + 1, FIRST_PATIENCE + 5, FIRST_PATIENCE * 4):
        forwarder.time(start + after)
    assert _numbers(line) == [1, 2, 1, 2, 1, 2]


def test_a_line_that_fails_half_way_continues_where_it_stopped(store: Store) -> None:
    line = Line()
    forwarder = Forwarder(store, line, NAMES)
    forwarder.connected(0)
    _add(store, forwarder, 2)
    line.up = False
    _add(store, forwarder, 2)
    line.up = True
    _add(store, forwarder, 1)
    assert _numbers(line) == [1, 2, 3, 4, 5]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(["add", "ack", "drop", "connect", "lose"]), st.integers(0, 12)), max_size=40))
def test_what_the_site_has_not_confirmed_is_never_forgotten(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    """A site that stores what arrives, in any weather: at the end, after one quiet exchange, it has everything."""
    store, line = Store(tmp_path_factory.mktemp("s") / "s.sqlite"), Line()
    forwarder, have, added = Forwarder(store, line, NAMES), set[int](), 0
    for step, number in [*steps, ("connect", 0)]:
        if step == "add":
            _add(store, forwarder)
            added += 1
        elif step == "lose":
            line.sent.clear()  # the broker lost what it had taken
        elif step in ("drop", "connect"):
            line.up = step == "connect"
            forwarder.connected(0) if line.up else forwarder.disconnected()
        else:
            have |= set(_numbers(line)[:number])
            forwarder.acknowledged(store.boot, _contiguous(have), ())
    have |= set(_numbers(line))
    assert have >= set(range(1, added + 1))


def _contiguous(have: set[int]) -> int:
    upto = 0
    while upto + 1 in have:
        upto += 1
    return upto


def test_one_grant_is_one_passage() -> None:
    door = DoorState("d1", held_s=20)
    grant = {"decision": "granted", "reason": "granted", "door": "d1"}
    door.release(5.0, grant)
    assert [one.data["decision"] for one in door.contact(True, 1.0)] == ["taken"]
    assert door.contact(True, 1.1) == []
    assert door.contact(False, 2.0) == []
    assert [one.data["reason"] for one in door.contact(True, 3.0)] == [
        "forcedOpen"
    ]  # the second needs a grant of its own
    assert [one.data["active"] for one in door.contact(False, 4.0)] == [False]
    assert door.time(9.0) == []


def test_a_grant_that_nobody_uses_is_told_once() -> None:
    door = DoorState("d1", held_s=20)
    door.release(5.0, {"decision": "granted"})
    assert door.time(4.9) == []
    assert [one.data["decision"] for one in door.time(5.1)] == ["not-taken"]
    assert door.time(6.0) == []


def test_a_door_that_stands_unlocked_is_never_forced() -> None:
    door = DoorState("d1", held_s=20, mode="unlocked")
    assert door.contact(True, 1.0) == []
    assert [one.data["reason"] for one in door.time(22.0)] == ["doorOpenTooLong"]
    assert door.time(60.0) == []
    assert [one.data["active"] for one in door.contact(False, 61.0)] == [False]


def _lists(**more: Any) -> Lists:
    rows = [
        {"ref": "a", "holder": "E-1", "doors": ["d1"]} | more,
        {"ref": "f", "holder": "E-1", "doors": ["d1"]},
        {"ref": "g", "holder": "E-2", "doors": ["d1"]},
    ]
    first = AccessList.of(rows)
    return Lists({first.part: first})


@pytest.mark.parametrize(
    ("door", "refs", "more", "wanted"),
    [
        ("d1", ["a"], {}, (True, "granted")),
        ("d2", ["a"], {}, (False, "deniedPointNoAccessRights")),
        ("d1", ["x"], {}, (False, "deniedUnknownCredential")),
        ("d1", ["a", "f"], {}, (True, "granted")),
        ("d1", ["a", "g"], {}, (False, "deniedIncorrectAuthenticationFactor")),
        ("d1", ["a", "x"], {}, (False, "deniedIncorrectAuthenticationFactor")),
        ("d1", [], {}, (False, "deniedUnknownCredential")),
        ("d1", ["a"], {"from": stamp(NOW + timedelta(1))}, (False, "deniedCredentialNotYetActive")),
        ("d1", ["a"], {"until": stamp(NOW)}, (False, "deniedCredentialExpired")),
        ("d1", ["a"], {"from": stamp(NOW), "until": stamp(NOW + timedelta(1))}, (True, "granted")),
    ],
)
def test_the_list_answers(door: str, refs: list[str], more: dict[str, Any], wanted: tuple[bool, str]) -> None:
    assert _lists(**more).answer(door, refs, NOW)[:2] == wanted


@pytest.mark.parametrize(
    "row", [{"ref": "a"}, {"ref": "a", "doors": 7}, {"doors": []}, "x", {"ref": "a", "doors": [], "from": "soon"}]
)
def test_half_a_list_is_no_list(row: Any) -> None:
    with pytest.raises(BadMessageError):
        AccessList.of([row])


def _document(version: int = 3, **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"part": "access-list", "version": version, "issued_at": stamp(NOW), "entries": []} | more
    return body | {"signature": base64.b64encode(SITE_KEY.sign(canonical(body))).decode()}


def test_a_list_is_the_sites_or_nothing() -> None:
    lists, public = Lists(), SITE_KEY.public_key().public_bytes_raw()
    document = _document(entries=[{"ref": "a", "holder": "E-1", "doors": ["d1"]}])
    assert lists.take(AccessList.read(document, public), NOW)
    assert not lists.take(AccessList.read(document, public), NOW)  # the same again
    assert lists.answer("d1", ["a"], NOW)[0]
    for spoiled in ({**document, "version": 4}, {**document, "signature": "????"}, {**document, "signature": None}):
        with pytest.raises(RefusedError, match="signature"):
            AccessList.read(spoiled, public)
    with pytest.raises(RefusedError, match="signature"):
        AccessList.read(document, b"")
    with pytest.raises(RefusedError, match="older"):
        lists.take(AccessList.read(_document(2), public), NOW)
    with pytest.raises(RefusedError, match="expired"):
        lists.take(AccessList.read(_document(9, expires_at=stamp(NOW)), public), NOW)
    with pytest.raises(BadMessageError):
        AccessList.read(_document(9, part="pin-codes"), public)


def test_a_list_that_ran_out_counts_for_nothing_and_a_manifest_adds_to_it() -> None:
    public = SITE_KEY.public_key().public_bytes_raw()
    lists, later = _lists(), NOW + timedelta(hours=1)
    guests = [{"ref": "q", "holder": None, "doors": ["d1"]}]
    manifest = _document(1, part="pass-manifest", expires_at=stamp(later), entries=guests)
    lists.take(AccessList.read(manifest, public), NOW)
    assert lists.answer("d1", ["q"], NOW)[0]
    assert lists.answer("d1", ["q"], later) == (False, "deniedUnknownCredential", None)
    assert lists.answer("d1", ["a"], later)[0]


def test_the_same_holder_is_only_doubted_when_two_are_known() -> None:
    lists = _lists()
    assert lists.same_holder(["a", "f"], NOW)
    assert lists.same_holder(["a", "unknown"], NOW)
    assert not lists.same_holder(["a", "g"], NOW)


def test_a_credential_never_shows_its_number() -> None:
    card = Credential("card", "21:10400", "wiegand26", 26)
    assert "10400" not in repr(card)
    assert "10400" not in str(card.wire(b"k"))
    assert card.wire(b"k")["ref"] == reference(b"k", "card", "21:10400")


def test_an_event_is_what_the_contract_says() -> None:
    body = decode(event(NAMES, "access", "b7f2", 1042, NOW, "ntp", {"door": "d1"}))
    assert body["id"] == "b7f2-000001042"
    assert (body["source"], body["type"]) == ("/pune-1/ctl-a", "in.bposite.access.v1")
    assert body["time"] == "2026-11-23T09:00:00.000Z"


@pytest.mark.parametrize("payload", [b"", b"nul", b"[]", b'{"a": NaN}', b"\xff", b"[" * 100_000])
def test_nonsense_from_the_site_is_named(payload: bytes) -> None:
    with pytest.raises(BadMessageError):
        decode(payload)


@pytest.mark.parametrize("more", [{"ref_key": "zz"}, {"mqtt": {"hots": "x"}}, {"doors": [{"name": "x"}]}, {"doors": 3}])
def test_a_configuration_that_cannot_work_says_which_file(tmp_path: Path, more: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"device\.json"):
        read(device_json(tmp_path, 1883, **more))
