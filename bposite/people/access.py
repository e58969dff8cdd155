"""The gate: who is asking, and may they? Default deny; every route says ``@requires(...)`` or ``@public``.

Browsers hold a random session value in a cookie; programs hold a bearer token, accepted below ``/api/v1`` and at
``/metrics`` only. A cookie reads the API (GET, HEAD) but never changes anything through it, so the API needs no CSRF
token and a foreign page cannot use it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from flask import Flask, Request, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from bposite.journal.work import Actor, unit_of_work
from bposite.people import actions, cookies, queries, rules
from bposite.people.queries import Identity
from bposite.people.rules import Permission
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.errors import Refusal
from bposite.plumbing.web import csrf, wants_fragment, wants_json

View = TypeVar("View", bound=Callable[..., Any])
API = "/api/"
BEARER_PATHS = (API, "/metrics", "/healthz")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LONGEST_SECRET = 200

EVENT_STREAM = "text/event-stream"

login = LoginManager()


class NotAllowed(Refusal):
    """Whoever asks is known, and may not."""

    status = 403


@dataclass(frozen=True, slots=True)
class Access:
    """What a view asks for: ``permission`` None means everybody; ``fresh`` a code given in the last minutes."""

    permission: Permission | None
    fresh: bool = False


def requires(permission: Permission, *, fresh: bool = False) -> Callable[[View], View]:
    """The view is for holders of ``permission``; ``fresh`` also asks for the second factor again (step-up)."""
    return _mark(Access(rules.permission(permission), fresh))


def public(view: View) -> View:
    """The view is for everybody, signed in or not."""
    return _mark(Access(None))(view)


def _mark(access: Access) -> Callable[[View], View]:
    def mark(view: View) -> View:
        if access_of(view) is not None:
            raise ValueError(f"{view.__name__} has two of @requires and @public: keep one")
        view.bposite_access = access  # type: ignore[attr-defined]  # functions take attributes; wraps() carries them
        return view

    return mark


def access_of(view: Callable[..., Any]) -> Access | None:
    """What the view asks for; None when nobody said so, which means that nobody may."""
    return getattr(view, "bposite_access", None)


def current_actor() -> Actor:
    """Who acts in this request, for the journal; on a public page somebody unknown."""
    identity = current_identity()
    if identity is None:
        return Actor("link", "anonymous", "not signed in", place=cookies.origin(request).address)
    return Actor(
        identity.kind, identity.id, identity.name, ",".join(identity.roles) or None, cookies.origin(request).address
    )


def current_identity() -> Identity | None:
    """Who is signed in (or which token is used); None for nobody."""
    return cast("Identity", current_user._get_current_object()) if current_user.is_authenticated else None


def may(permission: Permission) -> bool:
    """Whether whoever asks holds ``permission``: for templates and for parts of a page."""
    identity = current_identity()
    return identity is not None and identity.may(permission)


def still_holds(identity: Identity, permission: Permission) -> bool:
    """Whether a long answer (a live stream) may go on: the session still stands and the permission is still held."""
    with reading() as session:
        return queries.still_holds(session, identity, permission, now())


def install(app: Flask) -> None:
    """Put the gate before every request of ``app``."""
    login.init_app(app)
    login.session_protection = None  # our sessions are rows; Flask's own holds the form token and messages only
    app.config["SESSION_COOKIE_NAME"] = cookies.named("bposite-form")
    if app.has_static_folder:
        public(app.view_functions["static"])
    for blueprint in app.blueprints.values():
        # no form token there: a cookie changes nothing through the API, and a foreign page has no bearer token
        if (blueprint.url_prefix or "").startswith(API):
            csrf.exempt(blueprint)
    app.before_request(_gate)
    app.jinja_env.globals.update(may=may, current_identity=current_identity)


@login.request_loader  # type: ignore[untyped-decorator]
def _load(asked: Request) -> Identity | None:
    header = asked.headers.get("Authorization", "")
    if asked.path.startswith(BEARER_PATHS) and header:
        return _from_bearer(header)
    if asked.path.startswith(API) and asked.method not in SAFE_METHODS:
        return None
    return _from_cookie(cookies.read(asked, cookies.SESSION))


def _from_bearer(header: str) -> Identity | None:
    scheme, _, secret = header.partition(" ")
    if scheme.lower() != "bearer" or not 0 < len(secret) <= LONGEST_SECRET:
        return None
    at = now()
    with reading() as session:
        identity = queries.identity_of_token(session, secret, at)
    if identity is not None and (identity.last_seen is None or at - identity.last_seen >= rules.SEEN_EVERY):
        actions.note_token_use(identity.id, at)
    return identity


def _from_cookie(secret: str) -> Identity | None:
    if not secret:
        return None
    at = now()
    with reading() as session:
        identity = queries.identity_of_session(session, secret, at)
    if identity is None or identity.last_seen is None:
        return None
    if identity.over is not None:
        with unit_of_work(Actor.system("people")) as work:
            actions.end_session(work, identity.session_id, identity.over)
        return None
    # A live stream reconnects by itself: it must not keep a desk signed in that everybody has left.
    if at - identity.last_seen >= rules.SEEN_EVERY and not _is_stream():
        actions.note_seen(identity.session_id, at)
    return identity


def _gate() -> ResponseReturnValue | None:
    g.pop("_login_user", None)  # asked anew for every request, also where several share a context (tests, workers)
    if request.endpoint is None:
        return None  # no such route: Flask answers 404 (or 405) by itself
    access = access_of(current_app.view_functions[request.endpoint])
    if access is None:
        raise NotAllowed(
            "no_rule", "Nobody has said who may use this page, so nobody may.", remedy="Tell the developers."
        )
    if access.permission is None:
        return None
    identity = current_identity()
    if identity is None:
        return _sign_in_first()
    if not identity.may(access.permission):
        raise NotAllowed(
            "not_allowed",
            f"Your role does not allow this. It needs the permission {access.permission}.",
            remedy="An administrator can give it to you.",
        )
    if access.fresh and not (identity.confirmed_at and rules.is_fresh(identity.confirmed_at, now())):
        return _confirm_first()
    return None


def _sign_in_first() -> ResponseReturnValue:
    if _is_page():
        wanted = request.full_path.rstrip("?") if request.method in SAFE_METHODS else None
        return redirect(url_for("signin.password", next=None if wanted in (None, "/") else wanted))
    raise Unauthorized(
        "Sign in, or send a bearer token that is valid and not expired.",
        www_authenticate=WWWAuthenticate("bearer", {"realm": "bposite"}),
    )


def _confirm_first() -> ResponseReturnValue:
    if not _is_page():
        raise NotAllowed(
            "confirm_first",
            "This needs a code from your authenticator that is not older than ten minutes.",
            remedy="Open Account, choose Confirm, then try again.",
        )
    wanted = request.full_path.rstrip("?") if request.method in SAFE_METHODS else None
    return redirect(url_for("account.confirm", next=wanted))


def _is_page() -> bool:
    """Whether the other side is a browser that shows a whole page, and can follow a redirect to a form."""
    return not (wants_json() or wants_fragment() or _is_stream() or request.path.startswith(BEARER_PATHS))


def _is_stream() -> bool:
    return request.accept_mimetypes.best == EVENT_STREAM
