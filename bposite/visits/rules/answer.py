"""The admission answer: one pure function for every door and desk.

The order is part of the promise (design page "Visits"): a guest whose pass has
expired hears that, and not that he is already inside. An exit is never refused:
what would have refused it is raised instead, because a door that keeps people
in costs lives and a door that lets them out costs a line in a log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from bposite.passes.rules import Ending, PassState, Suspension
from bposite.visits.rules.machine import CALLED_OFF
from bposite.visits.rules.standing import PassStanding


class Reason(StrEnum):
    """The closed list of answers to a pass. `passed` and `not_taken` follow a grant later."""

    GRANTED = "granted"
    MISREAD = "misread"
    UNKNOWN_PASS = "unknown_pass"  # noqa: S105 - an answer, not a password
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    LOST = "lost"
    VISIT_CANCELLED = "visit_cancelled"
    HELD = "held"
    NOT_ARMED = "not_armed"
    TOO_EARLY = "too_early"
    EXPIRED = "expired"
    WRONG_SITE = "wrong_site"
    ZONE_NOT_ALLOWED = "zone_not_allowed"
    DOCUMENT_LAPSED = "document_lapsed"
    APPROVAL_LAPSED = "approval_lapsed"
    DEVICE_NOT_DEPOSITED = "device_not_deposited"
    ESCORT_REQUIRED = "escort_required"
    ESCORT_NOT_PRESENT = "escort_not_present"
    ESCORT_OVERLOADED = "escort_overloaded"
    ALREADY_INSIDE = "already_inside"
    EXIT_WITHOUT_ENTRY = "exit_without_entry"
    CAPACITY_FULL = "capacity_full"
    LOCKDOWN = "lockdown"
    CLOCK_UNTRUSTED = "clock_untrusted"
    PASSED = "passed"
    NOT_TAKEN = "not_taken"


class Place(StrEnum):
    """Where the pass is shown. At the desk and the kiosk a pass that is not armed yet is fine."""

    DOOR = "door"
    DESK = "desk"
    KIOSK = "kiosk"


class Direction(StrEnum):
    """Into the zone behind the door, or out of it."""

    IN = "in"
    OUT = "out"


class Outcome(StrEnum):
    """What one check said."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not_applicable"


class TraceLine(Struct, frozen=True):
    """One check of the answer: its place in the order, its name, what it said and why."""

    order: int
    rule: str
    outcome: Outcome
    detail: str


class Answer(Struct, frozen=True, kw_only=True):
    """Open or not, why, what to raise although it opens, and what each check said."""

    granted: bool
    reason: Reason
    raised: tuple[Reason, ...] = ()
    trace: tuple[TraceLine, ...] = ()


class DoorFacts(Struct, frozen=True, kw_only=True):
    """What the door knows at the moment of the scan.

    `zone` is the zone behind the door (entered by `in`, left by `out`); empty at the desk.
    `contradicted`: presence says that this person cannot stand where he shows the pass.
    `antipassback`: whether that refuses (`hard`), is only raised (`soft`) or is ignored (`off`).
    `escorts_present` / `escort_load` / `escort_limit`: whether the named escort badged just before,
    how many guests that escort leads already, and how many he may lead.
    `occupancy` / `capacity`: people in the zone now, and how many it may hold (None = no limit).
    `earlier`: the stored answer when the very same request came before.
    """

    site: str
    place: Place = Place.DOOR
    door: str = ""
    zone: str = ""
    direction: Direction = Direction.IN
    misread: bool = False
    clock_trusted: bool = True
    lockdown: bool = False
    contradicted: bool = False
    antipassback: str = "hard"
    escort_present: bool = False
    escort_load: int = 0
    escort_limit: int = 5
    occupancy: int = 0
    capacity: int | None = None
    earlier: Answer | None = None


class _Case(Struct, frozen=True):
    standing: PassStanding
    door: DoorFacts
    now: datetime


_Verdict = tuple[Reason | None, str]
_Check = Callable[[_Case], "_Verdict | None"]


def _ended(case: _Case) -> _Verdict:
    ending = case.standing.ending
    if case.standing.state is PassState.ENDED and ending in _ENDED_REASON:
        return _ENDED_REASON[ending], f"pass number {case.standing.pass_number} is {ending}"
    return None, f"pass number {case.standing.pass_number} was not replaced, called back or reported lost"


_ENDED_REASON: dict[Ending | None, Reason] = {
    Ending.SUPERSEDED: Reason.SUPERSEDED,
    Ending.REVOKED: Reason.REVOKED,
    Ending.LOST: Reason.LOST,
}


def _cancelled(case: _Case) -> _Verdict:
    state = case.standing.visit_state
    return (Reason.VISIT_CANCELLED if state in CALLED_OFF else None), f"the visit is {state}"


def _held(case: _Case) -> _Verdict:
    holds = sorted(case.standing.holds)
    if holds or case.standing.suspension is Suspension.HOLD:
        return Reason.HELD, "open holds: " + (", ".join(holds) or "pass suspended")
    return None, "no open hold"


def _armed(case: _Case) -> _Verdict | None:
    if case.door.place is not Place.DOOR:
        return None
    standing = case.standing
    if standing.state is PassState.ISSUED:
        return Reason.NOT_ARMED, "issued, but the visitor is not admitted yet"
    if standing.suspension is Suspension.BREAK:
        return Reason.NOT_ARMED, "on a break; the desk lets the visitor back in"
    return None, "armed by the admission"


def _window(case: _Case) -> _Verdict:
    standing = case.standing
    span = f"valid from {_stamp(standing.window_from)} until before {_stamp(standing.window_until)}"
    if case.now < standing.window_from:
        return Reason.TOO_EARLY, span
    if case.now >= standing.window_until or standing.state is PassState.ENDED:
        return Reason.EXPIRED, span if case.now >= standing.window_until else "the visit is over"
    return None, span


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _site(case: _Case) -> _Verdict:
    wrong = case.standing.site != case.door.site
    return (Reason.WRONG_SITE if wrong else None), f"issued for site {case.standing.site}"


def _zone(case: _Case) -> _Verdict | None:
    if not case.door.zone or case.door.direction is Direction.OUT:
        return None
    named = ", ".join(sorted(case.standing.zones)) or "none"
    wrong = case.door.zone not in case.standing.zones
    return (Reason.ZONE_NOT_ALLOWED if wrong else None), f"{case.door.zone}; the visit names {named}"


def _documents(case: _Case) -> _Verdict:
    lapsed = [document.kind for document in case.standing.documents if not document.in_force(case.now)]
    if lapsed:
        return Reason.DOCUMENT_LAPSED, "not in force: " + ", ".join(lapsed)
    return None, f"{len(case.standing.documents)} demanded, all in force or waived"


def _approvals(case: _Case) -> _Verdict | None:
    wanted = case.standing.approval_zones & ({case.door.zone} if case.door.zone else case.standing.zones)
    given = {a.zone for a in case.standing.approvals if case.now < a.until}
    lapsed = sorted(wanted - given)
    if not wanted:
        return None
    return (Reason.APPROVAL_LAPSED if lapsed else None), "approval for " + ", ".join(lapsed or sorted(wanted))


def _deposit(case: _Case) -> _Verdict | None:
    if case.door.zone not in case.standing.deposit_zones:
        return None
    if case.standing.deposited:
        return None, "devices are deposited at the desk"
    return Reason.DEVICE_NOT_DEPOSITED, f"{case.door.zone} is a no-device zone"


def _escort(case: _Case) -> _Verdict | None:
    if case.door.zone not in case.standing.escort_zones:
        return None
    if case.standing.escort is None:
        return Reason.ESCORT_REQUIRED, f"{case.door.zone} needs an escort and the visit names none"
    if case.standing.suspension is Suspension.ESCORT_LOST or not case.door.escort_present:
        return Reason.ESCORT_NOT_PRESENT, f"escort {case.standing.escort} did not badge just before"
    if case.door.escort_load >= case.door.escort_limit:
        return Reason.ESCORT_OVERLOADED, f"leads {case.door.escort_load} of at most {case.door.escort_limit} already"
    return None, f"escort {case.standing.escort} is here"


def _presence(case: _Case) -> _Verdict | None:
    if case.door.antipassback == "off" or case.door.place is not Place.DOOR:
        return None
    if not case.door.contradicted:
        return None, "agrees with where the visitor was last seen"
    leaving = case.door.direction is Direction.OUT
    return (Reason.EXIT_WITHOUT_ENTRY if leaving else Reason.ALREADY_INSIDE), "contradicts the last passage"


def _capacity(case: _Case) -> _Verdict | None:
    if case.door.capacity is None:
        return None
    full = case.door.occupancy >= case.door.capacity
    return (Reason.CAPACITY_FULL if full else None), f"{case.door.occupancy} of {case.door.capacity} inside"


def _lockdown(case: _Case) -> _Verdict:
    locked = case.door.lockdown or case.standing.suspension is Suspension.LOCKDOWN
    return (Reason.LOCKDOWN if locked else None), "a lockdown is on" if locked else "no lockdown"


def _clock(case: _Case) -> _Verdict:
    if case.door.clock_trusted:
        return None, "the clock that judged the window is trusted"
    return Reason.CLOCK_UNTRUSTED, "the door's clock is not set; the window cannot be judged"


# (order as on the design page, name, check, whether it says anything about leaving)
_CHECKS: tuple[tuple[int, str, _Check, bool], ...] = (
    (4, "pass in force", _ended, True),
    (5, "visit not called off", _cancelled, True),
    (6, "no hold", _held, True),
    (7, "pass armed", _armed, True),
    (8, "inside the window", _window, True),
    (9, "right site", _site, True),
    (9, "zone named in the visit", _zone, False),
    (10, "documents in force", _documents, False),
    (10, "approvals in force", _approvals, False),
    (11, "devices deposited", _deposit, False),
    (12, "escort", _escort, False),
    (13, "where last seen", _presence, True),
    (14, "room in the zone", _capacity, False),
    (15, "lockdown", _lockdown, False),
    (16, "clock", _clock, True),
)


def door_answer(standing: PassStanding | None, door: DoorFacts, now: datetime) -> Answer:
    """Whether the pass opens here and now, and why. Pure; never raises.

    `standing` is None when nobody issued the code. The reason is that of the first
    check that failed, in the order 1 to 16 of the design page; the trace holds all.
    """
    if door.earlier is not None:
        return door.earlier
    if door.misread or standing is None:
        return _unread(door)
    judged = list(_judge(_Case(standing, door, now)))
    trace = tuple(line for line, _ in judged)
    refusals = tuple(reason for _, reason in judged if reason is not None)
    soft = door.antipassback == "soft"
    hard = tuple(r for r in refusals if not (soft and r is Reason.ALREADY_INSIDE))
    if not hard or door.direction is Direction.OUT:
        return Answer(granted=True, reason=Reason.GRANTED, raised=refusals, trace=trace)
    return Answer(granted=False, reason=hard[0], raised=tuple(r for r in refusals if r not in hard), trace=trace)


def _unread(door: DoorFacts) -> Answer:
    reason = Reason.MISREAD if door.misread else Reason.UNKNOWN_PASS
    detail = "the check letters do not agree" if door.misread else "nobody issued this code here"
    line = TraceLine(2 if door.misread else 3, "code known", Outcome.FAILED, detail)
    if door.direction is Direction.OUT:
        return Answer(granted=True, reason=Reason.GRANTED, raised=(reason,), trace=(line,))
    return Answer(granted=False, reason=reason, trace=(line,))


def _judge(case: _Case) -> Iterator[tuple[TraceLine, Reason | None]]:
    yield TraceLine(3, "code known", Outcome.PASSED, f"pass number {case.standing.pass_number} of the visit"), None
    for order, name, check, about_leaving in _CHECKS:
        leaving = case.door.direction is Direction.OUT
        verdict = check(case) if about_leaving or not leaving else None
        if verdict is None:
            yield TraceLine(order, name, Outcome.NOT_APPLICABLE, ""), None
            continue
        reason, detail = verdict
        yield TraceLine(order, name, Outcome.FAILED if reason else Outcome.PASSED, detail), reason
