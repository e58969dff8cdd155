"""Things on paper, made by Typst: stickers for desks, the card that is left on one, the report of a period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import qrcode

from bposite.plumbing.resources import root


def stickers(rows: Sequence[Mapping[str, str]]) -> bytes:
    """A4 sheets of 3 x 8 stickers; a row has `label`, `zone`, `code` (what people read) and `address` (the QR)."""
    data = [{**row, "modules": modules(row["address"])} for row in rows]
    return _compile("stickers", {"stickers": data})


def desk_card(data: Mapping[str, Any]) -> bytes:
    """The card (A6) that is left on a desk: what was found, what to do until when, and whom to ask. No name on it."""
    return _compile("desk_card", {**data, "modules": modules(str(data["address"]))})


def report(data: Mapping[str, Any]) -> bytes:
    """The report of a period (A4)."""
    return _compile("report", data)


def modules(text: str) -> list[list[list[int]]]:
    """The QR symbol of `text` as rows of dark runs [first module, how many]; the smallest version at level M."""
    symbol = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=0)
    symbol.add_data(text)
    symbol.make(fit=True)
    return [_runs([bool(cell) for cell in row]) for row in symbol.get_matrix()]


def _runs(row: Sequence[bool]) -> list[list[int]]:
    runs: list[list[int]] = []
    for x, dark in enumerate(row):
        if dark and runs and sum(runs[-1]) == x:
            runs[-1][1] += 1
        elif dark:
            runs.append([x, 1])
    return runs or [[0, 0]]


@lru_cache(maxsize=8)
def _template(name: str) -> bytes:
    return (root("templates") / "cleandesk" / "print" / f"{name}.typ").read_bytes()


def _compile(name: str, data: Mapping[str, Any]) -> bytes:
    # Imported here because typst loads 40 MB of fonts and layout, which a door listener never needs.
    import typst

    made = typst.compile(_template(name), format="pdf", sys_inputs={"data": msgspec.json.encode(data).decode()})
    if not isinstance(made, bytes):
        raise TypeError("one document comes as bytes")
    return made
