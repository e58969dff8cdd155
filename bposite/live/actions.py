"""The roll call: freeze the list, take marks from any number of phones, add strangers, close."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import insert, select

from bposite.journal.work import Work
from bposite.live.queries.rollcall import AT_MUSTER, everybody_inside
from bposite.live.rules import TICK_STATES, pressed_at
from bposite.live.tables import RollCall, RollCallMember, RollCallTick
from bposite.plumbing.errors import Conflict, NotFound, Refusal
from bposite.plumbing.ids import new_id

LONGEST_NAME = 120
LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark as a phone sends it: ``id`` made there, ``at`` by its clock (None: it did not say)."""

    id: str
    member: str
    state: str
    at: datetime | None


def start(work: Work, *, drill: bool, reason: str = "") -> str:
    """Freeze the list of everybody inside, at once; returns the id of the roll call."""
    call = RollCall(
        id=new_id(), drill=drill, reason=_clean(reason)[:LONGEST_REASON], started_at=work.now,
        started_by=work.actor.name,
    )  # fmt: skip
    work.session.add(call)
    work.session.flush()
    rows = [{"id": new_id(), "call_id": call.id} | asdict(one) for one in everybody_inside(work.session, work.now)]
    if rows:
        work.session.execute(insert(RollCallMember), rows)
    data = {"rollcall": call.id, "drill": drill, "reason": call.reason, "total": len(rows)}
    work.record("live:rollcall:started", subject=call.id, data=data | {"subjects": [row["subject"] for row in rows]})
    return call.id


def take_marks(work: Work, call_id: str, marks: Sequence[Mark]) -> int:
    """Keep marks that are not here yet; returns how many were new. Late ones of an offline phone count by their time.

    A closed roll call still takes them: what a marshal saw is evidence, whenever it arrives.
    """
    call = _call(work, call_id)
    known = set(work.session.scalars(select(RollCallTick.id).where(RollCallTick.id.in_([mark.id for mark in marks]))))
    members = set(work.session.scalars(select(RollCallMember.id).where(RollCallMember.call_id == call_id)))
    fresh = {mark.id: mark for mark in marks if mark.id not in known}
    for mark in fresh.values():
        if mark.state not in TICK_STATES or mark.member not in members:
            raise Refusal("mark", "This mark is for nobody on the list.", field="member")
        at = pressed_at(mark.at, work.now, call.started_at)
        row = RollCallTick(
            id=mark.id, call_id=call_id, member_id=mark.member, state=mark.state, at=at, received_at=work.now,
            by=work.actor.name,
        )  # fmt: skip
        work.session.add(row)
    if fresh:
        told = [[mark.member, mark.state] for mark in fresh.values()]
        work.record("live:rollcall:ticked", subject=call_id, data={"rollcall": call_id, "marks": told})
    return len(fresh)


def add_stranger(work: Work, call_id: str, name: str, detail: str = "") -> str:
    """Somebody who stands at the muster point and is on no list; safe, because he stands there."""
    call, clean = _call(work, call_id), _clean(name)
    if call.closed_at is not None:
        raise Conflict("closed", "This roll call is closed.", remedy="Start a new one.")
    if not 0 < len(clean) <= LONGEST_NAME:
        raise Refusal("name", f"Type a name of at most {LONGEST_NAME} letters.", field="name")
    member = RollCallMember(
        id=new_id(), call_id=call_id, subject=f"stranger:{new_id()}", kind="stranger", name=clean,
        detail=_clean(detail)[:200], zone=AT_MUSTER, seen_at=work.now, confidence="seen",
    )  # fmt: skip
    work.session.add(member)
    work.session.flush()
    work.record("live:rollcall:added", subject=call_id, data={"rollcall": call_id, "member": member.id, "name": clean})
    take_marks(work, call_id, [Mark(new_id(), member.id, "safe", work.now)])
    return member.id


def close(work: Work, call_id: str) -> None:
    """The roll call is over; whoever is not safe stays on it as what is known."""
    call = _call(work, call_id)
    if call.closed_at is not None:
        raise Conflict("closed", "This roll call was closed before.", remedy=f"{call.closed_by} closed it.")
    call.closed_at, call.closed_by = work.now, work.actor.name
    work.record("live:rollcall:closed", subject=call_id, data={"rollcall": call_id})


def _call(work: Work, call_id: str) -> RollCall:
    call = work.session.get(RollCall, call_id, with_for_update=True)
    if call is None:
        raise NotFound("rollcall", "There is no such roll call.")
    return call


def _clean(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
