"""Where files that ship with bposite are, in a checkout and when installed."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent


def root(name: str) -> Path:
    """The folder ``templates``, ``config`` or ``hardware``; FileNotFoundError when the installation is incomplete."""
    for place in (PACKAGE / "_data" / name, PACKAGE.parent / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"the folder {name!r} that belongs to bposite is missing: reinstall it")
