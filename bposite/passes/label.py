"""A visitor's label as a PDF of exactly its size, the QR symbol in whole dots of the printer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import msgspec

from bposite.passes.qr import modules
from bposite.plumbing.resources import root

# Dots a module that give a symbol of 22 to 23 mm: a fixed-focus camera reads it at 150 mm and more.
_DOTS = {203: 7, 300: 11, 600: 22}
DPI = tuple(_DOTS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """What stands on a label. Times and days are texts of the site's wall clock; `photo` is a JPEG or None."""

    code: str
    number: str
    name: str
    company: str
    host: str
    zones: str
    site: str
    day: str
    weekday: str
    start: str
    until: str
    escort: str
    photo: bytes | None


@lru_cache(maxsize=1)
def _template() -> bytes:
    return (root("templates") / "print" / "label.typ").read_bytes()


def pdf(label: Label, *, dpi: int = 300) -> bytes:
    """The label, 62 x 100 mm, for a printer with `dpi` dots an inch (203, 300 or 600; ValueError otherwise)."""
    if dpi not in _DOTS:
        raise ValueError(f"no whole number of dots is known for {dpi} dpi")
    # Imported here because typst loads 40 MB of fonts and layout, which a door listener never needs.
    import typst

    files: dict[str, bytes] = {"main": _template()}
    if label.photo is not None:
        files["photo.jpg"] = label.photo
    data = {"label": msgspec.json.encode(_data(label, dpi)).decode()}
    made = typst.compile(files, format="pdf", sys_inputs=data)  # type: ignore[call-overload]  # its stub omits dicts
    if not isinstance(made, bytes):
        raise TypeError("a label is one page and comes as bytes")
    return made


def _data(label: Label, dpi: int) -> dict[str, object]:
    return {
        "dpi": dpi,
        "dots": _DOTS[dpi],
        "rows": [_runs(row) for row in modules(label.code)],
        "title": "VISITOR",
        "words": {"valid": "valid until", "from": "from", "host": "Host", "zones": "May enter", "number": "pass"},
        "photo": label.photo is not None,
        "initials": initials(label.name),
        **{name: getattr(label, name) for name in _TEXTS},
    }


_TEXTS = ("number", "name", "company", "host", "zones", "site", "day", "weekday", "start", "until", "escort")


def _runs(row: tuple[bool, ...]) -> list[tuple[int, int]]:
    """Dark stretches of one row as (first module, how many)."""
    runs: list[tuple[int, int]] = []
    for x, dark in enumerate(row):
        if dark and runs and sum(runs[-1]) == x:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        elif dark:
            runs.append((x, 1))
    return runs


def initials(name: str) -> str:
    """First letters of the first and the last word: "Asha Devi Rao" is "AR"; empty for an empty name."""
    words = name.split()
    return "".join(word[0].upper() for word in (words[:1] + words[1:][-1:]))
