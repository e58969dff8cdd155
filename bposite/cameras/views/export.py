"""Taking pictures away: evidence of an entry as one file, and copies in which others cannot be recognised."""

from __future__ import annotations

import base64

from flask import Blueprint, Response, flash, redirect, render_template
from flask.typing import ResponseReturnValue

from bposite.cameras import actions, queries
from bposite.cameras.capture.decode import Pixels, UndecodableError, jpeg, pixels_of_jpeg
from bposite.cameras.capture.mask import redacted
from bposite.cameras.forms import ReasonForm, RedactForm
from bposite.cameras.places import evidence_store
from bposite.cameras.queries import FrameInfo
from bposite.cameras.rules.shapes import Box, checked_boxes
from bposite.cameras.views.frames import REMEDY, found_frame
from bposite.journal.work import unit_of_work
from bposite.people.access import current_actor, may, requires
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound, Refusal

blueprint = Blueprint("export_frames", __name__, url_prefix="/cameras")


@blueprint.post("/entries/<int:position>/evidence.zip")
@requires("entries:export")
def evidence(position: int) -> ResponseReturnValue:
    """Pictures, clips, manifest, hashes and proofs of one entry; who took them and why is recorded first."""
    if not may("frames:view"):
        raise Refusal(
            "frames", "Taking pictures away needs the permission to see them.", remedy="Ask an administrator."
        )
    if position >= 1 << 62:
        raise NotFound("entry", "There is no entry with this number.")
    form, actor = ReasonForm(), current_actor()
    try:
        reason = actions.checked_reason(form.reason.data or "")
    except Refusal as refusal:
        flash(f"{refusal.message} {refusal.remedy}", "refused")
        return redirect(_viewer_of(position))
    with reading() as session:
        package = actions.make_package(session, evidence_store(), position, reason, actor.name, now())
    with unit_of_work(actor) as work:
        actions.record_export(work, position, package, reason)
    return _attachment(package.content, "application/zip", package.name)


def _viewer_of(position: int) -> str:
    with reading() as session:
        infos = queries.frames_for(session, [position]).get(position, [])
    return infos[0].url if infos else f"/entries/{position}"


@blueprint.route("/frames/<link_id>/redact", methods=["GET", "POST"])
@requires("entries:export")
def redact(link_id: str) -> ResponseReturnValue:
    """Draw who may be recognised, look at the result, confirm it, take it away."""
    info = _picture_of(link_id)
    form = RedactForm()
    if not form.is_submitted():
        return render_template("cameras/redact.html", frame=info, form=form, preview="", boxes=[])
    try:
        boxes = checked_boxes(form.read())
        reason = actions.checked_reason(form.reason.data or "")
    except (ValueError, TypeError) as error:
        form.shapes.errors = [str(error)]
        return render_template("cameras/redact.html", frame=info, form=form, preview="", boxes=[]), 422
    except Refusal as refusal:
        form.reason.errors = [refusal.message]
        return render_template("cameras/redact.html", frame=info, form=form, preview="", boxes=boxes), 422
    keep = form.mode.data != "hide"
    content = jpeg(redacted(_pixels(info), boxes, keep))
    if form.confirmed.data != "yes":
        preview = "data:image/jpeg;base64," + base64.b64encode(content).decode()
        return render_template("cameras/redact.html", frame=info, form=form, preview=preview, boxes=boxes)
    return _hand_over(info, content, boxes, keep, reason)


def _hand_over(info: FrameInfo, content: bytes, boxes: tuple[Box, ...], keep: bool, reason: str) -> Response:
    stored = evidence_store().put(content, ".jpg")
    with unit_of_work(current_actor()) as work:
        actions.record_redaction(work, info, stored, boxes, keep, reason)
    return _attachment(content, "image/jpeg", f"entry-{info.position}-{info.camera}-redacted.jpg")


def _picture_of(link_id: str) -> FrameInfo:
    if not may("frames:view"):
        raise Refusal("frames", "This needs the permission to see pictures.", remedy="Ask an administrator.")
    with reading() as session:
        info = found_frame(queries.frame(session, link_id))
    if not info.has_picture:
        raise NotFound("picture", info.missing or "There is no picture yet.")
    return info


def _pixels(info: FrameInfo) -> Pixels:
    """What may be seen of the picture: masks stay on."""
    try:
        return pixels_of_jpeg(evidence_store().path(info.view_path or info.picture_path or "").read_bytes())
    except (OSError, UndecodableError) as error:
        raise NotFound("picture", "The file of this picture is missing or damaged.", remedy=REMEDY) from error


def _attachment(content: bytes, mimetype: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, mimetype=mimetype, headers=headers)
