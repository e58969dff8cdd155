"""Invitations from a CSV file: read whole, judged row by row, entered once however often the file comes."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bposite.journal.work import Work
from bposite.plumbing.errors import Refusal
from bposite.visits.actions import NewVisit, invite
from bposite.visits.intake import Hosts, read_visit
from bposite.visits.queries import ZoneRow
from bposite.visits.rules.names import folded

COLUMNS = ("name", "company", "email", "phone", "host", "day", "from", "until", "zones", "purpose")
NEEDED = ("name", "host", "day", "from", "until")
LARGEST_FILE = 1024 * 1024
MOST_ROWS = 2000
_LONGEST_CELL = 20_000


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file: its number as a spreadsheet shows it, and its cells by column."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BadCell:
    """What is wrong in which cell, in words."""

    row: int
    column: str
    value: str
    cause: str


@dataclass(frozen=True, slots=True)
class Checked:
    """The rows that can be entered, and the cells that keep the others out."""

    good: tuple[NewVisit, ...]
    bad: tuple[BadCell, ...]


@dataclass(frozen=True, slots=True)
class Imported:
    """How many visits were entered, how many were there already, and what is wrong with the rest."""

    created: int
    known: int
    bad: tuple[BadCell, ...]

    @property
    def bad_rows(self) -> int:
        """Number of rows that were not entered."""
        return len({cell.row for cell in self.bad})


def read_list(data: bytes) -> list[Row]:
    """The rows of a CSV file in UTF-8, separated by comma or semicolon, with a line of column names.

    Refusal (field `file`) when it is no such file; nothing is guessed.
    """
    if not data.strip():
        raise Refusal("csv_empty", "Choose a CSV file with at least one row.", field="file")
    if len(data) > LARGEST_FILE:
        raise Refusal("csv_large", "The file has more than 1 MB.", field="file", remedy="Split it.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal(
            "csv_encoding", "This is not a CSV file in UTF-8.", field="file", remedy="Save it as “CSV UTF-8”."
        ) from error
    if "\0" in text:
        raise Refusal("csv_binary", "This is not a CSV file.", field="file", remedy="Save the sheet as “CSV UTF-8”.")
    return _rows(text)


def _rows(text: str) -> list[Row]:
    first = text.split("\n", 1)[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        lines = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise Refusal("csv_broken", f"Line {reader.line_num} cannot be read: {error}.", field="file") from error
    names = [folded(cell) for cell in lines[0][1]] if lines else []
    _check_header(names)
    if len(lines) - 1 > MOST_ROWS:
        raise Refusal("csv_rows", f"The file has more than {MOST_ROWS} rows.", field="file", remedy="Split it.")
    return [Row(number, dict(zip(names, _padded(cells, len(names)), strict=True))) for number, cells in lines[1:]]


def _padded(cells: list[str], width: int) -> list[str]:
    return [cell[:_LONGEST_CELL] for cell in (cells + [""] * width)[:width]]


def _check_header(names: Sequence[str]) -> None:
    absent = [name for name in NEEDED if name not in names]
    if absent:
        raise Refusal(
            "csv_columns",
            f"The first line has no column {absent[0]!r}.",
            field="file",
            remedy=f"It needs: {', '.join(NEEDED)}.",
        )
    unknown = [name for name in names if name not in COLUMNS]
    if unknown or len(set(names)) != len(names):
        wrong = unknown[0] if unknown else next(name for name in names if names.count(name) > 1)
        raise Refusal(
            "csv_columns",
            f"The first line has a column {wrong[:40]!r} that is not known or comes twice.",
            field="file",
            remedy=f"Known columns: {', '.join(COLUMNS)}.",
        )


def check(rows: Sequence[Row], hosts: Hosts, zones: Sequence[ZoneRow], zone: ZoneInfo, at: datetime) -> Checked:
    """Judge every row as the form would judge it, and mark rows that say the same as one before."""
    good: list[NewVisit] = []
    bad: list[BadCell] = []
    seen: dict[str, int] = {}
    for row in rows:
        values = {**row.cells, "start": row.cells.get("from", "")}
        wanted = [name.strip() for name in row.cells.get("zones", "").split(";") if name.strip()]
        read = read_visit(values, wanted, hosts, zones, zone, batch_key=_key(row))
        if not isinstance(read, NewVisit):
            bad.extend(_bad_cell(row, name, cause) for name, cause in read.items())
        elif read.window_until <= at:
            bad.append(_bad_cell(row, "day", "This visit would already be over."))
        elif (before := seen.setdefault(_key(row), row.number)) != row.number:
            bad.append(BadCell(row.number, "name", read.name, f"The same as row {before}."))
        else:
            good.append(read)
    return Checked(tuple(good), tuple(bad))


def _bad_cell(row: Row, name: str, cause: str) -> BadCell:
    column = "from" if name == "start" else name
    return BadCell(row.number, column, row.cells.get(column, "")[:60], cause)


def _key(row: Row) -> str:
    """The same guest, host and time give the same key, in whatever file and order of columns they come."""
    parts = [folded(row.cells.get(name, "")) for name in ("name", "email", "host", "day", "from", "until")]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def invite_all(work: Work, checked: Checked) -> Imported:
    """Enter all good rows; a row that was entered before is counted and changes nothing."""
    placed = [invite(work, new) for new in checked.good]
    created = sum(one.created for one in placed)
    if placed:
        work.record("visits:list:imported", data={"created": created, "known": len(placed) - created})
    return Imported(created, len(placed) - created, checked.bad)
