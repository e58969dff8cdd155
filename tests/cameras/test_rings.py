"""Both rings: what goes in comes out, whole groups of pictures, cut files and full disks included."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from bposite.cameras.capture.disk import DiskRing, scan
from bposite.cameras.capture.memory import MemoryRing
from bposite.cameras.capture.recorder import merged
from bposite.cameras.capture.units import AccessUnit, Codec, Stretch, joined
from bposite.cameras.rules.clock import Unit

CODEC = Codec("h264", 320, 180, b"\0\0\1g")
T0 = 1_795_469_397_000_000
STEP = 100_000
GOP = 10


def unit(i: int, size: int = 50) -> AccessUnit:
    data = i.to_bytes(4, "big") * (size // 4)
    return AccessUnit(Unit(T0 + i * STEP, T0 + i * STEP - 5, i * STEP, i % GOP == 0, len(data)), data)


def numbers(stretches: list[Stretch]) -> list[int]:
    return [int.from_bytes(a.data[:4], "big") for part in stretches for a in part.units]


def filled(folder: Path, count: int, budget: int = 10_000_000, start: int = 0) -> DiskRing:
    ring = DiskRing(folder, budget)
    for i in range(start, start + count, GOP):
        ring.append(T0, CODEC, [unit(k) for k in range(i, i + GOP)])
    return ring


def test_memory_keeps_its_seconds_and_at_most_one_group_more() -> None:
    ring = MemoryRing(3_000_000)
    for i in range(200):
        ring.add(T0, CODEC, unit(i))
        first, last = ring.span or (0, 0)
        assert i < 30 or 3_000_000 <= last - first < 3_000_000 + GOP * STEP
    assert numbers(ring.read(T0, T0 + 200 * STEP)) == list(range(160, 200))
    assert ring.size == 40 * 48
    key = ring.last_key()
    assert key is not None
    assert numbers([key]) == [190]


def test_memory_drops_what_comes_before_the_first_keyframe_of_a_connection() -> None:
    ring = MemoryRing(30_000_000)
    for i in range(5, 15):
        ring.add(1, CODEC, unit(i))
    for i in range(15, 25):
        ring.add(2, CODEC, unit(i))
    assert [(part.session, numbers([part])) for part in ring.read(0, T0 * 2)] == [
        (1, [10, 11, 12, 13, 14]),
        (2, [20, 21, 22, 23, 24]),
    ]
    assert MemoryRing(1).last_key() is None
    assert MemoryRing(1).span is None


def test_disk_gives_back_every_byte_from_the_keyframe_before_the_window(tmp_path: Path) -> None:
    ring = filled(tmp_path, 1500)
    assert len(list(tmp_path.glob("*.ring"))) == 3  # a file a minute
    found = ring.read(T0 + 605 * STEP, T0 + 618 * STEP)
    assert numbers(found) == list(range(600, 620))
    assert [a.unit for part in found for a in part.units] == [unit(i).unit for i in range(600, 620)]
    assert ring.oldest_us == T0


def test_a_restarted_ring_continues_what_an_earlier_process_left(tmp_path: Path) -> None:
    filled(tmp_path, 700).close()
    ring = filled(tmp_path, 100, start=700)
    assert numbers(ring.read(T0 + 690 * STEP, T0 + 709 * STEP)) == list(range(690, 710))
    assert ring.size == sum(path.stat().st_size for path in tmp_path.glob("*.ring"))


@pytest.mark.parametrize("cut", [1, 20, 40, 200, 700])
def test_a_file_cut_anywhere_reads_up_to_its_last_whole_record(tmp_path: Path, cut: int) -> None:
    filled(tmp_path, 50).close()
    (path,) = tmp_path.glob("*.ring")
    os.truncate(path, path.stat().st_size - cut)
    found = numbers(DiskRing(tmp_path, 10_000_000).read(T0, T0 + 50 * STEP))
    assert found == list(range(len(found)))
    assert 30 <= len(found) <= 40


def test_a_flipped_byte_costs_its_record_and_no_other(tmp_path: Path) -> None:
    filled(tmp_path, 50).close()
    (path,) = tmp_path.glob("*.ring")
    record = list(scan(path))[2]
    with path.open("r+b") as file:
        file.seek(record.offset + record.meta_size + 7)
        file.write(b"\xff")
    found = numbers(DiskRing(tmp_path, 10_000_000).read(T0, T0 + 50 * STEP))
    assert found == [*range(20), *range(30, 50)]


def test_the_budget_holds_and_the_oldest_goes_first(tmp_path: Path) -> None:
    ring = filled(tmp_path, 6000, budget=150_000)
    assert ring.size <= 150_000
    assert sum(path.stat().st_size for path in tmp_path.glob("*.ring")) == ring.size
    assert ring.oldest_us is not None
    assert ring.oldest_us > T0
    assert numbers(ring.read(T0 + 5990 * STEP, T0 + 6000 * STEP)) == list(range(5990, 6000))


def test_a_full_disk_costs_the_oldest_file_and_recording_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = filled(tmp_path, 1300)
    before = ring.size
    real, failures = os.writev, [1]

    def full_once(handle: int, pieces: list[bytes]) -> int:
        if failures and failures.pop():
            os.write(handle, b"half a rec")
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(handle, pieces)

    monkeypatch.setattr(os, "writev", full_once)
    ring.append(T0, CODEC, [unit(k) for k in range(1300, 1310)])
    assert ring.size < before
    assert ring.oldest_us == T0 + 600 * STEP
    assert numbers(ring.read(T0 + 1290 * STEP, T0 + 1310 * STEP)) == list(range(1290, 1310))


def test_a_disk_that_stays_full_says_so_and_leaves_no_torn_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = filled(tmp_path, 100)

    def short(handle: int, pieces: list[bytes]) -> int:
        return os.write(handle, pieces[0][:5])

    monkeypatch.setattr(os, "writev", short)
    monkeypatch.setattr(os, "write", lambda *_: 0)
    with pytest.raises(OSError, match="full"):
        ring.append(T0, CODEC, [unit(k) for k in range(100, 110)])
    monkeypatch.undo()
    ring.append(T0, CODEC, [unit(k) for k in range(110, 120)])
    assert numbers(ring.read(T0, T0 + 200 * STEP)) == [*range(100), *range(110, 120)]


def test_a_file_deleted_while_it_is_read_is_simply_gone(tmp_path: Path) -> None:
    ring = filled(tmp_path, 700)
    sorted(tmp_path.glob("*.ring"))[0].unlink()
    assert numbers(ring.read(T0 + 590 * STEP, T0 + 609 * STEP)) == list(range(600, 610))


def test_disk_and_memory_join_without_a_double_or_a_lost_unit() -> None:
    disk = [Stretch(1, CODEC, tuple(unit(i) for i in range(20)))]
    memory = [
        Stretch(1, CODEC, tuple(unit(i) for i in range(10, 30))),
        Stretch(2, CODEC, tuple(unit(i) for i in range(40, 45))),
    ]
    assert [numbers([part]) for part in merged(disk, memory)] == [list(range(30)), list(range(40, 45))]
    assert joined([Stretch(1, CODEC, ())]) == []
