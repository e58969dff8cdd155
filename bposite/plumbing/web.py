"""The web shell: one Flask application with strict headers, CSRF protection, error pages and template helpers."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import structlog
from flask import Flask, Request, Response, abort, g, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf import CSRFProtect
from markupsafe import Markup, escape
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from bposite.plumbing.clock import local, now
from bposite.plumbing.db import bind
from bposite.plumbing.errors import Refusal
from bposite.plumbing.resources import root
from bposite.plumbing.secrets import key
from bposite.plumbing.settings import Settings

STATIC = Path(__file__).resolve().parent.parent / "static"
MAX_BODY = 12 * 1024 * 1024
API_PREFIX = "/api/"
CSP = (
    "default-src 'none'; script-src 'self'{wasm}; style-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
log = structlog.get_logger(__name__)
csrf = CSRFProtect()
limiter = Limiter(get_remote_address, storage_uri="memory://")  # its headers would overwrite our own Retry-After


class CleanValues(ImmutableMultiDict[str, Any]):
    """Query and form values without NUL: no person types one, and PostgreSQL cannot store one."""

    def __init__(self, mapping: Iterable[tuple[str, Any]] = ()) -> None:
        super().__init__([(name, _clean(value)) for name, value in mapping])


def _clean(value: Any) -> Any:
    return value.replace("\0", "") if isinstance(value, str) else value


class CleanRequest(Request):
    """A request whose texts every database can take."""

    parameter_storage_class = CleanValues

    @property
    def is_json(self) -> bool:
        """Never: forms would read themselves from it, and crash on a list or on deep nesting.

        What takes JSON decodes the bytes of the body itself, into a type.
        """
        return False


class Position(IntegerConverter):
    """``<int:...>`` in an address: what a BIGINT column can hold; more digits are no address of ours."""

    def __init__(self, url_map: Map, *args: Any, **kwargs: Any) -> None:
        super().__init__(url_map, *args, **{"max": 2**62} | kwargs)


def _no_nul_in_address() -> None:
    if "\0" in request.path:
        abort(404)


def make_app(settings: Settings) -> Flask:
    """A Flask application for ``settings``, without any feature in it."""
    app = Flask("bposite", template_folder=str(root("templates")), static_folder=str(STATIC), static_url_path="/static")
    app.request_class = CleanRequest
    app.url_map.converters["int"] = Position
    app.before_request(_no_nul_in_address)
    app.config.update(
        SECRET_KEY=key("flask").hex(),
        MAX_CONTENT_LENGTH=MAX_BODY,
        MAX_FORM_MEMORY_SIZE=MAX_BODY,
        WTF_CSRF_TIME_LIMIT=None,  # the token dies with the session, not with a form left open over lunch
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.web.address.startswith("https:"),
        RATELIMIT_ENABLED=True,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    bind(app, settings.database)
    csrf.init_app(app)
    limiter.init_app(app)
    _install_helpers(app, settings)
    _install_errors(app)
    app.after_request(_headers)
    if settings.web.proxies:
        hops = settings.web.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def allow_wasm() -> None:
    """Let the page of this request compile WebAssembly (the pages that scan codes): nothing else is loosened."""
    g.csp_wasm = True


def whole_number(text: str | None) -> int | None:
    """A whole number in at most 18 ASCII digits, as links and scripts send positions; None for anything else.

    ``int`` alone takes other alphabets' digits and numbers that no database column holds.
    """
    return int(text) if text and len(text) <= 18 and text.isascii() and text.isdigit() else None


def wants_fragment() -> bool:
    """Whether the request comes from htmx or from our own fetch, which want a part of a page."""
    return "HX-Request" in request.headers or request.headers.get("X-Fragment") == "1"


def wants_json() -> bool:
    """Whether errors should be problem+json instead of a page."""
    return request.path.startswith(API_PREFIX) or request.accept_mimetypes.best == "application/json"


def _headers(response: Response) -> Response:
    wasm = " 'wasm-unsafe-eval'" if g.get("csp_wasm") else ""
    response.headers.setdefault("Content-Security-Policy", CSP.format(wasm=wasm))
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    response.headers.setdefault("Permissions-Policy", "camera=(self), microphone=(), geolocation=(), payment=()")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _install_helpers(app: Flask, settings: Settings) -> None:
    app.jinja_env.globals.update(asset=asset, site=settings.site, now=now)
    app.jinja_env.filters.update(moment=moment, clock=clock_text, day=day_text, iso=iso, wall=wall)


def asset(name: str) -> str:
    """The address of a static file with its content's hash, so that browsers may keep it for ever."""
    return url_for("static", filename=name, v=_fingerprint(name))


@lru_cache(maxsize=512)
def _fingerprint(name: str) -> str:
    path = STATIC / name
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else "missing"


def iso(value: datetime | None) -> str:
    """ISO 8601 in UTC, for machines."""
    return "" if value is None else value.isoformat().replace("+00:00", "Z")


def clock_text(value: datetime | None, seconds: bool = True) -> str:
    """Wall-clock time at the site, such as ``14:07:31``."""
    return "" if value is None else local(value).strftime("%H:%M:%S" if seconds else "%H:%M")


def wall(value: datetime) -> str:
    """Wall-clock time at the site as a ``datetime-local`` input holds it."""
    return local(value).strftime("%Y-%m-%dT%H:%M:%S")


def day_text(value: datetime | None) -> str:
    """The site's day, such as ``Mon 23 Nov 2026``."""
    return "" if value is None else local(value).strftime("%a %d %b %Y")


def moment(value: datetime | None, style: str = "full") -> Markup:
    """A ``<time>`` element: site time for eyes, ISO for machines, the date on hover.

    ``style``: full (day and time), time (time only, the day when it is not today), day.
    """
    if value is None:
        return Markup('<span class="quiet">–</span>')
    at = local(value)
    today = at.date() == local(now()).date()
    clock = at.strftime("%H:%M:%S")
    text = {
        "day": at.strftime("%d %b %Y"),
        "time": clock if today else at.strftime("%d %b %H:%M:%S"),
        "short": at.strftime("%H:%M") if today else at.strftime("%d %b %H:%M"),
    }.get(style, at.strftime("%d %b %Y ") + clock)
    title = at.strftime("%A %d %B %Y, %H:%M:%S %Z")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(iso(value), title, text)


def _install_errors(app: Flask) -> None:
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _crashed)


def problem(status: int, code: str, title: str, **more: Any) -> Response:
    """A problem+json answer (RFC 9457)."""
    body = {"type": f"urn:bposite:problem:{code}", "title": title, "status": status, "code": code}
    response = jsonify(body | {name: value for name, value in more.items() if value})
    response.status_code = status
    response.content_type = "application/problem+json"
    return response


def _refused(error: Refusal) -> ResponseReturnValue:
    if wants_json():
        return problem(error.status, error.code, error.message, field=error.field, remedy=error.remedy)
    return _error_page(error.status, error.code, error.message, error.remedy)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    words, remedy = WORDS.get(status, (error.name, ""))
    if isinstance(error, RequestEntityTooLarge):
        remedy = f"Send at most {MAX_BODY // 1024 // 1024} MB."
    response = error.get_response()
    answer = problem(status, f"http_{status}", words, remedy=remedy) if wants_json() else None
    body = answer or app_response(_error_page(status, f"http-{status}", words, remedy))
    for name in ("Allow", "Location", "Retry-After", "WWW-Authenticate"):
        if name in response.headers:
            body.headers[name] = response.headers[name]
    if status == 429:
        body.headers.setdefault("Retry-After", "60")
    return body


def _crashed(error: Exception) -> ResponseReturnValue:
    number = secrets.token_hex(4)
    log.error("web:request:failed", incident=number, path=request.path, exc_info=error)
    if wants_json():
        return problem(500, "internal", "Something broke on our side.", incident=number)
    return _error_page(
        500, number, "Something broke on our side.", "Nothing was saved. Tell your administrator the code."
    )


WORDS = {
    400: ("The request could not be read.", "Go back and try again."),
    401: ("Please sign in.", ""),
    403: ("Your role does not allow this.", "Ask an administrator if you need it."),
    404: ("There is nothing here.", "It may have been moved, or the address is wrong."),
    405: ("This address does not do that.", ""),
    413: ("That is too large.", ""),
    429: ("Too many tries in a short time.", "Wait a minute, then try again."),
    503: ("Too busy at this moment.", "Try again in a few seconds."),
}


def app_response(value: ResponseReturnValue) -> Response:
    """Whatever a view may return, as a response."""
    if isinstance(value, Response):
        return value
    if isinstance(value, tuple):
        return Response(str(value[0]), status=int(str(value[1])), mimetype="text/html")
    return Response(str(value), mimetype="text/html")


def _error_page(status: int, code: str, message: str, remedy: str) -> ResponseReturnValue:
    if wants_fragment():
        return f'<p class="note alarm" role="alert">{escape(message)} {escape(remedy)}</p>', status
    page = render_template("error.html", status=status, code=code, message=message, remedy=remedy)
    return page, status
