"""One row of the roster as a site plan, a CSV file or a form writes it: read strictly, with words for every fault."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from bposite.cleandesk.rules.catalogue import Catalogue

PLACE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII)
SHIFT = re.compile(r"[a-z0-9][a-z0-9-]{0,19}", re.ASCII)
COLUMNS = ("id", "kind", "label", "zone", "zone_type", "row", "team", "client", "shifts", "x", "y")
DEFAULT_SHIFTS = ("day",)
FARTHEST = 10_000.0
_LONGEST = {"label": 80, "row": 20, "team": 80, "client": 80}


class FaultyRowError(ValueError):
    """A row that cannot be taken: `field` is the column, the text says what is wrong with it."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """One place to keep, checked. `shifts`: in which shifts somebody may sit there."""

    id: str
    kind: str
    label: str
    zone: str
    zone_type: str
    row: str
    team: str
    client: str
    shifts: tuple[str, ...]
    x: float | None
    y: float | None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a row may refer to: the site's zones (id -> kind) and the catalogue."""

    zones: Mapping[str, str]
    catalogue: Catalogue


def read_row(raw: Mapping[str, Any], around: Surroundings) -> PlaceRow:
    """A checked row; FaultyRowError names the first column that is wrong. Missing columns take their defaults."""
    if unknown := sorted(set(raw) - set(COLUMNS)):
        raise FaultyRowError(str(unknown[0]), f"there is no column {unknown[0]!r}")
    place = _text(raw, "id")
    if not PLACE_ID.fullmatch(place):
        raise FaultyRowError("id", "an id has letters, digits and . _ - only, at most 40 of them")
    kind = _one_of(raw, "kind", around.catalogue.place_kinds, "desk")
    zone = _one_of(raw, "zone", around.zones, "")
    texts = {name: _text(raw, name) for name in _LONGEST}
    return PlaceRow(
        id=place,
        kind=kind,
        label=texts["label"] or place,
        zone=zone,
        zone_type=_zone_type(raw, kind, around.zones[zone], around.catalogue),
        row=texts["row"],
        team=texts["team"],
        client=texts["client"],
        shifts=_shifts(raw.get("shifts")),
        x=_metres(raw, "x"),
        y=_metres(raw, "y"),
    )


def _text(raw: Mapping[str, Any], field: str) -> str:
    value = raw.get(field)
    text = "" if value is None else str(value).strip()
    if any(not letter.isprintable() for letter in text):
        raise FaultyRowError(field, "it has a character that cannot be printed")
    if len(text) > _LONGEST.get(field, 200):
        raise FaultyRowError(field, f"it is longer than {_LONGEST.get(field, 200)} characters")
    return text


def _one_of(raw: Mapping[str, Any], field: str, known: Collection[str], default: str) -> str:
    value = _text(raw, field) or default
    if value not in known:
        raise FaultyRowError(field, f"{value!r} is none of: {', '.join(known)}" if value else "it is missing")
    return value


def _zone_type(raw: Mapping[str, Any], kind: str, zone_kind: str, catalogue: Catalogue) -> str:
    default = {"printer": "print", "bin": "print", "room": "meeting"}.get(kind, "")
    default = default or catalogue.zone_type_of_kind.get(zone_kind, "back_office")
    return _one_of(raw, "zone_type", catalogue.zone_types, default)


def _shifts(value: object) -> tuple[str, ...]:
    parts = re.split(r"[\s,;]+", value.strip()) if isinstance(value, str) else value
    if not parts or parts == [""]:
        return DEFAULT_SHIFTS
    if not isinstance(parts, list) or not all(isinstance(part, str) and SHIFT.fullmatch(part) for part in parts):
        raise FaultyRowError("shifts", "shifts are short words such as day and night")
    return tuple(dict.fromkeys(parts))


def _metres(raw: Mapping[str, Any], field: str) -> float | None:
    text = _text(raw, field)
    if not text:
        return None
    try:
        value = float(text) if text.isascii() else float("nan")
    except ValueError:
        value = float("nan")
    if not isfinite(value) or not 0 <= value <= FARTHEST:
        raise FaultyRowError(field, f"metres on the plan, 0 to {FARTHEST:.0f}, are expected")
    return value
