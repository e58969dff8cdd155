"""Links, pictures and clips made without a camera, for tests of screens, API and privacy."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from stamp import write_number

from bposite.cameras.actions.links import PictureMade, Settled, Target, add_targets, record_pictures, record_settled
from bposite.cameras.capture.clip import write_clip
from bposite.cameras.capture.decode import Pixels, jpeg
from bposite.cameras.capture.mask import masked
from bposite.cameras.capture.units import AccessUnit, Codec
from bposite.cameras.places import evidence_store, still_path
from bposite.cameras.queries import FrameInfo, frames_for
from bposite.cameras.rules.clock import TimeSource, Unit
from bposite.cameras.rules.frames import LinkState, NoVideo, Outcome
from bposite.doors.tables import Entry
from bposite.journal.work import Actor, unit_of_work
from bposite.plumbing.clock import from_micros
from bposite.plumbing.db import reading

ACTOR = Actor.system("test")
WIDTH, HEIGHT, FPS, FRAMES = 320, 180, 10, 40


def numbered(number: int) -> Pixels:
    """A picture with a number burnt in."""
    pixels = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    cv2.circle(pixels, (20 + 7 * (number % 40), 80), 14, (40, 160, 220), -1)
    write_number(pixels, number)
    return pixels


def coded(count: int = FRAMES, start_us: int = 0) -> tuple[Codec, list[AccessUnit], list[int]]:
    """An H.264 stream of numbered pictures with a keyframe each second."""
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    context.time_base, context.gop_size, context.max_b_frames = Fraction(1, FPS), FPS, 0
    context.options = {"preset": "ultrafast", "tune": "zerolatency", "x264-params": "scenecut=0"}
    units = []
    for number in range(count):
        frame = av.VideoFrame.from_ndarray(numbered(number), format="bgr24")
        frame.pts = number
        for packet in context.encode(frame):
            data = bytes(packet)
            units.append(AccessUnit(Unit(start_us + number, None, None, packet.is_keyframe, len(data)), data))
    return Codec("h264", WIDTH, HEIGHT, b""), units, [start_us + i * 1_000_000 // FPS for i in range(count)]


def new_entry(at_us: int, door: str = "door-1") -> int:
    """An entry of the log; returns its position."""
    with unit_of_work(ACTOR) as work:
        position = work.record_many([("doors:entry:granted", f"e{at_us}", {})]).start
        work.session.add(
            Entry(
                position=position, time_used=from_micros(at_us), received_at=work.now, time_source="device", late=False,
                device="ctl", key=f"k{position}", cls="access", decision="granted", reason="granted", notable=False,
                door=door, decided_by="site", digest=b"0" * 32, adapter="native",
            )
        )  # fmt: skip
    return position


def link(position: int, at_us: int, camera: str = "cam-1", masks: list[list[list[float]]] | None = None) -> FrameInfo:
    """A whole link for an entry: picture number 20 of a clip of 40."""
    store = evidence_store()
    picture = numbered(20)
    with unit_of_work(ACTOR) as work:
        ((_, link_id, _, _),) = add_targets(work, [Target(position, camera, "door-1", 0, from_micros(at_us))])
    view = store.put(jpeg(masked(picture, masks)), ".jpg") if masks else None
    made = PictureMade(
        link_id, at_us + 10_000, TimeSource.CAMERA, 51_000, False, False, store.put(jpeg(picture), ".jpg"), view
    )
    codec, units, moments = coded(start_us=at_us + 10_000 - 2_000_000)
    clip = store.put_file(lambda path: write_clip(path, codec, units, moments), ".mp4")
    whole = Settled(link_id, Outcome(LinkState.LINKED, None, 0), clip, "h264", moments[0], moments[-1])
    with unit_of_work(ACTOR) as work:
        record_pictures(work, [made])
        record_settled(work, [whole])
    return the_link(position, link_id)


def missing_link(position: int, at_us: int, camera: str = "cam-1") -> FrameInfo:
    """A link that found no video."""
    with unit_of_work(ACTOR) as work:
        ((_, link_id, _, _),) = add_targets(work, [Target(position, camera, "door-1", 0, from_micros(at_us))])
        record_settled(work, [Settled(link_id, Outcome(LinkState.NO_VIDEO, NoVideo.HOLE, 2400))])
    return the_link(position, link_id)


def the_link(position: int, link_id: str) -> FrameInfo:
    """The link as the screens read it."""
    with reading() as session:
        return next(one for one in frames_for(session, [position])[position] if one.id == link_id)


def put_still(camera: str = "cam-1", number: int = 3) -> Path:
    """A still on the wall."""
    path = still_path(camera)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(jpeg(numbered(number)))
    return path
