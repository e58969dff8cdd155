"""A real RTSP camera, real sockets: the picture of a moment is checked on the number burnt into its pixels."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from bposite.cameras.capture import clip as clips
from bposite.cameras.capture.decode import UndecodableError, jpeg
from bposite.cameras.capture.disk import DiskRing
from bposite.cameras.capture.memory import MemoryRing
from bposite.cameras.capture.moment import MARGIN_US, Picture, View, clip_at, missing_in, picture_at, view_of
from bposite.cameras.capture.recorder import Recorder
from bposite.cameras.capture.source import SourceError, SourceSpec, source_for, wall_us
from bposite.cameras.rules.address import Address, parse
from bposite.cameras.rules.clock import ClockPolicy, TimeSource
from bposite.cameras.rules.frames import Hole

from .conftest import Cameras, frame_number, wait_for

SECOND = 1_000_000
POLICY = ClockPolicy()


def recorder(url: str, folder: Path | None = None, transport: str = "tcp", **times: float) -> Recorder:
    spec = SourceSpec(parse(url), transport, **times)
    disk = DiskRing(folder, 100_000_000) if folder else None
    return Recorder("cam", source_for(spec), MemoryRing(30 * SECOND), disk)


@pytest.fixture
def recording() -> Iterator[Callable[..., Recorder]]:
    running: list[Recorder] = []

    def start(url: str, folder: Path | None = None, transport: str = "tcp", **times: float) -> Recorder:
        running.append(recorder(url, folder, transport, **times))
        running[-1].start()
        return running[-1]

    yield start
    for one in running:
        one.ask_to_stop()
    for one in running:
        one.stop()


def look(rec: Recorder, moment_us: int) -> View:
    return view_of(rec.window(moment_us - MARGIN_US, moment_us + MARGIN_US), POLICY)


def has(rec: Recorder, moment_us: int) -> bool:
    newest = look(rec, moment_us).newest_us
    return newest is not None and newest > moment_us


def assert_exact(camera: Cameras, view: View, moment_us: int, index: int = 0) -> Picture:
    """The picture's burnt-in number is that of the moment, within the stated bound, and the bound is tight."""
    found = picture_at(view, moment_us)
    assert isinstance(found, Picture)
    number = frame_number(found.jpeg)
    assert number is not None
    error = abs(camera.truth_us(number, index) - moment_us)
    assert error <= found.error_us, (error, found.error_us)
    if found.time_source is TimeSource.CAMERA:
        assert found.error_us <= SECOND / camera.cards[index]["fps"] / 2 + 2_000
    return found


H265 = {"codec": "hevc"}
LATE = {"latency": 0.25, "jitter": 0.15, "burst": True}
# name: (shape, faults, transport, who tells the time)
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str, TimeSource]] = {
    "clean": ({}, {}, "tcp", TimeSource.CAMERA),
    "udp": ({}, {}, "udp", TimeSource.CAMERA),
    "h265": (H265, {}, "tcp", TimeSource.CAMERA),
    "h265-udp": (H265, {}, "udp", TimeSource.CAMERA),
    "late-reports": ({}, {"first_report": 2.0}, "tcp", TimeSource.CAMERA),
    "no-reports": ({}, {"reports": False}, "tcp", TimeSource.ARRIVAL),
    "latency-jitter-burst": ({"gop": 40}, LATE, "tcp", TimeSource.CAMERA),
    "no-reports-latency-jitter-burst": ({}, LATE | {"reports": False}, "tcp", TimeSource.ARRIVAL),
    "ahead": ({}, {"skew": 3.0}, "tcp", TimeSource.ARRIVAL),
    "behind": ({}, {"skew": -3.0}, "tcp", TimeSource.ARRIVAL),
    "drift": ({}, {"drift_ppm": 200.0}, "tcp", TimeSource.CAMERA),
    "group-of-4-s": ({"gop": 40}, {}, "tcp", TimeSource.CAMERA),
}


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Cameras, int, View, int]]]:
    """All cases at once: a process of twelve cameras, twelve recorders, and what they knew of a moment."""
    config = tmp_path_factory.mktemp("matrix") / "cameras.json"
    shape = {"kind": "test", "codec": "h264", "width": 320, "height": 180, "fps": 10, "gop": 20}
    config.write_text(
        json.dumps([shape | {"path": name, "faults": f} | more for name, (more, f, _, _) in CASES.items()])
    )
    camera = Cameras("--config", str(config))
    recorders = {name: recorder(camera.url(i), None, CASES[name][2]) for i, name in enumerate(CASES)}
    for one in recorders.values():
        one.start()
    for name, one in recorders.items():
        wait_for(lambda one=one: one.memory.span, f"the first picture of {name}")
    start = wall_us() + SECOND
    for name, one in recorders.items():
        wait_for(lambda one=one: has(one, start + 2 * SECOND), f"3 s of pictures of {name}")
    yield {name: (camera, i, look(one, start), start) for i, (name, one) in enumerate(recorders.items())}
    for one in recorders.values():
        one.ask_to_stop()
    for one in recorders.values():
        one.stop()
    camera.close()


@pytest.mark.parametrize("case", CASES)
def test_the_picture_shows_the_moment_and_says_how_sure_it_is(
    case: str, matrix: dict[str, tuple[Cameras, int, View, int]]
) -> None:
    camera, index, view, start = matrix[case]
    for i in range(20):
        picture = assert_exact(camera, view, start + i * 97_000, index)
        assert picture.time_source is CASES[case][3]
        assert not picture.damaged
        assert picture.clock_bad is (case in ("ahead", "behind"))


def test_arrival_is_when_a_picture_began_to_arrive_not_when_the_parser_let_it_go(
    cameras: Callable[..., Cameras], recording: Callable[..., Recorder]
) -> None:
    camera = cameras("--fps", "5", "--fault", "latency=0.1")
    rec = recording(camera.url())
    wait_for(lambda: (rec.memory.span or (0, 0))[1] - (rec.memory.span or (0, 0))[0] > 3 * SECOND, "3 s of pictures")
    units = [a.unit for part in rec.memory.read(0, 2**62) for a in part.units]
    assert units[0].camera_us is None  # the copied one
    delays = [unit.arrival_us - unit.camera_us for unit in units[1:] if unit.camera_us is not None]
    assert len(delays) == len(units) - 1
    assert 95_000 <= min(delays) <= 150_000  # not 300 ms: that would be a picture later


def test_lost_packets_are_never_silently_wrong(
    cameras: Callable[..., Cameras], recording: Callable[..., Recorder]
) -> None:
    camera = cameras("--size", "960x540", "--fault", "loss=0.03")
    rec = recording(camera.url(), None, "udp")
    wait_for(lambda: rec.memory.span, "the first picture")
    start = wall_us() + SECOND
    wait_for(lambda: has(rec, start + 4 * SECOND), "5 s of pictures")
    view, told = look(rec, start), []
    for i in range(40):
        moment = start + i * 97_000
        try:
            found = picture_at(view, moment)
        except UndecodableError:
            told.append("undecodable")
            continue
        if isinstance(found, Hole):
            told.append("hole")
            continue
        number = frame_number(found.jpeg)
        right = number is not None and abs(camera.truth_us(number) - moment) <= found.error_us
        assert right or found.damaged, (moment, number)
        told.append("damaged" if found.damaged else "right")
    assert set(told) - {"right"}, "the network lost nothing: this test has shown nothing"
    assert "right" in told or "damaged" in told


def test_a_drop_leaves_a_hole_that_is_named_and_the_stream_returns(
    cameras: Callable[..., Cameras], recording: Callable[..., Recorder]
) -> None:
    camera = cameras()
    rec = recording(camera.url())
    wait_for(lambda: rec.memory.span, "the first picture")
    time.sleep(0.5)
    camera.order(camera="*", stall=1.5)
    stalled = wall_us()
    camera.order(camera="*", drop=True)
    wait_for(lambda: has(rec, stalled + 2 * SECOND), "the stream again", 30)
    view = look(rec, stalled)
    hole = picture_at(view, stalled + SECOND)
    assert isinstance(hole, Hole)
    assert hole.before_us is not None
    assert hole.after_us is not None
    assert hole.size_us(stalled + SECOND) > 1_400_000
    assert missing_in(view, stalled, stalled + 2 * SECOND) > SECOND
    assert rec.tally.connects >= 2
    assert_exact(camera, view, stalled - SECOND // 4)
    assert_exact(camera, view, hole.after_us + SECOND // 3)


def test_a_camera_that_accepts_and_never_answers_costs_the_other_nothing(
    cameras: Callable[..., Cameras], recording: Callable[..., Recorder]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as dead:
        dead_rec = recording(f"rtsp://u:geheim@127.0.0.1:{dead.getsockname()[1]}/x", open_timeout_s=1.0)
        camera = cameras()
        rec = recording(camera.url())
        wait_for(lambda: rec.memory.span, "the living camera", 5)
        moment = wall_us() + SECOND // 2
        wait_for(lambda: has(rec, moment), "its moment")
        assert_exact(camera, look(rec, moment), moment)
        wait_for(lambda: dead_rec.tally.error, "the dead camera's error")
        assert "geheim" not in dead_rec.tally.error
        assert not dead_rec.tally.connected


def test_after_a_restart_the_disk_still_has_the_moment(
    cameras: Callable[..., Cameras], recording: Callable[..., Recorder], tmp_path: Path
) -> None:
    camera = cameras()
    first = recording(camera.url(), tmp_path)
    wait_for(lambda: first.memory.span, "the first picture")
    moment = wall_us() + SECOND // 2
    wait_for(lambda: has(first, moment + SECOND // 2), "the moment")
    first.stop()
    second = recorder(camera.url(), tmp_path)  # a new process would start like this: memory is empty
    assert second.memory.span is None
    picture = assert_exact(camera, look(second, moment), moment)
    assert picture.time_source is TimeSource.CAMERA
    assert second.oldest_us == first.disk.oldest_us if first.disk else False


def test_a_clip_is_bit_exact_and_its_frames_carry_their_moments(
    cameras: Callable[..., Cameras], recording: Callable[..., Recorder], tmp_path: Path
) -> None:
    camera = cameras()
    rec = recording(camera.url())
    wait_for(lambda: rec.memory.span, "the first picture")
    moment = wall_us() + SECOND
    wait_for(lambda: has(rec, moment + 2 * SECOND), "the time after it")
    view = look(rec, moment)
    clip = clip_at(view, moment - SECOND, moment + SECOND, moment)
    assert clip is not None
    assert missing_in(view, moment - SECOND // 2, moment + SECOND) == 0
    path = tmp_path / ("a" + clips.ending(clip.codec))
    clips.write_clip(path, clip.codec, clip.units, clip.moments)
    back = clips.read_clip(path)
    # parameter sets may be repeated in front of a keyframe; the coded slices are the camera's, byte for byte
    assert [a.data[-40:] for a in back.units] == [a.data[-40:] for a in clip.units]
    assert len(back.units) == len(clip.units)
    for number in (0, 7, len(back.units) - 1):
        burnt = frame_number(jpeg(back.frame(number).pixels()))
        assert burnt is not None
        assert abs(camera.truth_us(burnt) - (clip.moments[0] + back.offsets_us[number])) <= 1_000
    with av.open(str(path)) as container:
        assert container.format.name.startswith("mov")


def test_wrong_sign_in_and_missing_hosts_fail_without_telling_the_password(cameras: Callable[..., Cameras]) -> None:
    camera = cameras("--user", "eye", "--password", "richtig")
    base = camera.url().replace("rtsp://", "")
    with pytest.raises(SourceError) as wrong:
        source_for(SourceSpec(parse(f"rtsp://eye:falsch@{base}"))).connect()
    assert "falsch" not in str(wrong.value)
    connection = source_for(SourceSpec(parse(f"rtsp://eye:richtig@{base}"))).connect()
    assert connection.codec.name == "h264"
    connection.close()
    with pytest.raises(SourceError):
        source_for(SourceSpec(Address("rtsp://127.0.0.1:1/x"))).connect()


def test_a_file_plays_in_a_loop_at_its_own_speed(tmp_path: Path, recording: Callable[..., Recorder]) -> None:
    path = tmp_path / "loop.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=20)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for i in range(10):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), i * 20, np.uint8), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    rec = recording(path.as_uri(), tmp_path / "ring")
    moment = wall_us() + SECOND
    wait_for(lambda: has(rec, moment), "twice the length of the file")
    view = look(rec, moment)
    assert 45_000 <= view.interval_us <= 55_000
    assert isinstance(picture_at(view, moment), Picture)
    with pytest.raises(SourceError, match="no file"):
        source_for(SourceSpec(Address("file:///nowhere/x.mp4"))).connect()


def mjpeg_server(frames: list[bytes], fps: float, stop: threading.Event) -> socket.socket:
    """A camera that serves multipart JPEG over HTTP, as thousands of old models do."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while not stop.is_set():
            try:
                peer, _ = server.accept()
            except OSError:
                return
            with peer:
                peer.recv(4096)
                peer.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=B\r\n\r\n")
                for frame in frames:
                    head = b"--B\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(frame)
                    peer.sendall(head + frame + b"\r\n")
                    if stop.wait(1 / fps):
                        return

    threading.Thread(target=serve, daemon=True).start()
    return server


def test_mjpeg_over_http_gives_the_camera_s_own_jpeg_unchanged(recording: Callable[..., Recorder]) -> None:
    frames = [cv2.imencode(".jpg", np.full((48, 64, 3), i, np.uint8))[1].tobytes() for i in range(0, 250, 2)]
    stop = threading.Event()
    with mjpeg_server(frames, 25, stop) as server:
        rec = recording(f"http://127.0.0.1:{server.getsockname()[1]}/video")
        wait_for(lambda: rec.memory.span, "the first picture")
        moment = wall_us() + SECOND
        wait_for(lambda: has(rec, moment), "the moment")
        picture = picture_at(look(rec, moment), moment)
        stop.set()
    assert isinstance(picture, Picture)
    assert picture.jpeg in frames
    assert picture.time_source is TimeSource.ARRIVAL
