"""Passes and labels of a visit: issue, print, take back."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, url_for
from flask.typing import ResponseReturnValue

from bposite.journal.work import Work, unit_of_work
from bposite.passes import actions as passes
from bposite.passes import label
from bposite.passes.label import Label
from bposite.passes.rules import MediumEvent, MediumState
from bposite.people.access import current_actor, requires
from bposite.plumbing.clock import local, now
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound, Refusal
from bposite.plumbing.settings import current
from bposite.visits import actions, photos, queries
from bposite.visits.queries import VisitPage
from bposite.visits.views.desk import do

blueprint = Blueprint("media", __name__, url_prefix="/reception/visits")
_EVENTS = {
    "hand-out": MediumEvent.HAND_OUT,
    "failed": MediumEvent.VOID,
    "return": MediumEvent.RETURN,
    "destroy": MediumEvent.DESTROY,
    "missing": MediumEvent.MISS,
}


@blueprint.post("/<visit_id>/pass")
@requires("visits:write")
def issue(visit_id: str) -> ResponseReturnValue:
    """Issue a pass, or a new one in place of the present one: its code is shown for some minutes."""
    return do(visit_id, "pass", lambda work: actions.issue_pass(work, visit_id))


@blueprint.post("/<visit_id>/label")
@requires("visits:write")
def print_label(visit_id: str) -> ResponseReturnValue:
    """Enter a label into the books, then show it; the address has no code in it and can be loaded again."""
    visit = _visit(visit_id)
    if visit.codes is None or visit.live_pass is None:
        raise Refusal(
            "code_gone", "The code of this pass is not kept any more.", remedy="Issue a new pass, then print it."
        )
    with unit_of_work(current_actor()) as work:
        medium_id = passes.start_print(work, visit.live_pass.id)
    return redirect(url_for(".label_file", visit_id=visit_id, medium_id=medium_id), 303)


@blueprint.get("/<visit_id>/label/<medium_id>.pdf")
@requires("visits:write")
def label_file(visit_id: str, medium_id: str) -> ResponseReturnValue:
    """The label as a PDF of 62 x 100 mm, while its medium is good and the code can be shown."""
    visit = _visit(visit_id)
    medium = next((row for row in visit.media if row.id == medium_id), None)
    good = medium is not None and medium.state in (MediumState.PRINTING, MediumState.ISSUED)
    if not good or visit.codes is None:
        raise NotFound("no_label", "This label cannot be shown any more.", remedy="Issue a new pass, then print it.")
    response = Response(label.pdf(_label(visit)), mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="label-{medium_id}.pdf"'
    return response


def _visit(visit_id: str) -> VisitPage:
    with reading() as session:
        visit = queries.visit_page(session, visit_id, now())
    if visit is None:
        raise NotFound("no_visit", "This visit does not exist.")
    return visit


def _label(visit: VisitPage) -> Label:
    card = visit.card
    start, until = local(card.window_from), local(card.window_until)
    return Label(
        code=visit.codes.code if visit.codes else "",
        number=str(visit.live_pass.number if visit.live_pass else ""),
        name=card.name,
        company=card.company,
        host=card.host_name,
        zones=", ".join(card.zones),
        site=current().site.name,
        day=until.strftime("%d %b %Y"),
        weekday=until.strftime("%a").upper(),
        start=start.strftime("%H:%M"),
        until=until.strftime("%H:%M"),
        escort="ESCORT NEEDED" if visit.needs_escort else "",
        photo=photos.load(card.photo) if card.photo else None,
    )


@blueprint.post("/<visit_id>/media/<medium_id>/<event>")
@requires("visits:write")
def change(visit_id: str, medium_id: str, event: str) -> ResponseReturnValue:
    """A label was handed out, failed, came back, was destroyed or is missing."""
    known = _EVENTS.get(event)
    if known is None:
        raise NotFound("no_event", "A label knows no such step.")

    def action(work: Work) -> None:
        passes.change_medium(work, medium_id, known)

    return do(visit_id, "pass", action)
