"""The roll call: one button, a frozen list by zone, big ticks, marks from phones that may be offline."""

from __future__ import annotations

from datetime import datetime

import msgspec
from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bposite.journal.work import unit_of_work
from bposite.live import actions, queries
from bposite.live.actions import Mark
from bposite.people.access import current_actor, requires
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound, Refusal
from bposite.plumbing.ids import new_id
from bposite.plumbing.web import wants_fragment

blueprint = Blueprint("rollcall", __name__, url_prefix="/rollcall")
MOST_MARKS = 500


class _Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One mark in the body that a phone sends."""

    id: str
    member: str
    state: str
    at: datetime | None = None

    def __post_init__(self) -> None:
        if not (8 <= len(self.id) <= 40 and self.id.isascii()) or (self.at is not None and self.at.tzinfo is None):
            raise ValueError("a mark needs an id and a time with an offset")


@blueprint.get("/")
@requires("rollcall:run")
def overview() -> str:
    """Start one, or go to one that is under way; the earlier ones below."""
    with reading() as session:
        inside = len(queries.everybody_inside(session, now()))
        return render_template("live/rollcalls.html", calls=queries.calls(session), inside=inside)


@blueprint.post("/start")
@requires("rollcall:run")
def start() -> ResponseReturnValue:
    """Freeze the list now."""
    with unit_of_work(current_actor()) as work:
        call_id = actions.start(
            work, drill=request.form.get("drill") == "1", reason=request.form.get("reason", "")
        )  # fmt: skip
    return redirect(url_for(".one", call_id=call_id))


@blueprint.get("/<call_id>")
@requires("rollcall:run")
def one(call_id: str) -> str:
    """The list by zone, with ticks."""
    with reading() as session:
        roll = queries.roll(session, call_id)
    if roll is None:
        raise NotFound("rollcall", "There is no such roll call.")
    return render_template("live/roll_list.html" if wants_fragment() else "live/rollcall.html", roll=roll)


@blueprint.post("/<call_id>/marks")
@requires("rollcall:run")
def marks(call_id: str) -> ResponseReturnValue:
    """Marks of a phone, as JSON: [{"id", "member", "state", "at"}]. Sending the same again changes nothing."""
    try:
        sent = msgspec.json.decode(request.get_data(cache=False), type=list[_Mark])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal("marks", "These marks cannot be read.") from error
    if len(sent) > MOST_MARKS:
        raise Refusal("marks", f"Send at most {MOST_MARKS} marks at once.")
    with unit_of_work(current_actor()) as work:
        taken = actions.take_marks(work, call_id, [Mark(one.id, one.member, one.state, one.at) for one in sent])
    return jsonify(taken=taken, ids=[one.id for one in sent])


@blueprint.post("/<call_id>/mark")
@requires("rollcall:run")
def mark(call_id: str) -> ResponseReturnValue:
    """One mark from a form, for a browser without script."""
    member, state = request.form.get("member", ""), request.form.get("state", "")
    with unit_of_work(current_actor()) as work:
        actions.take_marks(work, call_id, [Mark(new_id(), member, state, None)])
    return redirect(url_for(".one", call_id=call_id, _anchor=f"m-{member}"))


@blueprint.post("/<call_id>/strangers")
@requires("rollcall:run")
def stranger(call_id: str) -> ResponseReturnValue:
    """Somebody at the muster point who is on no list."""
    try:
        with unit_of_work(current_actor()) as work:
            actions.add_stranger(work, call_id, request.form.get("name", ""), request.form.get("detail", ""))
    except NotFound:
        raise
    except Refusal as refusal:
        flash(f"{refusal.message} {refusal.remedy}".strip(), "refused")
    return redirect(url_for(".one", call_id=call_id))


@blueprint.post("/<call_id>/close")
@requires("rollcall:run")
def close(call_id: str) -> ResponseReturnValue:
    """The roll call is over."""
    with unit_of_work(current_actor()) as work:
        actions.close(work, call_id)
    flash("The roll call is closed. It stays here as evidence.", "good")
    return redirect(url_for(".one", call_id=call_id))
