"""A finding from the moment it is seen until another person has verified that it is mended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from bposite.cleandesk import queries
from bposite.cleandesk.actions.plans import next_number
from bposite.cleandesk.actions.rounds import close_if_settled
from bposite.cleandesk.rules import repeats
from bposite.cleandesk.rules.catalogue import Catalogue, Item
from bposite.cleandesk.rules.machines import ACTION, FINDING, SETTLED, Action, Finding, after
from bposite.cleandesk.rules.outcome import dispute_until, due_at, proposes_incident
from bposite.cleandesk.rules.repeats import Past
from bposite.cleandesk.tables import (
    NOTE_LETTERS,
    AuditRound,
    CorrectiveAction,
    FindingRow,
    FindingStep,
    RoundPlace,
    TeamFault,
)
from bposite.cleandesk.wire import FoundItem
from bposite.doors.actions.alarms import end_condition, raise_alarm
from bposite.journal.work import Work
from bposite.people import queries as people
from bposite.plumbing.clock import local
from bposite.plumbing.errors import Conflict, NotFound, Refusal
from bposite.plumbing.ids import new_id

ALARM = "cleanDeskCritical"


@dataclass(frozen=True, slots=True)
class Raised:
    """A finding that was just made: what the auditor is told on the spot."""

    id: str
    number: int
    item: str
    severity: str
    on_the_spot: str
    due_at: datetime
    incident: bool


def raise_finding(
    work: Work,
    row: AuditRound,
    place: RoundPlace,
    observation: str,
    item: Item,
    found: FoundItem,
    note: str,
    seen_at: datetime,
) -> Raised:
    """Make the finding of one item. A critical one tells the control room, and proposes an incident where the item says
    so, in the same transaction; in an exercise nobody is told."""
    catalogue = queries.of_version(work.session, row.catalogue_version)
    incident = proposes_incident(item, flagged=found.flagged)
    finding = FindingRow(
        id=new_id(), number=next_number(work, "findings"), observation_id=observation, round_id=row.id,
        place_id=place.place_id, item_id=item.id, catalogue_version=catalogue.version, severity=item.severity,
        fault=item.fault, zone=place.zone, client=place.client, team=place.team, shift=row.shift, moment=row.moment,
        exercise=row.exercise, note="\n".join(filter(None, (found.note.strip(), note.strip())))[:NOTE_LETTERS],
        secured=found.secured, incident="proposed" if incident else "none", person=found.person or None,
        state=Finding.OPEN, seen_at=seen_at, raised_at=work.now, raised_by=work.actor.id, raised_name=work.actor.name,
        due_at=due_at(item, seen_at), escalated=0, repeat=1, settled_at=None, owner="", done_by="", disputed_by="",
    )  # fmt: skip
    finding.next_step_at = _next_step(catalogue, finding)
    now = _past(finding)
    earlier = _earlier(work, finding, catalogue)
    finding.repeat = repeats.rank(now, earlier, catalogue.repeats)
    work.session.add(finding)
    work.session.flush()
    _step(work, finding, "raise", note)
    work.record("cleandesk:finding:raised", subject=finding.id, data=_data(finding))
    if not row.exercise:
        _tell(work, finding, item)
        _team_fault(work, finding, earlier, catalogue)
    return Raised(finding.id, finding.number, item.id, item.severity, item.on_the_spot, finding.due_at, incident)


def acknowledge(work: Work, finding_id: str) -> None:
    """Somebody of the team has seen it."""
    _advance(work, finding_for_change(work, finding_id), "acknowledge", "")


def propose(work: Work, finding_id: str, what: str, owner: str, due: datetime) -> None:
    """Say what is to be done, by whom (number in the directory) and by when; an earlier proposal is dropped."""
    finding = finding_for_change(work, finding_id)
    text, name = _words(what, "what"), _person_name(work, owner)
    if due <= work.now:
        raise Refusal("due", "The day must lie ahead.", field="due")
    for action in _actions(work, finding):
        if after(ACTION, action.state, "drop"):
            action.state, action.settled_at = Action.DROPPED, work.now
    work.session.add(
        CorrectiveAction(
            id=new_id(),
            finding_id=finding.id,
            what=text,
            owner=owner,
            owner_name=name,
            due_at=due,
            state=Action.PROPOSED,
            proposed_by=work.actor.name,
            proposed_at=work.now,
        )
    )
    finding.owner, finding.owner_name = owner, name
    _advance(work, finding, "propose", f"{text} ({name})")


def begin(work: Work, finding_id: str) -> None:
    """The owner works on it."""
    finding = finding_for_change(work, finding_id)
    _advance(work, finding, "begin", "")
    _move_action(work, finding, "begin")


def claim_done(work: Work, finding_id: str, proof: str) -> None:
    """Somebody says it is mended, and how that shows; the verifier will be somebody else."""
    finding = finding_for_change(work, finding_id)
    text = _words(proof, "proof")
    finding.done_by, finding.done_at = work.actor.id, work.now
    _advance(work, finding, "claim_done", text)
    _move_action(work, finding, "claim_done", proof=text)


def verify(work: Work, finding_id: str, words: str, *, mended: bool) -> None:
    """Another person has looked: mended (closed with it) or not (back to work).

    Refusal for the auditor who raised it, for whoever claims it is done, and for its owner.
    """
    finding = finding_for_change(work, finding_id)
    text = words.strip() if mended else _words(words, "words")
    if work.actor.id in (finding.raised_by, finding.done_by) or _is_owner(work, finding):
        who = "raised this finding" if work.actor.id == finding.raised_by else "mended it"
        raise Refusal("own_finding", f"You {who}: another person has to verify.", remedy="Ask somebody else to look.")
    _advance(work, finding, "verify" if mended else "send_back", text)
    _move_action(work, finding, "verify" if mended else "send_back")
    if mended:
        _advance(work, finding, "close", "")
        _settle(work, finding)


def dispute(work: Work, finding_id: str, reason: str) -> None:
    """The team says it is not so; possible for the working days of the catalogue after it was raised."""
    finding = finding_for_change(work, finding_id)
    text = _words(reason, "reason")
    days = queries.of_version(work.session, finding.catalogue_version).workflow.dispute_working_days
    last = dispute_until(local(finding.raised_at).date(), queries.holidays(work.session), days)
    if local(work.now).date() > last:
        message = f"A finding can be disputed for {days} working days: until {last:%d %b %Y}."
        raise Refusal("dispute_late", message, remedy="Propose an action, or ask for the risk to be accepted.")
    finding.disputed_by = work.actor.id
    _advance(work, finding, "dispute", text)


def decide_dispute(work: Work, finding_id: str, words: str, *, stands: bool) -> None:
    """Somebody who is not involved decides; the reason is kept either way."""
    finding = finding_for_change(work, finding_id)
    text = _words(words, "words")
    if work.actor.id in (finding.raised_by, finding.disputed_by) or _is_owner(work, finding):
        raise Refusal("involved", "You are involved: somebody else has to decide.", remedy="Ask somebody else.")
    _advance(work, finding, "uphold" if stands else "withdraw", text)
    if not stands:
        _settle(work, finding)


def accept_risk(work: Work, finding_id: str, reason: str, until: datetime) -> None:
    """Live with it until a day, at most as far off as the catalogue allows; then it opens again by itself."""
    finding = finding_for_change(work, finding_id)
    text = _words(reason, "reason")
    days = queries.of_version(work.session, finding.catalogue_version).workflow.risk_max_days
    if not work.now < until <= work.now + timedelta(days=days):
        raise Refusal("until", f"Choose a day within the next {days} days.", field="until")
    finding.risk_until = until
    _advance(work, finding, "accept_risk", text)
    _settle(work, finding)


def drop_findings(work: Work, observation: str) -> None:
    """Take back the findings of an observation that its auditor corrects; Conflict when somebody already acted."""
    for finding in work.session.scalars(select(FindingRow).where(FindingRow.observation_id == observation)):
        if finding.state == Finding.WITHDRAWN:
            continue
        if finding.state != Finding.OPEN:
            message = f"Finding {finding.number} is being worked on: it can no longer be corrected."
            raise Conflict("finding_in_work", message, remedy="Dispute the finding instead.")
        _advance(work, finding, "correct", "the observation was corrected")
        _settle(work, finding)


def lapse(work: Work, finding: FindingRow) -> None:
    """The end of an accepted risk: the finding is open again and due at once."""
    finding.risk_until, finding.settled_at = None, None
    finding.due_at = work.now
    _advance(work, finding, "lapse", "the accepted time is over")


def escalate(work: Work, finding: FindingRow) -> None:
    """Send an overdue finding up the rungs that are due."""
    catalogue = queries.of_version(work.session, finding.catalogue_version)
    grade = catalogue.severities[finding.severity]  # type: ignore[index]  # the CHECK of the column is the same list
    for step in repeats.escalation(grade, finding.due_at, work.now, finding.escalated):
        finding.escalated += 1
        _step(work, finding, "escalate", f"overdue: to the {step.to}")
        data = {"finding": finding.number, "to": step.to, "state": finding.state}
        work.record("cleandesk:finding:escalated", subject=finding.id, data=data)
    finding.next_step_at = _next_step(catalogue, finding)


def finding_for_change(work: Work, finding_id: str) -> FindingRow:
    """The finding, locked until the unit of work ends; NotFound when there is none."""
    finding = work.session.get(FindingRow, finding_id, with_for_update=True)
    if finding is None:
        raise NotFound("finding", "There is no such finding.")
    return finding


def _advance(work: Work, finding: FindingRow, event: str, words: str) -> None:
    target = after(FINDING, finding.state, event)
    if target is None:
        state = finding.state.replace("_", " ")
        raise Conflict(
            "finding_state", f"This finding is {state}: that is not possible now.", remedy="Reload the page."
        )
    before, finding.state = finding.state, target
    if target in SETTLED:
        finding.next_step_at = None
    _step(work, finding, event, words)
    data = _data(finding) | {"event": event, "from": before, "words": words}
    work.record(f"cleandesk:finding:{event.replace('_', '-')}", subject=finding.id, data=data)


def _step(work: Work, finding: FindingRow, event: str, words: str) -> None:
    work.session.add(
        FindingStep(
            id=new_id(),
            finding_id=finding.id,
            at=work.now,
            event=event,
            state=finding.state,
            actor_id=work.actor.id,
            actor_name=work.actor.name,
            words=words[:NOTE_LETTERS],
        )
    )


def _settle(work: Work, finding: FindingRow) -> None:
    finding.settled_at = work.now
    work.session.flush()
    if finding.severity == "S1":
        end_condition(work, ALARM, finding.id)
    row = work.session.get(AuditRound, finding.round_id)
    if row is not None:
        close_if_settled(work, row)


def _tell(work: Work, finding: FindingRow, item: Item) -> None:
    if finding.incident == "proposed":
        data = {"finding": finding.number, "item": item.id, "when": item.incident_when, "zone": finding.zone}
        work.record("cleandesk:incident:proposed", subject=finding.id, data=data)
    if item.severity == "S1":
        place = f"{finding.place_id}, {finding.zone}"
        summary = f"{item.fault} at {place}. {item.on_the_spot[:1].upper()}{item.on_the_spot[1:]}."
        raise_alarm(work, ALARM, summary, about=finding.id, zone=finding.zone, live=not finding.secured)


def _team_fault(work: Work, finding: FindingRow, earlier: list[Past], catalogue: Catalogue) -> None:
    if not repeats.team_fault(_past(finding), earlier, catalogue.repeats):
        return
    fault = work.session.scalar(
        select(TeamFault).where(
            TeamFault.item_id == finding.item_id, TeamFault.team == finding.team, TeamFault.state == "open"
        )
    )
    if fault is None:
        since = finding.seen_at - timedelta(days=catalogue.repeats.team_days)
        ids = work.session.scalars(
            select(FindingRow.id).where(
                FindingRow.item_id == finding.item_id,
                FindingRow.team == finding.team,
                FindingRow.seen_at >= since,
                FindingRow.exercise.is_(False),
                FindingRow.state != Finding.WITHDRAWN,
            )
        )
        fault = TeamFault(
            id=new_id(), item_id=finding.item_id, fault=finding.fault, team=finding.team, client=finding.client,
            findings=sorted(ids), state="open", found_at=work.now,
        )  # fmt: skip
        work.session.add(fault)
    else:
        fault.findings = [*fault.findings, finding.id]
    data = {"item": fault.item_id, "team": fault.team, "findings": fault.findings}
    work.record("cleandesk:team-fault:found", subject=fault.id, data=data)


def _earlier(work: Work, finding: FindingRow, catalogue: Catalogue) -> list[Past]:
    days = max(catalogue.repeats.window_days, catalogue.repeats.team_days)
    rows = work.session.scalars(
        select(FindingRow).where(
            FindingRow.item_id == finding.item_id,
            FindingRow.seen_at >= finding.seen_at - timedelta(days=days),
            FindingRow.seen_at <= finding.seen_at,
            FindingRow.exercise.is_(False),
            FindingRow.state != Finding.WITHDRAWN,
        )
    )
    return [_past(row) for row in rows]


def _past(row: FindingRow) -> Past:
    return Past(row.item_id, row.place_id, row.team, row.shift, row.person, row.seen_at)


def _next_step(catalogue: Catalogue, finding: FindingRow) -> datetime | None:
    rungs = catalogue.severities[finding.severity].escalate  # type: ignore[index]
    if finding.escalated >= len(rungs):
        return None
    return finding.due_at + timedelta(hours=rungs[finding.escalated].after_hours)


def _actions(work: Work, finding: FindingRow) -> list[CorrectiveAction]:
    return list(
        work.session.scalars(
            select(CorrectiveAction)
            .where(CorrectiveAction.finding_id == finding.id)
            .order_by(CorrectiveAction.proposed_at)
        )
    )


def _move_action(work: Work, finding: FindingRow, event: str, proof: str = "") -> None:
    """Keep the finding's corrective action in step, where it has one."""
    for action in _actions(work, finding):
        if (target := after(ACTION, action.state, event)) is not None:
            action.state = target
            action.proof = proof or action.proof
            action.done_by = work.actor.id if event == "claim_done" else action.done_by
            action.settled_at = work.now if target == Action.VERIFIED else None


def _is_owner(work: Work, finding: FindingRow) -> bool:
    user = next(iter(people.users(work.session, work.actor.id)), None)
    person = people.person(work.session, user.person_id) if user and user.person_id else None
    return bool(person and finding.owner and person.number == finding.owner)


def _person_name(work: Work, number: str) -> str:
    person = people.persons_by_number(work.session, [number]).get(number)
    if person is None or not person.active:
        raise Refusal("owner", "Choose somebody of the directory.", field="owner")
    return person.name


def _words(text: str, field: str) -> str:
    stripped = text.strip()
    if not 3 <= len(stripped) <= NOTE_LETTERS:
        raise Refusal("words_needed", f"Write 3 to {NOTE_LETTERS} characters.", field=field)
    return stripped


def _data(finding: FindingRow) -> dict[str, object]:
    return {
        "finding": finding.number, "place": finding.place_id, "item": finding.item_id, "severity": finding.severity,
        "zone": finding.zone, "team": finding.team, "shift": finding.shift, "state": finding.state,
        "due_at": finding.due_at.isoformat(), "repeat": finding.repeat, "exercise": finding.exercise,
        "incident": finding.incident, "observation": finding.observation_id,
    }  # fmt: skip
