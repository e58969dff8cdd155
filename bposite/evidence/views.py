"""The journal as an auditor reads it: facts with proofs, checkpoints, verification."""

from __future__ import annotations

import json

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bposite.evidence import actions, queries
from bposite.journal import queries as journal
from bposite.journal.receipt import checks, receipt
from bposite.journal.work import unit_of_work
from bposite.people.access import current_actor, requires
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound, Refusal
from bposite.plumbing.settings import current

PAGE = 50
KINDS = (
    ("", "Everything"), ("doors:", "Doors"), ("visits:", "Visits"), ("passes:", "Passes"), ("cameras:", "Cameras"),
    ("cleandesk:", "Clean desk"), ("people:", "People"), ("evidence:", "Evidence"), ("journal:", "Journal"),
)  # fmt: skip
blueprint = Blueprint("evidence", __name__, url_prefix="/evidence")


@blueprint.get("/")
@requires("journal:read")
def overview() -> str:
    """How the journal stands, what was verified, and its facts, newest first."""
    kind, before = _kind(), _before()
    with reading() as session:
        facts = journal.latest(session, before, (kind,) if kind else (), limit=PAGE + 1)
        stand, runs = journal.standing(session), queries.verifications(session)
    older = url_for("evidence.overview", kind=kind or None, before=facts[PAGE - 1].seq) if len(facts) > PAGE else None
    return render_template(
        "evidence/journal.html", facts=facts[:PAGE], kind=kind, kinds=KINDS, older=older, first=before is None,
        standing=stand, runs=runs, anchored=bool(current().anchor_dir),
    )  # fmt: skip


@blueprint.get("/verifications")
@requires("journal:read")
def verifications() -> str:
    """The list of verifications alone, for the page that watches one."""
    with reading() as session:
        return render_template("evidence/verifications.html", runs=queries.verifications(session))


@blueprint.post("/verifications")
@requires("journal:read")
def verify() -> ResponseReturnValue:
    """Ask for a verification; it runs in the background."""
    with reading() as session:
        waiting = any(run.open for run in queries.verifications(session))
    if not waiting:
        with unit_of_work(current_actor()) as work:
            actions.ask_verification(work)
    return redirect(url_for("evidence.overview"))


@blueprint.get("/facts/<int:seq>")
@requires("journal:read")
def fact(seq: int) -> str:
    """One fact: who, what, when, and the proof that it is in the journal."""
    with reading() as session:
        found, document = journal.fact(session, seq), receipt(session, seq)
        last = journal.size(session) - 1
    if found is None or document is None:
        raise NotFound("fact", f"The journal has no fact {seq}.", remedy=f"The newest is {last}.")
    text = json.dumps(found.data, indent=2, ensure_ascii=False) if found.data is not None else ""
    return render_template(
        "evidence/fact.html", fact=found, text=text, proof=document, checks=checks(document), last=last
    )


@blueprint.get("/facts/<int:seq>.json")
@requires("journal:read")
def fact_document(seq: int) -> Response:
    """The fact with its proof, as a file that can be checked elsewhere."""
    with reading() as session:
        document = receipt(session, seq)
    if document is None:
        raise NotFound("fact", f"The journal has no fact {seq}.")
    return _file(json.dumps(document.document(), indent=2), "application/json", f"fact-{seq}.json")


@blueprint.get("/checkpoint.note")
@requires("journal:read")
def checkpoint() -> Response:
    """The newest signed checkpoint: keep it elsewhere, and `bposite verify --checkpoint` holds the site to it."""
    with reading() as session:
        newest = journal.last_checkpoint(session)
    if newest is None:
        raise NotFound("checkpoint", "Nothing has been signed yet.", remedy="The first checkpoint comes in a minute.")
    return _file(newest[1], "text/plain", f"checkpoint-{newest[0].size}.note")


def _file(text: str, media: str, name: str) -> Response:
    response = Response(text, content_type=f"{media}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _kind() -> str:
    kind = request.args.get("kind", "")
    if kind not in dict(KINDS):
        raise Refusal("kind", "There is no such kind of fact.", field="kind")
    return kind


def _before() -> int | None:
    text = request.args.get("before")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise Refusal("before", "The page is named by the number of a fact.", field="before")
    return int(text)


blueprints = (blueprint,)
