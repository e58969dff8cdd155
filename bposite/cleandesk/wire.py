"""What a phone sends about one look, and CSV files of the roster: bytes to checked values, nothing else."""

from __future__ import annotations

import csv
import hashlib
import io
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from bposite.cleandesk.rules.outcome import Answer
from bposite.plumbing.errors import Refusal

ClientId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{16,40}\Z")]
Words = Annotated[str, msgspec.Meta(max_length=1000)]
MOST_LINES = 5000
MOST_PHOTOS = 6


class FoundItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fault. `flagged`: the case that makes it an incident; `secured`: made safe on the spot; `person`: number of
    somebody in the directory, only where the item allows it."""

    item: Annotated[str, msgspec.Meta(pattern=r"^[A-Z][0-9]{2}\Z")]
    flagged: bool = False
    secured: bool = False
    note: Words = ""
    person: Annotated[str, msgspec.Meta(max_length=40)] = ""


class TakenPhoto(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A picture that comes with a look: `masks` boxes were painted over it before it left the phone."""

    id: ClientId
    item: Annotated[str, msgspec.Meta(pattern=r"^[A-Z][0-9]{2}\Z")]
    masks: Annotated[int, msgspec.Meta(ge=0, le=200)] = 0
    nothing_to_mask: bool = False


class Look(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One look at one place. `id` is made by the phone; the same id with the same content is the same look."""

    id: ClientId
    place: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    answer: Answer
    seen_at: datetime
    seat: Literal["first", "second"] = "first"
    items: Annotated[tuple[FoundItem, ...], msgspec.Meta(max_length=20)] = ()
    photos: Annotated[tuple[TakenPhoto, ...], msgspec.Meta(max_length=MOST_PHOTOS)] = ()
    reason: Annotated[str, msgspec.Meta(max_length=30)] = ""
    note: Words = ""
    corrects: ClientId | None = None


def read_look(data: bytes) -> Look:
    """JSON -> look; Refusal says which part is wrong. The time must carry its offset."""
    try:
        look = msgspec.json.decode(data, type=Look)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal("look", f"This observation cannot be read: {error}.") from error
    if look.seen_at.tzinfo is None:
        raise Refusal("look", "The time of an observation needs its offset.", field="seen_at")
    texts = (look.note, *(item.note for item in look.items))
    if any(not _printable(text) for text in texts):
        raise Refusal("note", "The note has a character that cannot be printed.", field="note")
    return look


def digest(look: Look, photos: Mapping[str, bytes]) -> str:
    """SHA-256 that tells this look, with its pictures as they were sent, from every other one."""
    sums = sorted((name, hashlib.sha256(data).hexdigest()) for name, data in photos.items())
    return hashlib.sha256(msgspec.json.encode([msgspec.to_builtins(look), sums], order="sorted")).hexdigest()


def read_csv(data: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """Lines of a roster file as (line number, row); Refusal when the file as a whole is no such file.

    Comma, semicolon or tab; UTF-8 with or without a mark; the first line names the columns.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal(
            "csv_encoding", "The file is not UTF-8 text.", field="file", remedy="Save it as CSV UTF-8."
        ) from error
    if "\0" in text:
        raise Refusal("csv_binary", "The file is not a text file.", field="file", remedy="Save it as CSV UTF-8.")
    head, _, _ = text.partition("\n")
    separator = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        yield from _rows(reader)
    except csv.Error as error:
        raise Refusal("csv", f"Line {reader.line_num} cannot be read: {error}.", field="file") from error


def _rows(reader: Iterator[list[str]]) -> Iterator[tuple[int, dict[str, str]]]:
    names = [name.strip().lower() for name in next(reader, [])]
    if "id" not in names or len(set(names)) != len(names):
        raise Refusal("csv_columns", "The first line must name the columns, `id` among them.", field="file")
    for count, cells in enumerate(reader):
        if count >= MOST_LINES:
            raise Refusal("csv_long", f"The file has more than {MOST_LINES} lines.", field="file")
        if any(cell.strip() for cell in cells):
            row = dict(zip(names, (cell.strip() for cell in cells), strict=False))
            yield count + 2, row | ({"": "surplus"} if len(cells) > len(names) else {})


def _printable(text: str) -> bool:
    return all(letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cs") for letter in text)
