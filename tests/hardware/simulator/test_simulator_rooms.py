"""Drawn rooms: somebody is seen at the door at the moment of the badge, and nobody otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from figures import VIEWS, Look, figure, portrait
from pictures import Overlay
from rooms import Room, WalkError
from scenes import SCENES
from stamp import Picture, read_clock

T = 1_795_469_401.25


def _room(scene: str, at: str = "0") -> Room:
    room = Room(scene, {"door": at}, 640, 360)
    room._next_stroll = T + 1e6  # nobody else in the picture
    return room


def _changed(one: Picture, two: Picture) -> int:
    """Pixels that differ clearly."""
    return int((np.abs(one.astype(int) - two).max(axis=2) > 24).sum())


@pytest.mark.parametrize("scene", list(SCENES))
@pytest.mark.parametrize("direction", ["in", "out"])
def test_a_person_stands_at_the_door_when_they_badge(scene: str, direction: str) -> None:
    room, empty = _room(scene), _room(scene)
    room.walk({"door": "door", "direction": direction, "at": T, "seed": "E-1001"})
    assert _changed(room.draw(0, T - 30), empty.draw(0, T - 30)) == 0
    assert _changed(room.draw(1, T), empty.draw(1, T)) > 100
    assert _changed(room.draw(2, T + 30), empty.draw(2, T + 30)) == 0


def test_who_is_refused_does_not_open_the_door() -> None:
    leaf_moves = []
    for passes in (True, False):
        room = _room("ops-a")
        room.walk({"door": "door", "direction": "in", "at": T, "passes": passes, "seed": "E-1"})
        leaf_moves.append(max(_leaf(room, T + step / 4) for step in range(12)))
    assert leaf_moves[0] > 0.9
    assert leaf_moves[1] == 0


def _leaf(room: Room, at: float) -> float:
    from rooms import _openness

    return max((_openness(at - one.opens) for one in room._walkers), default=0.0)


@pytest.mark.parametrize(
    "order",
    [
        {"door": "other", "at": T},
        {"door": "door"},
        {"door": "door", "at": "soon"},
        {"door": "door", "at": T, "direction": "up"},
        {},
    ],
)
def test_a_walk_that_cannot_be_shown_is_refused(order: dict[str, object]) -> None:
    with pytest.raises(WalkError):
        _room("lobby").walk(order)


def test_a_scene_must_exist() -> None:
    with pytest.raises(ValueError, match="no scene"):
        Room("moon", {}, 640, 360)


def test_the_crowd_is_bounded() -> None:
    room = _room("lobby")
    for at in range(200):
        room.walk({"door": "door", "at": T + at})
    assert len(room._walkers) <= 25


def test_the_overlay_tells_the_sites_time() -> None:
    picture = np.full((360, 640, 3), 90, np.uint8)
    Overlay("Lobby", "Asia/Kolkata", 640).write(picture, T)
    assert read_clock(picture) == pytest.approx(T, abs=0.0005)
    assert picture[:24].max() > 200  # there is something to read for people too


def test_the_same_seed_looks_the_same_and_views_differ() -> None:
    look = Look.of("E-1001")
    assert look == Look.of("E-1001")
    sprites = [figure(look, view, 2) for view in VIEWS]
    assert all(sprite[..., 3].max() == 255 for sprite in sprites)
    assert not np.array_equal(sprites[0], sprites[1])
    assert portrait(look).shape == (300, 240, 3)
