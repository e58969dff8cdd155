"""Site now: one page for the guard's desk, and the same for the wall."""

from __future__ import annotations

from flask import Blueprint, render_template

from bposite.live import queries
from bposite.people.access import may, requires
from bposite.plumbing.db import reading
from bposite.plumbing.web import wants_fragment

blueprint = Blueprint("site", __name__)


@blueprint.get("/")
@requires("now:read")
def now() -> str:
    """Who is inside, visitors, doors, alarms, the last entries."""
    return _page("live/now.html", "live/now_part.html")


@blueprint.get("/wall")
@requires("now:read")
def wall() -> str:
    """The same, readable from three metres, without navigation."""
    return _page("live/wall.html", "live/wall_part.html")


def _page(whole: str, part: str) -> str:
    with reading() as session:
        site_now = queries.site_now(session, pictures=may("frames:view"))
    return render_template(part if wants_fragment() else whole, one=site_now, overall=queries.overall(site_now.lamps))
