"""Who was in a zone during a window of time, from passages through doors."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby


@dataclass(frozen=True, slots=True)
class Passage:
    """Somebody entered `zone` at `at`; `who` is any key of theirs, such as a visit."""

    who: str
    at: datetime
    zone: str


@dataclass(frozen=True, slots=True)
class Stay:
    """Somebody was in a zone from `since` until the next passage; `until` None: no later passage is known."""

    who: str
    since: datetime
    until: datetime | None


def stays(passages: Iterable[Passage], zone: str, start: datetime, end: datetime) -> list[Stay]:
    """Stays in `zone` that touch [start, end), by their beginning.

    Several passages into the same zone in a row (a grant and the passage itself) are one stay.
    """
    ordered = sorted(passages, key=lambda one: (one.who, one.at))
    found = [stay for _, mine in groupby(ordered, key=lambda one: one.who) for stay in _stays_of(list(mine), zone)]
    touching = [stay for stay in found if stay.since < end and (stay.until is None or stay.until > start)]
    return sorted(touching, key=lambda stay: (stay.since, stay.who))


def _stays_of(mine: list[Passage], zone: str) -> list[Stay]:
    found: list[Stay] = []
    since: datetime | None = None
    for passage in mine:
        if passage.zone == zone:
            since = since or passage.at
        elif since is not None:
            found.append(Stay(passage.who, since, passage.at))
            since = None
    if since is not None:
        found.append(Stay(mine[-1].who, since, None))
    return found
