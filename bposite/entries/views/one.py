"""One entry: its page, its preview beside the list, its proof as a file."""

from __future__ import annotations

import json

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bposite.entries import queries
from bposite.entries.rules import words
from bposite.entries.views.log import may_see
from bposite.journal.receipt import receipt
from bposite.people.access import requires
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound

blueprint = Blueprint("entry", __name__, url_prefix="/entries")


@blueprint.get("/<int:position>")
@requires("entries:read")
def page(position: int) -> ResponseReturnValue:
    """Everything about one entry."""
    with reading() as session:
        found = _found(session, position)
        around = queries.around(session, found.line.row, queries.names(session))
    return render_template("entries/entry.html", one=found, around=around, words=words, sees=may_see())


@blueprint.get("/<int:position>/preview")
@requires("entries:read")
def preview(position: int) -> ResponseReturnValue:
    """The same in short, beside the list."""
    with reading() as session:
        found = _found(session, position)
    return render_template("entries/preview.html", one=found, words=words, sees=may_see())


@blueprint.get("/<int:position>/proof.json")
@requires("entries:read")
def proof(position: int) -> Response:
    """The proof as a document that stands alone."""
    with reading() as session:
        _found(session, position)
        document = receipt(session, position)
    if document is None:
        raise NotFound("fact", "This entry has no fact in the journal.")
    return Response(
        json.dumps(document.document(), indent=2) + "\n",
        mimetype="application/json",
        headers={"Content-Disposition": f'attachment; filename="entry-{position}-proof.json"'},
    )


def _found(session: Session, position: int) -> queries.Full:
    found = None if position >= 1 << 62 else queries.full(session, position, queries.names(session), pictures=may_see())
    if found is None:
        raise NotFound("entry", "There is no entry with this number.", remedy="Search for it in the entry log.")
    return found
