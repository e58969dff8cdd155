"""bposite: self-hosted physical security and visitor management for a BPO or contact-centre site."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

__version__ = "0.1.0"


def create_app() -> Flask:
    """The web application of the site in the state directory (``BPOSITE_STATE_DIR``, else ``./state``)."""
    # wiring imports every feature, and features import this package: so not at the top
    from bposite.wiring import open_site

    return open_site()
