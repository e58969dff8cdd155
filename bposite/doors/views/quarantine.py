"""Messages that nobody could read: look, let them be read again, or discard them with a reason."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bposite.doors import actions
from bposite.doors.forms import ReasonForm, refuse
from bposite.doors.queries import devices as queries
from bposite.journal.work import unit_of_work
from bposite.people.access import current_actor, requires
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound, Refusal

blueprint = Blueprint("quarantine", __name__, url_prefix="/doors/quarantine")
PAGE = 50
STATES = {"open": "Waiting", "replayed": "Read again", "discarded": "Discarded"}
CODES = {
    "empty": "Empty",
    "too-large": "Too large",
    "not-utf8": "Not text",
    "bad-json": "Not JSON",
    "duplicate-key": "A key twice",
    "too-deep": "Nested too deep",
    "bad-shape": "Parts missing",
    "bad-value": "A value that cannot be",
    "unknown-topic": "Unknown topic",
    "unknown-class": "Unknown kind of event",
    "unsupported-version": "Unsupported version",
    "spoofing": "In another's name",
    "wrong-site": "For another site",
    "unknown-device": "Unknown device",
    "unknown-door": "Unknown door",
    "event-id-conflict": "A number used twice",
    "not-for-us": "Not for us",
}


@blueprint.get("/")
@requires("quarantine:handle")
def overview() -> ResponseReturnValue:
    """The list, newest first."""
    state = request.args.get("state", "open")
    state = state if state in STATES else "open"
    with reading() as session:
        rows = queries.quarantine(session, state=state, before=request.args.get("before", "")[:26], limit=PAGE + 1)
        return render_template(
            "doors/quarantine.html", rows=rows[:PAGE], more=len(rows) > PAGE, state=state, states=STATES, codes=CODES
        )


@blueprint.get("/<message_id>")
@requires("quarantine:handle")
def one(message_id: str) -> ResponseReturnValue:
    """One message, its bytes shown as they are."""
    return _page(message_id, ReasonForm())


@blueprint.post("/<message_id>/<any(replay, discard):what>")
@requires("quarantine:handle")
def handle(message_id: str, what: str) -> ResponseReturnValue:
    """Read it again, or discard it."""
    form = ReasonForm()
    if not form.validate_on_submit():
        return _page(message_id, form), 422
    action = actions.replay_message if what == "replay" else actions.discard_message
    try:
        with unit_of_work(current_actor()) as work:
            action(work, message_id, form.reason.data or "")
    except NotFound:
        raise
    except Refusal as refusal:
        refuse(form, refusal)
        return _page(message_id, form), refusal.status
    flash("The listener reads it again." if what == "replay" else "Discarded. It stays on record.", "good")
    return redirect(url_for(".overview"))


def _page(message_id: str, form: ReasonForm) -> str:
    with reading() as session:
        row = queries.quarantined(session, message_id)
    if row is None:
        raise NotFound("message", "There is no such message.")
    return render_template(
        "doors/message.html", row=row, form=form, codes=CODES, states=STATES, text=shown(row.raw), hexdump=dump(row.raw)
    )


def shown(raw: bytes, limit: int = 8000) -> str:
    """Bytes as text that shows what cannot be shown."""
    text = raw[:limit].decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() or char in "\n\t" else f"\\x{ord(char):02x}" for char in text)


def dump(raw: bytes, limit: int = 512) -> str:
    """The first bytes in hexadecimal, sixteen a line."""
    head = raw[:limit]
    return "\n".join(f"{at:04x}  {head[at : at + 16].hex(' ')}" for at in range(0, len(head), 16))
