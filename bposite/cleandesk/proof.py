"""The clean desk's part of ``bposite verify``: observations, findings and pictures against their facts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bposite.cameras.capture.store import file_digest
from bposite.cleandesk import photos
from bposite.cleandesk.tables import FindingRow, Observation, ObservedItem, Photo
from bposite.journal.proof import Problem
from bposite.journal.queries import facts

RECORDED = "cleandesk:observation:recorded"
FINDING = "cleandesk:finding:"


def witness(session: Session) -> Iterator[Problem]:
    """Whatever was changed, deleted or slipped in since it was recorded."""
    yield from _observations(session)
    yield from _findings(session)


def _observations(session: Session) -> Iterator[Problem]:
    told: set[str] = set()
    pictures: dict[str, str] = {}
    items = _items(session)
    for fact in facts(session, (RECORDED,)):
        if fact.subject is None:
            continue  # erased: its proof stays, its content is gone
        told.add(fact.subject)
        pictures |= fact.data["photos"]
        row = session.get(Observation, fact.subject)
        if row is None:
            yield Problem(f"observation {fact.subject}", "is missing")
        elif _kept(row, items.get(row.id, [])) != _said(fact.data):
            yield Problem(f"observation {fact.subject}", "is not what was recorded")
        session.expunge_all()
    for row_id in session.scalars(select(Observation.id).order_by(Observation.id)):
        if row_id not in told:
            yield Problem(f"observation {row_id}", "has no fact in the journal: it was slipped in")
    yield from _pictures(session, pictures)


def _items(session: Session) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for observation, item in session.execute(select(ObservedItem.observation_id, ObservedItem.item_id)):
        found.setdefault(observation, []).append(item)
    return found


def _kept(row: Observation, items: list[str]) -> tuple[Any, ...]:
    return row.place_id, row.seat, row.answer, row.complies, row.reason, sorted(items)


def _said(data: dict[str, Any]) -> tuple[Any, ...]:
    reason = data["reason"] if data["answer"] == "not_observed" else ""
    return data["place"], data["seat"], data["answer"], data["complies"], reason, sorted(data["items"])


def _pictures(session: Session, told: dict[str, str]) -> Iterator[Problem]:
    rows = {row.id: row for row in session.scalars(select(Photo).where(Photo.observation_id.is_not(None)))}
    for photo_id, digest in sorted(told.items()):
        row = rows.pop(photo_id, None)
        if row is None or row.sha256 != digest:
            yield Problem(f"picture {photo_id}", "is missing" if row is None else "points to another file")
            continue
        path = photos.store().path(row.path)
        if not path.is_file():
            yield Problem(f"picture {photo_id}", "its file is missing")
        elif file_digest(path)[0] != digest:
            yield Problem(f"picture {photo_id}", "its file was changed")
    for photo_id in rows:
        yield Problem(f"picture {photo_id}", "has no fact in the journal: it was slipped in")


def _findings(session: Session) -> Iterator[Problem]:
    """The state of every finding must be the one of its newest fact; none may be without facts."""
    told: dict[str, tuple[str, str]] = {}
    for fact in facts(session, (FINDING,)):
        if fact.subject is not None and "severity" in fact.data:
            told[fact.subject] = (fact.data["state"], fact.data["severity"])
    for row_id, state, severity in session.execute(select(FindingRow.id, FindingRow.state, FindingRow.severity)):
        said = told.pop(row_id, None)
        if said is None:
            yield Problem(f"finding {row_id}", "has no fact in the journal: it was slipped in")
        elif said != (state, severity):
            yield Problem(f"finding {row_id}", f"is {state}, the journal says {said[0]}")
    for row_id in told:
        yield Problem(f"finding {row_id}", "is missing")
