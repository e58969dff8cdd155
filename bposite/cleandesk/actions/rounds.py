"""A round from plan to close: the nonce is committed before, the draw is made at the start, the seed shown after."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from bposite.cleandesk import queries
from bposite.cleandesk.actions.plans import load_catalogue, next_number
from bposite.cleandesk.queries import Auditor, PlaceNow
from bposite.cleandesk.rules import sampling
from bposite.cleandesk.rules.allocation import proportional
from bposite.cleandesk.rules.machines import ROUND, SETTLED, Round, after
from bposite.cleandesk.rules.programme import period_of, stratum
from bposite.cleandesk.rules.route import Stop, walk_order
from bposite.cleandesk.tables import AuditPlan, AuditRound, FindingRow, Place, RoundPlace
from bposite.journal.queries import last_checkpoint
from bposite.journal.rules import EMPTY_ROOT
from bposite.journal.work import Work
from bposite.plumbing.clock import local
from bposite.plumbing.errors import Conflict, NotFound, Refusal
from bposite.plumbing.ids import new_id
from bposite.plumbing.secrets import seal, unseal

NONCE = "cleandesk-nonce"
LATEST_PLAN = timedelta(days=1)
MOST_PLACES = 400


@dataclass(frozen=True, slots=True)
class NewRound:
    """A round as a person asks for it. `places` are chosen only for a targeted check; `size` is then ignored."""

    name: str
    purpose: str
    zones: tuple[str, ...]
    kinds: tuple[str, ...]
    shift: str
    moment: str
    size: int
    planned_for: datetime
    auditor: str
    second: str | None = None
    plan: str | None = None
    reason: str = ""
    exercise: bool = False
    places: tuple[str, ...] = ()


def plan_round(work: Work, new: NewRound) -> str:
    """Plan a round and commit its nonce to the journal; returns its id. Nothing is drawn yet.

    Refusal beside the field: unknown zones, an auditor who may not walk or belongs to a team that is looked at, more
    places than there are.
    """
    catalogue = load_catalogue(work)
    frame = _frame(work, new)
    auditor = checked_auditor(work, new.auditor, frame, new.shift, field="auditor")
    second = checked_auditor(work, new.second, frame, new.shift, field="second") if new.second else None
    _check(work, new, frame)
    if second is not None and second.id == auditor.id:
        raise Refusal("same_auditor", "The second auditor must be another person.", field="second")
    plan = _plan(work, new.plan)
    nonce = secrets.token_hex(sampling.NONCE_BYTES)
    day = local(new.planned_for).date()
    row = AuditRound(
        id=new_id(), number=next_number(work, "rounds"), plan_id=new.plan, name=new.name.strip()[:120],
        purpose=new.purpose, exercise=new.exercise or bool(plan and plan.exercise),
        period=period_of(day, plan.frequency if plan else "monthly"), month=f"{day:%Y-%m}", zones=list(new.zones),
        kinds=list(new.kinds), shift=new.shift, moment=new.moment, size=len(new.places) or new.size,
        planned_for=new.planned_for, reason=new.reason.strip()[:200], auditor_id=auditor.id, auditor_name=auditor.name,
        auditor_person=auditor.person, second_id=second.id if second else None,
        second_name=second.name if second else "", catalogue_version=catalogue.version, state=Round.PLANNED,
        commitment=sampling.commitment(nonce), nonce_sealed=seal(NONCE, nonce.encode()), planned_by=work.actor.name,
        planned_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()
    for place in new.places:
        _add_place(work, row, next(p for p in frame if p.id == place), rank=0, taken=False, double=False)
    work.record("cleandesk:round:planned", subject=row.id, data=_planned_data(row))
    return row.id


def start_round(work: Work, round_id: str) -> None:
    """Draw and reveal: only the auditor of the round can do it, and only once.

    The seed is made of the plan, the period, the last signed checkpoint and the nonce that was committed at planning.
    """
    row = round_for_change(work, round_id)
    if work.actor.id != row.auditor_id:
        raise Refusal("not_auditor", f"Only {row.auditor_name} can start this round.", remedy="Ask the planner.")
    move(row, "draw")
    drawn = _draw_targeted(work, row) if row.purpose == "targeted" else _draw_random(work, row)
    _set_route(work, row)
    row.drawn_at = work.now
    work.record("cleandesk:round:drawn", subject=row.id, data=drawn)
    move(row, "start")
    row.started_at = work.now
    work.record("cleandesk:round:started", subject=row.id, data={"auditor": row.auditor_id, "state": row.state})


def reassign(work: Work, round_id: str, auditor_id: str, second_id: str | None) -> None:
    """Give a planned round to somebody else, before anything is drawn."""
    row = round_for_change(work, round_id)
    if row.state != Round.PLANNED:
        raise Conflict("round_started", "This round has started: it cannot be given to somebody else.")
    frame = queries.places(work.session, zones=row.zones, kinds=row.kinds, shift=row.shift)
    auditor = checked_auditor(work, auditor_id, frame, row.shift, field="auditor")
    second = checked_auditor(work, second_id, frame, row.shift, field="second") if second_id else None
    if second is not None and second.id == auditor.id:
        raise Refusal("same_auditor", "The second auditor must be another person.", field="second")
    row.auditor_id, row.auditor_name, row.auditor_person = auditor.id, auditor.name, auditor.person
    row.second_id, row.second_name = (second.id, second.name) if second else (None, "")
    data = {"auditor": auditor.id, "second": row.second_id}
    work.record("cleandesk:round:reassigned", subject=row.id, data=data)


def cancel_round(work: Work, round_id: str, reason: str) -> None:
    """Take back a planned round. A started one cannot be taken back: it is submitted as it stands."""
    row = round_for_change(work, round_id)
    if not reason.strip():
        raise Refusal("reason_needed", "Say why the round is cancelled.", field="reason")
    move(row, "cancel")
    work.record("cleandesk:round:cancelled", subject=row.id, data={"reason": reason.strip(), "state": row.state})


def review_round(work: Work, round_id: str, note: str) -> None:
    """Another person than the auditors has looked at the round; its seed is published with it."""
    row = round_for_change(work, round_id)
    if work.actor.id in (row.auditor_id, row.second_id):
        raise Refusal("own_round", "An auditor cannot review the own round.", remedy="Ask somebody else to review it.")
    move(row, "review")
    row.reviewed_at, row.reviewed_by, row.review_note = work.now, work.actor.name, note.strip()
    work.record("cleandesk:round:reviewed", subject=row.id, data={"note": row.review_note, "state": row.state})
    _publish(work, row)
    close_if_settled(work, row)


def close_if_settled(work: Work, row: AuditRound) -> bool:
    """Close a published round when all its findings are settled; whether it is closed now."""
    if row.state != Round.PUBLISHED:
        return row.state == Round.CLOSED
    states = work.session.scalars(select(FindingRow.state).where(FindingRow.round_id == row.id).distinct())
    if any(state not in SETTLED for state in states):
        return False
    move(row, "close")
    row.closed_at = work.now
    work.record("cleandesk:round:closed", subject=row.id, data={"state": row.state})
    return True


def round_for_change(work: Work, round_id: str) -> AuditRound:
    """The round, locked until the unit of work ends; NotFound when there is none."""
    row = work.session.get(AuditRound, round_id, with_for_update=True)
    if row is None:
        raise NotFound("round", "There is no such round.")
    return row


def move(row: AuditRound, event: str) -> None:
    """Move a round by its table; Conflict when the event cannot happen where it stands."""
    target = after(ROUND, row.state, event)
    if target is None:
        state = row.state.replace("_", " ")
        raise Conflict("round_state", f"This round is {state}: that is not possible now.", remedy="Reload the page.")
    row.state = target


def checked_auditor(work: Work, user_id: str, frame: Sequence[PlaceNow], shift: str, *, field: str) -> Auditor:
    """The account as an auditor; Refusal when it may not walk, or belongs to a team that would be looked at."""
    found = queries.auditor(work.session, user_id)
    if found is None:
        raise Refusal("auditor", "Choose somebody whose role includes walking audits.", field=field)
    if found.team and any(place.teams.get(shift) == found.team for place in frame):
        message = f"{found.name} belongs to {found.team}: nobody audits the own team."
        raise Refusal("own_team", message, field=field)
    return found


def _frame(work: Work, new: NewRound) -> list[PlaceNow]:
    return queries.places(work.session, zones=new.zones, kinds=new.kinds, shift=new.shift)


def _check(work: Work, new: NewRound, frame: Sequence[PlaceNow]) -> None:
    catalogue = queries.in_force()
    if not new.name.strip():
        raise Refusal("name", "Give the round a name.", field="name")
    if new.moment not in catalogue.moments:
        raise Refusal("moment", "Choose when the auditor walks.", field="moment")
    if new.planned_for < work.now - LATEST_PLAN:
        raise Refusal("planned_for", "That day is over.", field="planned_for", remedy="Choose today or later.")
    if not frame:
        message = "No place of the roster is in these zones in that shift."
        raise Refusal("empty_frame", message, field="zones", remedy="Choose other zones, or add places to the roster.")
    known = {place.id for place in frame}
    if new.purpose == "targeted":
        if not new.places or set(new.places) - known:
            raise Refusal("places", "Choose the places to look at.", field="places")
        if not new.reason.strip():
            raise Refusal("reason_needed", "Say what the check follows up.", field="reason")
    elif not 1 <= new.size <= min(len(frame), MOST_PLACES):
        message = f"The zones have {len(frame)} such places in that shift: choose 1 to {min(len(frame), MOST_PLACES)}."
        raise Refusal("size", message, field="size")


def _plan(work: Work, plan_id: str | None) -> AuditPlan | None:
    if plan_id is None:
        return None
    plan = work.session.get(AuditPlan, plan_id)
    if plan is None or plan.ended_at is not None:
        raise Refusal("plan", "This plan has ended.", field="plan")
    return plan


def _planned_data(row: AuditRound) -> dict[str, Any]:
    return {
        "round": row.number, "plan": row.plan_id, "period": row.period, "purpose": row.purpose, "zones": row.zones,
        "kinds": row.kinds, "shift": row.shift, "moment": row.moment, "size": row.size, "auditor": row.auditor_id,
        "second": row.second_id, "exercise": row.exercise, "commitment": row.commitment, "state": row.state,
    }  # fmt: skip


def _draw_random(work: Work, row: AuditRound) -> dict[str, Any]:
    places = {p.id: p for p in queries.places(work.session, zones=row.zones, kinds=row.kinds, shift=row.shift)}
    if not places:
        raise Refusal("empty_frame", "No place is left in these zones in that shift.", remedy="Cancel the round.")
    frame: dict[str, list[str]] = {}
    for place in places.values():
        frame.setdefault(stratum(place.zone, row.shift, row.moment), []).append(place.id)
    limits = queries.of_version(work.session, row.catalogue_version).sampling
    sizes = proportional(row.size, {key: len(ids) for key, ids in frame.items()}, limits.least_per_stratum)
    row.checkpoint, row.frame_digest = _checkpoint(work), sampling.frame_digest(frame)
    share = limits.double_audit_share if row.second_id else 0.0
    for one in sampling.draw(_seed(row), frame, sizes, share):
        _add_place(work, row, places[one.place], rank=one.rank, taken=one.taken, double=one.double)
    return {
        "checkpoint": row.checkpoint, "frame": row.frame_digest, "sizes": sizes,
        "frames": {key: len(ids) for key, ids in frame.items()}, "double_share": share, "commitment": row.commitment,
    }  # fmt: skip


def _draw_targeted(work: Work, row: AuditRound) -> dict[str, Any]:
    chosen = list(work.session.scalars(select(RoundPlace).where(RoundPlace.round_id == row.id)))
    for one in chosen:
        one.taken = True
    return {"chosen": sorted(one.place_id for one in chosen), "reason": row.reason}


def _add_place(work: Work, row: AuditRound, place: PlaceNow, *, rank: int, taken: bool, double: bool) -> None:
    work.session.add(
        RoundPlace(
            round_id=row.id,
            place_id=place.id,
            stratum=stratum(place.zone, row.shift, row.moment),
            rank=rank,
            taken=taken,
            double=double,
            team=place.teams.get(row.shift, ""),
            client=place.client,
            zone=place.zone,
            zone_type=place.zone_type,
            kind=place.kind,
            vacant=row.shift in place.vacant,
        )
    )


def _set_route(work: Work, row: AuditRound) -> None:
    work.session.flush()
    rows = {p.place_id: p for p in work.session.scalars(select(RoundPlace).where(RoundPlace.round_id == row.id))}
    at = {p.id: p for p in work.session.scalars(select(Place).where(Place.id.in_(rows)))}
    stops = [Stop(p.place_id, p.zone, at[p.place_id].x, at[p.place_id].y) for p in rows.values() if p.taken]
    for ordinal, place in enumerate(walk_order(stops), 1):
        rows[place].ordinal = ordinal


def _checkpoint(work: Work) -> str:
    """The last signed tree head as ``<size> <root in base64>``."""
    newest = last_checkpoint(work.session)
    size, root = (0, EMPTY_ROOT) if newest is None else (newest[0].size, newest[0].root)
    return f"{size} {base64.b64encode(root).decode()}"


def _seed(row: AuditRound) -> str:
    nonce = unseal(NONCE, row.nonce_sealed).decode()
    return sampling.seed(row.plan_id or row.id, row.period, row.checkpoint, nonce)


def _publish(work: Work, row: AuditRound) -> None:
    move(row, "publish")
    row.nonce, row.published_at = unseal(NONCE, row.nonce_sealed).decode(), work.now
    data = {"nonce": row.nonce, "checkpoint": row.checkpoint, "period": row.period, "plan": row.plan_id or row.id}
    data |= {"state": row.state}
    if row.purpose != "targeted":
        data |= {"seed": _seed(row), "frame": row.frame_digest}
    work.record("cleandesk:round:published", subject=row.id, data=data)
