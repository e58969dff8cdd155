"""A visit's way through the doors, for the visit's page and for the entry log."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from bposite.entries import queries
from bposite.entries.views.log import may_see
from bposite.people.access import requires
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound
from bposite.plumbing.web import wants_fragment
from bposite.visits.queries.names import visit_names

blueprint = Blueprint("way", __name__, url_prefix="/entries/visit")


@blueprint.get("/<visit_id>/path")
@requires("entries:read")
def path(visit_id: str) -> ResponseReturnValue:
    """The way as a fragment, or as a page of its own."""
    with reading() as session:
        visit = visit_names(session, [visit_id[:40]]).get(visit_id)
        if visit is None:
            raise NotFound("visit", "There is no such visit.")
        known = queries.names(session)
        way = queries.way_of_visit(session, visit_id, known, now(), pictures=may_see())
    template = "entries/way.html" if wants_fragment() else "entries/way_page.html"
    return render_template(template, visit=visit, way=way, known=known, tones=_tones(way, known))


def _tones(way: queries.Way | None, known: queries.Names) -> dict[str, int]:
    """A band colour per zone of the way: 0 to 4, by the zone's kind, so that a clean room always looks the same."""
    kinds = ("lobby", "operations", "clean_room", "server_room", "restricted")
    found = {}
    for zone in way.zones if way else ():
        kind = known.zones[zone].kind if zone in known.zones else ""
        found[zone] = kinds.index(kind) if kind in kinds else len(kinds)
    return found
