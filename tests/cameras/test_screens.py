"""Screens and API of cameras: who sees what, that every look is recorded, that no credential shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from bposite.cameras import queries
from bposite.cameras.actions import apply_plan, close_failure, open_failure, write_states
from bposite.cameras.capture.source import wall_us
from bposite.cameras.queries import FrameInfo
from bposite.cameras.rules.health import Verdict
from bposite.cameras.rules.reading import Reading
from bposite.cameras.seen import thumbnails
from bposite.journal.queries import Fact, tail
from bposite.journal.work import unit_of_work
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading, transaction
from bposite.plumbing.errors import Refusal

from .conftest import frame_number
from .made import ACTOR, link, missing_link, new_entry, put_still

Client = Callable[..., Any]
SECRET_URL = "rtsp://operator:Gr3en-Door@192.0.2.7:554/live"


@pytest.fixture
def planned(site: Flask) -> Iterator[Flask]:
    section = [
        {"id": "cam-1", "name": "Lobby", "url": SECRET_URL, "doors": ["door-1"], "zones": ["lobby"]},
        {"id": "cam-2", "name": "Back door", "url": "rtsp://192.0.2.8/live", "doors": ["door-2"], "enabled": False},
    ]
    with unit_of_work(ACTOR) as work:
        apply_plan(work, section)
    yield site
    thumbnails.flush()


@pytest.fixture
def whole(planned: Flask) -> FrameInfo:
    at_us = wall_us()
    return link(new_entry(at_us), at_us)


def facts(*kinds: str) -> list[Fact]:
    with reading() as session:
        return tail(session, -1, kinds)


def state(camera: str, verdict: Verdict = Verdict.OK) -> None:
    moment = now()
    row = Reading(
        camera_id=camera, verdict=verdict, since=moment, also=[], measures={}, connected=True, error="", codec="h264",
        width=1920, height=1080, rate=15.0, kbits=2000, delay_ms=40, time_source="camera", clock_bad=False, connects=1,
        drops=0, disk_errors=0, oldest_at=moment, last_unit_at=moment, still_at=moment, ring_bytes=10,
        updated_at=moment,
    )  # fmt: skip
    with transaction() as session:
        write_states(session, [row])


def test_the_wall_shows_every_camera_how_it_is_and_no_credential(planned: Flask, client_as: Client) -> None:
    state("cam-1")
    put_still()
    guard = client_as("guard")
    page = guard.get("/cameras/")
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert all(word in text for word in ("Lobby", "Back door", "Working", "Switched off", "/cameras/cam-1/still.jpg"))
    for path in ("/cameras/", "/cameras/cam-1", "/api/v1/cameras", "/cameras/coverage"):
        body = guard.get(path).get_data(as_text=True)
        assert "Gr3en" not in body
        assert "operator" not in body.replace("operations", "")
    fragment = guard.get("/cameras/", headers={"X-Fragment": "1"}).get_data(as_text=True)
    assert "<html" not in fragment
    assert "Lobby" in fragment


def test_the_password_is_sealed_in_the_database_and_opens_for_the_recorder_alone(planned: Flask) -> None:
    with reading() as session:
        address = queries.address_of(session, "cam-1")
        row = queries.camera(session, "cam-1")
        raw = session.connection().exec_driver_sql("SELECT * FROM camera").all()
    assert address is not None
    assert address.full() == SECRET_URL
    assert row is not None
    assert row.url == "rtsp://192.0.2.7:554/live"
    assert "Gr3en" not in repr(raw)
    assert "Gr3en" not in repr([fact.data for fact in facts()])
    with unit_of_work(ACTOR) as work:  # applied again without credentials: they stay
        apply_plan(work, [{"id": "cam-1", "name": "Lobby", "url": row.url, "doors": ["door-1"]}])
    with reading() as session:
        kept = queries.address_of(session, "cam-1")
    assert kept == address


def test_the_plan_is_applied_once_and_a_wrong_row_changes_nothing(site: Flask) -> None:
    section = [{"id": "cam-1", "name": "Lobby", "url": "rtsp://192.0.2.7/x", "doors": ["door-1"]}]
    for _ in range(2):
        with unit_of_work(ACTOR) as work:
            apply_plan(work, section)
    assert len(facts("cameras:plan:applied")) == 1
    for wrong in (
        {"id": "Cam 1", "name": "x", "url": "rtsp://h/x"},
        {"id": "cam-2", "name": "x", "url": "nonsense"},
        {"id": "cam-2", "name": "x", "url": "rtsp://h/x", "colour": "red"},
        {"id": "cam-2", "name": "x", "url": "rtsp://h/x", "offset_ms": 10**9},
    ):
        with pytest.raises(Refusal, match=r"cameras, "), unit_of_work(ACTOR) as work:
            apply_plan(work, [*section, wrong])
    with pytest.raises(Refusal, match="twice"), unit_of_work(ACTOR) as work:
        apply_plan(work, section * 2)
    with reading() as session:
        assert [row.id for row in queries.cameras(session)] == ["cam-1"]
    with unit_of_work(ACTOR) as work:
        apply_plan(work, [])
    with reading() as session:
        assert queries.cameras(session) == []


def test_a_picture_is_for_who_may_see_frames_and_every_look_is_a_fact(whole: FrameInfo, client_as: Client) -> None:
    paths = [whole.url, whole.picture_url, whole.thumb_url, whole.clip_url, f"{whole.url}/steps.json"]
    paths += [f"{whole.url}/step/0.jpg", "/cameras/cam-1/still.jpg", f"/api/v1/snapshots/{whole.id}/picture.jpg"]
    reception = client_as("reception")
    assert {reception.get(path).status_code for path in paths} == {403}
    assert facts("cameras:pictures:") == []
    guard = client_as("guard")
    picture: TestResponse = guard.get(whole.picture_url)
    assert picture.mimetype == "image/jpeg"
    assert frame_number(picture.data) == 20
    assert picture.headers["Cache-Control"].startswith("no-cache") or "no-store" in picture.headers["Cache-Control"]
    (seen,) = facts("cameras:pictures:viewed")
    assert seen.data["links"] == [[whole.id, whole.position, "picture"]]
    assert seen.actor is not None
    assert seen.actor["role"] == "guard"
    for _ in range(3):
        small = guard.get(whole.thumb_url)
        assert small.status_code == 200
    assert cv2.imdecode(np.frombuffer(small.data, np.uint8), 1).shape[1] <= 384
    thumbnails.flush()
    assert [fact.data["links"][0][2] for fact in facts("cameras:pictures:viewed")] == ["picture", "thumbnail"]


def test_a_clip_comes_in_ranges_and_each_playing_is_one_fact(whole: FrameInfo, client_as: Client) -> None:
    guard = client_as("guard")
    first = guard.get(whole.clip_url, headers={"Range": "bytes=0-99"})
    assert (first.status_code, len(first.data), first.mimetype) == (206, 100, "video/mp4")
    later = guard.get(whole.clip_url, headers={"Range": "bytes=100-199"})
    assert (later.status_code, len(later.data)) == (206, 100)
    assert guard.get(whole.clip_url, headers={"Range": "bytes=99999999-"}).status_code == 416
    assert [fact.data["links"][0][2] for fact in facts("cameras:pictures:viewed")] == ["clip"]


def test_stepping_gives_every_frame_once_with_the_moment_marked(whole: FrameInfo, client_as: Client) -> None:
    guard = client_as("guard")
    steps = guard.get(f"{whole.url}/steps.json").get_json()
    assert len(steps["frames"]) == 40
    assert (steps["moment"], steps["exact"]) == (20, True)
    assert steps["frames"][20] == pytest.approx(10, abs=1)
    assert [frame_number(guard.get(f"{whole.url}/step/{n}.jpg").data) for n in (0, 9, 10, 20, 39)] == [0, 9, 10, 20, 39]
    assert guard.get(f"{whole.url}/step/40.jpg").status_code == 404
    page = guard.get(whole.url).get_data(as_text=True)
    assert "the camera&#39;s own clock, within 51 ms" in page
    assert 'data-has-clip="1"' in page


def test_a_masked_camera_shows_masked_frames_and_seals_its_clip(planned: Flask, client_as: Client) -> None:
    corners = [[0.0, 0.8], [1.0, 0.8], [1.0, 1.0], [0.0, 1.0]]
    facilities = client_as("facilities")
    assert facilities.send("/cameras/cam-1/masks", shapes=str([corners])).status_code == 302
    at_us = wall_us()
    info = link(new_entry(at_us), at_us, masks=[corners])
    guard = client_as("guard")
    assert frame_number(guard.get(info.picture_url).data) is None
    assert frame_number(guard.get(f"{info.url}/step/7.jpg").data) is None
    assert guard.get(info.clip_url).status_code == 404
    assert guard.get(f"/api/v1/snapshots/{info.id}").get_json()["clip_url"] is None


@pytest.mark.parametrize(
    "shapes", ["nonsense", "[[[0,0],[1,1]]]", "[[[0,0],[2,0],[1,1]]]", '{"a": 1}', "[" * 3000, "[1]"]
)
def test_a_drawing_that_is_none_is_refused_beside_its_field(planned: Flask, client_as: Client, shapes: str) -> None:
    answer = client_as("facilities").send("/cameras/cam-1/masks", shapes=shapes)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.get_data(as_text=True)
    assert facts("cameras:camera:masked") == []


def test_the_form_changes_a_camera_and_keeps_its_password(planned: Flask, client_as: Client) -> None:
    facilities = client_as("facilities")
    good = {
        "name": "Lobby east",
        "url": "rtsp://192.0.2.7/other",
        "transport": "udp",
        "offset_ms": "250",
        "enabled": "y",
    }
    assert facilities.send("/cameras/cam-1/edit", doors=["door-1"], **good).status_code == 302
    with reading() as session:
        row, address = queries.camera(session, "cam-1"), queries.address_of(session, "cam-1")
    assert row is not None
    assert (row.name, row.transport, row.doors) == ("Lobby east", "udp", (("door-1", 250),))
    assert address is not None
    assert address.password == "Gr3en-Door"
    for change, word in (
        ({"url": "nonsense"}, "camera address starts with"),
        ({"name": ""}, "Give the camera a name"),
        ({"offset_ms": "x"}, "offset"),
        ({"name": "x" * 10_000}, "120"),
        ({"expected_rate": "-1"}, "Between 0.1 and 240"),
    ):
        refused = facilities.send("/cameras/cam-1/edit", doors=["door-1"], **good | change)
        assert refused.status_code == 422
        assert word in refused.get_data(as_text=True)
    assert client_as("guard").get("/cameras/cam-1/edit").status_code == 403


def test_a_password_is_never_sent_to_another_host_and_no_file_is_chosen_by_a_form(
    planned: Flask, client_as: Client
) -> None:
    facilities = client_as("facilities")
    good = {"name": "Lobby", "transport": "tcp", "offset_ms": "0", "enabled": "y"}
    elsewhere = "rtsp://192.0.2.66:554/live"
    assert facilities.send("/cameras/cam-1/edit", url=elsewhere, doors=["door-1"], **good).status_code == 302
    with reading() as session:
        address = queries.address_of(session, "cam-1")
    assert address is not None
    assert address.full() == elsewhere
    refused = facilities.send("/cameras/cam-1/edit", url="file:///etc/passwd", doors=["door-1"], **good)
    assert refused.status_code == 422
    assert "site plan" in refused.get_data(as_text=True)


def test_a_confirmed_view_is_kept_as_evidence(planned: Flask, client_as: Client) -> None:
    facilities = client_as("facilities")
    assert facilities.send("/cameras/cam-1/reference", "/cameras/cam-1", label="day").status_code == 404
    put_still()
    assert facilities.send("/cameras/cam-1/reference", "/cameras/cam-1", label="noon").status_code == 422
    assert facilities.send("/cameras/cam-1/reference", "/cameras/cam-1", label="day").status_code == 302
    (fact,) = facts("cameras:camera:reference-confirmed")
    assert fact.data["label"] == "day"
    with reading() as session:
        (row,) = queries.references(session)
    assert row.label == "day"


def test_a_failure_opens_and_closes_a_record_an_alarm_and_the_cover_of_its_door(
    planned: Flask, client_as: Client
) -> None:
    state("cam-1", Verdict.BLACK)
    for verdict in (Verdict.BLACK, Verdict.BLACK, Verdict.COVERED):
        with unit_of_work(ACTOR) as work:
            open_failure(work, "cam-1", verdict)
    with reading() as session:
        assert [row.verdict for row in queries.open_failures(session)] == [Verdict.COVERED]
        assert len(queries.failures(session, "cam-1")) == 2
        assert queries.covered_doors(session, ["door-1", "door-2"]) == {"door-1": False, "door-2": False}
    assert len(facts("doors:alarm:raised")) == 1
    page = client_as("guard").get("/cameras/cam-1").get_data(as_text=True)
    assert "Still" in page
    with unit_of_work(ACTOR) as work:
        close_failure(work, "cam-1")
        close_failure(work, "cam-1")
    state("cam-1")
    assert len(facts("cameras:camera:recovered")) == 1
    assert len(facts("doors:alarm:condition-over")) == 1
    with reading() as session:
        assert queries.covered_doors(session, ["door-1"]) == {"door-1": True}


def test_the_api_pages_snapshots_by_position_and_never_cuts_an_entry(planned: Flask, client_as: Client) -> None:
    at_us = wall_us()
    positions = [new_entry(at_us + i) for i in range(5)]
    for position in positions:
        missing_link(position, at_us)
        missing_link(position, at_us, "cam-2")
    guard = client_as("guard")
    seen, after = [], -1
    while after is not None:
        page = guard.get(f"/api/v1/snapshots?after={after}&limit=3").get_json()
        seen += [(item["position"], item["camera"]) for item in page["items"]]
        after = page["next_after"]
    assert sorted(seen) == sorted((position, camera) for position in positions for camera in ("cam-1", "cam-2"))
    one = guard.get(f"/api/v1/snapshots?entry={positions[2]}&camera=cam-2").get_json()["items"]
    assert [(item["state"], item["reason"], item["gap_ms"]) for item in one] == [("no_video", "hole", 2400)]
    assert guard.get(f"/api/v1/snapshots?entry={positions[2]}&limit=1").get_json()["items"][1]["camera"] in (
        "cam-1",
        "cam-2",
    )
    for wrong in ("limit=0", "after=x", "colour=red", "state=happy", f"entry={2**70}"):
        answer = guard.get(f"/api/v1/snapshots?{wrong}")
        assert answer.status_code == 422, wrong
        assert answer.mimetype == "application/problem+json"


def test_the_api_gives_a_snapshot_with_times_hash_and_file(whole: FrameInfo, client_as: Client) -> None:
    guard = client_as("guard")
    item = guard.get(f"/api/v1/snapshots/{whole.id}").get_json()
    assert item["sha256"] == whole.picture_sha256
    assert (item["time_source"], item["error_bound_ms"], item["state"]) == ("camera", 51.0, "linked")
    assert frame_number(guard.get(item["url"]).data) == 20
    assert guard.get(item["clip_url"]).mimetype == "video/mp4"
    assert guard.get("/api/v1/snapshots/nothing").status_code == 404
    document = guard.get("/api/v1/openapi.json")
    if document.status_code == 200:
        assert "/api/v1/snapshots" in document.get_json()["paths"]


@pytest.mark.parametrize(
    "path", ["/cameras/none", "/cameras/none/still.jpg", "/cameras/frames/none", "/cameras/frames/none/clip"]
)
def test_what_is_not_there_says_so(planned: Flask, client_as: Client, path: str) -> None:
    answer = client_as("guard").get(path)
    assert answer.status_code == 404
    assert "There is no such" in answer.get_data(as_text=True)
