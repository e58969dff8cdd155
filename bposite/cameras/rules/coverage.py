"""Which doors and zones a working camera shows, and what can be retrieved of each."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec


class Seeing(Protocol):
    """What coverage needs to know of a camera."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def enabled(self) -> bool: ...
    @property
    def failed(self) -> bool: ...
    @property
    def doors(self) -> Sequence[tuple[str, int]]: ...
    @property
    def zones(self) -> Sequence[str]: ...


class Place(msgspec.Struct, frozen=True):
    """A door or a zone with the cameras that show it; `covered` when at least one of them works."""

    id: str
    name: str
    working: tuple[str, ...]
    failing: tuple[str, ...]

    @property
    def covered(self) -> bool:
        """Whether a working camera shows it."""
        return bool(self.working)


class Coverage(msgspec.Struct, frozen=True):
    """The map of the site: every door and zone, and which doors lead into which zone."""

    doors: tuple[Place, ...]
    zones: tuple[Place, ...]
    map: tuple[tuple[Place, tuple[Place, ...]], ...]

    @property
    def uncovered_doors(self) -> tuple[Place, ...]:
        """Doors that no working camera shows."""
        return tuple(place for place in self.doors if not place.covered)


def coverage_of(doors: Mapping[str, tuple[str, str]], zones: Mapping[str, str], cameras: Sequence[Seeing]) -> Coverage:
    """Coverage of doors (id -> name, zone it leads into) and zones (id -> name) by cameras.

    A camera that is off or failed covers nothing.
    """
    places = {door: _place(door, name, cameras, zone=False) for door, (name, _) in doors.items()}
    areas = {zone: _place(zone, name, cameras, zone=True) for zone, name in zones.items()}
    into = {zone: tuple(places[door] for door, (_, leads) in doors.items() if leads == zone) for zone in zones}
    return Coverage(tuple(places.values()), tuple(areas.values()), tuple((areas[zone], into[zone]) for zone in zones))


def _place(place: str, name: str, cameras: Sequence[Seeing], *, zone: bool) -> Place:
    shown = [camera for camera in cameras if place in (camera.zones if zone else [door for door, _ in camera.doors])]
    works = [camera.id for camera in shown if camera.enabled and not camera.failed]
    return Place(place, name, tuple(works), tuple(camera.id for camera in shown if camera.id not in works))
