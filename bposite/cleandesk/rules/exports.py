"""Cells of exported tables that a spreadsheet cannot take for formulas."""

import unicodedata

_STARTS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: object) -> object:
    """Numbers as they are; a text that would start a formula gets an apostrophe before it.

    Characters that cannot be seen are looked through: an invisible one before `=` slips through a plain prefix rule.
    """
    if isinstance(value, bool | int | float) or value is None:
        return "" if value is None else value
    text = "".join(
        letter for letter in str(value) if unicodedata.category(letter) not in ("Cf", "Cs") or letter == "\n"
    )
    seen = text.lstrip()
    return f"'{text}" if seen.startswith(_STARTS) or text.startswith(("\t", "\r")) else text
