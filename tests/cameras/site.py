"""Opens a site that another process has made, for tests that start processes of their own."""

from __future__ import annotations

import sys
from pathlib import Path

from bposite.plumbing.settings import Settings, Site, Web
from bposite.wiring import open_site


def reopen(state_dir: Path) -> None:
    """The test site in `state_dir`, open in this process."""
    settings = Settings(
        state_dir=state_dir,
        site=Site(id="pune-1", name="Pune Contact Centre", zone="Asia/Kolkata"),
        web=Web(port=1),
        log_level="error",
    )
    open_site(settings=settings)
    print("open", file=sys.stderr)
