"""Whether a guest is somebody on the watchlist: the same words in any form, nearly the same name, or the same contact.

A match is a reason to look, never a verdict: it raises a hold that a person releases or not.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from bposite.visits.rules.names import MATCH_FROM, folded, likeness

SHORTEST_NUMBER = 7  # digits; fewer say nothing about a person


class Guest(Struct, frozen=True, kw_only=True):
    """What is known of a guest when he is looked up."""

    name: str
    company: str = ""
    email: str = ""
    phone: str = ""


class Watched(Struct, frozen=True, kw_only=True):
    """One entry: whatever of name, company and contact is known. In force until before `expires_at`."""

    id: str
    name: str = ""
    company: str = ""
    contact: str = ""
    expires_at: datetime


class Match(Struct, frozen=True, kw_only=True):
    """An entry that a guest may be: how well (0 to 100), and in what."""

    entry: str
    score: int
    matched: str


def matches(guest: Guest, entries: Iterable[Watched], now: datetime) -> tuple[Match, ...]:
    """All entries in force at `now` that the guest may be, the best first."""
    found = (_match(guest, entry) for entry in entries if now < entry.expires_at)
    return tuple(sorted((match for match in found if match), key=lambda match: (-match.score, match.entry)))


def _match(guest: Guest, entry: Watched) -> Match | None:
    """A contact decides alone. A company alone only when the entry names nobody: colleagues are not suspects."""
    if entry.contact and _same_contact(guest, entry.contact):
        return Match(entry=entry.id, score=100, matched="contact")
    same_company = bool(entry.company) and folded(entry.company) == folded(guest.company)
    if not entry.name:
        return Match(entry=entry.id, score=100, matched="company") if same_company else None
    alike = likeness(guest.name, entry.name)
    if alike < MATCH_FROM:
        return None
    return Match(entry=entry.id, score=round(alike * 100), matched="name and company" if same_company else "name")


def _same_contact(guest: Guest, contact: str) -> bool:
    if "@" in contact:
        return contact.strip().casefold() == guest.email.strip().casefold()
    wanted, given = digits(contact), digits(guest.phone)
    # A number may be written with or without its country code: the shorter one ends the longer one.
    shorter, longer = sorted((wanted, given), key=len)
    return len(shorter) >= SHORTEST_NUMBER and longer.endswith(shorter)


def digits(text: str) -> str:
    """The ASCII digits of a telephone number, without leading zeros (a trunk prefix is no part of the number)."""
    return "".join(char for char in text if char in "0123456789").lstrip("0")
