"""A site with its plan and entries of every kind, through the features' own actions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from bposite.doors.actions import ingest, plan
from bposite.doors.rules.decide import Step
from bposite.doors.rules.scene import Whereabouts
from bposite.journal.work import Actor, unit_of_work
from bposite.people import actions as people
from bposite.plumbing.clock import now, to_micros
from bposite.visits import actions as visits
from bposite.visits.actions import NewVisit

PLAN = Path(__file__).resolve().parents[2] / "hardware" / "simulator" / "site.yaml"
TRACE = (
    Step("door", "Card room door", "pass"),
    Step("credential", "card of Ananya Deshpande", "pass"),
    Step("rights", "no access level for Card room door, in", "refuse"),
)


def apply_plan() -> None:
    """The fixed parts of the demonstration site."""
    site = yaml.safe_load(PLAN.read_text("utf-8"))
    with unit_of_work(Actor.system("tests")) as work:
        people.apply_plan(work, site["persons"])
        visits.apply_plan(work, site["zones"])
        plan.apply_plan(work, site)


def record(number: int, at: datetime, **more: Any) -> ingest.Record:
    """One entry, by default a granted card at the main door of operations A."""
    values: dict[str, Any] = {
        "device": "ctl-floor-a", "boot": "b1", "seq": number, "key": f"b1:{number}", "cls": "access",
        "decision": "granted", "reason": "granted", "door": "ops-a-main", "direction": "in", "zone": "ops-a",
        "person": "E-1016", "credential_type": "card", "credential_ref": "h:9f2c" + f"{number:028x}",
        "factors": "card,finger", "decided_by": "site", "adapter": "native", "time_source": "device",
    } | more  # fmt: skip
    raw = json.dumps({"specversion": "1.0", "id": f"b1-{number:09}", "data": {"decision": values["decision"]}})
    values.setdefault("raw", raw)
    values.setdefault("trace", TRACE if values["decision"] == "denied" else TRACE[:2])
    return ingest.Record(
        time_used=to_micros(at), received_at=to_micros(at + timedelta(milliseconds=40)), time_told=to_micros(at),
        digest=hashlib.sha256(values["raw"].encode()).digest(), **values,
    )  # fmt: skip


def store(*records: ingest.Record, moves: dict[str, Any] | None = None) -> range:
    """Write entries as the listener does; returns their positions."""
    with unit_of_work(Actor.system("listener")) as work:
        return ingest.store(work, ingest.Batch(records=list(records), moves=moves or {}))


def many(
    count: int, *, until: datetime | None = None, step: timedelta = timedelta(seconds=37), first: int = 0
) -> range:
    """``count`` ordinary entries up to ``until``: mostly granted, some refused, an alarm, a late one."""
    end = until or now()
    return store(*(_ordinary(first + index, end - step * (count - index)) for index in range(count)))


def _ordinary(number: int, at: datetime) -> ingest.Record:
    person = f"E-10{1 + number % 28:02}"
    if number % 11 == 3:
        return record(number, at, person=person, decision="denied", reason="deniedPointNoAccessRights",
                      door="card-room", zone="card-a", notable=True)  # fmt: skip
    if number % 41 == 7:
        return record(number, at, cls="alarm", decision=None, reason="forcedOpen", door="goods-bay", zone="goods",
                      person=None, credential_type=None, credential_ref=None, direction=None, notable=True,
                      device="ctl-core")  # fmt: skip
    if number % 29 == 5:
        return record(number, at, person=None, decision="denied", reason="deniedUnknownCredential",
                      door="main-entrance", zone="lobby", device="ctl-lobby", notable=True)  # fmt: skip
    return record(number, at, person=person, direction="out" if number % 2 else "in", late=number % 53 == 9)


def visit(name: str = "Zoë Müller", company: str = "Blue Yonder", zones: tuple[str, ...] = ("ops-a",)) -> str:
    """An invited guest of today; the visit's id."""
    at = now()
    with unit_of_work(Actor.system("tests")) as work:
        placed = visits.invite(
            work,
            NewVisit(
                name=name, company=company, host="E-1002", host_name="Farhan Siddiqui", zones=zones,
                window_from=at - timedelta(hours=2), window_until=at + timedelta(hours=4),
            ),
        )  # fmt: skip
    return placed.visit_id


def way(visit_id: str, start: datetime, *, first: int = 5000) -> range:
    """Four passages of a visitor: in, to operations A, back, and out; and one refusal on the way."""
    steps = [
        (0, "main-entrance", "in", "lobby", "taken", "granted"),
        (6, "ops-a-main", "in", "ops-a", "taken", "granted"),
        (20, "card-room", "in", "card-a", "denied", "zone_not_allowed"),
        (48, "ops-a-main", "out", "lobby", "taken", "granted"),
        (52, "main-entrance", "out", "outside", "taken", "granted"),
    ]
    return store(
        *(
            record(
                first + index, start + timedelta(minutes=minute), door=door, direction=direction, zone=zone,
                decision=decision, reason=reason, visit=visit_id, person=None, credential_type="qr",
                taken=decision == "taken" or None, notable=decision == "denied",
            )
            for index, (minute, door, direction, zone, decision, reason) in enumerate(steps)
        )
    )  # fmt: skip


def heard(skews: Mapping[str, int]) -> None:
    """Devices that were heard just now, with their clock errors in milliseconds."""
    at = now()
    states = {
        device: {"heard_at": at, "link_at": at, "online": True, "skew_ms": skew} for device, skew in skews.items()
    }
    with unit_of_work(Actor.system("listener")) as work:
        ingest.store(work, ingest.Batch(devices=states))


def moved(subject: str, zone: str, *, door: str = "ops-a-main", at: datetime | None = None) -> tuple[str, Whereabouts]:
    """A move for ``store(..., moves=dict([moved(...)]))``: the subject is in ``zone`` now."""
    return subject, Whereabouts(subject, zone, at or now(), door, "in")


def inside(places: Mapping[str, str]) -> None:
    """Subjects (person numbers, ``visit:<id>``) who came into zones just now."""
    moves = {subject: (moved(subject, zone)[1], 0) for subject, zone in places.items()}
    number = int(now().timestamp() * 1000) % 10_000_000
    store(record(number, now(), key=f"inside:{number}", decision="taken"), moves=moves)
