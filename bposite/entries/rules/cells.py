"""A cell of a CSV file that no spreadsheet takes for a formula.

A naive rule looks at the first character; invisible ones (zero-width spaces, direction marks, byte order marks, tabs)
slip through it, and so do full-width signs. Here the first *visible* character decides (design page "trust", trap 10;
OWASP "CSV injection").
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import datetime

Value = str | int | bool | datetime | None
STARTERS = frozenset("=+-@|%")
"""What a spreadsheet may take for the start of a formula; | and % are old DDE forms."""
_INVISIBLE = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp", "Mn", "Me", "Cn", "Co", "Cs"})


def cell(value: Value) -> str:
    """``value`` as the text of one cell; whatever could start a formula gets an apostrophe in front.

    Our own numbers may be negative and stay numbers. Line breaks become blanks: a row is a line.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    text = "".join(" " if letter in "\r\n\x0b\x0c\x85\u2028\u2029" else letter for letter in value if letter != "\x00")
    return f"'{text}" if starts_formula(text) else text


def starts_formula(text: str) -> bool:
    """Whether the first visible character could start a formula, or the text hides something before it."""
    visible = first_visible(text)
    return unicodedata.normalize("NFKC", visible)[:1] in STARTERS or text[:1] in ("\t", "\r", "\n")


def first_visible(text: str) -> str:
    """The first character that leaves ink; empty when there is none."""
    return next((letter for letter in text if unicodedata.category(letter) not in _INVISIBLE), "")


def line(values: Iterable[Value]) -> str:
    """One CSV line (RFC 4180). Every cell is quoted, so that no other separator can split it."""
    return ",".join('"' + cell(value).replace('"', '""') + '"' for value in values) + "\r\n"
