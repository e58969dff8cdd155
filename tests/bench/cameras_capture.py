"""What recording costs and how right the pictures are, against the usual loops, in one run on this machine.

    python -m tests.bench.cameras_capture [--cameras 32] [--seconds 20] [--few 2]

Every figure is measured here and now, the usual loops too, so only the ratios mean something on another machine.
The cameras are real RTSP streams of 1080p at 15 frames a second from `hardware/simulator`; their own cost is not ours.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import cv2
import numpy as np

REPO = Path(__file__).resolve().parents[2]
SIMULATOR = REPO / "hardware" / "simulator"
FOOTAGE = REPO.parent / "shared" / "cctv" / "vtest.avi"
SECOND = 1_000_000
AIMS = {
    "CPU of read() + JPEG ring / ours, few cameras": ">= 30",
    "CPU of read() + JPEG ring / ours, many cameras": ">= 60",
    "CPU of grab() / ours": ">= 12",
    "many cameras, percent of a core": "<= 12",
    "memory / (bitrate x 30 s)": "<= 1.5",
    "picture time error, ms, worst": "<= half a frame + 1 (34.3)",
    "event to durable JPEG, ms, p95": "<= 250",
    "frames lost by others through a dead camera": "0",
    "health of one keyframe, ms": "<= 3",
}


@contextmanager
def cameras(count: int, *more: str) -> Iterator[list[dict[str, Any]]]:
    """`count` prerendered 1080p15 cameras in a process of their own; yields their cards."""
    footage = ["--footage", str(FOOTAGE)] if FOOTAGE.exists() else []
    command = [
        sys.executable, str(SIMULATOR / "camera.py"), "--with-parent", "--cameras", str(count), "--kind", "clip",
        "--size", "1920x1080", "--fps", "15", "--gop", "30", "--clip-seconds", "30", "--stagger", *footage, *more,
    ]  # fmt: skip
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["cameras"]
    finally:
        process.kill()
        process.wait()


def cpu_seconds() -> float:
    """Processor time of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def in_child(work: Callable[..., dict[str, float]], *arguments: Any) -> dict[str, float]:
    """Run `work` in a fresh process, so that its processor time and memory are its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_report, args=(theirs, work, arguments))
    process.start()
    theirs.close()
    try:
        return dict(ours.recv())
    finally:
        process.join()


def _report(pipe: Connection, work: Callable[..., dict[str, float]], arguments: tuple[Any, ...]) -> None:
    pipe.send(work(*arguments))
    pipe.close()
    os._exit(0)  # threads of libraries do not keep the figure waiting


# --- the usual loops -------------------------------------------------------------------------------------------------


def opencv_loop(urls: list[str], seconds: float, keep_jpegs: bool) -> dict[str, float]:
    """One thread a camera: read() and a ring of JPEGs, or a bare grab()."""
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "rtsp_transport;tcp"
    frames, go = [0] * len(urls), threading.Event()
    captures = [cv2.VideoCapture(url, cv2.CAP_FFMPEG) for url in urls]

    def loop(number: int) -> None:
        ring: list[Any] = []
        while not go.is_set():
            if keep_jpegs:
                done, image = captures[number].read()
                if done:
                    ring.append(cv2.imencode(".jpg", image)[1])
                    del ring[:-450]
            else:
                done = captures[number].grab()
            frames[number] += done

    threads = [threading.Thread(target=loop, args=(number,), daemon=True) for number in range(len(urls))]
    for thread in threads:
        thread.start()
    time.sleep(3)
    before, counted, began = cpu_seconds(), sum(frames), time.monotonic()
    time.sleep(seconds)
    used, spent = cpu_seconds() - before, time.monotonic() - began
    go.set()
    return {
        "cpu": used / spent,
        "per_frame": used / max(1, sum(frames) - counted),
        "fps": (sum(frames) - counted) / spent,
    }


# --- ours ------------------------------------------------------------------------------------------------------------


def our_process(cards: list[dict[str, Any]], seconds: float, settle: float) -> dict[str, float]:
    """The recorders with disk ring, health and stills, as the cameras process runs them, without a database."""
    from bposite.cameras.capture.disk import DiskRing
    from bposite.cameras.capture.memory import MemoryRing
    from bposite.cameras.capture.recorder import Recorder
    from bposite.cameras.capture.source import SourceSpec, source_for, wall_us
    from bposite.cameras.rules.address import parse
    from bposite.cameras.worker.keeper import Keeper

    folder = Path(tempfile.mkdtemp(prefix="bposite-bench-"))
    base_rss = rss_mb()
    recorders = [
        Recorder(
            f"cam{number}",
            source_for(SourceSpec(parse(card["url"]))),
            MemoryRing(30 * SECOND),
            DiskRing(folder / f"cam{number}", 200_000_000),
        )
        for number, card in enumerate(cards)
    ]
    keeper = Keeper(_Fleet(recorders), None, still=lambda name: folder / f"{name}.jpg")  # type: ignore[arg-type]
    for recorder in recorders:
        recorder.start()
    stop = threading.Event()
    threading.Thread(
        target=lambda: [keeper.look(wall_us()) for _ in iter(lambda: stop.wait(1), True)], daemon=True
    ).start()
    time.sleep(settle)
    counted, before, began = _arrived(recorders), cpu_seconds(), time.monotonic()
    time.sleep(seconds)
    used, spent = cpu_seconds() - before, time.monotonic() - began
    frames = _arrived(recorders) - counted
    held = sum(recorder.memory.size for recorder in recorders)
    result = {
        "cpu": used / spent,
        "per_frame": used / max(1, frames),
        "fps": frames / spent,
        "rss_mb": rss_mb() - base_rss,
        "ring_mb": held / 1e6,
    }
    stop.set()
    for recorder in recorders:
        recorder.ask_to_stop()
    return result


class _Fleet:
    """What the keeper asks of a fleet."""

    def __init__(self, recorders: list[Any]) -> None:
        self._manned = [_Manned(recorder) for recorder in recorders]

    def all(self) -> list[Any]:
        return list(self._manned)


class _Manned:
    def __init__(self, recorder: Any) -> None:
        self.recorder = recorder
        self.row = type("Row", (), {"id": recorder.camera, "masks": [], "expected_rate": 15.0})()


def _arrived(recorders: list[Any]) -> int:
    return sum(recorder.tally.units for recorder in recorders)


def rss_mb() -> float:
    """Resident memory of this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def pictures(cards: list[dict[str, Any]], events: int) -> dict[str, float]:
    """Random past moments to durable JPEGs: time it takes, and the error on the number burnt into the pixels."""
    sys.path.append(str(SIMULATOR))
    from stamp import read_frame_number

    from bposite.cameras.capture.memory import MemoryRing
    from bposite.cameras.capture.moment import MARGIN_US, Picture, picture_at, view_of
    from bposite.cameras.capture.recorder import Recorder
    from bposite.cameras.capture.source import SourceSpec, source_for, wall_us
    from bposite.cameras.capture.store import EvidenceStore
    from bposite.cameras.rules.address import parse
    from bposite.cameras.rules.clock import ClockPolicy

    card = cards[0]
    recorder = Recorder("cam", source_for(SourceSpec(parse(card["url"]))), MemoryRing(30 * SECOND), None)
    recorder.start()
    store = EvidenceStore(Path(tempfile.mkdtemp(prefix="bposite-bench-")))
    time.sleep(12)
    rng, times, errors, wrong = np.random.default_rng(7), [], [], 0
    for _ in range(events):
        moment = wall_us() - int(rng.integers(500_000, 9_000_000))
        began = time.perf_counter()
        found = picture_at(view_of(recorder.window(moment - MARGIN_US, moment + MARGIN_US), ClockPolicy()), moment)
        if not isinstance(found, Picture):
            wrong += 1
            continue
        store.put(found.jpeg, ".jpg")
        times.append((time.perf_counter() - began) * 1000)
        number = read_frame_number(cv2.imdecode(np.frombuffer(found.jpeg, np.uint8), 1))
        errors.append(_error_ms(card, number, moment))
        wrong += errors[-1] > found.error_us / 1000
        time.sleep(0.05)
    recorder.ask_to_stop()
    times.sort()
    return {
        "p50": statistics.median(times),
        "p95": times[int(len(times) * 0.95)],
        "error": max(errors),
        "wrong": float(wrong),
    }


def _error_ms(card: dict[str, Any], number: int | None, moment: int) -> float:
    """Distance of the picture with this number from a moment; a prerendered clip starts again at its end."""
    if number is None:
        return float("inf")
    exact = (moment / SECOND - card["t0"]) * card["fps"]
    loop = card["loop"] or 1 << 40
    lag = (number - exact) % loop
    return float(min(lag, loop - lag) / card["fps"] * 1000)


def dead_camera(cards: list[dict[str, Any]], seconds: float) -> dict[str, float]:
    """Frames that living cameras lose while others accept connections and never answer."""
    import socket

    from bposite.cameras.capture.memory import MemoryRing
    from bposite.cameras.capture.recorder import Recorder
    from bposite.cameras.capture.source import SourceSpec, source_for
    from bposite.cameras.rules.address import parse

    dead = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    urls = [f"rtsp://127.0.0.1:{one.getsockname()[1]}/x" for one in dead] + [card["url"] for card in cards]
    recorders = [Recorder(url, source_for(SourceSpec(parse(url))), MemoryRing(30 * SECOND), None) for url in urls]
    for recorder in recorders:
        recorder.start()
    time.sleep(seconds)
    lost = 0
    for recorder in recorders[3:]:
        units = [access.unit for part in recorder.memory.read(0, 2**62) for access in part.units]
        media = [unit.media_us for unit in units if unit.media_us is not None]
        lost += round((media[-1] - media[0]) / SECOND * 15) + 1 - len(media) if media else int(seconds * 15)
    return {"lost": float(lost)}


def health_ms() -> dict[str, float]:
    """One decoded 1080p keyframe to its numbers, without decoding."""
    import av

    from bposite.cameras.capture.measure import grey_of, measure, reference_of

    pixels = np.random.default_rng(1).integers(0, 255, (1080, 1920, 3), np.uint8)
    frame = av.VideoFrame.from_ndarray(cv2.GaussianBlur(pixels, (31, 31), 0), format="bgr24").reformat(format="yuv420p")
    references = [reference_of(grey_of(frame))]
    began = time.perf_counter()
    for _ in range(40):
        measure(grey_of(frame), references)
    return {"ms": (time.perf_counter() - began) / 40 * 1000}


def figures(many: int, few: int, seconds: float) -> dict[str, float]:
    """All figures by the names of `AIMS`."""
    with cameras(few) as cards:
        urls = [card["url"] for card in cards]
        usual = in_child(opencv_loop, urls, seconds, True)
        grab = in_child(opencv_loop, urls, seconds, False)
        ours = in_child(our_process, cards, seconds, 6.0)
        shown = in_child(pictures, cards, 120)
        dead = in_child(dead_camera, cards, 12.0)
    with cameras(many) as cards:
        all_of_them = in_child(our_process, cards, seconds, 34.0)
    for name, one in (("read+JPEG", usual), ("grab", grab), ("ours, few", ours), ("ours, many", all_of_them)):
        print(f"  {name}: {json.dumps({key: round(value, 4) for key, value in one.items()})}", file=sys.stderr)
    print(f"  pictures: {json.dumps({key: round(value, 2) for key, value in shown.items()})}", file=sys.stderr)
    return {
        "CPU of read() + JPEG ring / ours, few cameras": usual["per_frame"] / ours["per_frame"],
        "CPU of read() + JPEG ring / ours, many cameras": usual["per_frame"] / all_of_them["per_frame"],
        "CPU of grab() / ours": grab["per_frame"] / ours["per_frame"],
        "many cameras, percent of a core": all_of_them["cpu"] * 100,
        "memory / (bitrate x 30 s)": all_of_them["rss_mb"] / all_of_them["ring_mb"],
        "picture time error, ms, worst": shown["error"],
        "event to durable JPEG, ms, p95": shown["p95"],
        "frames lost by others through a dead camera": dead["lost"],
        "health of one keyframe, ms": in_child(health_ms)["ms"],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, default=32)
    parser.add_argument("--few", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    found = figures(options.cameras, options.few, options.seconds)
    for name, value in found.items():
        print(f"{name:<50} {value:>10.2f}   aim {AIMS[name]}")


if __name__ == "__main__":
    main()
