"""Taking pictures away: complete, checkable, recorded first, and without those who are not meant."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from bposite.cameras.actions import apply_plan
from bposite.cameras.capture.mask import redacted
from bposite.cameras.capture.source import wall_us
from bposite.cameras.proof import witness
from bposite.cameras.queries import FrameInfo
from bposite.cameras.rules.shapes import checked_boxes
from bposite.journal import actions as journal
from bposite.journal.queries import tail
from bposite.journal.work import unit_of_work
from bposite.plumbing.db import reading

from .conftest import frame_number
from .made import ACTOR, link, missing_link, new_entry

Client = Callable[..., Any]


@pytest.fixture
def whole(site: Flask) -> FrameInfo:
    with unit_of_work(ACTOR) as work:
        apply_plan(work, [{"id": "cam-1", "name": "Lobby", "url": "rtsp://192.0.2.7/live", "doors": ["door-1"]}])
    at_us = wall_us()
    return link(new_entry(at_us), at_us)


def take(client: Any, info: FrameInfo, reason: str = "Police request 41/26") -> Any:
    return client.send(f"/cameras/entries/{info.position}/evidence.zip", info.url, reason=reason)


def test_the_evidence_of_an_entry_can_be_checked_by_anybody(whole: FrameInfo, client_as: Client) -> None:
    journal.checkpoint()
    answer = take(client_as("facilities"), whole)
    assert answer.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        names = set(archive.namelist())
        assert {"manifest.json", "SHA256SUMS", "README.txt", "cam-1-picture.jpg", "cam-1-clip.mp4"} <= names
        for line in archive.read("SHA256SUMS").decode().splitlines():
            digest, name = line.split("  ")
            assert hashlib.sha256(archive.read(name)).hexdigest() == digest
        manifest = json.loads(archive.read("manifest.json"))
        assert hashlib.sha256(archive.read("cam-1-picture.jpg")).hexdigest() == whole.picture_sha256
        assert hashlib.sha256(archive.read("cam-1-clip.mp4")).hexdigest() == whole.clip_sha256
        proofs = [json.loads(archive.read(name)) for name in names if name.startswith("proofs/")]
    assert (manifest["reason"], manifest["entry"]["position"]) == ("Police request 41/26", whole.position)
    assert {proof["kind"] for proof in proofs} == {
        "doors:entry:granted", "cameras:frame:linked", "cameras:link:settled",
    }  # fmt: skip
    assert all(proof["root"] for proof in proofs)
    with reading() as session:
        (fact,) = tail(session, -1, ("cameras:evidence:exported",))
    assert fact.data["sha256"] == hashlib.sha256(answer.data).hexdigest()
    assert fact.data["reason"] == "Police request 41/26"


def test_nothing_leaves_without_a_reason_a_right_or_a_picture(whole: FrameInfo, client_as: Client) -> None:
    facilities = client_as("facilities")
    for reason in ("", "  ", "x" * 401):
        answer = take(facilities, whole, reason)
        assert answer.status_code == 302
    guard = client_as("guard")
    assert "Take away" not in guard.get(whole.url).get_data(as_text=True)
    assert guard.send(f"/cameras/entries/{whole.position}/evidence.zip", whole.url, reason="me too").status_code == 403
    at_us = wall_us()
    empty = missing_link(new_entry(at_us), at_us)
    assert (
        facilities.send(f"/cameras/entries/{empty.position}/evidence.zip", whole.url, reason="why").status_code == 404
    )
    assert facilities.send("/cameras/entries/999999/evidence.zip", whole.url, reason="why").status_code == 404
    with reading() as session:
        assert tail(session, -1, ("cameras:evidence:",)) == []


def test_a_redacted_copy_is_looked_at_confirmed_and_bound_to_its_original(whole: FrameInfo, client_as: Client) -> None:
    facilities = client_as("facilities")
    path, drawn = (
        f"{whole.url}/redact",
        {"shapes": "[[0.1, 0.1, 0.3, 0.5]]", "mode": "keep", "reason": "subject request"},
    )
    look = facilities.send(path, **drawn)
    assert look.status_code == 200
    assert "It is right" in look.get_data(as_text=True)
    preview = re.search(r'src="data:image/jpeg;base64,([^"]+)"', look.get_data(as_text=True))
    assert preview is not None
    with reading() as session:
        assert tail(session, -1, ("cameras:picture:redacted",)) == []
    copy = facilities.send(path, confirmed="yes", **drawn)
    assert copy.mimetype == "image/jpeg"
    assert frame_number(copy.data) is None  # the strip lies outside of the rectangle
    with reading() as session:
        (fact,) = tail(session, -1, ("cameras:picture:redacted",))
        assert list(witness(session)) == []
    assert fact.data["source_sha256"] == whole.picture_sha256
    assert fact.data["files"][0]["sha256"] == hashlib.sha256(copy.data).hexdigest()


@pytest.mark.parametrize(
    ("shapes", "reason", "word"),
    [
        ("[]", "because", "Draw 1 to 40"),
        ("[[0,0,2,1]]", "because", "outside"),
        ("[[0,0,0.001,0.001]]", "because", "too small"),
        ("[1]", "because", ""),
        ("nonsense", "because", "could not be read"),
        ("[[0,0,1,1]]", "", "Give a reason"),
    ],
)
def test_a_wrong_redaction_is_told_beside_its_field(
    whole: FrameInfo, client_as: Client, shapes: str, reason: str, word: str
) -> None:
    answer = client_as("facilities").send(
        f"{whole.url}/redact", shapes=shapes, reason=reason, mode="keep", confirmed="yes"
    )
    assert answer.status_code == 422
    assert word in answer.get_data(as_text=True)


shares = st.floats(0, 0.8)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(shares, shares, st.floats(0.05, 0.2), st.floats(0.05, 0.2)), min_size=1, max_size=5))
def test_what_is_hidden_keeps_no_detail_and_what_is_shown_is_untouched(boxes: list[tuple[float, ...]]) -> None:
    rng = np.random.default_rng(3)
    picture = rng.integers(0, 255, (90, 160, 3), np.uint8)
    for keep in (True, False):
        copy = redacted(picture, checked_boxes(boxes), keep)
        inside = np.zeros((90, 160), bool)
        for left, top, width, height in checked_boxes(boxes):
            inside[round(top * 90) : round((top + height) * 90), round(left * 160) : round((left + width) * 160)] = True
        shown = inside if keep else ~inside
        assert (copy[shown] == picture[shown]).all()
        hidden = copy[~shown]
        assert len(np.unique(hidden.reshape(-1, 3), axis=0)) <= 32 * 18
