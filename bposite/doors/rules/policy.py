"""The access policy, compiled: frozen values that a decision reads and nothing changes.

Rights belong to people, not to credentials. An access level is (people or groups) x (door sides or zones) x schedule; a
deny level beats every grant. The policy is built once from the site's rows and swapped whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from bposite.doors.events import Direction
from bposite.doors.rules.calendar import Schedule

ZoneKind = Literal["outside", "lobby", "operations", "clean_room", "server_room", "restricted"]
ZONE_KINDS: tuple[ZoneKind, ...] = ("outside", "lobby", "operations", "clean_room", "server_room", "restricted")
AntiPassback = Literal["none", "soft", "hard", "timed"]
CredentialStatus = Literal[
    "active", "not_yet", "disabled", "lost", "stolen", "damaged", "destroyed", "expired", "unassigned"
]
Effect = Literal["grant", "deny"]
Side = tuple[str, Direction]
"""(door, direction): one way through one door."""


class Zone(msgspec.Struct, frozen=True, eq=False):
    """An area. ``capacity`` 0 = no limit; once full it opens again at ``reopen_at`` people (hysteresis).

    ``two_person``: at least two inside or none. ``supervisors``: people of whom one must be inside first.
    ``escort``: visitors (and staff marked so) need an escort. ``client``: whose data is handled there.
    """

    id: str
    name: str
    kind: ZoneKind
    client: str = ""
    capacity: int = 0
    reopen_at: int = 0
    no_device: bool = False
    escort: bool = False
    two_person: bool = False
    supervisors: frozenset[str] = frozenset()


class FactorRow(msgspec.Struct, frozen=True, eq=False):
    """``factors`` that must be shown while ``schedule`` runs (None: always)."""

    factors: frozenset[str]
    schedule: Schedule | None = None


class Door(msgspec.Struct, frozen=True, eq=False):
    """One opening between two zones; ``in`` leads from ``from_zone`` to ``to_zone``.

    ``factors``: direction -> rows, the first that runs counts. ``interlock``: doors of one group, of which one at a
    time may be open. ``senses_passage``: the device reports *taken*; without it a grant counts as a passage.
    ``passback_minutes``: how long a *timed* anti-passback remembers. ``resists``: lockdown ranks below this do not
    lock the door.
    """

    id: str
    name: str
    device: str
    from_zone: str
    to_zone: str
    open_ms: int = 4000
    held_s: int = 30
    anti_passback: AntiPassback = "none"
    passback_minutes: int = 5
    unlocked: Schedule | None = None
    factors: Mapping[str, tuple[FactorRow, ...]] = {}
    interlock: str = ""
    senses_passage: bool = True
    out_of_service: bool = False
    max_failures: int = 5
    lockout_s: int = 60

    def into(self, direction: str | None) -> str:
        """The zone that a passage in ``direction`` leads to."""
        return self.from_zone if direction == "out" else self.to_zone

    def out_of(self, direction: str | None) -> str:
        """The zone that a passage in ``direction`` leaves."""
        return self.to_zone if direction == "out" else self.from_zone


class Credential(msgspec.Struct, frozen=True, eq=False):
    """What a person shows. ``[valid_from, valid_until)``; ``idle_days`` 0 = never stale; ``max_uses`` 0 = no limit."""

    type: str
    ref: str
    person: str | None
    status: CredentialStatus = "active"
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    idle_days: int = 0
    max_uses: int = 0


class Holder(msgspec.Struct, frozen=True, eq=False):
    """A person of the people feature as doors see them. ``rank``: lockdown levels up to it do not stop them."""

    id: str
    name: str
    active: bool = True
    client: str = ""
    groups: frozenset[str] = frozenset()
    rank: int = 0
    needs_escort: bool = False
    may_escort: bool = False


class Level(msgspec.Struct, frozen=True, eq=False):
    """An access level. ``sides`` None = every side into ``zones``. ``[since, until)`` is a temporary right."""

    id: str
    name: str
    effect: Effect
    schedule: Schedule | None
    members: frozenset[str]
    groups: frozenset[str] = frozenset()
    sides: frozenset[Side] = frozenset()
    zones: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None

    def covers(self, holder: Holder) -> bool:
        """Whether the level was given to ``holder``."""
        return holder.id in self.members or not self.groups.isdisjoint(holder.groups)

    def runs(self, at: datetime) -> bool:
        """Whether ``at`` is inside the time for which the level was given."""
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)


class Policy(msgspec.Struct, frozen=True, eq=False):
    """Everything a decision needs to know that does not change from minute to minute."""

    site: str
    version: str
    zones: Mapping[str, Zone] = {}
    doors: Mapping[str, Door] = {}
    credentials: Mapping[tuple[str, str], Credential] = {}
    holders: Mapping[str, Holder] = {}
    grants: Mapping[Side, tuple[Level, ...]] = {}
    denials: Mapping[Side, tuple[Level, ...]] = {}
    rivals: frozenset[frozenset[str]] = frozenset()
    escort_limit: int = 5
    refs: Mapping[tuple[str, str], tuple[str, Direction | None]] = {}
    swipe_window: timedelta = timedelta(seconds=15)

    def place(self, device: str, ref: str | None) -> tuple[Door | None, Direction | None]:
        """The door (and side) that ``device`` means by ``ref``: its own doors only, no device speaks for another."""
        door, direction = self.refs.get((device, ref or ""), ("", None))
        return self.doors.get(door), direction


def compile_policy(
    *,
    site: str,
    version: str,
    zones: Iterable[Zone],
    doors: Iterable[Door],
    credentials: Iterable[Credential],
    holders: Iterable[Holder],
    levels: Iterable[Level],
    rivals: Iterable[frozenset[str]] = (),
    aliases: Mapping[tuple[str, str], tuple[str, Direction | None]] | None = None,
) -> Policy:
    """Index the rows so that one decision looks at the few levels of its own door side only."""
    all_doors = {door.id: door for door in doors}
    all_levels = tuple(levels)
    return Policy(
        site=site,
        version=version,
        zones={zone.id: zone for zone in zones},
        doors=all_doors,
        credentials={(row.type, row.ref): row for row in credentials},
        holders={holder.id: holder for holder in holders},
        grants=_by_side(all_doors.values(), all_levels, "grant"),
        denials=_by_side(all_doors.values(), all_levels, "deny"),
        rivals=frozenset(rivals),
        refs={(door.device, door.id): (door.id, None) for door in all_doors.values()} | dict(aliases or {}),
    )


def _by_side(doors: Iterable[Door], levels: Iterable[Level], effect: Effect) -> dict[Side, tuple[Level, ...]]:
    index: dict[Side, list[Level]] = {}
    doors = tuple(doors)
    for level in levels:
        if level.effect == effect:
            for side in _sides(level, doors):
                index.setdefault(side, []).append(level)
    return {side: tuple(found) for side, found in index.items()}


def _sides(level: Level, doors: Iterable[Door]) -> set[Side]:
    """The sides a level names, and every side that leads into a zone it names."""
    sides = set(level.sides)
    for door in doors:
        sides |= {(door.id, way) for way in _WAYS if door.into(way) in level.zones}
    return sides


_WAYS: tuple[Direction, ...] = ("in", "out")
