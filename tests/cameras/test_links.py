"""The durable link job against a real stream and a real database: right pictures, once, whatever dies in between."""

from __future__ import annotations

import errno
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from bposite.cameras import queries
from bposite.cameras.actions import apply_plan, relink
from bposite.cameras.capture.clip import read_clip
from bposite.cameras.capture.decode import jpeg
from bposite.cameras.capture.source import wall_us
from bposite.cameras.capture.store import EvidenceStore
from bposite.cameras.places import evidence_store
from bposite.cameras.proof import witness
from bposite.cameras.queries import FrameInfo
from bposite.cameras.rules.clock import TimeSource
from bposite.cameras.rules.frames import LinkPolicy, LinkState, NoVideo
from bposite.cameras.tables import FrameLink
from bposite.cameras.worker.fleet import Fleet
from bposite.cameras.worker.linker import Linker
from bposite.doors.tables import Entry
from bposite.journal.queries import tail
from bposite.journal.work import Actor, unit_of_work
from bposite.plumbing import db, jobs
from bposite.plumbing.clock import from_micros, now, to_micros
from bposite.plumbing.db import reading, transaction

from .conftest import Cameras, frame_number, wait_for

SECOND = 1_000_000
SHORT = LinkPolicy(before_us=SECOND, after_us=SECOND, deadline_us=2 * SECOND)
ACTOR = Actor.system("test")


def plan(url: str, **more: Any) -> list[dict[str, Any]]:
    return [{"id": "cam-1", "name": "Lobby", "url": url, "doors": ["door-1"], **more}]


def apply(section: list[dict[str, Any]]) -> None:
    with unit_of_work(ACTOR) as work:
        apply_plan(work, section)


def happen(at_us: int, door: str | None = "door-1", late: bool = False) -> int:
    """An entry at a moment, as the doors feature writes it: row, fact and link job in one transaction."""
    with unit_of_work(ACTOR) as work:
        position = work.record_many([("doors:entry:granted", f"e{at_us}", {})]).start
        at = from_micros(at_us)
        work.session.add(
            Entry(
                position=position, time_used=at, received_at=work.now, time_source="device", late=late, device="ctl",
                key=f"k{position}", cls="access", decision="granted", reason="granted", notable=False, door=door,
                decided_by="site", digest=b"0" * 32, adapter="native",
            )
        )  # fmt: skip
        jobs.enqueue(work.session, "cameras:link", str(position), {"position": position})
    return position


def frames_of(position: int) -> list[FrameInfo]:
    with reading() as session:
        return queries.frames_for(session, [position]).get(position, [])


def picture_of(info: FrameInfo) -> bytes:
    assert info.picture_path is not None
    return evidence_store().path(info.picture_path).read_bytes()


class Running:
    """A fleet and a linker driven by hand."""

    def __init__(self, policy: LinkPolicy = SHORT) -> None:
        self.fleet = Fleet()
        self.sync()
        self.linker = Linker(self.fleet, evidence_store(), policy)

    def sync(self) -> None:
        with reading() as session:
            self.fleet.sync(session)

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        def stepped() -> Any:
            self.linker.step()
            return condition()

        return wait_for(stepped, what)

    def settled(self, position: int) -> FrameInfo:
        def found() -> FrameInfo | None:
            infos = frames_of(position)
            return infos[0] if infos and all(one.state is not LinkState.PENDING for one in infos) else None

        info = self.until(found, f"the link of entry {position}")
        assert isinstance(info, FrameInfo)
        return info

    def recording(self, camera: str = "cam-1") -> None:
        def newest() -> Any:
            manned = self.fleet.get(camera)
            return manned is not None and manned.recorder is not None and manned.recorder.memory.span

        wait_for(newest, "the first picture")


@pytest.fixture
def running() -> Iterator[Callable[..., Running]]:
    ones: list[Running] = []

    def start(policy: LinkPolicy = SHORT) -> Running:
        ones.append(Running(policy))
        return ones[-1]

    yield start
    for one in ones:
        one.fleet.stop()


def assert_shows(camera: Cameras, info: FrameInfo, at_us: int) -> None:
    number = frame_number(picture_of(info))
    assert number is not None
    assert info.error_us is not None
    assert abs(camera.truth_us(number) - at_us) <= info.error_us
    if info.time_source is TimeSource.CAMERA:
        assert info.error_us <= SECOND / camera.cards[0]["fps"] / 2 + 2_000


def test_an_entry_gets_the_picture_of_its_moment_and_a_clip_on_both_databases(
    any_site: Flask, cameras: Callable[..., Cameras], running: Callable[..., Running]
) -> None:
    camera = cameras()
    apply(plan(camera.url()))
    run = running()
    run.recording()
    time.sleep(1.2)
    at_us = wall_us()
    position = happen(at_us)
    run.until(lambda: [one for one in frames_of(position) if one.has_picture], "the picture")
    seen_after = wall_us() - at_us
    assert frames_of(position)[0].state is LinkState.PENDING  # the clip is still being recorded
    assert seen_after < 1_500_000
    info = run.settled(position)
    assert info.state is LinkState.LINKED
    assert_shows(camera, info, at_us)
    assert info.how_sure == "the camera's own clock, within 51 ms"
    assert info.plays
    clip = read_clip(evidence_store().path(info.clip_path or ""))
    assert info.clip_from is not None
    first = frame_number(jpeg(clip.frame(0).pixels()))
    assert first is not None
    assert abs(camera.truth_us(first) - to_micros(info.clip_from)) <= 1_000
    assert clip.offsets_us[-1] >= 1_900_000
    with reading() as session:
        assert list(witness(session)) == []
        kinds = [fact.kind for fact in tail(session, -1, ("cameras:frame:", "cameras:link:"))]
        assert kinds == ["cameras:frame:linked", "cameras:link:settled"]
        assert jobs.counts(session) == {}


def test_two_cameras_and_an_offset_each_get_their_own_moment(
    site: Flask, cameras: Callable[..., Cameras], running: Callable[..., Running]
) -> None:
    camera = cameras("--cameras", "2")
    apply(
        [
            {"id": "cam-1", "name": "A", "url": camera.url(0), "doors": ["door-1"]},
            {"id": "cam-2", "name": "B", "url": camera.url(1), "doors": [{"door": "door-1", "offset_ms": 700}]},
        ]
    )
    run = running()
    run.recording("cam-1")
    run.recording("cam-2")
    time.sleep(1.1)
    at_us = wall_us()
    run.settled(happen(at_us))
    with reading() as session:
        infos = {info.camera: info for info in queries.frames_page(session, queries.FrameFilter(), 10)}
    assert_shows(camera, infos["cam-1"], at_us)
    assert_shows(camera, infos["cam-2"], at_us + 700_000)


def test_a_late_event_finds_its_frame_on_disk_after_a_restart_and_says_late(
    site: Flask, cameras: Callable[..., Cameras], running: Callable[..., Running]
) -> None:
    camera = cameras()
    apply(plan(camera.url()))
    first = running()
    first.recording()
    time.sleep(1.2)
    at_us = wall_us()
    time.sleep(2.2)
    first.fleet.stop()
    second = running()
    info = second.settled(happen(at_us, late=True))
    assert info.state is LinkState.LINKED_LATE
    assert_shows(camera, info, at_us)


def test_a_dead_camera_gives_no_video_with_the_reason_and_never_another_moment(
    site: Flask, cameras: Callable[..., Cameras], running: Callable[..., Running]
) -> None:
    apply(plan("rtsp://127.0.0.1:1/none"))
    run = running()
    info = run.settled(happen(wall_us()))
    assert (info.state, info.reason, info.has_picture) == (LinkState.NO_VIDEO, NoVideo.NEVER_SEEN, False)
    assert info.missing == "No picture: the camera has never sent a picture."
    camera = cameras()
    apply(plan(camera.url()))
    run.sync()
    run.recording()
    before = run.settled(happen(wall_us() - 60 * SECOND, late=True))
    assert (before.state, before.reason) == (LinkState.NO_VIDEO, NoVideo.NOT_YET)
    time.sleep(0.5)
    camera.faults(answer="refuse")
    camera.order(camera="*", drop=True)
    lost = wall_us() + SECOND // 2
    info = run.settled(happen(lost))
    assert (info.state, info.reason) == (LinkState.PARTIAL, NoVideo.CAMERA_DOWN)
    assert not info.has_picture
    assert info.has_clip
    assert info.gap_ms > 1000


def test_an_event_from_the_future_and_a_camera_switched_off_are_told_at_once(
    site: Flask, running: Callable[..., Running]
) -> None:
    apply(plan("rtsp://127.0.0.1:1/none"))
    run = running()
    info = run.settled(happen(wall_us() + 3600 * SECOND))
    assert (info.state, info.reason) == (LinkState.NO_VIDEO, NoVideo.CLOCK_AHEAD)
    apply(plan("rtsp://127.0.0.1:1/none", enabled=False))
    run.sync()
    info = run.settled(happen(wall_us()))
    assert (info.state, info.reason) == (LinkState.NO_VIDEO, NoVideo.DISABLED)


def test_an_uncovered_or_unknown_door_needs_no_camera(site: Flask, running: Callable[..., Running]) -> None:
    apply(plan("rtsp://127.0.0.1:1/none"))
    run = running()
    positions = [happen(wall_us(), door="other"), happen(wall_us(), door=None)]
    jobs_left = run.until(lambda: no_jobs(), "both jobs")
    assert jobs_left
    assert all(frames_of(position) == [] for position in positions)


def no_jobs() -> bool:
    with reading() as session:
        return jobs.counts(session) == {}


def test_a_full_disk_costs_the_ring_and_not_the_evidence(
    site: Flask, cameras: Callable[..., Cameras], running: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = cameras()
    apply(plan(camera.url()))
    run = running()
    run.recording()
    time.sleep(1.1)
    real, full = EvidenceStore.put_file, [True, True, True]

    def sometimes(self: EvidenceStore, write: Any, ending: str) -> Any:
        if full:
            full.pop()
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, write, ending)

    monkeypatch.setattr(EvidenceStore, "put_file", sometimes)
    at_us = wall_us()
    info = run.settled(happen(at_us))
    assert run.linker.failed_writes == 3
    assert_shows(camera, info, at_us)
    assert info.state in (LinkState.LINKED, LinkState.PARTIAL)
    assert list(evidence_store().root.glob("*.part*")) == []


def test_a_kill_between_the_clip_and_its_row_loses_and_doubles_nothing(
    site: Flask, cameras: Callable[..., Cameras], running: Callable[..., Running], tmp_path: Path
) -> None:
    camera = cameras()
    apply(plan(camera.url()))
    times = [str(value) for value in (SHORT.before_us, SHORT.after_us, SHORT.deadline_us)]
    victim = subprocess.Popen([sys.executable, str(Path(__file__).with_name("victim.py")), str(tmp_path), *times])
    wait_for(lambda: list((tmp_path / "ring" / "cam-1").glob("*.ring")), "the victim's recording")
    time.sleep(1.5)
    at_us = wall_us()
    position = happen(at_us)
    try:
        assert victim.wait(30) == -signal.SIGKILL
    finally:
        victim.kill()
    (orphan,) = evidence_store().root.rglob("*.mp4")
    assert frames_of(position)[0].clip_path is None
    with transaction() as session:
        jobs.release(session, ("cameras:link",))
    info = running().settled(position)
    assert_shows(camera, info, at_us)
    assert info.state is LinkState.LINKED
    assert evidence_store().path(info.clip_path or "") == orphan  # the same content has the same name
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(FrameLink)) == 1
        assert list(witness(session)) == []
        assert len(tail(session, -1, ("cameras:frame:linked",))) == 1


def test_looking_again_finds_what_came_back_and_leaves_whole_links_alone(
    site: Flask, cameras: Callable[..., Cameras], running: Callable[..., Running]
) -> None:
    camera = cameras()
    apply(plan(camera.url()))
    run = running()
    run.recording()
    time.sleep(1.1)
    at_us = wall_us()
    whole = run.settled(happen(at_us))
    stream = run.fleet.get("cam-1")
    assert stream is not None
    assert stream.recorder is not None
    apply(plan(camera.url(), enabled=False))
    run.sync()
    time.sleep(1.2)
    missed = happen(wall_us() - SECOND)
    assert run.settled(missed).reason is NoVideo.DISABLED
    apply(plan(camera.url()))
    run.sync()
    run.recording()
    with unit_of_work(ACTOR) as work:
        assert relink(work, [whole.position, missed]) == 1
    again = run.settled(missed)
    assert again.reason in (NoVideo.HOLE, NoVideo.CAMERA_DOWN)
    assert frames_of(whole.position)[0].clip_sha256 == whole.clip_sha256


def test_a_swapped_picture_and_a_changed_row_are_found(
    site: Flask, cameras: Callable[..., Cameras], running: Callable[..., Running], tmp_path: Path
) -> None:
    camera = cameras()
    apply(plan(camera.url()))
    run = running()
    run.recording()
    time.sleep(1.1)
    info = run.settled(happen(wall_us()))
    path = evidence_store().path(info.picture_path or "")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"\0")
    with reading() as session:
        assert [problem.what.split(" (")[0] for problem in witness(session)] == ["was changed or swapped"]
    path.unlink()
    with reading() as session:
        assert [problem.what.split(" (")[0] for problem in witness(session)] == ["is missing"]
    path.write_bytes(whole)
    with sqlite3.connect(tmp_path / "bposite.sqlite3") as raw:
        raw.execute("UPDATE frame_link SET clip_sha256 = ?", ("0" * 64,))
    with reading() as session:
        assert [problem.what for problem in witness(session)] == ["names a file that no journal fact knows"]


def test_masked_cameras_keep_a_sealed_original_and_a_masked_view(
    site: Flask, cameras: Callable[..., Cameras], running: Callable[..., Running]
) -> None:
    from bposite.cameras.actions import set_masks

    camera = cameras()
    apply(plan(camera.url()))
    with unit_of_work(ACTOR) as work:
        set_masks(work, "cam-1", (((0.0, 0.8), (1.0, 0.8), (1.0, 1.0), (0.0, 1.0)),))
    run = running()
    run.recording()
    time.sleep(1.1)
    info = run.settled(happen(wall_us()))
    assert info.masked
    assert not info.plays
    assert frame_number(picture_of(info)) is not None
    assert frame_number(evidence_store().path(info.view_path or "").read_bytes()) is None  # the strip is under the mask


def test_the_time_of_a_link_is_that_of_the_entry_plus_the_offset(site: Flask, running: Callable[..., Running]) -> None:
    apply(plan("rtsp://127.0.0.1:1/none", offset_ms=-400))
    run = running()
    at_us = wall_us()
    info = run.settled(happen(at_us))
    assert info.wanted_at == from_micros(at_us) - timedelta(milliseconds=400)
    assert info.offset_ms == -400
    assert now() > info.wanted_at
    assert db.engine() is not None
