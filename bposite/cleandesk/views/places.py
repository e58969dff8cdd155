"""The roster: places on the plan and in a list, one place with its history, import, stickers, the drawing board."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bposite.cleandesk import actions, prints, queries
from bposite.cleandesk.charts import plan_view
from bposite.cleandesk.forms import ImportForm, PlaceForm, refuse
from bposite.cleandesk.queries import PlaceNow, Wanted
from bposite.cleandesk.views.base import blueprint, zone_words
from bposite.cleandesk.wire import read_csv
from bposite.journal.work import unit_of_work
from bposite.people.access import current_actor, requires
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound, Refusal
from bposite.plumbing.settings import current
from bposite.plumbing.web import wants_fragment

PDF = "application/pdf"


@blueprint.get("/places/")
@requires("cleandesk:read")
def places() -> ResponseReturnValue:
    """All places, on the plan and in a list."""
    zone, text = request.args.get("zone", ""), request.args.get("q", "").strip()[:60]
    kind = request.args.get("kind", "")
    with reading() as session:
        rows = queries.places(session, zones=(zone,) if zone else (), kinds=(kind,) if kind else (), text=text)
        tones = {place: (f"s{severity[1]}", f"open finding, {severity}") for place, severity in _worst(session).items()}
        page = "cleandesk/places_list.html" if wants_fragment() else "cleandesk/places.html"
        return render_template(
            page,
            places=rows,
            view=plan_view(rows, tones),
            floor=queries.floor_picture(session),
            zones=zone_words(session),
            zone=zone,
            kind=kind,
            text=text,
            worst=_worst(session),
            used=sorted({zone for zone, _ in queries.counts(session)}),
        )


@blueprint.get("/places/<place_id>")
@requires("cleandesk:read")
def place(place_id: str) -> ResponseReturnValue:
    """One place: who has it, what was found here."""
    with reading() as session:
        row = _needed(session, place_id)
        return render_template(
            "cleandesk/place.html",
            place=row,
            moves=queries.moves(session, place_id),
            findings=queries.findings(session, Wanted(place=place_id), now(), limit=50),
            zones=zone_words(session),
            address=_address(row),
            at=now(),
        )


@blueprint.route("/places/new", methods=["GET", "POST"])
@requires("cleandesk:plan")
def new_place() -> ResponseReturnValue:
    """Add a place."""
    return _edit(None)


@blueprint.route("/places/<place_id>/edit", methods=["GET", "POST"])
@requires("cleandesk:plan")
def edit_place(place_id: str) -> ResponseReturnValue:
    """Change a place."""
    with reading() as session:
        row = _needed(session, place_id)
    return _edit(row)


@blueprint.post("/places/<place_id>/assign")
@requires("cleandesk:plan")
def assign(place_id: str) -> ResponseReturnValue:
    """Another team has the place from now on, or nobody."""
    team, shift = request.form.get("team", "").strip()[:80], request.form.get("shift", "")[:20]
    vacant, reason = request.form.get("vacant") == "1", request.form.get("reason", "").strip()[:200]
    with unit_of_work(current_actor()) as work:
        actions.assign(work, place_id, shift, team, vacant=vacant, reason=reason)
    flash("Noted: from now on.", "good")
    return redirect(url_for(".place", place_id=place_id))


@blueprint.post("/places/<place_id>/remove")
@requires("cleandesk:plan")
def remove_place(place_id: str) -> ResponseReturnValue:
    """Take a place out of the roster."""
    try:
        with unit_of_work(current_actor()) as work:
            actions.remove_place(work, place_id, request.form.get("reason", "")[:200])
        flash("The place is out of the roster. What was found there stays.", "good")
    except Refusal as refusal:
        flash(refusal.message, "refused")
    return redirect(url_for(".place", place_id=place_id))


@blueprint.route("/places/import", methods=["GET", "POST"])
@requires("cleandesk:plan")
def import_places() -> ResponseReturnValue:
    """Many places from a CSV file; what is wrong is told line by line."""
    form, done = ImportForm(), None
    if form.validate_on_submit():
        try:
            data = form.file.data.read() if form.file.data else b""
            if not data:
                raise Refusal("file", "Choose a file.", field="file")
            lines = list(read_csv(data))
            with unit_of_work(current_actor()) as work:
                done = actions.import_places(work, lines)
        except Refusal as refusal:
            refuse(form, refusal)
    bad = bool(form.errors) or bool(done and done.faulty)
    return render_template("cleandesk/places_import.html", form=form, done=done), 422 if bad else 200


@blueprint.get("/places/stickers.pdf")
@requires("cleandesk:read")
def stickers() -> ResponseReturnValue:
    """Stickers with QR codes for the places that the list shows."""
    zone, one = request.args.get("zone", ""), request.args.get("place", "")
    with reading() as session:
        names = zone_words(session)
        rows = [_needed(session, one)] if one else queries.places(session, zones=(zone,) if zone else ())
    if not rows:
        raise NotFound("no_places", "There is no place to print a sticker for.")
    data = [
        {"label": row.label, "zone": names.get(row.zone, row.zone), "code": row.tag, "address": _address(row)}
        for row in rows
    ]
    return _pdf(prints.stickers(data), "desk-stickers.pdf")


@blueprint.get("/places/plan")
@requires("cleandesk:plan")
def drawing() -> ResponseReturnValue:
    """The drawing board: a picture of the floor below, places to drag above it."""
    with reading() as session:
        rows = [row for row in queries.places(session) if row.kind != "area"]
        return render_template(
            "cleandesk/drawing.html",
            places=rows,
            view=plan_view(rows, {}),
            floor=queries.floor_picture(session),
            zones=zone_words(session),
        )


@blueprint.post("/places/plan")
@requires("cleandesk:plan")
def save_drawing() -> ResponseReturnValue:
    """Keep where places stand: JSON {place: [x, y]} in metres."""
    try:
        positions = msgspec.json.decode(request.get_data(cache=False), type=dict[str, tuple[float, float]])
    except msgspec.DecodeError as error:
        raise Refusal("positions", "The positions could not be read.") from error
    with unit_of_work(current_actor()) as work:
        moved = actions.position_places(work, positions)
    return Response(msgspec.json.encode({"moved": moved}), mimetype="application/json")


@blueprint.post("/places/floor")
@requires("cleandesk:plan")
def save_floor() -> ResponseReturnValue:
    """Put a picture of the floor below the plan."""
    file = request.files.get("picture")
    try:
        width = float(request.form.get("metres", "0") or 0)
    except ValueError:
        width = 0.0
    try:
        kept = actions.keep_floor(file.read() if file else b"")
        with unit_of_work(current_actor()) as work:
            actions.set_floor(work, kept, width)
        flash("The picture lies below the plan now.", "good")
    except Refusal as refusal:
        flash(f"{refusal.message} {refusal.remedy}".strip(), "refused")
    return redirect(url_for(".drawing"))


@blueprint.get("/places/floor.jpg")
@requires("cleandesk:read")
def floor() -> ResponseReturnValue:
    """The picture of the floor."""
    with reading() as session:
        row = queries.floor_picture(session)
    data = actions.floor_file(row) if row else None
    if data is None:
        raise NotFound("floor", "There is no picture of the floor.")
    return Response(data, mimetype="image/jpeg", headers={"Cache-Control": "private, max-age=600"})


def _edit(row: PlaceNow | None) -> ResponseReturnValue:
    form = PlaceForm(data=_values(row)) if request.method == "GET" else PlaceForm()
    with reading() as session:
        form.zone.choices = [(zone, name) for zone, name in zone_words(session).items() if zone != "outside"]
        teams = sorted({team for one in queries.places(session) for team in one.teams.values() if team})
    form.zone_type.choices = [("", "As the zone says"), *queries.in_force().zone_types.items()]
    if row is not None:
        form.id.data = row.id
    if form.validate_on_submit():
        try:
            with unit_of_work(current_actor()) as work:
                saved = actions.save_place(work, form.typed())
            flash("The place is saved.", "good")
            return redirect(url_for(".place", place_id=saved))
        except Refusal as refusal:
            refuse(form, refusal)
    page = render_template("cleandesk/place_edit.html", form=form, place=row, teams=teams)
    return page, 422 if form.errors else 200


def _values(row: PlaceNow | None) -> dict[str, Any]:
    if row is None:
        return {"kind": "desk", "shifts": "day"}
    values = {name: getattr(row, name) for name in ("id", "kind", "label", "zone", "zone_type", "row", "client")}
    team = next(iter(row.teams.values()), "")
    at = {"x": "" if row.x is None else f"{row.x:g}", "y": "" if row.y is None else f"{row.y:g}"}
    return values | at | {"shifts": " ".join(row.teams), "team": team}


def _needed(session: Session, place_id: str) -> PlaceNow:
    row = queries.place(session, place_id)
    if row is None:
        raise NotFound("place", f"There is no place {place_id[:40]}.", remedy="Search the list of places.")
    return row


def _worst(session: Session) -> dict[str, str]:
    return queries.open_by_place(session)


def _address(row: PlaceNow) -> str:
    return f"{current().web.address}{url_for('cleandesk.by_tag', tag=row.tag)}"


def _pdf(data: bytes, name: str) -> Response:
    return Response(data, mimetype=PDF, headers={"Content-Disposition": f'inline; filename="{name}"'})
