"""Test cameras as processes, watched by PyAV and by OpenCV; what counts is the number in the pixels."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from stamp import read_clock, read_frame_number

from tests.hardware.simulator.kit import SIMULATOR, Program, Seen, TestCameras

Start = Callable[..., TestCameras]
FAST = ("--size", "320x180", "--fps", "20", "--gop", "10")


def _numbers(seen: list[Seen]) -> list[int]:
    numbers = [one.number for one in seen]
    assert None not in numbers
    return [number for number in numbers if number is not None]


def _errors(cameras: TestCameras, seen: list[Seen]) -> list[float]:
    """Reported wall clock minus truth, of pictures that have both a number and a clock."""
    return [one.wall - cameras.truth(one.number) for one in seen if one.wall is not None and one.number is not None]


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("udp", [False, True])
def test_every_picture_comes_once_in_order_and_at_its_time(cameras: Start, codec: str, udp: bool) -> None:
    watched = cameras(*FAST, "--codec", codec)
    seen = watched.see(25, udp=udp)
    numbers = _numbers(seen)
    assert numbers == list(range(numbers[0], numbers[0] + 25))
    errors = _errors(watched, seen)
    assert len(errors) >= 20
    assert max(map(abs, errors)) < 0.001
    late = [one.arrived - watched.truth(number) for one, number in zip(seen[5:], numbers[5:], strict=True)]
    assert min(late) > -0.002
    assert sorted(late)[len(late) // 2] < 0.5


def test_opencv_reads_the_same_numbers(cameras: Start) -> None:
    watched = cameras(*FAST)
    capture = cv2.VideoCapture(watched.cards[0]["url"], cv2.CAP_FFMPEG)
    pictures = [capture.read()[1] for _ in range(10)]
    capture.release()
    numbers = [read_frame_number(np.asarray(picture, np.uint8)) for picture in pictures]
    assert None not in numbers
    assert numbers == sorted(set(numbers))  # type: ignore[type-var]


def test_the_camera_clock_can_be_wrong(cameras: Start) -> None:
    watched = cameras(*FAST, "--fault", "skew=3.0", "--fault", "drift_ppm=200000")
    seen = watched.see(30)
    errors = _errors(watched, seen)
    assert errors[0] == pytest.approx(3.0, abs=0.6)
    gained = errors[-1] - errors[0]
    assert gained == pytest.approx(len(errors[1:]) / 20 * 0.2, rel=0.05)


def test_reports_come_late_or_never(cameras: Start) -> None:
    watched = cameras(*FAST, "--cameras", "2", "--fault", "first_report=0.6")
    seen = watched.see(30)
    assert all(one.wall is None for one in seen[:10])
    assert seen[-1].wall is not None
    watched.order(camera="cam1", faults={"reports": False})
    assert all(one.wall is None for one in watched.see(20, camera=1))


def test_latency_jitter_and_burst_keep_order_and_clock(cameras: Start) -> None:
    watched = cameras(*FAST, *(f"--fault={one}" for one in ("latency=0.3", "jitter=0.2", "burst=true")))
    time.sleep(0.5)  # pictures before the viewer: that is what a burst sends
    seen = watched.see(40)
    numbers = _numbers(seen)
    assert numbers == list(range(numbers[0], numbers[0] + 40))
    assert max(map(abs, _errors(watched, seen))) < 0.001
    delays = [one.arrived - watched.truth(number) for one, number in zip(seen, numbers, strict=True)]
    assert min(delays) > 0.29
    assert max(delays) - min(delays) > 0.05


def test_pictures_that_are_black_covered_or_frozen(cameras: Start) -> None:
    watched = cameras(*FAST)
    viewer = watched.watch()
    assert next(viewer).number is not None
    watched.order(camera="cam0", faults={"picture": "black"})
    dark = next(one for one in viewer if one.number is None)
    assert dark.picture.mean() < 4
    watched.order(camera="cam0", faults={"picture": "covered"})
    covered = next(one for one in viewer if one.picture.mean() > 6)
    assert covered.number is None
    assert covered.picture.mean() < 60
    watched.order(camera="cam0", faults={"picture": "frozen"})
    frozen = [one for _, one in zip(range(25), (one for one in viewer if one.number is not None), strict=False)]
    keys = [one.picture for one in frozen if one.key]
    assert len(keys) >= 2
    assert np.array_equal(keys[-1], keys[-2])
    assert len({one.number for one in frozen}) == 1
    assert frozen[-1].wall is not None  # a frozen sensor's clock goes on
    assert frozen[0].wall is not None
    assert frozen[-1].wall > frozen[0].wall
    watched.order(camera="cam0", faults={"picture": "normal"})
    still = frozen[0].number
    after = next(one for one in viewer if one.number is not None and one.number != still)
    assert after.wall == pytest.approx(watched.truth(after.number or 0), abs=0.001)


def test_a_wrong_rate_leaves_numbers_out(cameras: Start) -> None:
    watched = cameras(*FAST, "--fault", "every=4")
    numbers = _numbers(watched.see(10))
    assert {later - earlier for earlier, later in pairwise(numbers)} == {4}


def test_a_drop_ends_the_viewer_and_the_next_one_is_served(cameras: Start) -> None:
    watched = cameras(*FAST)
    viewer = watched.watch()
    next(viewer)
    watched.order(camera="*", drop=True)
    with pytest.raises((av.error.FFmpegError, StopIteration)):
        for _ in range(200):
            next(viewer)
    assert watched.see(3)[0].number is not None


def test_a_stall_is_a_gap_without_a_lie(cameras: Start) -> None:
    watched = cameras(*FAST)
    viewer = watched.watch()
    before = next(viewer)
    watched.order(camera="cam0", stall=1.0)
    seen = [before, *(one for _, one in zip(range(15), viewer, strict=False))]
    numbers = _numbers(seen)
    assert max(later - earlier for earlier, later in pairwise(numbers)) >= 15
    assert max(map(abs, _errors(watched, seen))) < 0.001


def test_a_camera_that_never_answers_does_not_disturb_its_neighbour(cameras: Start) -> None:
    watched = cameras(*FAST, "--cameras", "2")
    watched.order(camera="cam1", faults={"answer": "dead"})
    viewer = watched.watch(0)
    next(viewer)
    with pytest.raises(av.error.FFmpegError):
        av.open(watched.cards[1]["url"], options={"rtsp_transport": "tcp"}, timeout=(1, 1))
    assert max(map(abs, _errors(watched, [next(viewer) for _ in range(10)]))) < 0.001
    watched.order(camera="cam1", faults={"answer": "refuse"})
    with pytest.raises(av.error.FFmpegError):
        av.open(watched.cards[1]["url"], options={"rtsp_transport": "tcp"}, timeout=(1, 1))


@pytest.mark.parametrize("scheme", ["basic", "digest"])
def test_signing_in(cameras: Start, scheme: str) -> None:
    watched = cameras(*FAST, "--user", "viewer", "--password", "s3cret", "--scheme", scheme)
    assert watched.see(2, login="viewer:s3cret@")[0].number is not None
    for login in ("", "viewer:wrong@"):
        with pytest.raises(av.error.FFmpegError):
            watched.see(1, login=login)


def test_a_clip_starts_again_and_says_its_length(cameras: Start, tmp_path: Path) -> None:
    watched = cameras(*FAST, "--kind", "clip", "--clip-seconds", "1", "--cache", str(tmp_path))
    length = watched.cards[0]["loop"]
    assert length == 20
    numbers = _numbers(watched.see(30))
    assert all((one + 1) % length == two for one, two in pairwise(numbers))


def test_bad_orders_are_answered_and_change_nothing(cameras: Start) -> None:
    watched = cameras(*FAST)
    for order in (
        "no json",
        '{"camera": "nobody", "drop": true}',
        '{"camera": "*", "faults": {"skew": "x"}}',
        "[]",
        "7",
    ):
        assert watched.program.process.stdin is not None
        watched.program.process.stdin.write(order + "\n")
        watched.program.process.stdin.flush()
        assert watched.program.wait_for("error")["message"]
    assert max(map(abs, _errors(watched, watched.see(5)))) < 0.001


def test_rooms_carry_their_clock_and_footage_is_used_when_it_is_there(
    cameras: Start, tmp_path: Path, shared: Path
) -> None:
    rows = [
        {"path": "room", "kind": "room", "scene": "lobby", "zone": "Asia/Kolkata", "name": "Lobby", "fps": 8.0},
        {"path": "plaza", "kind": "footage", "scene": "plaza", "zone": "Asia/Kolkata", "name": "Plaza", "fps": 8.0},
    ]
    (tmp_path / "cameras.json").write_text(json.dumps(rows))
    footage = shared / "cctv" / "vtest.avi"
    if not footage.is_file():
        pytest.skip("vtest.avi is not here: the plaza camera cannot show it")
    watched = cameras("--config", str(tmp_path / "cameras.json"), "--footage", str(footage))
    for camera in (0, 1):
        for one in watched.see(5, camera=camera)[1:]:
            assert one.wall is not None
            assert read_clock(one.picture) == pytest.approx(one.wall, abs=0.001)


def test_the_process_ends_with_its_parent(start: Callable[..., Program]) -> None:
    program = start("camera.py", "--with-parent", *FAST)
    program.wait_for("ready")
    assert program.process.stdin is not None
    program.process.stdin.close()
    assert program.process.wait(10) == 0


def test_help_tells_every_option() -> None:
    shown = subprocess.run([sys.executable, str(SIMULATOR / "camera.py"), "--help"], capture_output=True, text=True)
    assert shown.returncode == 0
    assert "--with-parent" in shown.stdout
