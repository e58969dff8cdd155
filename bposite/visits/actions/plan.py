"""What zones ask of visitors, taken from the site's plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, ValidationError, convert
from sqlalchemy import select

from bposite.journal.work import Work
from bposite.plumbing.errors import Refusal
from bposite.visits.tables import ZoneRule

# Zones whose doors are the reason why the site has doors: nobody decides alone about a guest in there.
APPROVAL = {"operations": "walk_in", "clean_room": "always", "server_room": "always", "restricted": "always"}
# Nobody visits the street; everybody passes the lobby.
OUTSIDE = "outside"
LOBBY = "lobby"


class PlanZone(Struct, frozen=True):
    """One row of the plan's section `zones`; keys that concern others are ignored."""

    id: str
    name: str
    kind: str
    capacity: int = 0
    no_device: bool = False
    escort: bool = False


def apply_plan(work: Work, section: Sequence[Mapping[str, Any]]) -> int:
    """Take over the section `zones` of the site's plan; returns the number of zones that visitors can be sent to.

    Applying the same section twice changes nothing. A zone that is gone stays for the visits
    that name it and can no longer be chosen. Refusal names the row that is wrong.
    """
    rows = [_read(number, raw) for number, raw in enumerate(section, start=1)]
    visited = [row for row in rows if row.kind != OUTSIDE]
    known = {rule.id: rule for rule in work.session.scalars(select(ZoneRule))}
    changed = [row.id for position, row in enumerate(visited) if _upsert(work, known.get(row.id), row, position)]
    gone = [rule for name, rule in known.items() if rule.active and name not in {row.id for row in visited}]
    for rule in gone:
        rule.active = False
    if changed or gone:
        work.record("visits:zones:applied", data={"changed": changed, "gone": [rule.id for rule in gone]})
    return len(visited)


def _read(number: int, raw: Mapping[str, Any]) -> PlanZone:
    try:
        return convert(dict(raw), PlanZone)
    except ValidationError as error:
        raise Refusal("plan", f"zones, row {number}: {error}", field=f"zones[{number - 1}]") from error


def _upsert(work: Work, rule: ZoneRule | None, row: PlanZone, position: int) -> bool:
    wanted = {
        "name": row.name,
        "kind": row.kind,
        "position": position,
        "capacity": row.capacity,
        "approval": APPROVAL.get(row.kind, "never"),
        "escort": row.escort,
        "deposit": row.no_device,
        "active": True,
    }
    if rule is None:
        work.session.add(ZoneRule(id=row.id, **wanted))
        return True
    differing = {name: value for name, value in wanted.items() if getattr(rule, name) != value}
    for name, value in differing.items():
        setattr(rule, name, value)
    return bool(differing)
