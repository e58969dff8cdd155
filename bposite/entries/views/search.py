"""Search over everything a person may see: people, visits, passes, doors, zones, entries."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from bposite.entries.queries.everything import LONGEST, search_everything
from bposite.people.access import current_identity, requires
from bposite.plumbing.db import reading

blueprint = Blueprint("search", __name__)


@blueprint.get("/search")
@requires("account:own")  # each kind of result asks for its own permission
def search() -> ResponseReturnValue:
    """What matches, by kind; short texts and strange ones just find nothing."""
    text = "".join(letter for letter in request.args.get("q", "") if letter.isprintable()).strip()
    identity = current_identity()
    held = identity.permissions if identity else frozenset()
    with reading() as session:
        groups = search_everything(session, text[:LONGEST], held) if text else []
    return render_template("entries/search.html", text=text, groups=groups, longest=LONGEST)
