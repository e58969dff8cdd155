"""One entry with everything that belongs to it: pictures, trace, raw message, proof, neighbours."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from bposite.cameras.queries import FrameInfo, covered_doors, frames_for
from bposite.doors.proof import differing_columns
from bposite.doors.queries import EntryFilter, EntryRow, entry, search_entries
from bposite.entries.queries.lines import Line, Names, lines
from bposite.entries.rules.words import remedy
from bposite.journal.queries import Fact, fact
from bposite.journal.receipt import Check, Receipt, checks, receipt

NEIGHBOURS = 3


@dataclass(frozen=True, slots=True)
class Step:
    """One rule of the decision: which row it looked at, and whether it passed, refused or only raised a concern."""

    rule: str
    row: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Full:
    """An entry in full. ``raw``: the message as it was stored, None when it was erased or there was none."""

    line: Line
    trace: tuple[Step, ...]
    raw: str | None
    pretty: str | None
    frames: Sequence[FrameInfo]
    covered: bool
    proof: Receipt | None
    checks: tuple[Check, ...]

    @property
    def remedy(self) -> str:
        """What to do about a refusal, or who can help."""
        return remedy(self.line.row.reason)

    @property
    def proven(self) -> bool:
        """Whether every check that could be made was passed, and the log has covered the entry."""
        return all(check.ok for check in self.checks)

    @property
    def broken(self) -> bool:
        """Whether a check failed: the record was changed."""
        return any(check.ok is False for check in self.checks)


def full(session: Session, position: int, known: Names, *, pictures: bool) -> Full | None:
    """Everything about the entry at ``position``; None when there is none."""
    row = entry(session, position)
    if row is None:
        return None
    told = fact(session, position)
    data = told.data if told is not None and isinstance(told.data, dict) else {}
    proof = receipt(session, position)
    raw = data.get("raw")
    return Full(
        line=lines(session, [row], known, pictures=pictures)[0],
        trace=tuple(Step(*map(str, step)) for step in data.get("trace", ())),
        raw=raw,
        pretty=pretty(raw),
        frames=frames_for(session, [position]).get(position, ()) if pictures else (),
        covered=row.door is None or covered_doors(session, [row.door])[row.door],
        proof=proof,
        checks=(*(checks(proof) if proof else ()), agrees(session, position, told), *message_check(row, raw)),
    )


def pretty(raw: str | None) -> str | None:
    """The message laid out for reading, when it is JSON; else as it is."""
    if raw is None:
        return None
    try:
        return msgspec.json.format(raw.encode(), indent=2).decode()
    except (msgspec.DecodeError, UnicodeError):
        return raw


def agrees(session: Session, position: int, told: Fact | None) -> Check:
    """Whether the row of the log says what its fact says: a changed row shows here."""
    what = "The row of the log agrees with its fact"
    if told is None or not isinstance(told.data, dict):
        return Check(what, None, "There is no content to compare with.")
    try:
        wrong = differing_columns(session, position, told.data)
    except msgspec.ValidationError:
        return Check(what, False, "The fact is not one of an entry.")
    return Check(what, not wrong, f"They differ in: {', '.join(wrong)}." if wrong else "Every column was compared.")


def message_check(row: EntryRow, raw: Any) -> tuple[Check, ...]:
    """Whether the stored message is the one whose hash the row holds; nothing when it was cleaned before storing."""
    if not isinstance(raw, str):
        return ()
    if hashlib.sha256(raw.encode()).hexdigest() != row.digest:
        # secrets of some vendors are blotted out before a message is stored: the hash is of what arrived
        return ()
    return (Check("The message is the one that arrived", True, "Its SHA-256 is the one in the row."),)


@dataclass(frozen=True, slots=True)
class Around:
    """What happened at the same door just before and just after, oldest first."""

    before: list[Line]
    after: list[Line]


def around(session: Session, row: EntryRow, known: Names) -> Around:
    """The neighbours of an entry at its door."""
    if row.door is None:
        return Around([], [])
    here = EntryFilter(doors=(row.door,))
    before = search_entries(session, here, before=row.cursor, limit=NEIGHBOURS)[::-1]
    after = search_entries(session, here, after=row.cursor, limit=NEIGHBOURS)[::-1]
    return Around(
        lines(session, before, known, pictures=False), lines(session, after, known, pictures=False)
    )  # fmt: skip
