"""The page of one visit, and what the desk does with it until the guest is inside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bposite.journal.work import Work, unit_of_work
from bposite.passes.qr import svg_path
from bposite.passes.rules import spoken
from bposite.people.access import current_actor, current_identity, requires
from bposite.plumbing.clock import now, site_zone
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound, Refusal
from bposite.plumbing.web import wants_fragment
from bposite.visits import actions, intake, photos, queries, words
from bposite.visits.actions import IdentityKind
from bposite.visits.forms import AdmitForm, DepartForm, ReasonForm, plain
from bposite.visits.rules.inputs import clock, day, instant, local_day
from bposite.visits.rules.requirements import Missing, WaiverKind
from bposite.visits.rules.standing import DocumentKind, HoldKind
from bposite.visits.views.arrivals import host_option

blueprint = Blueprint("visit", __name__, url_prefix="/reception/visits")


@dataclass(frozen=True, slots=True)
class Refused:
    """An action of this page that was refused: shown in its own form, beside its field."""

    action: str
    field: str
    message: str


@blueprint.get("/<visit_id>")
@requires("visits:read")
def one(visit_id: str) -> ResponseReturnValue:
    """Everything about one visit, with the one thing to do next."""
    return page(visit_id)


def page(visit_id: str, refused: Refused | None = None) -> ResponseReturnValue:
    """The page of a visit, with the action that was refused, if one was (422)."""
    with reading() as session:
        at = now()
        visit = queries.visit_page(session, visit_id, at)
        if visit is None:
            raise NotFound("no_visit", "This visit does not exist.", remedy="Search for the visitor by name.")
        others = queries.other_visits(session, visit.card.visitor_id, visit_id, at)
        zones = queries.zone_names(session)
        hosts = [host_option(row) for row in intake.hosts(session).rows] if visit.at_desk else []
    identity = current_identity()
    html = render_template(
        "visits/actions.html" if wants_fragment() else "visits/visit.html",
        visit=visit,
        others=others,
        zones=zones,
        hosts=hosts,
        words=words,
        at=at,
        refused=refused,
        admit=AdmitForm(host_told="told by phone"),
        depart=DepartForm(),
        reason=ReasonForm(),
        documents=tuple(DocumentKind),
        me=f"user:{identity.id}" if identity else "",
        qr=svg_path(visit.codes.code) if visit.codes else "",
        short=spoken(visit.codes.short) if visit.codes else "",
        Missing=Missing,
    )
    return html, 422 if refused else 200


def do(visit_id: str, name: str, action: Callable[[Work], object], done: str = "") -> ResponseReturnValue:
    """Run `action` as one unit of work, then show the visit again; a refusal is shown in the form called `name`."""
    try:
        with unit_of_work(current_actor()) as work:
            action(work)
    except NotFound:
        raise
    except Refusal as refusal:
        return page(visit_id, Refused(name, refusal.field or "", f"{refusal.message} {refusal.remedy}".strip()))
    if done:
        flash(done, "good")
    return redirect(url_for("visit.one", visit_id=visit_id))


def typed(name: str) -> str:
    """A line of plain text from the form."""
    return plain(request.form.get(name), name)


@blueprint.post("/<visit_id>/arrive")
@requires("visits:write")
def arrive(visit_id: str) -> ResponseReturnValue:
    """The guest stands at the desk."""
    return do(visit_id, "arrive", lambda work: actions.arrive(work, visit_id))


@blueprint.post("/<visit_id>/admit")
@requires("visits:write")
def admit(visit_id: str) -> ResponseReturnValue:
    """Take over what the desk has added and let the guest in, in one unit of work; or say what is missing."""

    def action(work: Work) -> None:
        _take_over(work, visit_id)
        answer = actions.admit(work, visit_id)
        outcome.extend(answer.missing)

    outcome: list[Missing] = []
    response = do(visit_id, "admit", action)
    if outcome:
        lacking = ", ".join(words.MISSING[missing].lower() for missing in outcome)
        return page(visit_id, Refused("admit", _FIELD.get(outcome[0], ""), f"Not admitted. Still missing: {lacking}."))
    return response


_FIELD = {
    Missing.IDENTITY: "identity",
    Missing.HOST_ACK: "host_told",
    Missing.ESCORT: "escort",
    Missing.DEPOSIT: "token",
}


def _take_over(work: Work, visit_id: str) -> None:
    identity = request.form.get("identity", "")
    if identity:
        actions.check_identity(work, visit_id, _identity(identity), matches=True)
    if told := typed("host_told"):
        actions.acknowledge(work, visit_id, told)
    if escort := typed("escort"):
        person = intake.hosts(work.session).find(escort)
        if isinstance(person, str):
            raise Refusal("no_escort", "Choose the escort from the list.", field="escort")
        actions.name_escort(work, visit_id, person.number, person.name)
    if token := typed("token"):
        actions.deposit(work, visit_id, token[:40])


def _identity(text: str) -> IdentityKind:
    try:
        return IdentityKind(text)
    except ValueError as error:
        raise Refusal("identity", "Choose what you have looked at.", field="identity") from error


@blueprint.post("/<visit_id>/mismatch")
@requires("visits:write")
def mismatch(visit_id: str) -> ResponseReturnValue:
    """The document does not show the guest: a hold that somebody else releases."""

    def action(work: Work) -> None:
        kind = _identity(request.form.get("identity") or IdentityKind.NATIONAL_ID)
        actions.check_identity(work, visit_id, kind, matches=False)

    return do(visit_id, "admit", action)


@blueprint.post("/<visit_id>/photo")
@requires("visits:write")
def photo(visit_id: str) -> ResponseReturnValue:
    """A picture from the browser's camera or from a file."""
    sent = request.files.get("photo")
    try:
        digest = photos.store(sent.read() if sent else b"")  # before the unit: doors would wait while it is decoded
    except Refusal as refusal:
        return page(visit_id, Refused("photo", refusal.field or "", f"{refusal.message} {refusal.remedy}".strip()))
    return do(visit_id, "photo", lambda work: actions.set_photo(work, visit_id, digest))


@blueprint.get("/<visit_id>/photo/<digest>.jpg")
@requires("visits:read")
def photo_file(visit_id: str, digest: str) -> ResponseReturnValue:
    """The guest's photo, when it is the one of this visit."""
    with reading() as session:
        known = queries.photo_belongs(session, visit_id, digest)
    data = photos.load(digest) if known else None
    if data is None:
        raise NotFound("no_photo", "There is no such photo.")
    response = Response(data, mimetype="image/jpeg")
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


@blueprint.post("/<visit_id>/decide")
@requires("visits:approve")
def decide(visit_id: str) -> ResponseReturnValue:
    """Approve or reject all zones of the visit that wait for a yes."""
    approve = request.form.get("answer") == "approve"
    return do(visit_id, "decide", lambda work: actions.decide(work, visit_id, approve=approve, reason=typed("reason")))


@blueprint.post("/<visit_id>/cancel")
@requires("visits:write")
def cancel(visit_id: str) -> ResponseReturnValue:
    """Call the visit off."""
    return do(
        visit_id, "cancel", lambda work: actions.cancel(work, visit_id, typed("reason")), "The visit is called off."
    )


@blueprint.post("/<visit_id>/turn-away")
@requires("visits:write")
def turn_away(visit_id: str) -> ResponseReturnValue:
    """Send the guest away."""
    return do(visit_id, "turn_away", lambda work: actions.turn_away(work, visit_id, typed("reason")))


@blueprint.post("/<visit_id>/hold")
@requires("visits:write")
def hold(visit_id: str) -> ResponseReturnValue:
    """Stop the visit until somebody else releases it."""

    def action(work: Work) -> None:
        why = typed("reason")
        if not why:
            raise Refusal("reason_needed", "Say why the visit is held.", field="reason")
        actions.raise_hold(work, visit_id, HoldKind.MANUAL, why)

    return do(visit_id, "hold", action)


@blueprint.post("/<visit_id>/holds/<hold_id>/release")
@requires("visits:write")
def release(visit_id: str, hold_id: str) -> ResponseReturnValue:
    """Release a hold; the rules say who may."""
    identity = current_identity()
    held = frozenset(str(permission) for permission in identity.permissions) if identity else frozenset()
    return do(visit_id, hold_id, lambda work: actions.release_hold(work, hold_id, typed("reason"), held))


@blueprint.post("/<visit_id>/waive")
@requires("visits:approve")
def waive(visit_id: str) -> ResponseReturnValue:
    """Set a missing document or the identity check aside, with a reason."""

    def action(work: Work) -> None:
        document = request.form.get("document", "")
        what = DocumentKind(document) if document in set(DocumentKind) else None
        kind = WaiverKind.DOCUMENT if what else WaiverKind.IDENTITY
        actions.waive(work, visit_id, kind, typed("reason"), what)

    return do(visit_id, "waive", action)


@blueprint.post("/<visit_id>/documents")
@requires("visits:write")
def demand(visit_id: str) -> ResponseReturnValue:
    """Make a document a condition of this visit."""
    return do(visit_id, "documents", lambda work: actions.demand_document(work, visit_id, _document()))


@blueprint.post("/<visit_id>/documents/seen")
@requires("visits:write")
def seen(visit_id: str) -> ResponseReturnValue:
    """The document was shown and is in force until the end of a day."""

    def action(work: Work) -> None:
        last = day(typed("until"))
        if last is None:
            raise Refusal("document_until", "Choose the last day on which it is in force.", field="until")
        actions.see_document(work, visit_id, _document(), local_day(last, site_zone())[1])

    return do(visit_id, "seen", action)


def _document() -> DocumentKind:
    text = request.form.get("document", "")
    if text not in set(DocumentKind):
        raise Refusal("document", "Choose the kind of document.", field="document")
    return DocumentKind(text)


@blueprint.post("/<visit_id>/reschedule")
@requires("visits:write")
def reschedule(visit_id: str) -> ResponseReturnValue:
    """Move a visit that has not begun."""

    def action(work: Work) -> None:
        read = intake.read_window(request.form, site_zone())
        if isinstance(read, dict):
            field, message = next(iter(read.items()))
            raise Refusal("window", message, field=field)
        actions.reschedule(work, visit_id, *read)

    return do(visit_id, "reschedule", action, "The visit is moved.")


@blueprint.post("/<visit_id>/extend")
@requires("visits:write")
def extend(visit_id: str) -> ResponseReturnValue:
    """Let a guest who is inside stay longer."""

    def action(work: Work) -> None:
        until = clock(typed("until"))
        if until is None:
            raise Refusal("time", "Choose the time until which the visitor stays.", field="until")
        wall = work.now.astimezone(site_zone())
        on = wall.date() if until > wall.time() else wall.date() + timedelta(days=1)
        end = instant(on, until, site_zone(), late=True)
        if end is None:
            raise Refusal("time", "The clocks are put forward at this time.", field="until")
        actions.extend(work, visit_id, end, typed("reason"))

    return do(visit_id, "extend", action, "The visitor may stay longer.")
