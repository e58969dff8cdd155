"""Findings: the board, one finding, and every step that people take with it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bposite.cleandesk import actions, photos, prints, queries
from bposite.cleandesk.forms import ActionForm, DisputeForm, RiskForm, WordsForm, refuse
from bposite.cleandesk.queries import FindingNow, Wanted
from bposite.cleandesk.rules.exports import safe_cell
from bposite.cleandesk.rules.machines import FINDING, events_in
from bposite.cleandesk.rules.outcome import dispute_until
from bposite.cleandesk.rules.repeats import rung
from bposite.cleandesk.views.base import blueprint, me, sees_people, zone_words
from bposite.journal.work import Work, unit_of_work
from bposite.people import queries as people
from bposite.people.access import current_actor, requires
from bposite.plumbing.clock import local, now, site_zone
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound, Refusal
from bposite.plumbing.settings import current
from bposite.plumbing.web import iso, wants_fragment, whole_number

PAGE = 60


@blueprint.get("/findings/")
@requires("cleandesk:read")
def findings() -> ResponseReturnValue:
    """The board: open findings in four lanes, or any list by filter."""
    at, wanted = now(), _wanted()
    with reading() as session:
        rows = queries.findings(session, wanted, at, after=_after(), limit=PAGE * 4 + 1)
        older = rows[PAGE * 4 - 1] if rows[PAGE * 4 :] else None
        page = "cleandesk/findings_lanes.html" if wants_fragment() else "cleandesk/findings.html"
        return render_template(
            page,
            rows=rows[: PAGE * 4],
            lanes=_lanes(rows[: PAGE * 4]),
            settled=request.args.get("show") == "settled",
            wanted=wanted,
            counts=queries.board_counts(session, Wanted(states=queries.OPEN), at),
            zones=zone_words(session),
            at=at,
            older=_older(older),
            faults=queries.team_faults(session),
            filters=_filters(),
        )


@blueprint.get("/findings/<finding_id>")
@requires("cleandesk:read")
def finding(finding_id: str) -> ResponseReturnValue:
    """One finding."""
    return _page(finding_id)


@blueprint.get("/f/<int:number>")
@requires("cleandesk:read")
def finding_by_number(number: int) -> ResponseReturnValue:
    """The page of a finding by its number, as people say it on the phone."""
    with reading() as session:
        found = queries.finding_by_number(session, number) if number < 2**31 else None
    if found is None:
        raise NotFound("finding", f"There is no finding {number}.")
    return redirect(url_for(".finding", finding_id=found))


@blueprint.post("/findings/<finding_id>/acknowledge")
@requires("cleandesk:walk")
def acknowledge(finding_id: str) -> ResponseReturnValue:
    """The team has seen it."""
    return _do(finding_id, None, lambda work: actions.acknowledge(work, finding_id), "Acknowledged.")


@blueprint.post("/findings/<finding_id>/propose")
@requires("cleandesk:walk")
def propose(finding_id: str) -> ResponseReturnValue:
    """Say what is to be done, by whom, until when."""
    form = ActionForm(prefix="propose")

    def act(work: Work) -> None:
        due = datetime.combine(form.due_day.data, form.due_time.data, site_zone())  # type: ignore[arg-type]
        actions.propose(work, finding_id, form.what.data or "", _number(form.owner.data), due)

    return _do(finding_id, form, act, "The action is proposed.")


@blueprint.post("/findings/<finding_id>/begin")
@requires("cleandesk:walk")
def begin(finding_id: str) -> ResponseReturnValue:
    """The owner works on it."""
    return _do(finding_id, None, lambda work: actions.begin(work, finding_id), "Work has begun.")


@blueprint.post("/findings/<finding_id>/done")
@requires("cleandesk:walk")
def claim_done(finding_id: str) -> ResponseReturnValue:
    """Somebody says it is mended."""
    form = WordsForm(prefix="done")
    done = "Noted. Another person now has to verify it."
    return _do(
        finding_id, form, lambda work: actions.claim_done(work, finding_id, form.words.data or ""), done, "proof"
    )


@blueprint.post("/findings/<finding_id>/verify")
@requires("cleandesk:verify")
def verify(finding_id: str) -> ResponseReturnValue:
    """Another person has looked."""
    form, mended = WordsForm(prefix="verify"), request.form.get("answer") == "mended"
    done = "Verified and closed." if mended else "Sent back: it is not mended."
    words = form.words.data or ""
    return _do(finding_id, form, lambda work: actions.verify(work, finding_id, words, mended=mended), done)


@blueprint.post("/findings/<finding_id>/dispute")
@requires("cleandesk:walk")
def dispute(finding_id: str) -> ResponseReturnValue:
    """The team says it is not so."""
    form = DisputeForm(prefix="dispute")
    done = "Disputed. Somebody who is not involved will decide."
    return _do(finding_id, form, lambda work: actions.dispute(work, finding_id, form.reason.data or ""), done)


@blueprint.post("/findings/<finding_id>/decide")
@requires("cleandesk:verify")
def decide_dispute(finding_id: str) -> ResponseReturnValue:
    """Decide a dispute."""
    form, stands = WordsForm(prefix="decide"), request.form.get("answer") == "stands"
    words = form.words.data or ""
    done = "Decided: it stands." if stands else "Decided: it is withdrawn."
    return _do(finding_id, form, lambda work: actions.decide_dispute(work, finding_id, words, stands=stands), done)


@blueprint.post("/findings/<finding_id>/accept-risk")
@requires("cleandesk:plan")
def accept_risk(finding_id: str) -> ResponseReturnValue:
    """Live with it until a day."""
    form = RiskForm(prefix="risk")

    def act(work: Work) -> None:
        until = datetime.combine(form.until.data, time(23, 59), site_zone())  # type: ignore[arg-type]
        actions.accept_risk(work, finding_id, form.reason.data or "", until)

    return _do(finding_id, form, act, "The risk is accepted until that day.")


@blueprint.get("/findings/<finding_id>/card.pdf")
@requires("cleandesk:read")
def desk_card(finding_id: str) -> ResponseReturnValue:
    """The card that is left on the desk."""
    with reading() as session:
        row = _needed(session, finding_id)
        catalogue = queries.of_version(session, row.catalogue_version)
        last = dispute_until(
            local(row.raised_at).date(), queries.holidays(session), catalogue.workflow.dispute_working_days
        )
        zone = zone_words(session).get(row.zone, row.zone)
    item = catalogue.item(row.item_id)
    data = {
        "place": row.place_id, "zone": zone, "seen": f"{local(row.seen_at):%d %b %Y, %H:%M}", "fault": row.fault,
        "pass_when": item.pass_when, "on_the_spot": item.on_the_spot, "due": f"{local(row.due_at):%d %b %Y, %H:%M}",
        "number": f"F-{row.number}", "dispute": f"{last:%d %b %Y}", "site": current().site.name,
        "address": f"{current().web.address}{url_for('.finding_by_number', number=row.number)}",
    }  # fmt: skip
    headers = {"Content-Disposition": f'inline; filename="desk-card-{row.number}.pdf"'}
    return Response(prints.desk_card(data), mimetype="application/pdf", headers=headers)


@blueprint.get("/findings.csv")
@requires("cleandesk:read")
def findings_csv() -> ResponseReturnValue:
    """The findings of the filter as CSV; cells cannot become formulas, and no person is in it."""
    columns = (
        "number", "severity", "state", "fault", "item_id", "place_id", "zone", "team", "shift", "moment", "seen_at",
        "due_at", "settled_at", "repeat", "incident", "owner_name",
    )  # fmt: skip
    with reading() as session:
        rows = queries.findings(session, _wanted(), now(), limit=5000)
    lines = [[_cell(getattr(row, name)) for name in columns] for row in rows]
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([columns, *lines])
    headers = {"Content-Disposition": 'attachment; filename="findings.csv"'}
    return Response("\ufeff" + out.getvalue(), mimetype="text/csv; charset=utf-8", headers=headers)


@blueprint.get("/photos/<photo_id>.jpg")
@requires("cleandesk:read")
def photo(photo_id: str) -> ResponseReturnValue:
    """A picture, if its file is still what was stored."""
    with reading() as session:
        row = queries.photo(session, photo_id)
    data = photos.load(row.path, row.sha256) if row else None
    if data is None:
        raise NotFound("photo", "This picture is not there, or its file was changed.", remedy="Tell an administrator.")
    return Response(data, mimetype="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})


def _cell(value: object) -> object:
    return iso(value) if isinstance(value, datetime) else safe_cell(value)


def _page(finding_id: str, forms: dict[str, Any] | None = None) -> ResponseReturnValue:
    given = forms or {}
    with reading() as session:
        row = _needed(session, finding_id)
        catalogue = queries.of_version(session, row.catalogue_version)
        item = catalogue.item(row.item_id)
        page = render_template(
            "cleandesk/finding.html",
            finding=row,
            item=item,
            catalogue=catalogue,
            grade=catalogue.severities[item.severity],
            rung=rung(row.repeat, catalogue.repeats),
            round=queries.round_of(session, row.round_id),
            steps=queries.steps(session, finding_id),
            actions=queries.actions_of(session, finding_id),
            photos=queries.photos_of(session, row.observation_id, row.item_id, row.id),
            person=_person(session, row),
            events=events_in(FINDING, row.state),
            zones=zone_words(session),
            at=now(),
            dispute_last=_dispute_last(session, row, catalogue.workflow.dispute_working_days),
            my_own=me() in (row.raised_by, row.done_by),
            involved=me() in (row.raised_by, row.disputed_by),
            staff=people.search_persons(session, "", limit=400),
            forms=_forms(row) | given,
        )
    return page, 422 if given else 200


def _forms(row: FindingNow) -> dict[str, Any]:
    due = local(max(row.due_at, now() + timedelta(hours=1)))
    defaults = {"due_day": due.date(), "due_time": due.time().replace(second=0, microsecond=0), "owner": row.owner}
    blank: dict[str, Any] = {"formdata": None}
    return {
        "propose": ActionForm(prefix="propose", data=defaults, **blank),
        "done": WordsForm(prefix="done", **blank),
        "verify": WordsForm(prefix="verify", **blank),
        "dispute": DisputeForm(prefix="dispute", **blank),
        "decide": WordsForm(prefix="decide", **blank),
        "risk": RiskForm(prefix="risk", **blank),
    }


def _do(finding_id: str, form: Any, act: Callable[[Work], None], done: str, field: str = "") -> ResponseReturnValue:
    """One step: with a form its errors are shown beside its fields, and what was typed stays."""
    if form is not None and not form.validate_on_submit():
        return _page(finding_id, {form._prefix.rstrip("-"): form})
    try:
        with unit_of_work(current_actor()) as work:
            act(work)
    except Refusal as refusal:
        if form is None:
            flash(f"{refusal.message} {refusal.remedy}".strip(), "refused")
            return redirect(url_for(".finding", finding_id=finding_id))
        renamed = "words" if refusal.field == field or refusal.field is None else refusal.field
        refuse(form, Refusal(refusal.code, refusal.message, field=_of(form, renamed), remedy=refusal.remedy))
        return _page(finding_id, {form._prefix.rstrip("-"): form})
    flash(done, "good")
    return redirect(url_for(".finding", finding_id=finding_id))


def _of(form: Any, field: str) -> str:
    """The field to hang a refusal on: its own, the day of a due time, or the first one."""
    aliases = {"due": "due_day"}
    wanted = aliases.get(field, field)
    return wanted if wanted in form._fields else next(iter(form._fields))


def _number(text: str | None) -> str:
    """A directory number out of "E-1004 Ben Okafor" or "E-1004"."""
    return (text or "").split(" ")[0]


def _needed(session: Session, finding_id: str) -> FindingNow:
    found = queries.finding(session, finding_id)
    if found is None:
        raise NotFound("finding", "There is no such finding.", remedy="Look for it on the board.")
    return found


def _person(session: Session, row: FindingNow) -> str:
    if not row.person or not sees_people():
        return ""
    found = people.persons_by_number(session, [row.person]).get(row.person)
    return f"{found.name} ({row.person})" if found else row.person


def _dispute_last(session: Session, row: FindingNow, days: int) -> datetime | None:
    last = dispute_until(local(row.raised_at).date(), queries.holidays(session), days)
    return datetime.combine(last, time(23, 59), site_zone()) if local(now()).date() <= last else None


def _wanted() -> Wanted:
    settled = request.args.get("show") == "settled"
    return Wanted(
        states=queries.CLOSED_STATES if settled else queries.OPEN,
        severities=tuple(request.args.getlist("severity")),
        zones=tuple(filter(None, request.args.getlist("zone"))),
        items=tuple(filter(None, request.args.getlist("item"))),
        place=request.args.get("place", "")[:40],
        overdue=request.args.get("overdue") == "1",
    )


def _filters() -> dict[str, Any]:
    names = ("show", "severity", "zone", "item", "place", "overdue")
    return {name: request.args.getlist(name) for name in names if request.args.getlist(name)}


def _after() -> tuple[datetime, int] | None:
    due, number = request.args.get("due", ""), whole_number(request.args.get("number"))
    if not due or number is None or number >= 2**31:
        return None
    try:
        moment = datetime.fromisoformat(due)
    except ValueError:
        return None
    return (moment, number) if moment.tzinfo else None


def _older(last: FindingNow | None) -> str | None:
    if last is None:
        return None
    return url_for(".findings", **_filters(), due=last.due_at.isoformat(), number=last.number)


def _lanes(rows: list[FindingNow]) -> list[tuple[str, str, list[FindingNow]]]:
    return [(key, title, [row for row in rows if row.state in states]) for key, title, states in queries.LANES]
