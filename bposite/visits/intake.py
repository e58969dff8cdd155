"""What somebody typed about a visit, in a form or in a list: a `NewVisit`, or what is wrong beside each field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from bposite.people.queries import PersonRow, search_persons
from bposite.visits.actions.invite import NewVisit
from bposite.visits.queries import ZoneRow
from bposite.visits.rules import inputs
from bposite.visits.rules.names import folded

MOST_HOSTS = 5000
_NUMBER_AT_END = re.compile(r"\(([^()]{1,40})\)\s*$")


@dataclass(frozen=True)
class Hosts:
    """People who may receive visitors, found by number, e-mail address or full name."""

    rows: tuple[PersonRow, ...]
    _by_key: dict[str, list[PersonRow]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for row in self.rows:
            for key in {folded(row.number), row.email.casefold(), folded(row.name)} - {""}:
                self._by_key.setdefault(key, []).append(row)

    def find(self, text: str) -> PersonRow | str:
        """The host meant by `text` ("Farhan Siddiqui (E-1002)", a number, an address, a name), or what is wrong."""
        number = _NUMBER_AT_END.search(text)
        keys = (folded(number[1]),) if number else (folded(text), text.strip().casefold())
        found = {row.number: row for key in keys for row in self._by_key.get(key, [])}
        if len(found) == 1:
            return next(iter(found.values()))
        if not found:
            return "Nobody here who receives visitors has this name or number. Choose from the list."
        return "Several people have this name. Choose one with the number from the list."


def hosts(session: Session) -> Hosts:
    """Everybody who may receive visitors now."""
    return Hosts(tuple(search_persons(session, "", hosts=True, limit=MOST_HOSTS)))


@dataclass
class Typed:
    """Values as typed, and the messages that gathered beside their fields."""

    values: Mapping[str, str]
    problems: dict[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """The value in normal form; empty when the field is absent."""
        return inputs.tidy(self.values.get(name, ""))

    def wrong(self, name: str, message: str | None) -> None:
        """Keep the first message of a field."""
        if message:
            self.problems.setdefault(name, message)


def read_visit(
    values: Mapping[str, str],
    wanted_zones: Sequence[str],
    book: Hosts,
    zones: Iterable[ZoneRow],
    zone: ZoneInfo,
    *,
    begins: datetime | None = None,
    batch_key: str | None = None,
) -> NewVisit | dict[str, str]:
    """Everything about one visit, or field -> message. `begins`: the guest is here now, only `until` is typed."""
    typed = Typed(values)
    name, company, purpose = typed.text("name"), typed.text("company"), typed.text("purpose")
    email, phone = typed.text("email"), typed.text("phone")
    typed.wrong("name", inputs.name_problem(name) if name else "Type the visitor's name.")
    typed.wrong("company", inputs.name_problem(company) if company else None)
    typed.wrong("purpose", inputs.text_problem(purpose, longest=200))
    typed.wrong("email", inputs.email_problem(email) if email else None)
    typed.wrong("phone", inputs.phone_problem(phone) if phone else None)
    host = _host(typed, book)
    chosen = _zones(typed, wanted_zones, zones)
    window = _window(typed, zone, begins)
    if typed.problems or host is None or window is None:
        return typed.problems
    return NewVisit(
        name=name,
        company=company,
        email=email,
        phone=phone,
        purpose=purpose,
        host=host.number,
        host_name=host.name,
        window_from=window[0],
        window_until=window[1],
        zones=chosen,
        batch_key=batch_key,
    )


def read_window(values: Mapping[str, str], zone: ZoneInfo) -> tuple[datetime, datetime] | dict[str, str]:
    """The window typed as `day`, `start` and `until`, in UTC, or field -> message."""
    typed = Typed(values)
    return _window(typed, zone, None) or typed.problems


def _host(typed: Typed, book: Hosts) -> PersonRow | None:
    text = typed.text("host")
    if not text:
        typed.wrong("host", "Choose the host.")
        return None
    found = book.find(text[:200])
    if isinstance(found, str):
        typed.wrong("host", found)
        return None
    return found


def _zones(typed: Typed, wanted: Sequence[str], zones: Iterable[ZoneRow]) -> tuple[str, ...]:
    """Zones by id or by name."""
    known = {folded(key): zone.id for zone in zones for key in (zone.id, zone.name)}
    found = {text: known.get(folded(text)) for text in wanted}
    if unknown := [text for text, zone_id in found.items() if zone_id is None]:
        typed.wrong("zones", f"There is no zone {unknown[0][:60]!r} here.")
    return tuple(dict.fromkeys(zone_id for zone_id in found.values() if zone_id))


def _window(typed: Typed, zone: ZoneInfo, begins: datetime | None) -> tuple[datetime, datetime] | None:
    until = _clock(typed, "until")
    if begins is not None:
        return None if until is None else _from_now(typed, begins, until, zone)
    day = _day(typed)
    start = _clock(typed, "start")
    if day is None or start is None or until is None:
        return None
    window = inputs.window(day, start, until, zone)
    if isinstance(window, str):
        typed.wrong("start", window)
        return None
    return window


def _from_now(typed: Typed, begins: datetime, until: time, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    wall = begins.astimezone(zone)
    window = inputs.window(wall.date(), wall.time(), until, zone)
    if isinstance(window, str):
        typed.wrong("until", window)
        return None
    return begins, window[1]


def _day(typed: Typed) -> date | None:
    text = typed.text("day")
    day = inputs.day(text)
    if day is None:
        typed.wrong("day", f"{text[:40]!r} is not a date, such as 2026-11-23." if text else "Choose the day.")
    return day


def _clock(typed: Typed, name: str) -> time | None:
    text = typed.text(name)
    found = inputs.clock(text[:5] if len(text) == 8 and text[5] == ":" else text)
    if found is None:
        typed.wrong(name, f"{text[:40]!r} is not a time, such as 14:30." if text else "Choose the time.")
    return found
