"""The access decision: policy + scene + request + moment -> an answer with its reasons. Pure.

Rules run in the order of ``RULES``; the first refusal decides and the trace keeps what every rule said until then. An
exit is never refused: whatever would refuse it is raised instead, because a locked exit kills (EN 60839-11-1, and every
fire code). Duress grants as usual and is told to the guard only.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import msgspec

from bposite.doors.events import Direction
from bposite.doors.rules.calendar import opening_at
from bposite.doors.rules.policy import Credential, Door, Holder, Level, Policy, Side, Zone
from bposite.doors.rules.scene import Scene

Verdict = Literal["pass", "refuse", "raise"]
COUNTED = frozenset(
    {"deniedUnknownCredential", "deniedVerificationFailed", "deniedIncorrectAuthenticationFactor", "factor_missing"}
)
"""Refusals for what was shown; enough of them in a row lock the reader for a while."""


class Request(msgspec.Struct, frozen=True, gc=False):
    """Who wants to go where. ``factors``: everything that was shown and verified, such as {card, finger}."""

    door: str
    direction: Direction
    credential_type: str
    credential_ref: str | None
    factors: frozenset[str] = frozenset()
    duress: bool = False


class Step(NamedTuple):
    """One line of the trace: which rule looked at which row, and what it said."""

    rule: str
    row: str
    verdict: Verdict


class Answer(msgspec.Struct, frozen=True, gc=False):
    """The decision. ``raised``: concerns that do not refuse; ``silent``: of them, what no screen at the door may show.

    ``waits``: a valid first credential of two; it is refused for now and remembered.
    """

    decision: Literal["granted", "denied"]
    reason: str
    trace: tuple[Step, ...]
    person: str | None = None
    open_ms: int | None = None
    raised: tuple[str, ...] = ()
    waits: bool = False

    @property
    def granted(self) -> bool:
        """Whether the door opens."""
        return self.decision == "granted"


class Case(msgspec.Struct, gc=False):
    """What the rules look at; ``holder`` and ``credential`` are found on the way."""

    policy: Policy
    scene: Scene
    request: Request
    at: datetime
    door: Door
    zone: Zone
    side: Side
    credential: Credential | None
    holder: Holder
    stands_open: bool


class Finding(NamedTuple):
    """What one rule says: ``code`` is the reason it refuses (or raises) for; None passes."""

    row: str
    code: str | None = None
    verdict: Verdict = "pass"


Rule = Callable[[Case], Finding | None]
_NOBODY = Holder("", "nobody", active=False)


def refuse(code: str, row: str) -> Finding:
    """A refusal for ``code``, seen in ``row``."""
    return Finding(row, code, "refuse")


def concern(code: str, row: str) -> Finding:
    """Something to raise that does not refuse."""
    return Finding(row, code, "raise")


def decide(policy: Policy, scene: Scene, request: Request, at: datetime) -> Answer:
    """May the holder of this credential pass this side of this door now?"""
    door = policy.doors.get(request.door)
    if door is None:
        return Answer("denied", "outOfService", (Step("door", f"{request.door}: not in the plan", "refuse"),))
    rules = REQUEST_TO_EXIT if request.credential_type == "rex" else RULES
    return _judge(_case(policy, scene, request, at, door), rules)


def door_alone(policy: Policy, scene: Scene, request: Request, at: datetime) -> Answer:
    """What the door itself says, whoever comes: out of service, locked, too many failures, interlock."""
    door = policy.doors.get(request.door)
    if door is None:
        return Answer("denied", "outOfService", (Step("door", f"{request.door}: not in the plan", "refuse"),))
    return _judge(_case(policy, scene, request, at, door), DOOR_ALONE)


def is_exit(direction: str | None, credential_type: str = "") -> bool:
    """Whether the way leads out: that side always opens, and so does a request to exit."""
    return direction == "out" or credential_type == "rex"


def _case(policy: Policy, scene: Scene, request: Request, at: datetime, door: Door) -> Case:
    found = policy.credentials.get((request.credential_type, request.credential_ref or ""))
    holder = policy.holders.get(found.person or "", _NOBODY) if found else _NOBODY
    zone = policy.zones.get(door.into(request.direction)) or Zone(door.into(request.direction), "", "restricted")
    stands_open = scene.modes.get(door.id) == "unlocked" or (
        door.unlocked is not None and opening_at(door.unlocked, at) is not None
    )
    return Case(policy, scene, request, at, door, zone, (door.id, request.direction), found, holder, stands_open)


def _judge(case: Case, rules: tuple[tuple[str, Rule], ...]) -> Answer:
    egress = is_exit(case.request.direction, case.request.credential_type)
    steps: list[Step] = []
    raised: list[str] = []
    reason = ""
    for name, rule in rules:
        finding = rule(case)
        if finding is None:
            continue
        row, code, verdict = finding
        if verdict == "refuse" and egress:
            verdict = "raise"
        steps.append(Step(name, row, verdict))
        if verdict == "refuse":
            reason = code or "deniedOther"
            break
        if verdict == "raise" and code:
            raised.append(code)
            if name == "credential" and case.holder is _NOBODY:
                break  # nothing more can be said about nobody; only an exit comes this far
    if egress and raised:
        steps.append(Step("exit", "an exit is never refused", "pass"))
    person = case.holder.id or None
    if reason:
        return Answer("denied", reason, tuple(steps), person, raised=tuple(raised), waits=reason == "two_person")
    return Answer("granted", "granted", tuple(steps), person, case.door.open_ms, tuple(raised))


# --- the rules, in their order ---------------------------------------------------------------------------------------


def _door(case: Case) -> Finding | None:
    if case.door.out_of_service:
        return refuse("outOfService", case.door.name)
    if case.scene.modes.get(case.door.id) == "locked":
        return refuse("lockedByHigherPriority", f"{case.door.name}: locked by an operator")
    return None


def _lockout(case: Case) -> Finding | None:
    since = case.at - timedelta(seconds=case.door.lockout_s)
    failures = case.scene.failures_at(case.side, since) if case.scene.failures else 0
    if case.door.max_failures and failures >= case.door.max_failures:
        return refuse("deniedMaxAttempts", f"{failures} refusals in {case.door.lockout_s} s")
    return None


_STATUS = {
    "not_yet": "deniedCredentialNotYetActive",
    "disabled": "deniedCredentialManualDisable",
    "lost": "deniedAuthenticationFactorLost",
    "stolen": "deniedAuthenticationFactorStolen",
    "damaged": "deniedAuthenticationFactorDamaged",
    "destroyed": "deniedAuthenticationFactorDestroyed",
    "expired": "deniedCredentialExpired",
    "unassigned": "deniedCredentialUnassigned",
}


def _credential(case: Case) -> Finding | None:
    found = case.credential
    if found is None:
        return refuse("deniedUnknownCredential", f"no such {case.request.credential_type}")
    row = f"{found.type} of {case.holder.name}"
    if found.status != "active":
        return refuse(_STATUS[found.status], f"{row}: {found.status}")
    return _validity(case, found, row)


def _validity(case: Case, found: Credential, row: str) -> Finding:
    at, key = case.at, (found.type, found.ref)
    if found.valid_from is not None and at < found.valid_from:
        return refuse("deniedCredentialNotYetActive", f"{row}: from {found.valid_from:%Y-%m-%d %H:%M} UTC")
    if found.valid_until is not None and at >= found.valid_until:
        return refuse("deniedCredentialExpired", f"{row}: until {found.valid_until:%Y-%m-%d %H:%M} UTC")
    if found.max_uses and case.scene.uses.get(key, 0) >= found.max_uses:
        return refuse("deniedCredentialMaxUses", f"{row}: {found.max_uses} uses")
    used = case.scene.last_used.get(key) if found.idle_days else None
    if used is not None and at - used > timedelta(days=found.idle_days):
        return refuse("deniedCredentialInactivity", f"{row}: last used {used:%Y-%m-%d}")
    return Finding(row)


def _holder(case: Case) -> Finding | None:
    if case.holder is _NOBODY:
        return refuse("deniedCredentialUnassigned", "belongs to nobody")
    return None if case.holder.active else refuse("deniedCredentialDisabled", f"{case.holder.name} is not active")


def _duress(case: Case) -> Finding | None:
    return concern("duress", "signalled at the reader") if case.request.duress else None


def _lockdown(case: Case) -> Finding | None:
    lockdown = case.scene.lockdown_over(case.zone.id, case.at) if case.scene.lockdowns else None
    if lockdown is None:
        return None
    row = f"lockdown of rank {lockdown.rank} over {'the site' if lockdown.scope == '*' else lockdown.scope}"
    return refuse("deniedThreatLevel", row) if lockdown.rank > case.holder.rank else Finding(row)


def _runs(level: Level, at: datetime) -> str | None:
    """The words of the window in which ``level`` runs at ``at``; None when it does not run."""
    if not level.runs(at):
        return None
    if level.schedule is None:
        return "always"
    opening = opening_at(level.schedule, at)
    return None if opening is None else opening.text


def _rights(case: Case) -> Finding | None:
    for level in case.policy.denials.get(case.side, ()):
        if level.covers(case.holder) and _runs(level, case.at):
            return refuse("deniedPointNoAccessRights", f"denied by “{level.name}”")
    if case.stands_open:
        return Finding("door stands unlocked")
    return _granted_by(case)


def _granted_by(case: Case) -> Finding:
    given = [level for level in case.policy.grants.get(case.side, ()) if level.covers(case.holder)]
    for level in given:
        if words := _runs(level, case.at):
            return Finding(f"“{level.name}”, {words}")
    if given:
        return refuse("deniedOutOfTimeRange", f"“{given[0].name}” does not run now")
    return refuse("deniedPointNoAccessRights", f"no access level for {case.door.name}, {case.request.direction}")


def _clients(case: Case) -> Finding | None:
    client, ours = case.zone.client, case.holder.client
    if client and ours and client != ours and frozenset((client, ours)) in case.policy.rivals:
        return refuse("client_conflict", f"{ours} and {client} compete")
    return None


def _factors(case: Case) -> Finding | None:
    if case.stands_open or is_exit(case.request.direction, case.request.credential_type):
        return None
    for row in case.door.factors.get(case.request.direction, ()):
        if row.schedule is not None and opening_at(row.schedule, case.at) is None:
            continue
        shown = case.request.factors | {case.request.credential_type}
        missing = row.factors - shown
        words = " + ".join(sorted(row.factors))
        return (
            refuse("factor_missing", f"{words} needed, {', '.join(sorted(missing))} missing")
            if missing
            else Finding(words)
        )
    return None


def _passback(case: Case) -> Finding | None:
    door, known = case.door, case.scene.zone_of(case.holder.id)
    if door.anti_passback == "none" or known is None:
        return None
    target, source = door.into(case.request.direction), door.out_of(case.request.direction)
    if known == target:
        return _passed_back(case, target)
    if known != source:
        return concern("passbackDetected", f"last seen in {known}, not in {source}")
    return Finding(f"last seen in {known}")


def _passed_back(case: Case, target: str) -> Finding:
    row = f"already in {target}"
    mode = case.door.anti_passback
    if mode == "soft":
        return concern("passbackDetected", row)
    if mode == "timed":
        age = case.at - case.scene.people[case.holder.id].at
        if age >= timedelta(minutes=case.door.passback_minutes):
            return Finding(f"{row}, more than {case.door.passback_minutes} min ago")
    return refuse("deniedPassback", row)


def _occupancy(case: Case) -> Finding | None:
    zone = case.zone
    if not zone.capacity or case.request.direction == "out" or case.scene.zone_of(case.holder.id) == zone.id:
        return None
    row = f"{case.scene.inside(zone.id)} of {zone.capacity} in {zone.name}"
    return refuse("deniedUpperOccupancyLimit", row) if case.scene.is_full(zone) else Finding(row)


def _interlock(case: Case) -> Finding | None:
    if not case.door.interlock:
        return None
    for door in case.policy.doors.values():
        if door.interlock == case.door.interlock and door.id != case.door.id and door.id in case.scene.open_doors:
            return refuse("interlock", f"{door.name} is open")
    return Finding(f"interlock {case.door.interlock}: all others closed")


def _supervisor(case: Case) -> Finding | None:
    zone = case.zone
    if not zone.supervisors or case.holder.id in zone.supervisors:
        return None
    present = [one for one in sorted(zone.supervisors) if case.scene.zone_of(one) == zone.id]
    return (
        Finding(f"{present[0]} is inside") if present else refuse("supervisor_first", f"no supervisor in {zone.name}")
    )


def _escort(case: Case) -> Finding | None:
    if not (case.zone.escort and case.holder.needs_escort):
        return None
    since = case.at - case.policy.swipe_window
    here = case.scene.companions(case.side, case.holder.id, since)
    escorts = [one for one in here if (found := case.policy.holders.get(one)) is not None and found.may_escort]
    return Finding(f"with {escorts[0]}") if escorts else refuse("escort_not_present", "no escort at this door")


def _two_person(case: Case) -> Finding | None:
    zone = case.zone
    if not zone.two_person or case.request.direction == "out":
        return None
    if case.scene.inside(zone.id) >= 1:
        return Finding(f"{case.scene.inside(zone.id)} inside")
    others = case.scene.companions(case.side, case.holder.id, case.at - case.policy.swipe_window)
    return Finding(f"with {others[0]}") if others else refuse("two_person", f"first of two for {zone.name}")


RULES: tuple[tuple[str, Rule], ...] = (
    ("door", _door),
    ("lockout", _lockout),
    ("credential", _credential),
    ("holder", _holder),
    ("duress", _duress),
    ("lockdown", _lockdown),
    ("rights", _rights),
    ("clients", _clients),
    ("factors", _factors),
    ("anti-passback", _passback),
    ("occupancy", _occupancy),
    ("interlock", _interlock),
    ("supervisor first", _supervisor),
    ("escort", _escort),
    # last, so that a first credential only waits when everything else lets it pass
    ("two persons", _two_person),
)
REQUEST_TO_EXIT: tuple[tuple[str, Rule], ...] = (("door", _door), ("lockdown", _lockdown))
"""A button or sensor on the inside: nobody is identified, and it always opens."""
DOOR_ALONE: tuple[tuple[str, Rule], ...] = (("door", _door), ("lockout", _lockout), ("interlock", _interlock))
"""What a visitor's pass has to pass besides the answer of its visit."""
