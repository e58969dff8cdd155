"""The live stream: server-sent events of the journal."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from bposite.live.rules import TOPICS, last_event_id
from bposite.live.stream import TooManyStreamsError, hub
from bposite.people.access import NotAllowed, current_identity, requires, still_holds
from bposite.plumbing.errors import Refusal
from bposite.plumbing.settings import current
from bposite.plumbing.web import problem

RETRY_AFTER = 10
stream_blueprint = Blueprint("stream", __name__, url_prefix="/live")


@stream_blueprint.get("/stream")
@requires("account:own")  # each topic asks for its own permission besides
def stream() -> ResponseReturnValue:
    """Server-sent events of the topics in ``?topics=a,b``; goes on after ``Last-Event-ID`` (or ``?after=``)."""
    topics = _topics(request.args.get("topics", ""))
    identity = current_identity()
    if identity is None:
        raise NotAllowed("not_allowed", "Please sign in.")
    for name in sorted(topics):
        if not identity.may(TOPICS[name].permission):
            raise NotAllowed("not_allowed", f"Your role does not allow the topic {name}.")
    gone = request.environ.get("waitress.client_disconnected", lambda: False)
    web = current().web
    try:
        listener = hub.join(
            identity.id,
            topics,
            caps=(web.streams, web.streams_per_user),
            allowed=lambda: all(still_holds(identity, TOPICS[name].permission) for name in topics),
            gone=gone,
        )
    except TooManyStreamsError as error:
        return _busy(error)
    after = last_event_id(request.headers.get("Last-Event-ID") or request.args.get("after"))
    response = Response(listener.chunks(after), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(listener.close)
    return response


def _topics(text: str) -> frozenset[str]:
    names = frozenset(filter(None, text[:400].split(",")))
    unknown = sorted(names - set(TOPICS))
    if unknown or not names:
        known = ", ".join(TOPICS)
        raise Refusal("topics", f"Give one or more topics of: {known}.", field="topics")
    return names


def _busy(error: TooManyStreamsError) -> Response:
    words = {
        "person": "You have too many live pages open. Close some of them.",
        "site": "Too many live pages are open at this site.",
    }
    answer = problem(503, "too_many_streams", words[error.whose])
    answer.headers["Retry-After"] = str(RETRY_AFTER)
    return answer
