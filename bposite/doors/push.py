"""Where terminals push their events over HTTP: Hikvision (ISAPI listening host) and ZKTeco (PUSH).

A device proves itself by its own secret, a part of the address that it is given, because terminals can be given
little else; firmware with a fixed path (ZKTeco) by its serial number from its own network. Whoever has neither gets the
answer of an address that does not exist. "OK" is said only when the message is durable; what it means, the listener
finds out.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import urlsplit

import structlog
from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.exceptions import NotFound as NoSuchAddress

from bposite.doors.actions import inbox
from bposite.doors.queries.push import Pusher, pusher, pusher_by_secret, pusher_by_serial
from bposite.doors.wire.adapters.hikvision import without_pictures
from bposite.people.access import public, requires
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound
from bposite.plumbing.settings import current
from bposite.plumbing.web import csrf, limiter

MAX_BODY = 4 * 1024 * 1024
WRONG = "30 per minute"  # wrong secrets
BUSY = "3000 per minute"
WORD = re.compile(r"[A-Za-z0-9_.-]{0,40}")
log = structlog.get_logger(__name__)
blueprint = Blueprint("push", __name__)
blueprints = (blueprint,)
csrf.exempt(blueprint)


def _refused(response: Response) -> bool:
    return response.status_code == 404


def _who() -> str:
    """Address and device: one misconfigured terminal must not silence the others behind its address."""
    named = (request.view_args or {}).get("device_id") or request.args.get("SN", "")
    return f"{request.remote_addr} {named[:64]}"


@blueprint.route("/push/<device_id>/<secret>", methods=["GET", "POST"])
@blueprint.route("/push/<device_id>/<secret>/<path:rest>", methods=["GET", "POST"])
@public
@limiter.limit(BUSY, key_func=_who)
@limiter.limit(WRONG, key_func=_who, deduct_when=_refused)
def by_address(device_id: str, secret: str, rest: str = "") -> ResponseReturnValue:
    """A message of a device whose address holds its secret."""
    return _take(_known(device_id, secret), rest)


@blueprint.route("/iclock/<word>", methods=["GET", "POST"])
@public
@limiter.limit(BUSY, key_func=_who)
@limiter.limit(WRONG, key_func=_who, deduct_when=_refused)
def by_serial(word: str) -> ResponseReturnValue:
    """A message of a ZKTeco device with the path its firmware is born with."""
    with reading() as session:
        known = pusher_by_serial(session, request.args.get("SN", "")[:64])
    if known is None or not known.is_from(request.remote_addr or ""):
        raise _unknown()
    return _zkteco(known, word)


@blueprint.get("/doors/devices/<device_id>/push")
@requires("doors:configure", fresh=True)
def settings(device_id: str) -> ResponseReturnValue:
    """What to enter at the device, its secret included."""
    with reading() as session:
        known = pusher(session, device_id)
    if known is None:
        raise NotFound("device", "No device of this name pushes over HTTP.")
    path = url_for(".by_address", device_id=known.device, secret=known.secret)
    return render_template("doors/push.html", device=known, server=urlsplit(current().web.address), path=path)


def _known(device_id: str, secret: str) -> Pusher:
    with reading() as session:
        known = pusher_by_secret(session, device_id[:40], secret[:200])
    if known is None or not known.is_from(request.remote_addr or ""):
        raise _unknown()
    return known


def _unknown() -> NoSuchAddress:
    log.warning("doors:push:refused", address=request.remote_addr)
    return NoSuchAddress()


def _take(known: Pusher, rest: str) -> ResponseReturnValue:
    if known.kind == "zkteco":
        return _zkteco(known, rest.rpartition("/")[2] or "cdata")
    if request.method != "POST":
        raise MethodNotAllowed(valid_methods=["POST"])
    inbox.receive(known.device, "isapi", without_pictures(_body()))
    return Response("", 200)


def _body() -> bytes:
    """The body, at most MAX_BODY bytes, not parsed as a form."""
    if (request.content_length or 0) > MAX_BODY:
        raise RequestEntityTooLarge
    body = request.get_data(cache=False)
    if len(body) > MAX_BODY:
        raise RequestEntityTooLarge
    return body


# --- ZKTeco ----------------------------------------------------------------------------------------------------------


def _zkteco(known: Pusher, word: str) -> Response:
    """The few words of the PUSH protocol that a server needs (as public servers of it answer)."""
    serial = request.args.get("SN", "")[:64]
    if known.serial and serial != known.serial:
        raise _unknown()
    if word == "cdata" and request.method == "POST":
        return _text(_rows(known))
    if word == "cdata" and "options" in request.args:
        return _text(_options(serial))
    if word == "registry":
        return _text(f"RegistryCode={known.secret[:10]}")
    if word == "push":
        return _text(_settings(known))
    if word in ("ping", "getrequest", "cdata"):
        inbox.receive(known.device, "iclock/ping", b"", key=f"ping:{now():%Y%m%d%H%M}")
    return _text("OK")


def _rows(known: Pusher) -> str:
    """Store a table; the device deletes its rows when it reads how many were taken."""
    body = _body()
    serial, table = request.args.get("SN", ""), request.args.get("table", "")
    if not WORD.fullmatch(serial) or not WORD.fullmatch(table):
        raise BadRequest("SN and table are short words of letters and digits.")
    path = f"iclock/cdata?SN={serial}&table={table}"
    inbox.receive(known.device, path, body, key=f"{table}:{hashlib.sha256(body).hexdigest()}" if body else "")
    count = sum(1 for line in body.splitlines() if line.strip())
    return f"OK: {count}" if table.upper() in ("ATTLOG", "OPERLOG") else "OK"


def _options(serial: str) -> str:
    """Send everything at once, as it happens; transfer no templates and no photos."""
    lines = [f"GET OPTION FROM: {serial}", "ATTLOGStamp=None", "OPERLOGStamp=None", "ErrorDelay=30", "Delay=10"]
    lines += ["TransTimes=00:00;12:00", "TransInterval=1", "TransFlag=TransData AttLog", "Realtime=1", "Encrypt=None"]
    return "\r\n".join(lines) + "\r\n"


def _settings(known: Pusher) -> str:
    lines = ["ServerVersion=3.1.1", "ServerName=bposite", "PushVersion=3.1.1", "ErrorDelay=30", "RequestDelay=10"]
    lines += ["TransTimes=00:00;12:00", "TransInterval=1", "TransTables=Transaction", "Realtime=1"]
    return "\r\n".join([*lines, f"SessionID={known.secret[10:20]}", "TimeoutSec=10"]) + "\r\n"


def _text(text: str) -> Response:
    return Response(text, mimetype="text/plain")
