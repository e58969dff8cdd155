"""A controller's own configuration, from one JSON file that the site's enrolment writes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract import Names
from link import Broker


class SettingsError(ValueError):
    """The configuration cannot be used; the message says which field."""


@dataclass(frozen=True, slots=True)
class ReaderPlan:
    """A reader: on which side of the door it is, what it can read, and what a staff member must show there.

    `driver` and `options` say how it is wired: osdp, wiegand, serial-qr, or none (driven by another program).
    """

    id: str
    door: str
    direction: str
    factors: tuple[str, ...] = ("card",)
    driver: str = "none"
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DoorPlan:
    """A door: release time (ms), time after which it is held open too long (s), behaviour without the site.

    `degraded`: list (look the holder up in the last signed list) or closed (refuse). `unlocked`: the door stands open.
    """

    id: str
    open_ms: int = 4000
    held_s: float = 20.0
    degraded: str = "closed"
    unlocked: bool = False
    relay: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that one controller is told.

    `ref_key` makes references, `site_key` is the public half of the key that signs lists (Ed25519, 32 bytes),
    `entries` the access list it is installed with, `inputs` where contacts and exit buttons are wired.
    """

    names: Names
    broker: Broker
    ref_key: bytes
    doors: tuple[DoorPlan, ...]
    readers: tuple[ReaderPlan, ...]
    store: Path
    model: str = "bposite reference controller"
    timezone: str = "UTC"
    clock: str = "ntp"
    answer_s: float = 2.0
    factor_s: float = 10.0
    buffer_max: int = 20_000
    site_key: bytes = b""
    entries: tuple[dict[str, Any], ...] = ()
    inputs: tuple[dict[str, Any], ...] = ()

    def door(self, name: str) -> DoorPlan:
        """A door by its id. Raises KeyError."""
        for one in self.doors:
            if one.id == name:
                return one
        raise KeyError(name)

    @property
    def door_ids(self) -> tuple[str, ...]:
        """The ids of all doors."""
        return tuple(one.id for one in self.doors)


def read(path: Path) -> Settings:
    """Settings from a file. Raises SettingsError; file errors pass through."""
    try:
        body = json.loads(path.read_text("utf-8"))
        return _settings(body, path.parent)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(f"{path}: {type(error).__name__}: {error}") from error


def _settings(body: dict[str, Any], folder: Path) -> Settings:
    doors = tuple(_door(row) for row in body["doors"])
    readers = tuple(_reader(row, door["id"]) for door in body["doors"] for row in door.get("readers", ()))
    known = ("model", "timezone", "clock", "answer_s", "factor_s", "buffer_max")
    return Settings(
        names=Names(str(body["site"]), str(body["device"])),
        broker=Broker(**body["mqtt"]),
        ref_key=bytes.fromhex(body["ref_key"]),
        doors=doors,
        readers=readers,
        store=folder / str(body.get("store", f"{body['device']}.sqlite")),
        site_key=bytes.fromhex(body.get("site_key", "")),
        entries=tuple(body.get("entries", ())),
        inputs=tuple(body.get("inputs", ())),
        **{key: body[key] for key in known if key in body},
    )


def _door(row: dict[str, Any]) -> DoorPlan:
    known = ("id", "open_ms", "held_s", "degraded", "unlocked", "relay")
    return DoorPlan(**{key: row[key] for key in known if key in row})


def _reader(row: dict[str, Any], door: str) -> ReaderPlan:
    factors = tuple(str(row.get("factors", "card")).split("+"))
    return ReaderPlan(
        str(row["id"]), door, str(row["direction"]), factors, str(row.get("driver", "none")), row.get("options", {})
    )
