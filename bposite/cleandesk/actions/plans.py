"""The programme: lines that say where, when and how often is looked, and what shall be claimed."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import msgspec

from bposite.cleandesk import queries
from bposite.cleandesk.rules.catalogue import Catalogue
from bposite.cleandesk.rules.programme import FREQUENCIES
from bposite.cleandesk.tables import AuditPlan, CatalogueVersion, Counter
from bposite.journal.work import Work
from bposite.plumbing.errors import Conflict, NotFound, Refusal
from bposite.plumbing.ids import new_id


@dataclass(frozen=True, slots=True)
class NewPlan:
    """A plan as a person asks for it. `target` and `confidence` are shares between 0 and 1."""

    name: str
    zones: tuple[str, ...]
    kinds: tuple[str, ...]
    shifts: tuple[str, ...]
    moments: tuple[str, ...]
    frequency: str
    target: float
    confidence: float
    fails_allowed: int
    exercise: bool = False


def load_catalogue(work: Work) -> Catalogue:
    """The catalogue in force, kept for later; Refusal when it was changed without a new version."""
    catalogue = queries.in_force()
    digest = queries.digest(catalogue)
    row = work.session.get(CatalogueVersion, catalogue.version)
    if row is None:
        content = msgspec.json.decode(msgspec.json.encode(catalogue))
        work.session.add(
            CatalogueVersion(version=catalogue.version, digest=digest, loaded_at=work.now, content=content)
        )
        work.session.flush()
        work.record(
            "cleandesk:catalogue:loaded",
            subject=str(catalogue.version),
            data={"sha256": digest, "items": len(catalogue.items)},
        )
    elif row.digest != digest:
        raise Refusal(
            "catalogue_changed",
            f"The clean desk catalogue was changed but still calls itself version {catalogue.version}.",
            remedy="Raise its version: observations refer to it.",
        )
    return catalogue


def save_plan(work: Work, plan: NewPlan) -> str:
    """Add a line to the programme; returns its id. A plan is never edited: end it and add another one."""
    _check(work, plan)
    row = AuditPlan(id=new_id(), created_by=work.actor.id[:26], created_at=work.now, **_values(plan))
    work.session.add(row)
    work.record("cleandesk:plan:added", subject=row.id, data=asdict(plan))
    return row.id


def end_plan(work: Work, plan_id: str) -> None:
    """Stop a plan; its rounds and what they showed stay."""
    row = work.session.get(AuditPlan, plan_id, with_for_update=True)
    if row is None:
        raise NotFound("plan", "There is no such plan.")
    if row.ended_at is not None:
        raise Conflict("plan_ended", "This plan has ended already.")
    row.ended_at = work.now
    work.record("cleandesk:plan:ended", subject=plan_id)


def next_number(work: Work, name: str) -> int:
    """The next number of `rounds` or `findings`, for people."""
    row = work.session.get(Counter, name, with_for_update=True)
    if row is None:
        row = Counter(name=name, value=0)
        work.session.add(row)
    row.value += 1
    work.session.flush()
    return row.value


def _values(plan: NewPlan) -> dict[str, object]:
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in ((name, getattr(plan, name)) for name in NewPlan.__dataclass_fields__)
    }


def _check(work: Work, plan: NewPlan) -> None:
    catalogue = queries.in_force()
    known_zones = queries.surroundings(work.session).zones
    if not plan.name.strip():
        raise Refusal("name", "Give the plan a name.", field="name")
    for field, values, known in (
        ("zones", plan.zones, known_zones),
        ("kinds", plan.kinds, catalogue.place_kinds),
        ("moments", plan.moments, catalogue.moments),
    ):
        if not values or set(values) - set(known):
            raise Refusal(field, "Choose at least one of the list.", field=field)
    if not plan.shifts:
        raise Refusal("shifts", "Choose at least one shift.", field="shifts")
    if plan.frequency not in FREQUENCIES:
        raise Refusal("frequency", "Choose how often.", field="frequency")
    for field, share in (("target", plan.target), ("confidence", plan.confidence)):
        if not 0.5 <= share <= 0.999:
            raise Refusal(field, "A share between 50 % and 99.9 % is expected.", field=field)
    if not 0 <= plan.fails_allowed <= 20:
        raise Refusal("fails_allowed", "Between 0 and 20 fails can be planned for.", field="fails_allowed")
