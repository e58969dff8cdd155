"""The walk on the phone: a page that goes on without a network, its data, its service worker, and the plain forms."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf
from sqlalchemy.orm import Session

from bposite.cleandesk import actions, queries
from bposite.cleandesk.actions import Observed
from bposite.cleandesk.queries import RoundRow, StopRow
from bposite.cleandesk.rules.catalogue import Catalogue, Item
from bposite.cleandesk.rules.machines import Round
from bposite.cleandesk.views.base import blueprint, me, needed_round, zone_words
from bposite.cleandesk.wire import Look, read_look
from bposite.cleandesk.words import AREA_WORDS, moment_word, shift_word
from bposite.journal.work import unit_of_work
from bposite.people.access import current_actor, current_identity, requires
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound, Refusal
from bposite.plumbing.ids import new_id
from bposite.plumbing.web import STATIC, iso

MOST_FILES = 6


@blueprint.get("/walk/")
@requires("cleandesk:walk")
def my_walks() -> ResponseReturnValue:
    """The rounds that I walk: the first page of the installed app."""
    with reading() as session:
        mine = queries.rounds(session, states=queries.OPEN_STATES, auditor=me())
        return render_template("cleandesk/walks.html", rounds=mine, me=me(), zones=zone_words(session))


@blueprint.post("/walk/<round_id>/start")
@requires("cleandesk:walk")
def start_round(round_id: str) -> ResponseReturnValue:
    """Draw and reveal, then walk."""
    try:
        with unit_of_work(current_actor()) as work:
            actions.start_round(work, round_id)
    except Refusal as refusal:
        flash(f"{refusal.message} {refusal.remedy}".strip(), "refused")
        return redirect(url_for(".round_page", round_id=round_id))
    return redirect(url_for(".walk", round_id=round_id))


@blueprint.get("/walk/<round_id>")
@requires("cleandesk:walk")
def walk(round_id: str) -> ResponseReturnValue:
    """The walk itself. Without scripts it shows one place after the other as a plain form."""
    with reading() as session:
        row = needed_round(session, round_id)
        seat = _seat(row)
        if row.state != Round.IN_PROGRESS:
            return redirect(url_for(".round_page", round_id=round_id))
        mine = _mine(queries.stops(session, round_id), seat)
        return _walk_page(session, row, seat, mine)


@blueprint.get("/walk/<round_id>/data")
@requires("cleandesk:walk")
def walk_data(round_id: str) -> ResponseReturnValue:
    """Everything that a phone needs to walk a whole round without a network, as JSON."""
    with reading() as session:
        row = needed_round(session, round_id)
        seat = _seat(row)
        catalogue = queries.in_force()
        data = _data(session, row, seat, catalogue)
    return Response(msgspec.json.encode(data), mimetype="application/json")


@blueprint.post("/walk/<round_id>/looks")
@requires("cleandesk:walk")
def send_look(round_id: str) -> ResponseReturnValue:
    """One look from the phone's queue: a part `look` with JSON, and one part per picture, named by its id."""
    look = read_look(request.form.get("look", "").encode())
    sent = {name: file.read() for name, file in list(request.files.items())[:MOST_FILES]}
    kept = actions.keep_photos(look, sent)
    with unit_of_work(current_actor()) as work:
        done = actions.observe(work, round_id, look, sent, kept)
    return Response(msgspec.json.encode(_told(done)), mimetype="application/json")


@blueprint.post("/walk/<round_id>/look")
@requires("cleandesk:walk")
def plain_look(round_id: str) -> ResponseReturnValue:
    """One look from the plain form; on a mistake the form comes back with what was chosen."""
    try:
        look, sent = _typed_look()
        kept = actions.keep_photos(look, sent)
        with unit_of_work(current_actor()) as work:
            done = actions.observe(work, round_id, look, sent, kept)
    except Refusal as refusal:
        with reading() as session:
            row = needed_round(session, round_id)
            seat = _seat(row)
            return _walk_page(session, row, seat, _mine(queries.stops(session, round_id), seat), refusal), 422
    for finding in done.findings:
        if finding.severity == "S1":
            flash(f"Secure at once: {finding.on_the_spot}. The control room has been told.", "alarm")
    return redirect(url_for(".walk", round_id=round_id))


@blueprint.post("/walk/<round_id>/submit")
@requires("cleandesk:walk")
def submit_round(round_id: str) -> ResponseReturnValue:
    """The walk is over."""
    with unit_of_work(current_actor()) as work:
        left = actions.submit_round(work, round_id)
    if request.accept_mimetypes.best == "application/json":
        return jsonify(state="submitted", not_reached=left)
    flash("The round is submitted. Another person reviews it now.", "good")
    return redirect(url_for(".round_page", round_id=round_id))


@blueprint.get("/walk/token")
@requires("cleandesk:walk")
def walk_token() -> ResponseReturnValue:
    """A form token and who is signed in: a page that was kept for hours asks before it sends."""
    identity = current_identity()
    return jsonify(token=generate_csrf(), user=me(), name=identity.name if identity else "")


@blueprint.get("/walk/sw.js")
@requires("cleandesk:walk")
def service_worker() -> ResponseReturnValue:
    """The service worker, served where its scope is."""
    code = (STATIC / "js" / "cleandesk" / "sw.js").read_bytes()
    return Response(code, mimetype="text/javascript", headers={"Cache-Control": "no-cache"})


@blueprint.get("/walk/app.webmanifest")
@requires("cleandesk:walk")
def manifest() -> ResponseReturnValue:
    """What a phone needs to put the walk on its home screen."""
    icon = {"src": url_for("static", filename="img/mark.svg"), "sizes": "any", "type": "image/svg+xml"}
    data = {
        "name": "bposite walk", "short_name": "Walk", "start_url": url_for(".my_walks"), "scope": url_for(".my_walks"),
        "display": "standalone", "background_color": "#f4f5f7", "theme_color": "#2456c8", "icons": [icon],
    }  # fmt: skip
    return Response(msgspec.json.encode(data), mimetype="application/manifest+json")


@blueprint.get("/walk/t/<tag>")
@requires("cleandesk:read")
def by_tag(tag: str) -> ResponseReturnValue:
    """Where the sticker on a desk leads: into my walk when it is part of it, else to the place's own page."""
    with reading() as session:
        place = queries.place_of_tag(session, tag.upper()[:16])
        if place is None:
            raise NotFound("tag", "No place has this sticker.", remedy="Search the places by name.")
        walking = queries.rounds(session, states=(Round.IN_PROGRESS,), auditor=me())
        for row in walking:
            if any(stop.place == place for stop in _mine(queries.stops(session, row.id), _seat(row))):
                return redirect(url_for(".walk", round_id=row.id, place=place))
    return redirect(url_for(".place", place_id=place))


def _seat(row: RoundRow) -> str:
    """Whether I am the first or the second auditor; a page for anybody else says whose round it is."""
    if row.auditor_id == me():
        return "first"
    if row.second_id == me():
        return "second"
    raise NotFound("not_auditor", f"{row.auditor_name} walks this round.", remedy="Open the round to follow it.")


def _mine(stops: list[StopRow], seat: str) -> list[StopRow]:
    """My places in walking order; the first auditor is not told which ones are seen twice."""
    return [stop for stop in stops if stop.taken and (seat == "first" or stop.double)]


def _walk_page(session: Session, row: RoundRow, seat: str, mine: list[StopRow], refusal: Refusal | None = None) -> str:
    catalogue = queries.in_force()
    wanted = request.values.get("place", "")
    left = [stop for stop in mine if seat not in stop.looks]
    stop = next((one for one in mine if one.place == wanted), left[0] if left else None)
    place = queries.place(session, stop.place) if stop else None
    return render_template(
        "cleandesk/walk.html",
        round=row,
        seat=seat,
        stops=mine,
        left=left,
        stop=stop,
        place=place,
        items=_groups(catalogue, stop, row) if stop else [],
        catalogue=catalogue,
        zones=zone_words(session),
        look_id=new_id(),
        before=stop.looks.get(seat) if stop else None,
        refusal=refusal,
        chosen=request.form.getlist("items"),
    )


def _groups(catalogue: Catalogue, stop: StopRow, row: RoundRow) -> list[tuple[str, list[Item]]]:
    """The items of a place by area, in the order in which an auditor looks."""
    items = catalogue.items_for(stop.zone_type, stop.kind, row.moment)
    return [
        (AREA_WORDS[area], [i for i in items if i.area == area])
        for area in AREA_WORDS
        if any(i.area == area for i in items)
    ]


def _typed_look() -> tuple[Look, dict[str, bytes]]:
    answer = request.form.get("answer", "")
    chosen = request.form.getlist("items") if answer == "fail" else []
    items, photos, sent = [], [], {}
    for item in dict.fromkeys(chosen):
        picked = {name: f"{name}-{item}" in request.form for name in ("flagged", "secured")}
        items.append({"item": item, "note": request.form.get(f"note-{item}", ""), **picked})
        file = request.files.get(f"photo-{item}")
        if file is not None and file.filename:
            photo = new_id()
            sent[photo] = file.read()
            photos.append({"id": photo, "item": item})
    raw: dict[str, Any] = {
        "id": request.form.get("id", ""), "place": request.form.get("place", ""), "answer": answer,
        "seen_at": iso(now()), "seat": request.form.get("seat", "first"), "items": items, "photos": photos,
        "reason": request.form.get("reason", "") if answer == "not_observed" else "",
        "note": request.form.get("note", ""), "corrects": request.form.get("corrects") or None,
    }  # fmt: skip
    try:
        return msgspec.convert(raw, Look), sent
    except msgspec.ValidationError as error:
        raise Refusal("look", "Choose what you saw.", field="answer") from error


def _data(session: Session, row: RoundRow, seat: str, catalogue: Catalogue) -> dict[str, Any]:
    stops = queries.stops(session, row.id, taken=False)
    places = {place.id: place for place in queries.places(session, zones=row.zones, removed=True)}
    kinds = sorted({(stop.zone_type, stop.kind) for stop in stops})
    return {
        "round": {
            "id": row.id, "number": row.number, "name": row.name, "state": row.state, "seat": seat, "user": me(),
            "shift": shift_word(row.shift), "moment": moment_word(row.moment), "exercise": row.exercise,
        },
        "zones": zone_words(session),
        "stops": [_stop(stop, seat, places) for stop in stops if stop.taken and (seat == "first" or stop.double)],
        "reserves": [_stop(stop, seat, places) for stop in stops if not stop.taken] if seat == "first" else [],
        "checklists": {
            f"{zone_type}/{kind}": [_item(i) for i in catalogue.items_for(zone_type, kind, row.moment)]
            for zone_type, kind in kinds
        },
        "areas": AREA_WORDS,
        "reasons": catalogue.reasons_not_observed,
    }  # fmt: skip


def _stop(stop: StopRow, seat: str, places: dict[str, queries.PlaceNow]) -> dict[str, Any]:
    place, look = places.get(stop.place), stop.looks.get(seat)
    seen = None
    if look is not None:
        seen = {
            "id": look.id,
            "answer": look.answer,
            "items": look.items,
            "reason": look.reason,
            "complies": look.complies,
        }
    return {
        "place": stop.place, "label": place.label if place else stop.place, "row": place.row if place else "",
        "tag": place.tag if place else "", "zone": stop.zone, "kind": stop.kind,
        "list": f"{stop.zone_type}/{stop.kind}",
        "team": stop.team, "vacant": stop.vacant, "x": place.x if place else None, "y": place.y if place else None,
        "stratum": stop.stratum, "rank": stop.rank, "ordinal": stop.ordinal, "replaces": stop.replaces, "seen": seen,
    }  # fmt: skip


def _item(item: Item) -> dict[str, Any]:
    return {
        "id": item.id, "area": item.area, "fault": item.fault, "pass_when": item.pass_when, "how": item.how,
        "severity": item.severity, "photo": item.photo, "on_the_spot": item.on_the_spot, "incident": item.incident,
        "incident_when": item.incident_when,
    }  # fmt: skip


def _told(done: Observed) -> dict[str, Any]:
    return {
        "id": done.id,
        "repeated": done.repeated,
        "complies": done.complies,
        "replacement": done.replacement,
        "findings": [{"number": f.number, "item": f.item, "severity": f.severity} for f in done.findings],
    }
