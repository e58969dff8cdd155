"""The exposure report: who was in a zone, and what was open there at that time."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import render_template, request
from flask.typing import ResponseReturnValue

from bposite.cleandesk import queries
from bposite.cleandesk.views.base import blueprint, zone_words
from bposite.people.access import may, requires
from bposite.plumbing.clock import local, now, site_zone
from bposite.plumbing.db import reading

LONGEST = timedelta(days=7)


@blueprint.get("/exposure")
@requires("cleandesk:read")
def exposure() -> ResponseReturnValue:
    """For a zone and a window of at most a week; without a wish the last eight hours."""
    zone = request.args.get("zone", "")[:40]
    until = _moment(request.args.get("until", "")) or now()
    since = _moment(request.args.get("since", "")) or until - timedelta(hours=8)
    problem = ""
    if not timedelta(0) < until - since <= LONGEST:
        problem = "Choose a window that ends after it begins, of at most seven days."
    with reading() as session:
        names = zone_words(session)
        used = sorted({known for known, _ in queries.counts(session)})
        zone = zone if zone in used else next(iter(used), "")
        found = queries.exposure(session, zone, since, until) if zone and not problem else None
        page = render_template(
            "cleandesk/exposure.html",
            zone=zone,
            zones=names,
            used=used,
            since=local(since),
            until=local(until),
            found=found,
            problem=problem,
            sees_visitors=may("visits:read"),
            coming=queries.coming_guests(session, now()),
        )
    return page, 422 if problem else 200


def _moment(text: str) -> datetime | None:
    """A moment of a date-and-time field on the site's wall clock; None for anything else."""
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M")  # noqa: DTZ007 -- the site's zone is put in below
    except ValueError:
        return None
    return moment.replace(tzinfo=site_zone())
