"""Visits' part of ``bposite verify``: states, steps and photos against the facts that were written with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bposite.journal.proof import Problem
from bposite.journal.queries import facts
from bposite.passes.proof import Told
from bposite.visits import photos
from bposite.visits.actions.steps import FACT
from bposite.visits.rules.machine import VisitEvent
from bposite.visits.tables import Transition, Visit, Visitor

_STEPS = tuple(f"visits:visit:{word}" for word in FACT.values())
_PHOTO = "visits:visitor:photographed"


def witness(session: Session) -> Iterator[Problem]:
    """Visits, steps and photos that were changed, deleted, swapped or slipped in."""
    yield from _states(session)
    yield from _photos(session)


def _states(session: Session) -> Iterator[Problem]:
    told = Told(f"visits:visit:{FACT[VisitEvent.REQUEST]}")
    steps: Counter[str] = Counter()
    for fact in facts(session, _STEPS):
        told.hear(fact, lambda said: str(said.data["to"]))
        steps[fact.subject or ""] += 1
    yield from told.differences("visit", dict(session.execute(select(Visit.id, Visit.state)).tuples().all()))
    counted = select(Transition.visit_id, func.count()).group_by(Transition.visit_id)
    for visit_id, count in session.execute(counted).tuples():
        if count != steps[visit_id] and visit_id in told.states:
            yield Problem(f"visit {visit_id}", f"has {count} steps, its facts know {steps[visit_id]}")


def _photos(session: Session) -> Iterator[Problem]:
    told = {fact.subject: (fact.data["sha256"], fact.seq) for fact in facts(session, (_PHOTO,)) if fact.subject}
    having = select(Visitor.id, Visitor.photo).where(Visitor.photo.is_not(None))
    for visitor_id, digest in session.execute(having).tuples():
        known, seq = told.get(visitor_id, ("", -1))
        if digest != known:
            yield Problem(f"photo of visitor {visitor_id}", "is another one than the journal knows")
        elif photos.load(known) is None:
            yield Problem(f"photo of visitor {visitor_id}", f"is missing or was swapped (journal fact {seq})")
