"""The entry log: list, what is new, the sheet, and the views that people saved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from bposite.doors.queries import (
    CAP,
    EntryFilter,
    capped_count,
    entries_after,
    histogram,
    newest_position,
    search_entries,
)
from bposite.entries import actions, forms, queries
from bposite.entries.forms import SHOWS, Search, cursor_text, read_cursor, read_search
from bposite.entries.rules import cells
from bposite.entries.rules.chart import Chart, chart
from bposite.entries.sheet import HEAD, sheet_row
from bposite.journal.work import unit_of_work
from bposite.people.access import current_actor, current_identity, requires
from bposite.plumbing.clock import local, now, site_zone
from bposite.plumbing.db import reading
from bposite.plumbing.errors import Refusal
from bposite.plumbing.web import wants_fragment

blueprint = Blueprint("entries", __name__, url_prefix="/entries")
PAGE = 50
NEWS = 99
BARS = 48
SHEET_PAGE = 500
BOM = "\ufeff"


@blueprint.get("/")
@requires("entries:read")
def log() -> ResponseReturnValue:
    """The log, newest first, with everything that narrows it in the address."""
    before, after = read_cursor(request.args.get("before")), read_cursor(request.args.get("after"))
    with reading() as session:
        known = queries.names(session)
        search = read_search(session, request.args, known)
        page = _page(session, search, known, before, after) if search.filter else {"lines": [], "count": 0}
        saved = queries.saved_views(session, _owner())
    context = _frame(search) | page | {"saved": saved, "first_page": before is None and after is None}
    status = 200 if search.filter else 422
    return render_template("entries/list.html" if wants_fragment() else "entries/log.html", **context), status


def _page(session: Session, search: Search, known: queries.Names, before: Any, after: Any) -> dict[str, Any]:
    wanted = search.filter or EntryFilter(nothing=True)
    rows = search_entries(session, wanted, before=before, after=after, limit=PAGE + 1)
    more = len(rows) > PAGE
    rows = (rows[1:] if after and more else rows)[:PAGE]
    older = bool(rows) and (more or after is not None)
    newer = bool(rows) and (before is not None or (after is not None and more))
    return {
        "lines": queries.lines(session, rows, known, pictures=may_see()),
        "count": capped_count(session, wanted),
        "cap": CAP,
        "newest": newest_position(session),
        "older": _link(before=cursor_text(rows[-1].cursor)) if older else None,
        "newer": _link(after=cursor_text(rows[0].cursor)) if newer else None,
        "chart": _chart(session, wanted),
    }


def _frame(search: Search) -> dict[str, Any]:
    """What stands around the list: the form, the chips, the ready views."""
    plain = {name: value for name, value in request.args.items() if name in forms.FIELDS and value}
    chips = [(_chip(search, name, value), _without(plain, name)) for name, value in plain.items() if name != "show"]
    shows = [
        (words, _address({"show": name} if name else {}), name == plain.get("show", ""))
        for name, (words, _) in SHOWS.items()
    ]
    return {
        "form": search.form,
        "said": search.said,
        "wrong": search.filter is None,
        "chips": chips,
        "shows": shows,
        "plain": plain,
        "query": urlencode(plain),
        "live": "to" not in plain,
    }


def _chip(search: Search, name: str, value: str) -> str:
    """A filter in words, such as "Door: Card room door"."""
    fields = {"from": search.form.since, "to": search.form.until}
    field = fields.get(name) or search.form[name]
    words = dict(getattr(field, "choices", None) or ()).get(value, value)
    if name in ("person", "visit") and search.people:
        words = search.people[0] if name == "person" else search.people[-1]
    if name in fields:
        words = value.replace("T", " ")
    return f"{field.label.text}: {words}"


def _without(plain: dict[str, str], name: str) -> str:
    return _address({key: value for key, value in plain.items() if key != name})


def _address(values: dict[str, str]) -> str:
    return url_for("entries.log") + (f"?{urlencode(values)}" if values else "")


def _link(**cursor: str) -> str:
    plain = {name: value for name, value in request.args.items() if name in forms.FIELDS and value}
    return _address(plain | cursor)


def _chart(session: Session, wanted: EntryFilter) -> Chart:
    """Counts over the span that is asked for, or over the last day (up to its end)."""
    end = wanted.until or now()
    start = wanted.since or end - timedelta(days=1)
    start = min(start, end - timedelta(minutes=1))
    counts = histogram(session, wanted, start=start, end=end, bars=BARS)
    return chart([(one.start, one.count, one.notable) for one in counts], end, site_zone())


@blueprint.get("/news")
@requires("entries:read")
def news() -> Response:
    """How many entries came after position ``since`` that this filter would show: {"count", "more"}."""
    since = request.args.get("since", "")
    if not (0 < len(since) <= 16 and since.isascii() and since.isdigit()):
        raise Refusal("since", "since is a position", field="since")
    with reading() as session:
        search = read_search(session, request.args, queries.names(session))
        rows = entries_after(session, search.filter, int(since), limit=NEWS + 1) if search.filter else []
    return jsonify(count=min(len(rows), NEWS), more=len(rows) > NEWS)


# --- the sheet -------------------------------------------------------------------------------------------------------


@blueprint.get("/export.csv")
@requires("entries:export")
def export() -> ResponseReturnValue:
    """All entries of the filter as CSV, in the order of insertion: entries that come late are in it too.

    ``bom=1`` puts the mark in front by which Excel knows UTF-8. The export itself is a fact.
    """
    with reading() as session:
        search = read_search(session, request.args, queries.names(session))
        newest = newest_position(session)
    if search.filter is None:
        raise Refusal("search", "Something is wrong with this search.", remedy="Open it in the entry log.")
    with unit_of_work(current_actor()) as work:
        asked = {name: value[: forms.LONGEST_VALUE] for name, value in request.args.items() if name in forms.FIELDS}
        actions.note_export(work, asked, newest)
    mark = BOM if request.args.get("bom") == "1" else ""
    name = f"entries-{local(now()):%Y%m%d-%H%M%S}.csv"
    return Response(
        _sheet(search.filter, newest, mark),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _sheet(wanted: EntryFilter, newest: int, mark: str) -> Iterator[str]:
    """Page by page, each in a short read of its own: a slow reader holds no transaction open."""
    yield mark + cells.line(HEAD)
    after = -1
    while True:
        with reading() as session:
            rows = entries_after(session, wanted, after, limit=SHEET_PAGE)
            known = queries.names(session)
            drawn = queries.lines(session, [row for row in rows if row.position <= newest], known, pictures=False)
        if drawn:
            yield "".join(cells.line(sheet_row(line, site_zone())) for line in drawn)
        if len(rows) < SHEET_PAGE or rows[-1].position >= newest:
            return
        after = rows[-1].position


# --- saved views -----------------------------------------------------------------------------------------------------


@blueprint.post("/views")
@requires("account:own")  # a view is one's own bookmark: it changes nothing of the site
def save_view() -> ResponseReturnValue:
    """Keep the present filter under a name."""
    values = MultiDict((name, value) for name, value in request.form.items() if name in forms.FIELDS and value)
    query = urlencode(list(values.items()))
    try:
        with unit_of_work(current_actor()) as work:
            actions.save_view(work, _owner(), request.form.get("name", ""), query)
    except Refusal as refusal:
        flash(f"{refusal.message} {refusal.remedy}".strip(), "refused")
    else:
        flash("The view is saved. Its link works for everybody who may read entries.", "good")
    return redirect(url_for("entries.log") + (f"?{query}" if query else ""))


@blueprint.post("/views/<view_id>/delete")
@requires("account:own")
def delete_view(view_id: str) -> ResponseReturnValue:
    """Forget a saved view."""
    with unit_of_work(current_actor()) as work:
        actions.delete_view(work, _owner(), view_id)
    flash("The view is deleted.", "good")
    return redirect(url_for("entries.log"))


def _owner() -> str:
    identity = current_identity()
    return identity.id if identity else ""


def may_see() -> bool:
    """Whether whoever asks may see pictures."""
    identity = current_identity()
    return identity is not None and identity.may("frames:view")
