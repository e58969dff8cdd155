"""Changing cameras: their plan, masks, confirmed view; and looking again for missing pictures."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms import Form

from bposite.cameras import actions, queries
from bposite.cameras.forms import ReferenceForm, ShapesForm, camera_form, plan_of
from bposite.cameras.places import evidence_store, still_path
from bposite.cameras.queries import CameraRow
from bposite.cameras.views.wall import found_camera
from bposite.doors.queries.names import door_names, zone_names
from bposite.journal.work import unit_of_work
from bposite.people.access import current_actor, requires
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound, Refusal

blueprint = Blueprint("manage_cameras", __name__, url_prefix="/cameras")
LOOK_BACK = timedelta(hours=24)


@blueprint.route("/<camera_id>/edit", methods=["GET", "POST"])
@requires("cameras:configure")
def edit(camera_id: str) -> ResponseReturnValue:
    """The camera's form."""
    with reading() as session:
        row = found_camera(queries.camera(session, camera_id))
        form = camera_form(row, *_places(session))
    if form.validate_on_submit():
        try:
            with unit_of_work(current_actor()) as work:
                actions.configure(work, plan_of(form, row))
        except Refusal as refusal:
            _beside(form, refusal)
        else:
            flash(f"{form.name.data} was saved.", "good")
            return redirect(url_for("cameras.camera", camera_id=camera_id))
    return render_template("cameras/edit.html", camera=row, form=form), 422 if form.errors else 200


def _places(session: Session) -> tuple[dict[str, str], dict[str, str]]:
    doors = {door.id: door.name for door in door_names(session).values() if not door.retired}
    return doors, {zone.id: zone.name for zone in zone_names(session).values()}


def _beside(form: Form, refusal: Refusal) -> None:
    field = form[refusal.field] if refusal.field and refusal.field in form else form["name"]
    field.errors = [*field.errors, refusal.message]


@blueprint.route("/<camera_id>/masks", methods=["GET", "POST"])
@requires("cameras:configure")
def masks(camera_id: str) -> ResponseReturnValue:
    """Draw what must never be seen."""
    row = _row(camera_id)
    form = ShapesForm()
    if form.is_submitted() and (answer := _drawn(form, camera_id)) is not None:
        return answer
    page = render_template("cameras/draw.html", camera=row, form=form)
    return page, 422 if form.is_submitted() else 200


def _row(camera_id: str) -> CameraRow:
    with reading() as session:
        return found_camera(queries.camera(session, camera_id))


def _drawn(form: ShapesForm, camera_id: str) -> ResponseReturnValue | None:
    """Store what was drawn; None when it is refused and the form is to be shown again."""
    try:
        shapes = form.read()
        with unit_of_work(current_actor()) as work:
            actions.set_masks(work, camera_id, shapes)
    except (ValueError, TypeError) as error:
        form.shapes.errors = [str(error)]
        return None
    except Refusal as refusal:
        form.shapes.errors = [refusal.message]
        return None
    flash("The drawing was saved. It holds for pictures from now on.", "good")
    return redirect(url_for("cameras.camera", camera_id=camera_id))


@blueprint.post("/<camera_id>/reference")
@requires("cameras:configure")
def reference(camera_id: str) -> ResponseReturnValue:
    """The view on the wall is right: keep it as what health compares with."""
    _row(camera_id)
    form = ReferenceForm()
    if not form.validate_on_submit():
        raise Refusal("reference_label", "A reference is for the day or for the night.", field="label")
    path = still_path(camera_id)
    if not path.is_file():
        raise NotFound("still", "This camera has not given a picture yet.")
    stored = evidence_store().put(path.read_bytes(), ".jpg")
    with unit_of_work(current_actor()) as work:
        actions.confirm_reference(work, camera_id, form.label.data, stored)
    flash("The view was confirmed. Health compares with it from now on.", "good")
    return redirect(url_for("cameras.camera", camera_id=camera_id))


@blueprint.post("/<camera_id>/look-again")
@requires("cameras:configure")
def look_again(camera_id: str) -> ResponseReturnValue:
    """Search the rings again for what was incomplete in the last day (a camera or a disk is back)."""
    _row(camera_id)
    with unit_of_work(current_actor()) as work:
        positions = queries.unfinished_positions(work.session, camera_id, now() - LOOK_BACK)
        count = actions.relink(work, positions)
    flash(f"Looking again for {count} pictures." if count else "Nothing is missing in the last 24 hours.", "good")
    return redirect(url_for("cameras.camera", camera_id=camera_id))
