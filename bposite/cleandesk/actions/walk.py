"""The walk: every look becomes an observation once, its faults become findings in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from bposite.cleandesk import photos as pictures
from bposite.cleandesk import queries
from bposite.cleandesk.actions.findings import Raised, drop_findings, raise_finding
from bposite.cleandesk.actions.rounds import move, round_for_change
from bposite.cleandesk.photos import Kept
from bposite.cleandesk.rules.catalogue import Catalogue, Item
from bposite.cleandesk.rules.machines import Round
from bposite.cleandesk.rules.outcome import Judgement, judge, may_name_person, photo_problem
from bposite.cleandesk.tables import AuditRound, Observation, ObservedItem, Photo, RoundPlace
from bposite.cleandesk.wire import FoundItem, Look, TakenPhoto, digest
from bposite.journal.work import Work
from bposite.people import queries as people
from bposite.plumbing.errors import Conflict, Refusal
from bposite.plumbing.ids import new_id

CLOCK_AHEAD = timedelta(minutes=2)
LATE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Observed:
    """What a look came to. `repeated`: it was stored before and nothing was changed now. `replacement`: the place that
    is looked at instead of one that could not be reached."""

    id: str
    repeated: bool
    complies: bool | None
    replacement: str | None
    findings: tuple[Raised, ...]


def keep_photos(look: Look, sent: Mapping[str, bytes]) -> dict[str, Kept]:
    """Store the pictures of a look before its transaction begins; Refusal when one is missing or cannot be read."""
    if missing := [photo.id for photo in look.photos if photo.id not in sent]:
        raise Refusal(
            "photo_missing", f"{len(missing)} pictures did not arrive.", field="photo", remedy="Send it again."
        )
    return {photo.id: pictures.keep(sent[photo.id]) for photo in look.photos}


def observe(work: Work, round_id: str, look: Look, sent: Mapping[str, bytes], kept: Mapping[str, Kept]) -> Observed:
    """Store one look of the round's auditor (or of the second one), with its findings.

    The same look again answers the same and changes nothing; another look under the same id is a Conflict.
    Refusal when the place is not in the draw, the items do not belong to it, or a picture is not allowed.
    """
    row = round_for_change(work, round_id)
    mark = digest(look, sent)
    if (before := work.session.get(Observation, look.id)) is not None:
        return _again(work, before, row, mark)
    _may_observe(work, row, look)
    place = _place(work, row, look)
    catalogue = queries.of_version(work.session, row.catalogue_version)
    items = _items(catalogue, place, row, look)
    _check_photos(items, look.photos)
    judgement = judge(look.answer, [item.severity for item in items.values()], catalogue.severities)
    _supersede(work, row, look)
    seen_at = _seen_at(work, row, look)
    work.session.add(_observation(work, row, place, look, judgement, seen_at, mark))
    work.session.flush()
    for item in items.values():
        work.session.add(ObservedItem(observation_id=look.id, item_id=item.id, severity=item.severity))
    _add_photos(work, look, kept, seen_at)
    work.record("cleandesk:observation:recorded", subject=look.id, data=_fact(row, look, judgement, kept))
    replacement = _replace(work, row, place) if look.answer == "not_observed" and look.seat == "first" else None
    raised = _raise(work, row, place, look, items, seen_at) if look.seat == "first" else ()
    return Observed(look.id, False, judgement.complies, replacement, raised)


def submit_round(work: Work, round_id: str) -> int:
    """The auditor is done: what was drawn and not looked at is recorded as not observed. Returns how many those are."""
    row = round_for_change(work, round_id)
    if work.actor.id != row.auditor_id:
        raise Refusal("not_auditor", f"Only {row.auditor_name} can submit this round.")
    if row.state == Round.SUBMITTED:
        return 0
    move(row, "submit")
    left = _unseen(work, row)
    for place in left:
        look = Look(new_id(), place.place_id, "not_observed", work.now, reason="out_of_time")
        judgement = Judgement(None, 0, None)
        work.session.add(_observation(work, row, place, look, judgement, work.now, digest(look, {})))
        work.record("cleandesk:observation:recorded", subject=look.id, data=_fact(row, look, judgement, {}))
    row.submitted_at = work.now
    work.record("cleandesk:round:submitted", subject=row.id, data={"not_reached": len(left), "state": row.state})
    return len(left)


def _again(work: Work, before: Observation, row: AuditRound, mark: str) -> Observed:
    if before.digest != mark or before.round_id != row.id or before.auditor_id != work.actor.id:
        raise Conflict(
            "observation_conflict",
            "Another observation was stored under the same number.",
            remedy="Tell your administrator.",
        )
    replaced = work.session.scalar(
        select(RoundPlace.place_id).where(RoundPlace.round_id == row.id, RoundPlace.replaces == before.place_id)
    )
    return Observed(before.id, True, before.complies, replaced, ())


def _may_observe(work: Work, row: AuditRound, look: Look) -> None:
    wanted = row.auditor_id if look.seat == "first" else row.second_id
    if work.actor.id != wanted:
        raise Refusal("not_auditor", "This round is walked by somebody else.", remedy="Ask the planner.")
    if row.state != Round.IN_PROGRESS:
        state = row.state.replace("_", " ")
        raise Conflict("round_state", f"This round is {state}: nothing can be added.", remedy="Ask the planner.")


def _place(work: Work, row: AuditRound, look: Look) -> RoundPlace:
    place = work.session.get(RoundPlace, (row.id, look.place))
    if place is None or not place.taken or (look.seat == "second" and not place.double):
        raise Refusal("not_drawn", f"{look.place} was not drawn in this round.", field="place")
    return place


def _items(catalogue: Catalogue, place: RoundPlace, row: AuditRound, look: Look) -> dict[str, Item]:
    """The catalogue's items of the look by id, in order; Refusal when one does not belong to such a place."""
    if look.answer == "not_observed" and look.reason not in catalogue.reasons_not_observed:
        raise Refusal("reason_needed", "Say why it could not be looked at.", field="reason")
    if (look.answer == "fail") != bool(look.items):
        raise Refusal("items", "Say what is wrong.", field="items")
    found: dict[str, Item] = {}
    for wanted in look.items:
        try:
            item = catalogue.item(wanted.item)
        except KeyError as error:
            raise Refusal("items", f"There is no check {wanted.item}.", field="items") from error
        if place.kind not in item.places or not ("all" in item.zones or place.zone_type in item.zones):
            raise Refusal("items", f"{item.id} is not looked at here.", field="items")
        if item.id in found:
            raise Refusal("items", f"{item.id} is named twice.", field="items")
        found[item.id] = item
    return found


def _check_photos(items: Mapping[str, Item], photos: Sequence[TakenPhoto]) -> None:
    for photo in photos:
        if photo.item not in items:
            raise Refusal("photo", f"A picture belongs to {photo.item}, which was not found.", field="photo")
        problem = photo_problem(items[photo.item], masks=photo.masks, nothing_to_mask=photo.nothing_to_mask)
        if problem:
            raise Refusal("photo", problem, field="photo")


def _seen_at(work: Work, row: AuditRound, look: Look) -> datetime:
    """The phone's time where it can be true: after the start and not in the future; otherwise ours."""
    started = row.started_at or work.now
    return look.seen_at if started <= look.seen_at <= work.now + CLOCK_AHEAD else work.now


def _observation(
    work: Work, row: AuditRound, place: RoundPlace, look: Look, judgement: Judgement, seen_at: datetime, mark: str
) -> Observation:
    return Observation(
        id=look.id, round_id=row.id, place_id=place.place_id, stratum=place.stratum, seat=look.seat,
        auditor_id=work.actor.id, auditor_name=work.actor.name, answer=look.answer,
        reason=look.reason if look.answer == "not_observed" else "", note=look.note.strip(),
        complies=judgement.complies, points=judgement.points, worst=judgement.worst, seen_at=seen_at,
        received_at=work.now, late=work.now - seen_at > LATE, digest=mark, corrects=look.corrects, superseded=False,
    )  # fmt: skip


def _supersede(work: Work, row: AuditRound, look: Look) -> None:
    """Mark the look that this one corrects; Refusal when the place was looked at already and nothing is corrected."""
    before = work.session.scalar(
        select(Observation).where(
            Observation.round_id == row.id,
            Observation.place_id == look.place,
            Observation.seat == look.seat,
            Observation.superseded.is_(False),
        )
    )
    if before is None:
        if look.corrects is not None:
            raise Conflict("corrects", "The observation to correct is not there.", field="corrects")
        return
    if look.corrects != before.id:
        raise Conflict(
            "seen_already", f"{look.place} was looked at already in this round.", remedy="Open it and correct it."
        )
    drop_findings(work, before.id)
    before.superseded = True
    work.session.flush()


def _add_photos(work: Work, look: Look, kept: Mapping[str, Kept], seen_at: datetime) -> None:
    for photo in look.photos:
        file = kept[photo.id]
        work.session.add(
            Photo(
                id=photo.id,
                observation_id=look.id,
                item_id=photo.item,
                sha256=file.sha256,
                path=file.path,
                width=file.width,
                height=file.height,
                masks=photo.masks,
                taken_at=seen_at,
                kept_by=work.actor.name,
            )
        )
    work.session.flush()


def _fact(row: AuditRound, look: Look, judgement: Judgement, kept: Mapping[str, Kept]) -> dict[str, object]:
    return {
        "round": row.number, "place": look.place, "seat": look.seat, "answer": look.answer,
        "complies": judgement.complies,
        "items": [item.item for item in look.items], "reason": look.reason, "seen_at": look.seen_at.isoformat(),
        "photos": {name: file.sha256 for name, file in kept.items()}, "corrects": look.corrects,
    }  # fmt: skip


def _replace(work: Work, row: AuditRound, place: RoundPlace) -> str | None:
    """Take the next place of the drawn order for one that could not be reached; None when the stratum is used up."""
    if row.purpose == "targeted" or work.session.scalar(
        select(RoundPlace.place_id).where(RoundPlace.round_id == row.id, RoundPlace.replaces == place.place_id)
    ):
        return None
    following = work.session.scalar(
        select(RoundPlace)
        .where(RoundPlace.round_id == row.id, RoundPlace.stratum == place.stratum, RoundPlace.taken.is_(False))
        .order_by(RoundPlace.rank)
        .limit(1)
    )
    if following is None:
        return None
    last = work.session.scalars(select(RoundPlace.ordinal).where(RoundPlace.round_id == row.id))
    following.taken, following.replaces, following.ordinal = True, place.place_id, max(last) + 1
    data = {"replaced": place.place_id, "rank": following.rank}
    work.record("cleandesk:round:replaced", subject=row.id, data=data | {"place": following.place_id})
    return following.place_id


def _raise(
    work: Work, row: AuditRound, place: RoundPlace, look: Look, items: Mapping[str, Item], seen_at: datetime
) -> tuple[Raised, ...]:
    named = {found.item: found for found in look.items}
    return tuple(
        raise_finding(work, row, place, look.id, item, _person_checked(work, item, named[item.id]), look.note, seen_at)
        for item in items.values()
    )


def _person_checked(work: Work, item: Item, found: FoundItem) -> FoundItem:
    if not found.person:
        return found
    if not may_name_person(item):
        message = f"{item.id} belongs to the desk and its team: no person is named."
        raise Refusal("person", message, field="person")
    if found.person not in people.persons_by_number(work.session, [found.person]):
        raise Refusal("person", "Nobody in the directory has this number.", field="person")
    return found


def _unseen(work: Work, row: AuditRound) -> list[RoundPlace]:
    seen = select(Observation.place_id).where(
        Observation.round_id == row.id, Observation.seat == "first", Observation.superseded.is_(False)
    )
    return list(
        work.session.scalars(
            select(RoundPlace).where(
                RoundPlace.round_id == row.id, RoundPlace.taken.is_(True), RoundPlace.place_id.not_in(seen)
            )
        )
    )
