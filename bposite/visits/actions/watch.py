"""The watchlist: keeping it, and looking a guest up in it. Every look-up is a fact."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from bposite.journal.work import Work
from bposite.plumbing.errors import NotFound, Refusal
from bposite.plumbing.ids import new_id
from bposite.visits.actions.holds import hold
from bposite.visits.actions.steps import actor_key
from bposite.visits.rules.inputs import email_problem, name_problem, phone_problem
from bposite.visits.rules.standing import HoldKind
from bposite.visits.rules.watch import Guest, Watched, matches
from bposite.visits.tables import Hold, Visit, Visitor, WatchEntry

LONGEST = timedelta(days=3 * 366)
# What the desk reads. Who matched, how well and why is for those who keep the list.
TOLD = "possible match; ask the visitor to take a seat"


@dataclass(frozen=True, kw_only=True, slots=True)
class NewEntry:
    """Somebody to be held: at least one of name, company and contact, a reason, and an end."""

    name: str
    company: str
    contact: str
    reason: str
    expires_at: datetime


def watch(work: Work, new: NewEntry) -> str:
    """Enter somebody into the watchlist; returns the id of the entry. Its owner is the one who enters it."""
    _check(work, new)
    row = WatchEntry(
        id=new_id(),
        name=new.name,
        company=new.company,
        contact=new.contact,
        reason=new.reason,
        owner=actor_key(work),
        owner_name=work.actor.name,
        made_at=work.now,
        expires_at=new.expires_at,
    )
    work.session.add(row)
    work.record(
        "visits:watchlist:entered", subject=row.id, data={"reason": new.reason, "until": new.expires_at.isoformat()}
    )
    return row.id


def _check(work: Work, new: NewEntry) -> None:
    if not (new.name or new.company or new.contact):
        raise Refusal("watch_empty", "Type a name, a company or a contact.", field="name")
    for field, text in (("name", new.name), ("company", new.company)):
        if text and (problem := name_problem(text)):
            raise Refusal("watch_text", problem, field=field)
    if new.contact and (problem := (email_problem if "@" in new.contact else phone_problem)(new.contact)):
        raise Refusal("watch_contact", problem, field="contact")
    if not new.reason:
        raise Refusal("reason_needed", "Say why this person is to be held.", field="reason")
    if not work.now < new.expires_at <= work.now + LONGEST:
        raise Refusal("watch_until", "Choose a last day from today on, within three years.", field="until")


def unwatch(work: Work, entry_id: str, reason: str) -> None:
    """End an entry before its time, with a reason; holds that it raised stay until somebody releases them."""
    row = work.session.get(WatchEntry, entry_id, with_for_update=True)
    if row is None or row.ended_at is not None:
        raise NotFound("no_entry", "This entry is not in force any more.", remedy="Reload the page.")
    if not reason:
        raise Refusal("reason_needed", "Say why the entry ends.", field="reason")
    row.ended_at, row.ended_by_name, row.ended_why = work.now, work.actor.name, reason
    work.record("visits:watchlist:ended", subject=row.id, data={"reason": reason})


def look_up(work: Work, visit: Visit) -> bool:
    """Look the guest of a visit up and hold the visit on a match; returns whether it matched.

    A guest whose match was released for this very visit is not held again for the same entry.
    """
    guest = work.session.get(Visitor, visit.visitor_id)
    if guest is None:
        raise NotFound("no_visitor", "This visitor does not exist.")
    entries = [_watched(row) for row in work.session.scalars(select(WatchEntry).where(WatchEntry.ended_at.is_(None)))]
    known = Guest(name=guest.name, company=guest.company, email=guest.email, phone=guest.phone)
    found = matches(known, entries, work.now)
    raised = set(work.session.scalars(select(Hold.watch_id).where(Hold.visit_id == visit.id)))
    fresh = [match for match in found if match.entry not in raised]
    for match in fresh:
        hold_id = hold(work, visit, HoldKind.WATCHLIST, TOLD)
        row = work.session.get_one(Hold, hold_id)
        row.watch_id, row.score, row.matched = match.entry, match.score, match.matched
    work.record(
        "visits:watchlist:looked_up",
        subject=visit.id,
        data={
            "entries": len(entries),
            "matches": [{"entry": m.entry, "score": m.score, "in": m.matched} for m in found],
        },
    )
    return bool(found)


def _watched(row: WatchEntry) -> Watched:
    return Watched(
        id=row.id, name=row.name, company=row.company, contact=row.contact, expires_at=row.expires_at
    )  # fmt: skip
