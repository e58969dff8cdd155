"""Devices and how they are: silence is an alarm, a gap has a number, and what nobody planned waits to be claimed."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bposite.doors import actions
from bposite.doors.forms import ClaimDeviceForm, ClaimDoorForm, ReasonForm, refuse
from bposite.doors.queries import devices as queries
from bposite.doors.queries.names import door_names
from bposite.journal.work import unit_of_work
from bposite.people.access import current_actor, requires
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound, Refusal
from bposite.plumbing.web import wants_fragment

blueprint = Blueprint("devices", __name__, url_prefix="/doors/devices")


@blueprint.get("/")
@requires("devices:read")
def overview() -> ResponseReturnValue:
    """All devices, worst first, and what speaks without being planned."""
    with reading() as session:
        page = "doors/device_rows.html" if wants_fragment() else "doors/devices.html"
        return render_template(
            page,
            devices=queries.devices_health(session, now()),
            claims=queries.claims(session),
            waiting=queries.open_quarantine(session),
        )


@blueprint.get("/<device_id>")
@requires("devices:read")
def one(device_id: str) -> ResponseReturnValue:
    """One device: its numbers, its gaps, what came in vain."""
    with reading() as session:
        return _page(session, device_id, ReasonForm())


@blueprint.post("/<device_id>/gaps/<gap_id>/sign-off")
@requires("doors:configure")
def sign_off(device_id: str, gap_id: str) -> ResponseReturnValue:
    """Accept by name that these events will not come."""
    form = ReasonForm()
    if form.validate_on_submit():
        with unit_of_work(current_actor()) as work:
            actions.sign_off_gap(work, gap_id, form.reason.data or "")
        flash("The gap is signed off.", "good")
        return redirect(url_for(".one", device_id=device_id))
    with reading() as session:
        return _page(session, device_id, form, failed=gap_id), 422


@blueprint.get("/claims/<device_id>/<path:ref>")
@requires("doors:configure")
def claim(device_id: str, ref: str) -> ResponseReturnValue:
    """Say which door of the plan a device means."""
    with reading() as session:
        return _claim_page(session, device_id, ref, _door_form(session))


@blueprint.post("/claims/<device_id>/<path:ref>")
@requires("doors:configure")
def claim_door(device_id: str, ref: str) -> ResponseReturnValue:
    """Claim a door."""
    with reading() as session:
        form = _door_form(session)
    if form.validate_on_submit():
        try:
            with unit_of_work(current_actor()) as work:
                actions.claim_door(work, device_id, ref, form.door.data, form.direction.data or None)
        except NotFound:
            raise
        except Refusal as refusal:
            refuse(form, refusal)
        else:
            flash("Claimed. From now on its events belong to this door.", "good")
            return redirect(url_for(".overview"))
    with reading() as session:
        return _claim_page(session, device_id, ref, form), 422


@blueprint.post("/claims/<device_id>")
@requires("doors:configure")
def claim_device(device_id: str) -> ResponseReturnValue:
    """Take a device into the plan."""
    form = ClaimDeviceForm()
    if form.validate_on_submit():
        with unit_of_work(current_actor()) as work:
            actions.claim_device(work, device_id, form.name.data or "")
        flash("The device is in the plan.", "good")
    else:
        flash(" ".join(form.name.errors), "refused")
    return redirect(url_for(".overview"))


@blueprint.post("/claims/<device_id>/dismiss", defaults={"ref": ""})
@blueprint.post("/claims/<device_id>/<path:ref>/dismiss")
@requires("doors:configure")
def dismiss(device_id: str, ref: str) -> ResponseReturnValue:
    """It is none of ours."""
    form = ReasonForm()
    if form.validate_on_submit():
        with unit_of_work(current_actor()) as work:
            actions.dismiss_claim(work, device_id, ref, form.reason.data or "")
        flash("Taken off the list. Its events stay in the log.", "good")
    else:
        flash(" ".join(form.reason.errors), "refused")
    return redirect(url_for(".overview"))


def _page(session: Session, device_id: str, form: ReasonForm, failed: str = "") -> str:
    found = next((one for one in queries.devices_health(session, now()) if one.id == device_id), None)
    if found is None:
        raise NotFound("device", "There is no such device.")
    return render_template(
        "doors/device.html",
        device=found,
        gaps=queries.gaps(session, device_id),
        form=form,
        failed=failed,
        claims=[one for one in queries.claims(session) if one.device == device_id],
    )


def _door_form(session: Session) -> ClaimDoorForm:
    form = ClaimDoorForm()
    form.door.choices = [(door.id, door.name) for door in door_names(session).values() if not door.retired]
    return form


def _claim_page(session: Session, device_id: str, ref: str, form: ClaimDoorForm) -> str:
    found = next((one for one in queries.claims(session) if (one.device, one.ref) == (device_id, ref)), None)
    if found is None:
        raise NotFound("claim", "There is nothing to claim under this name.")
    return render_template("doors/claim.html", claim=found, form=form)
