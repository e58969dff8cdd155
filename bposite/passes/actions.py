"""What happens to passes and their media. Callers open the unit of work; each function records its fact."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from bposite.journal.work import Work
from bposite.passes.codes import Codes, code_hash, sealed, short_hash
from bposite.passes.rules import (
    MEDIUM_MACHINE,
    PASS_MACHINE,
    Ending,
    MediumEvent,
    MediumState,
    PassEvent,
    PassState,
    Suspension,
    new_code,
    new_short_code,
)
from bposite.passes.tables import Medium, Pass
from bposite.plumbing.errors import Conflict, NotFound
from bposite.plumbing.ids import new_id

# How long the desk can show a code again (a second look, a failed print) before only a reprint helps.
SHOWN_FOR = timedelta(minutes=15)
_FACT = {
    MediumEvent.HAND_OUT: "issued",
    MediumEvent.VOID: "voided",
    MediumEvent.RETURN: "returned",
    MediumEvent.DESTROY: "destroyed",
    MediumEvent.MISS: "missing",
}


@dataclass(frozen=True, slots=True)
class Issued:
    """A new pass with its codes: the only moment at which they exist outside a symbol."""

    pass_id: str
    number: int
    codes: Codes


def issue(work: Work, visit_id: str) -> Issued:
    """Issue the next pass of a visit. A pass that was alive ends as superseded; its labels are void.

    The new pass takes over the state of the old one, so a reprint for a guest who is inside opens doors.
    """
    before = live_pass(work, visit_id)
    state, suspension = (before.state, before.suspension) if before else (PassState.ISSUED, None)
    if before is not None:
        _end(work, before, Ending.SUPERSEDED)
        _void_media(work, before.id)
        work.session.flush()  # the index "one live pass a visit" must see the end before the new one
    number = (work.session.scalar(select(func.max(Pass.number)).where(Pass.visit_id == visit_id)) or 0) + 1
    codes = Codes(new_code(secrets.token_bytes), new_short_code(secrets.token_bytes))
    row = Pass(
        id=new_id(),
        visit_id=visit_id,
        number=number,
        state=state,
        suspension=suspension,
        code_hash=code_hash(codes.code),
        short_hash=short_hash(codes.short),
        sealed=sealed(codes),
        sealed_until=work.now + SHOWN_FOR,
        issued_at=work.now,
    )
    work.session.add(row)
    work.record("passes:pass:issued", subject=row.id, data={"visit": visit_id, "number": number, "state": state})
    return Issued(row.id, number, codes)


def live_pass(work: Work, visit_id: str) -> Pass | None:
    """The pass of a visit that is not ended, locked for this unit of work."""
    statement = select(Pass).where(Pass.visit_id == visit_id, Pass.state != PassState.ENDED).with_for_update()
    return work.session.scalar(statement)


def arm(work: Work, visit_id: str) -> bool:
    """Arm the pass of an admitted guest; False when there is none or it is armed already."""
    row = live_pass(work, visit_id)
    if row is None or PASS_MACHINE.after(PassState(row.state), PassEvent.ARM) is None:
        return False
    row.state = PassState.ARMED
    work.record("passes:pass:armed", subject=row.id, data={"visit": visit_id})
    return True


def suspend(work: Work, visit_id: str, why: Suspension) -> bool:
    """Let an armed pass open nothing for now; False when it opens nothing anyway."""
    row = live_pass(work, visit_id)
    if row is None or PASS_MACHINE.after(PassState(row.state), PassEvent.SUSPEND) is None:
        return False
    row.state, row.suspension = PassState.SUSPENDED, why
    work.record("passes:pass:suspended", subject=row.id, data={"visit": visit_id, "why": why})
    return True


def resume(work: Work, visit_id: str, why: Suspension) -> bool:
    """Let a pass that was suspended for `why` open again; one suspended for another reason stays as it is."""
    row = live_pass(work, visit_id)
    if row is None or row.suspension != why:
        return False
    row.state, row.suspension = PassState.ARMED, None
    work.record("passes:pass:resumed", subject=row.id, data={"visit": visit_id, "why": why})
    return True


def end(work: Work, visit_id: str, ending: Ending) -> bool:
    """End the pass of a visit for good; False when none is alive."""
    row = live_pass(work, visit_id)
    if row is None:
        return False
    _end(work, row, ending)
    return True


def _end(work: Work, row: Pass, ending: Ending) -> None:
    row.state, row.suspension, row.ending, row.ended_at = PassState.ENDED, None, ending, work.now
    row.sealed, row.sealed_until = None, None
    work.record("passes:pass:ended", subject=row.id, data={"visit": row.visit_id, "ending": ending})


def forget_codes(work: Work) -> int:
    """Wipe sealed codes whose time is up; returns how many. Called by the timer."""
    due = update(Pass).where(Pass.sealed_until <= work.now).values(sealed=None, sealed_until=None).returning(Pass.id)
    return len(work.session.scalars(due).all())


def start_print(work: Work, pass_id: str, kind: str = "label") -> str:
    """Enter a label or card into the books before it is printed; returns the medium's id.

    Another print of the same pass voids the one before, so that never two good labels exist.
    """
    row = work.session.get(Pass, pass_id)
    if row is None:
        raise NotFound("no_pass", "This pass does not exist.")
    if row.state == PassState.ENDED:
        raise Conflict("pass_ended", "This pass has ended and cannot be printed.", remedy="Issue a new pass.")
    _void_media(work, pass_id)
    serial = (work.session.scalar(select(func.max(Medium.serial)).where(Medium.pass_id == pass_id)) or 0) + 1
    medium = Medium(
        id=new_id(),
        pass_id=pass_id,
        visit_id=row.visit_id,
        serial=serial,
        kind=kind,
        state=MediumState.PRINTING,
        made_at=work.now,
        changed_at=work.now,
    )
    work.session.add(medium)
    work.record("passes:medium:printing", subject=medium.id, data={"pass": pass_id, "serial": serial, "kind": kind})
    return medium.id


def change_medium(work: Work, medium_id: str, event: MediumEvent, *, reason: str = "") -> MediumState:
    """Move a label or card in its machine; a missing one takes its pass with it, at all doors at once."""
    row = work.session.get(Medium, medium_id, with_for_update=True)
    if row is None:
        raise NotFound("no_medium", "This label or card does not exist.")
    after = MEDIUM_MACHINE.after(MediumState(row.state), event)
    if after is None:
        raise Conflict("medium_state", f"A label that is {row.state} cannot be {_FACT[event]}.")
    row.state, row.changed_at = after, work.now
    work.record(f"passes:medium:{_FACT[event]}", subject=row.id, data={"visit": row.visit_id, "reason": reason})
    carried = work.session.get(Pass, row.pass_id)
    if event is MediumEvent.MISS and carried is not None and carried.state != PassState.ENDED:
        _end(work, carried, Ending.LOST)
    return after


def return_media(work: Work, visit_id: str) -> int:
    """Take back every label and card of a visit that is out; returns how many.

    What comes back was handed out, even when nobody had confirmed the print.
    """
    _change_all(work, (Medium.visit_id == visit_id) & (Medium.state == MediumState.PRINTING), MediumEvent.HAND_OUT)
    return _change_all(work, Medium.visit_id == visit_id, MediumEvent.RETURN)


def miss_media(work: Work, start: datetime, end: datetime) -> int:
    """At day close: what was made in [start, end) and is still out is missing. Prints never confirmed are void."""
    made = (Medium.made_at >= start) & (Medium.made_at < end)
    _change_all(work, made & (Medium.state == MediumState.PRINTING), MediumEvent.VOID)
    return _change_all(work, made, MediumEvent.MISS)


def _void_media(work: Work, pass_id: str) -> None:
    _change_all(work, Medium.pass_id == pass_id, MediumEvent.VOID)


def _change_all(work: Work, which: object, event: MediumEvent) -> int:
    states = [state for state in MediumState if MEDIUM_MACHINE.after(state, event) is not None]
    ids = work.session.scalars(select(Medium.id).where(which, Medium.state.in_(states))).all()  # type: ignore[arg-type]
    for medium_id in ids:
        change_medium(work, medium_id, event)
    return len(ids)
