"""Figures with their intervals, claims that are refused with what is missing, and exports that carry their method."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bposite.cleandesk import prints, queries
from bposite.cleandesk.charts import Strip, floor_of, plan_view, strip, ticks, trend
from bposite.cleandesk.forms import ClaimForm
from bposite.cleandesk.queries import Point, Scope
from bposite.cleandesk.rules.claims import Claim, StratumCount, judge
from bposite.cleandesk.rules.exports import safe_cell
from bposite.cleandesk.rules.statistics import Interval, wilson
from bposite.cleandesk.rules.trends import signals
from bposite.cleandesk.views.base import blueprint, percent, zone_words
from bposite.cleandesk.words import METHOD_WORDS, moment_word, shift_word
from bposite.people.access import requires
from bposite.plumbing.clock import local, now
from bposite.plumbing.db import reading
from bposite.plumbing.settings import current

TREND_MONTHS = 6


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table of shares. `strip` and `interval` are None where too little was seen to show a share."""

    label: str
    judged: int
    passed: int
    interval: Interval | None
    strip: Strip | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page was asked for."""

    scope: Scope
    target: float
    confidence: float
    period: str


@blueprint.get("/figures/")
@requires("cleandesk:read")
def figures() -> ResponseReturnValue:
    """Shares with intervals by stratum, zone, shift, moment and team; trend; items; the plan as a heat map."""
    with reading() as session:
        form, asked = _asked(session)
        names = zone_words(session)
        back = Scope(tuple(queries.months(session)[:TREND_MONTHS]), client=asked.scope.client)
        points = queries.trend(session, back)
        told = signals([(p.key, p.passed, p.judged) for p in points])
        claim = _claim(session, asked)
        limits = queries.in_force().sampling
        tables = _tables(session, asked, names)
        return render_template(
            "cleandesk/figures.html",
            form=form,
            asked=asked,
            claim=claim,
            methods=METHOD_WORDS,
            tables=tables,
            trend=trend(points, asked.target, frozenset(signal.key for signal in told)),
            signals=told,
            items=queries.items(session, asked.scope),
            faults={item.id: item for item in queries.in_force().items},
            heat=_heat(session, asked),
            small=limits.small_stratum,
            catalogue=queries.in_force(),
            query=request.query_string.decode("ascii", "replace"),
        )


@blueprint.get("/claim")
@requires("cleandesk:read")
def claim_page() -> ResponseReturnValue:
    """May we say it? And if not, what is missing."""
    with reading() as session:
        form, asked = _asked(session)
        strata = queries.strata(session, asked.scope)
        return render_template(
            "cleandesk/claim.html",
            form=form,
            asked=asked,
            claim=_claim(session, asked),
            strata=strata,
            quality=queries.quality(session, asked.scope),
            agreement=len(queries.pairs(session, asked.scope)),
            methods=METHOD_WORDS,
            catalogue=queries.in_force(),
            names=zone_words(session),
            query=request.query_string.decode("ascii", "replace"),
        )


@blueprint.get("/figures.csv")
@requires("cleandesk:read")
def figures_csv() -> ResponseReturnValue:
    """The counts of a period with method and seeds; cells cannot become formulas."""
    with reading() as session:
        _, asked = _asked(session)
        claim, strata = _claim(session, asked), queries.strata(session, asked.scope)
        rounds = _rounds(session, asked)
    lines: list[Sequence[object]] = [("# clean desk", current().site.name, asked.period, asked.scope.client)]
    found = claim.found
    if found is not None:
        lines.append(("# estimate", found.passed, found.seen, found.frame, round(found.lower, 6), found.method))
    lines.append(("# claim", asked.target, asked.confidence, "supported" if claim.supported else "not supported"))
    lines += [("# missing", one.code, one.message) for one in (*claim.missing, *claim.provisional)]
    lines.append(("stratum", "frame", "judged", "passed", "wilson_low", "wilson_high"))
    for one in strata:
        around = wilson(one.passed, one.seen)
        lines.append((one.key, one.frame, one.seen, one.passed, round(around.low, 6), round(around.high, 6)))
    lines.append(("round", "walked", "drawn", "seed or commitment"))
    lines += rounds
    return _csv(lines, f"clean-desk-{asked.period}.csv")


@blueprint.get("/report.pdf")
@requires("cleandesk:read")
def report_pdf() -> ResponseReturnValue:
    """The report of a period."""
    with reading() as session:
        _, asked = _asked(session)
        data = _report(session, asked)
    headers = {"Content-Disposition": f'inline; filename="clean-desk-{asked.period}.pdf"'}
    return Response(prints.report(data), mimetype="application/pdf", headers=headers)


def _asked(session: Session) -> tuple[ClaimForm, Asked]:
    known = queries.months(session) or [f"{local(now()):%Y-%m}"]
    quarter = ",".join(known[:3])
    form = ClaimForm(request.args)
    form.months.choices = [*((month, month) for month in known), (quarter, "Last three months")]
    form.client.choices = [("", "All clients"), *((client, client) for client in queries.clients(session))]
    values = {
        "target": "0.95",
        "confidence": "0.95",
        "months": known[0],
        "client": "",
    }
    for name, default in values.items():
        field = form._fields[name]
        if field.data not in [value for value, _ in field.choices]:
            field.data = default
    months = tuple(form.months.data.split(","))
    period = months[0] if len(months) == 1 else f"{months[-1]} to {months[0]}"
    scope = Scope(months, client=form.client.data)
    return form, Asked(scope, float(form.target.data), float(form.confidence.data), period)


def _claim(session: Session, asked: Asked) -> Claim:
    strata, quality = queries.strata(session, asked.scope), queries.quality(session, asked.scope)
    return judge(strata, asked.target, asked.confidence, quality, queries.limits(queries.in_force()))


def _tables(session: Session, asked: Asked, names: dict[str, str]) -> list[tuple[str, list[Row], list[Any], float]]:
    scope = asked.scope
    strata = [Point(s.key, s.seen, s.passed, 0) for s in queries.strata(session, scope)]
    small_team = queries.in_force().privacy.small_team
    sizes = queries.team_sizes(session)
    teams = [point for point in queries.by_team(session, scope) if sizes.get(point.key, 0) >= small_team]
    sources = [
        ("Zone, shift and moment", strata, lambda key: stratum_words(key, names)),
        ("Zones", queries.by_zone(session, scope), lambda key: names.get(key, key)),
        ("Shifts", queries.by_shift(session, scope), shift_word),
        ("Moments", queries.by_moment(session, scope), moment_word),
        ("Teams", teams, str),
    ]
    found = []
    for title, points, word in sources:
        rows, floor = _rows(points, word, asked.target)
        if rows:
            found.append((title, rows, ticks(floor), floor))
    return found


def _rows(points: Sequence[Point], word: Any, target: float) -> tuple[list[Row], float]:
    small = queries.in_force().sampling.small_stratum
    around = {p.key: wilson(p.passed, p.judged) for p in points if p.judged >= small}
    floor = floor_of([interval.low for interval in around.values()] + [target])
    rows = []
    for point in points:
        interval = around.get(point.key)
        drawn = strip(interval.low, interval.point, interval.high, target, floor) if interval else None
        rows.append(Row(word(point.key), point.judged, point.passed, interval, drawn))
    return rows, floor


def stratum_words(key: str, names: dict[str, str]) -> str:
    """ "ops-a/day/live" as people read it."""
    zone, shift, moment = key.split("/", 2)
    return f"{names.get(zone, zone)}, {shift_word(shift).lower()}, {moment_word(moment).lower()}"


def _heat(session: Session, asked: Asked) -> Any:
    """The plan with bays (rows of a zone) coloured by their share; a bay with too few looks stays without colour."""
    places = queries.places(session)
    bays: dict[tuple[str, str], list[int]] = {}
    home = {place.id: (place.zone, place.row) for place in places}
    for point in queries.by_place(session, asked.scope):
        bay = bays.setdefault(home.get(point.key, ("", "")), [0, 0])
        bay[0] += point.judged
        bay[1] += point.passed
    small = queries.in_force().sampling.small_stratum
    tones = {}
    for place in places:
        judged, passed = bays.get((place.zone, place.row), (0, 0))
        words = f"bay {place.row}: {passed} of {judged}" if judged else "not looked at"
        tones[place.id] = (_tone(judged, passed, small), words)
    return plan_view(places, tones)


def _tone(judged: int, passed: int, small: int) -> str:
    if judged < small:
        return "few"
    share = passed / judged
    return "h4" if share >= 0.99 else "h3" if share >= 0.95 else "h2" if share >= 0.9 else "h1"


def _rounds(session: Session, asked: Asked) -> list[Sequence[object]]:
    rows: list[Sequence[object]] = []
    for month in asked.scope.months:
        for row in queries.rounds(session, month=month, states=queries.COUNTED, limit=500):
            proof = queries.proof_of(session, row.id)
            if row.purpose == "random" and row.exercise == asked.scope.exercise and proof is not None:
                seed = queries.seed_of(proof) if proof.nonce else f"committed {proof.commitment}"
                rows.append((row.number, f"{local(row.planned_for):%Y-%m-%d %H:%M}", row.drawn, seed))
    return rows


def _csv(lines: Sequence[Sequence[object]], name: str) -> Response:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for line in lines:
        writer.writerow([safe_cell(cell) for cell in line])
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response("\ufeff" + out.getvalue(), mimetype="text/csv; charset=utf-8", headers=headers)


def verdict(claim: Claim) -> tuple[str, str]:
    """The answer in one sentence, and what it stands on."""
    wanted = f"at least {claim.target:.0%} of the desk-moments comply, {claim.confidence:.0%} confidence"
    if claim.found is None:
        return f"It cannot be said that {wanted}.", "Nothing was judged."
    found = claim.found
    basis = f"{found.passed} of {found.seen} passed; the exact lower bound is {percent(found.lower)}, "
    basis += f"{METHOD_WORDS[found.method]}."
    return (f"It can be said: {wanted}." if claim.supported else f"It cannot be said that {wanted}."), basis


def _report(session: Session, asked: Asked) -> dict[str, Any]:
    claim, catalogue, names = _claim(session, asked), queries.in_force(), zone_words(session)
    small, strata = catalogue.sampling.small_stratum, queries.strata(session, asked.scope)
    quality = queries.quality(session, asked.scope)
    said, basis = verdict(claim)
    kappa = "not computable" if quality.kappa is None else f"{quality.kappa:.2f}"
    facts = [
        ("Drawn places", str(quality.drawn)),
        ("Not observed", f"{quality.not_observed} (limit {catalogue.sampling.not_observed_max_share:.0%})"),
        ("Double audits", f"{quality.pairs}, kappa {kappa} (floor {catalogue.sampling.kappa_floor})"),
        ("Observed share", percent(claim.found.point) if claim.found else "–"),
        ("Interval for display", _span(claim.found.display) if claim.found else "–"),
    ]
    faults = {item.id: item.fault for item in catalogue.items}
    return {
        "site": current().site.name, "client": asked.scope.client, "period": asked.period,
        "made": f"{local(now()):%d %b %Y %H:%M}", "catalogue": catalogue.version, "supported": claim.supported,
        "verdict": said, "explanation": basis, "missing": [one.message for one in claim.missing],
        "provisional": [one.message for one in claim.provisional], "facts": facts,
        "small": small, "strata": [_stratum(one, names, small) for one in strata],
        "items": [
            [one.item, faults.get(one.item, ""), one.severity, str(one.found)]
            for one in queries.items(session, asked.scope)
        ],
        "check": catalogue.sampling.draw,
        "rounds": [[str(cell) for cell in line] for line in _rounds(session, asked)],
    }  # fmt: skip


def _stratum(one: StratumCount, names: dict[str, str], small: int) -> list[str]:
    share = percent(one.passed / one.seen) if one.seen >= small else "–"
    span = _span(wilson(one.passed, one.seen)) if one.seen >= small else "–"
    return [stratum_words(one.key, names), str(one.frame), str(one.seen), str(one.passed), share, span]


def _span(around: Interval) -> str:
    return f"{percent(around.low)} to {percent(around.high)}"
