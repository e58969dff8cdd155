"""The reception's page: today in four lanes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from bposite.passes.label import initials
from bposite.people.access import requires
from bposite.plumbing.clock import local, now
from bposite.plumbing.db import reading
from bposite.plumbing.web import wants_fragment
from bposite.visits import queries, words
from bposite.visits.rules.inputs import tidy

blueprint = Blueprint("reception", __name__, url_prefix="/reception")
LONGEST_SEARCH = 120
LANES = {
    "expected": ("Expected", "Nobody else is expected today", "Invited visitors of today appear here."),
    "at_desk": ("At the desk", "Nobody waits", "Visitors appear here when they are checked in."),
    "on_site": (
        "On site",
        "No visitor is inside",
        "Admitted visitors appear here until somebody proves that they left.",
    ),
    "left": ("Left", "Nobody has left yet", "Visitors of today who have left appear here."),
}

blueprint.app_template_filter("initials")(initials)


@blueprint.app_template_filter("zone_name")
def zone_name(zone: str, names: Mapping[str, str]) -> str:
    """The name of a zone, or its id when the plan has lost it."""
    return names.get(zone, zone)


@blueprint.app_template_filter("site_day")
def site_day(moment: datetime) -> str:
    """The site's calendar day as a date field wants it: YYYY-MM-DD."""
    return local(moment).strftime("%Y-%m-%d")


@blueprint.get("/")
@requires("visits:read")
def overview() -> ResponseReturnValue:
    """Today in four lanes, or the visits that a search found. A fragment is the lanes or the results alone."""
    text = tidy(request.args.get("q", ""))[:LONGEST_SEARCH]
    with reading() as session:
        at = now()
        found = queries.search(session, text, at) if text else ()
        lanes = () if text else queries.board(session, at)
    part = "visits/found.html" if text else "visits/lanes.html"
    page = part if wants_fragment() else "visits/board.html"
    return render_template(page, part=part, lanes=lanes, found=found, text=text, titles=LANES, words=words, at=at)
