"""A scan at a desk or kiosk: looked up, answered, recorded; the same request always gets the same answer."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from enum import StrEnum

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import func, select

from bposite.journal.work import Work
from bposite.passes import queries as passes
from bposite.passes.codes import code_hash
from bposite.passes.rules import Reading, ReadingKind, read
from bposite.plumbing.errors import Conflict
from bposite.plumbing.ids import new_id
from bposite.plumbing.settings import current
from bposite.visits.actions.invite import arrive
from bposite.visits.actions.leave import come_back, depart
from bposite.visits.queries.standing import standing_of_pass
from bposite.visits.rules.answer import DoorFacts, Place, Reason, door_answer
from bposite.visits.rules.machine import EXPECTED, INSIDE, Evidence, VisitState
from bposite.visits.rules.standing import PassStanding
from bposite.visits.tables import ScanAnswer, ShortCodeMiss
from bposite.visits.words import answer

# Guessing a spoken code: 5 wrong ones in a minute lock that search at that desk for the rest of the minute.
WRONG_SHORT_CODES = 5
IN_TIME = timedelta(minutes=1)


class Purpose(StrEnum):
    """What the person at the scanner wants: see the visit, or check the guest out at once."""

    OPEN = "open"
    CHECK_OUT = "check_out"


class Did(StrEnum):
    """What the scan changed."""

    NOTHING = "nothing"
    ARRIVED = "arrived"
    CAME_BACK = "came_back"
    DEPARTED = "departed"


class Scanned(Struct, frozen=True, kw_only=True):
    """The answer to a scan. `visit` is empty when the code leads to none."""

    reason: str
    granted: bool
    did: Did = Did.NOTHING
    visit: str = ""
    name: str = ""
    host: str = ""
    state: str = ""
    title: str = ""
    remedy: str = ""


LOCKED = "short_code_locked"


def scan(work: Work, text: str, *, device: str, key: str, purpose: Purpose = Purpose.OPEN) -> bytes:
    """Answer a scanned or typed `text` as JSON of `Scanned`; `key` is unique for each scan of `device`.

    The same key again gives the stored bytes, even if validity ended in between. The same key with
    another text or purpose is a Conflict: a program error must not be taken for a repetition.
    """
    digest = hashlib.sha256(f"{purpose}\n{read(text).text or text}".encode("utf-8", "surrogatepass")).hexdigest()
    stored = work.session.get(ScanAnswer, key)
    if stored is not None:
        if stored.digest != digest or stored.device != device:
            raise Conflict("key_reused", "The same request number came with another content.")
        return stored.answer.encode()
    said = msgspec.json.encode(_answer(work, read(text), device, purpose))
    work.session.add(ScanAnswer(key=key, device=device, digest=digest, answer=said.decode(), at=work.now))
    return said


def _answer(work: Work, reading: Reading, device: str, purpose: Purpose) -> Scanned:
    if reading.kind is ReadingKind.SHORT and _locked(work, device):
        return _noted(work, Scanned(reason=LOCKED, granted=False), "")
    row = passes.pass_of_reading(work.session, reading, code_hash(reading.text))
    standing = standing_of_pass(work.session, row) if row else None
    if standing is None and reading.kind is ReadingKind.SHORT:
        work.session.add(ShortCodeMiss(id=new_id(), device=device, at=work.now))
    facts = DoorFacts(site=current().site.id, place=Place.DESK, misread=reading.kind is ReadingKind.MISREAD)
    judged = door_answer(standing, facts, work.now)
    if standing is None:
        return _noted(work, Scanned(reason=judged.reason, granted=False), "")
    did, state = _act(work, standing, judged.reason, purpose)
    scanned = Scanned(
        reason=judged.reason,
        granted=judged.granted or did is not Did.NOTHING,
        did=did,
        visit=standing.visit_id,
        name=standing.visitor_name,
        host=standing.host_name,
        state=state,
    )
    return _noted(work, scanned, standing.pass_id)


def _locked(work: Work, device: str) -> bool:
    recent = (ShortCodeMiss.device == device) & (ShortCodeMiss.at > work.now - IN_TIME)
    return (work.session.scalar(select(func.count()).where(recent)) or 0) >= WRONG_SHORT_CODES


def _act(work: Work, standing: PassStanding, reason: Reason, purpose: Purpose) -> tuple[Did, VisitState]:
    """Do what the scan means where the visit stands. Leaving works with any pass: an exit is never refused."""
    state = standing.visit_state
    if purpose is Purpose.CHECK_OUT and (state in INSIDE or state is VisitState.BREAK_OUT):
        depart(work, standing.visit_id, Evidence.DESK_SCAN, ids=(standing.pass_id,))
        return Did.DEPARTED, VisitState.DEPARTED
    if purpose is Purpose.OPEN and reason not in _NO_ARRIVAL:
        if state in EXPECTED or state is VisitState.NO_SHOW:
            return Did.ARRIVED, arrive(work, standing.visit_id)
        if state is VisitState.BREAK_OUT:
            return Did.CAME_BACK, come_back(work, standing.visit_id)
    return Did.NOTHING, state


# A pass that was replaced or called back does not bring anybody to the desk's list by itself.
_NO_ARRIVAL = frozenset({Reason.SUPERSEDED, Reason.REVOKED, Reason.LOST, Reason.VISIT_CANCELLED, Reason.WRONG_SITE})


def _noted(work: Work, scanned: Scanned, pass_id: str) -> Scanned:
    told = answer(scanned.reason)
    data = {"pass": pass_id, "reason": scanned.reason, "did": scanned.did}
    work.record("visits:pass:scanned", subject=scanned.visit, data=data)
    return replace(scanned, title=told.title, remedy=told.remedy)
