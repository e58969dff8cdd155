"""Judging one credential at one door side: a person by the access policy, a pass by the facts of its visit.

Used by the listener for its own decisions and for shadow decisions, and by the "what if?" page, which changes nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from bposite.doors.events import AccessEvent, Credential, Direction
from bposite.doors.references import reference
from bposite.doors.rules.decide import Answer, Request, Step, decide, door_alone
from bposite.doors.rules.policy import Door, Policy
from bposite.doors.rules.scene import Scene
from bposite.doors.rules.times import Timing
from bposite.passes import queries as passes
from bposite.passes.rules import ReadingKind, read
from bposite.plumbing.settings import current
from bposite.visits.queries import pass_standing
from bposite.visits.rules import answer as admission
from bposite.visits.rules.standing import PassStanding

_EMPTY = Scene()
_PASSBACK = {"none": "off", "soft": "hard", "hard": "hard", "timed": "hard"}
"""A pass is a picture that anybody can copy: it opens once, at every door that looks at passback at all."""


class Subject(NamedTuple):
    """Whom an event is about: a person by number, or a visit by id with its pass."""

    person: str | None = None
    visit: str | None = None
    pass_id: str | None = None

    @property
    def key(self) -> str:
        """The subject's name in presence; empty for nobody."""
        return self.person or (f"visit:{self.visit}" if self.visit else "")

    def __bool__(self) -> bool:
        return bool(self.person or self.visit)


def subject_of(session: Session, policy: Policy, shown: Credential | None, holder: str | None = None) -> Subject:
    """Whom a credential (or the name that a device gives its holder) belongs to."""
    ref = pass_reference(shown) if shown is not None else None
    if shown is not None and ref is not None:
        found = policy.credentials.get((shown.type, ref))
        if found is not None and found.person:
            return Subject(found.person)
        if shown.type == "qr":
            row = passes.pass_of_hash(session, ref)
            return Subject(visit=row.visit_id, pass_id=row.id) if row else Subject()
    return Subject(holder) if holder is not None and holder in policy.holders else Subject()


def pass_reference(shown: Credential) -> str | None:
    """The reference of a credential; that of a scanned code is made here from its normal form."""
    if shown.ref is not None or shown.type != "qr" or shown.code is None:
        return shown.ref
    reading = read(shown.code)
    return reference("qr", reading.text) if reading.kind is ReadingKind.CODE else None


def judge(
    session: Session,
    policy: Policy,
    scene: Scene,
    *,
    door: Door,
    direction: Direction,
    shown: Credential,
    factors: frozenset[str],
    at: datetime,
    duress: bool = False,
) -> Answer:
    """May this credential pass this side of this door at ``at``?"""
    ref = pass_reference(shown)
    request = Request(door.id, direction, shown.type, ref, factors, duress)
    if shown.type == "qr" and (shown.type, ref or "") not in policy.credentials:
        return _judge_pass(session, policy, scene, request, shown, at)
    return decide(policy, scene, request, at)


def judge_event(
    session: Session, policy: Policy, scene: Scene, event: AccessEvent, door: Door, timing: Timing
) -> Answer:
    """What our policy says about a decision that a device made. Of an old event only what does not move is judged."""
    assert event.credential is not None
    direction: Direction = "out" if event.direction == "out" else "in"
    return judge(
        session, policy, _EMPTY if timing.late else scene, door=door, direction=direction, shown=event.credential,
        factors=frozenset(event.factors), at=timing.used, duress=event.duress,
    )  # fmt: skip


def _judge_pass(
    session: Session, policy: Policy, scene: Scene, request: Request, shown: Credential, at: datetime
) -> Answer:
    alone = door_alone(policy, scene, request, at)
    if not alone.granted:
        return alone
    door = policy.doors[request.door]
    misread = shown.code is not None and request.credential_ref is None
    standing = pass_standing(session, request.credential_ref) if request.credential_ref else None
    told = admission.door_answer(standing, _door_facts(policy, scene, door, request, standing, at, misread), at)
    steps = tuple(
        Step(line.rule, line.detail, "refuse" if line.outcome is admission.Outcome.FAILED else "pass")
        for line in told.trace
        if line.outcome is not admission.Outcome.NOT_APPLICABLE
    )
    raised = tuple(str(reason) for reason in told.raised)
    trace = (*alone.trace, *steps)
    if told.granted:
        return Answer("granted", str(told.reason), trace, open_ms=door.open_ms, raised=(*alone.raised, *raised))
    return Answer("denied", str(told.reason), trace, raised=(*alone.raised, *raised))


def _door_facts(
    policy: Policy,
    scene: Scene,
    door: Door,
    request: Request,
    standing: PassStanding | None,
    at: datetime,
    misread: bool,
) -> admission.DoorFacts:
    zone = policy.zones.get(door.to_zone)
    known = scene.zone_of(f"visit:{standing.visit_id}") if standing else None
    inside = known == door.to_zone
    leaving = request.direction == "out"
    escort = standing.escort if standing else None
    return admission.DoorFacts(
        site=current().site.id,
        door=door.id,
        # an admitted visitor may stand in the lobby; every other zone must be named in the visit
        zone="" if zone is None or zone.kind in ("outside", "lobby") else zone.id,
        direction=admission.Direction.OUT if leaving else admission.Direction.IN,
        misread=misread,
        lockdown=scene.lockdown_over(door.to_zone, at) is not None,
        contradicted=known is not None and inside is not leaving,
        antipassback=_PASSBACK[door.anti_passback],
        escort_present=escort is not None and _is_near(policy, scene, door, escort, at),
        escort_load=_load(scene, door.to_zone, escort),
        escort_limit=policy.escort_limit,
        occupancy=scene.inside(door.to_zone),
        capacity=zone.capacity if zone is not None and zone.capacity else None,
    )


def _is_near(policy: Policy, scene: Scene, door: Door, escort: str, at: datetime) -> bool:
    """Whether the escort badged at this side just before, or is in the zone already."""
    since = at - policy.swipe_window
    return escort in scene.companions((door.id, "in"), "", since) or scene.zone_of(escort) == door.to_zone


def _load(scene: Scene, zone: str, escort: str | None) -> int:
    return sum(1 for guest, by in scene.escorted.items() if by == escort and scene.zone_of(guest) == zone)
