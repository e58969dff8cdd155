"""Scanning at the desk: a focused field for a wedge scanner or fingers, and the browser's camera."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bposite.journal.work import unit_of_work
from bposite.people.access import current_actor, current_identity, requires
from bposite.plumbing.errors import Refusal
from bposite.plumbing.ids import new_id
from bposite.plumbing.web import allow_wasm, wants_fragment
from bposite.visits import actions, words
from bposite.visits.actions import Did, Purpose, Scanned
from bposite.visits.forms import ScanForm

blueprint = Blueprint("scanning", __name__, url_prefix="/reception")
LONGEST_CODE = 200
LONGEST_KEY = 60


@blueprint.get("/scan")
@requires("visits:write")
def scanner() -> ResponseReturnValue:
    """The scanner's page. The camera's reader is WebAssembly, which this page alone may compile."""
    allow_wasm()
    return _page(_purpose(request.args.get("purpose")))


@blueprint.post("/scan")
@requires("visits:write")
def scan() -> ResponseReturnValue:
    """Answer a code: as JSON for a script, with a page for a browser without one."""
    purpose = _purpose(request.form.get("purpose"))
    text = request.form.get("text", "")
    key = request.form.get("key", "")[:LONGEST_KEY] or new_id()
    if not text.strip() or len(text) > LONGEST_CODE:
        raise Refusal("code", "Scan a pass, or type the code that stands on it.", field="text")
    with unit_of_work(current_actor()) as work:
        answer = actions.scan(work, text, device=_desk(), key=f"{_desk()[:19]}:{key}", purpose=purpose)
    if wants_fragment():
        return Response(answer, mimetype="application/json")
    return _shown(msgspec.json.decode(answer, type=Scanned), purpose)


def _desk() -> str:
    """The desk, by the sign-in at it: what is locked after wrong codes, and what a repeated request belongs to."""
    identity = current_identity()
    return (identity.session_id if identity and identity.session_id else current_actor().place or "desk")[:60]


def _purpose(text: str | None) -> Purpose:
    return Purpose.CHECK_OUT if text == Purpose.CHECK_OUT else Purpose.OPEN


def _shown(scanned: Scanned, purpose: Purpose) -> ResponseReturnValue:
    if scanned.visit and purpose is Purpose.OPEN:
        return redirect(url_for("visit.one", visit_id=scanned.visit), 303)
    if scanned.did is Did.DEPARTED:
        flash(f"{scanned.name} is checked out.", "good")
        return redirect(url_for(".scanner", purpose=purpose), 303)
    allow_wasm()
    return _page(purpose, scanned)


def _page(purpose: Purpose, scanned: Scanned | None = None) -> ResponseReturnValue:
    form = ScanForm(formdata=None, key=new_id(), purpose=str(purpose))
    told = words.answer(scanned.reason) if scanned else None
    html = render_template("visits/scan.html", form=form, purpose=purpose, scanned=scanned, told=told)
    return html, 200 if scanned is None or scanned.granted else 422
