"""Passes' part of ``bposite verify``: every pass and every label stands where its facts left it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from bposite.journal.proof import Problem
from bposite.journal.queries import Fact, facts
from bposite.passes.rules import MediumState, PassState
from bposite.passes.tables import Medium, Pass

_PASS = {
    "passes:pass:armed": PassState.ARMED,
    "passes:pass:suspended": PassState.SUSPENDED,
    "passes:pass:resumed": PassState.ARMED,
    "passes:pass:ended": PassState.ENDED,
}
_ISSUED = "passes:pass:issued"
_MEDIUM = {
    "passes:medium:printing": MediumState.PRINTING,
    "passes:medium:issued": MediumState.ISSUED,
    "passes:medium:voided": MediumState.VOID,
    "passes:medium:returned": MediumState.RETURNED,
    "passes:medium:destroyed": MediumState.DESTROYED,
    "passes:medium:missing": MediumState.MISSING,
}


def witness(session: Session) -> Iterator[Problem]:
    """Passes and labels that were changed, deleted or slipped in, told by comparing each with its facts."""
    passes, media = Told(_ISSUED), Told("passes:medium:printing")
    for fact in facts(session, (_ISSUED, *_PASS)):
        passes.hear(fact, lambda said: _PASS[said.kind] if said.kind in _PASS else str(said.data["state"]))
    yield from passes.differences("pass", dict(session.execute(select(Pass.id, Pass.state)).tuples().all()))
    for fact in facts(session, tuple(_MEDIUM)):
        media.hear(fact, lambda said: _MEDIUM[said.kind])
    yield from media.differences("label or card", dict(session.execute(select(Medium.id, Medium.state)).tuples().all()))


@dataclass
class Told:
    """The state in which its facts left each thing. `born` is the kind of fact that begins one."""

    born: str
    states: dict[str, str] = field(default_factory=dict)
    erased: int = 0

    def hear(self, fact: Fact, state: Callable[[Fact], str]) -> None:
        """Take one fact; of an erased one only its kind is left, so that some row may be without facts."""
        if fact.subject is not None:
            self.states[fact.subject] = state(fact)
        elif fact.kind == self.born:
            self.erased += 1

    def differences(self, what: str, rows: Mapping[str, str]) -> Iterator[Problem]:
        """Rows that say something else than their facts, that are missing, or that no fact knows."""
        for name, state in self.states.items():
            if name not in rows:
                yield Problem(f"{what} {name}", "is missing")
            elif rows[name] != state:
                yield Problem(f"{what} {name}", f"says {rows[name]}, its facts say {state}")
        unknown = sorted(rows.keys() - self.states.keys())
        for name in unknown if len(unknown) > self.erased else ():
            yield Problem(f"{what} {name}", "has no fact in the journal: it was slipped in")
