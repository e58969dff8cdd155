"""What workstations report, whose they are, and which devices are where: exemptions with an end, lockers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from bposite.cleandesk.osquery import Log
from bposite.cleandesk.rules.posture import Reading
from bposite.cleandesk.tables import EndpointReading, Exemption, Locker, Place, Workstation
from bposite.doors.actions.alarms import raise_alarm
from bposite.journal.work import Work
from bposite.people import queries as people
from bposite.plumbing.errors import Conflict, NotFound, Refusal
from bposite.plumbing.ids import new_id

USB_ALARM = "usbStorage"
LONGEST_EXEMPTION = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a log did: readings that were new, readings that were here already, workstations never heard before."""

    new: int
    known: int
    hosts: tuple[str, ...]


def take_log(work: Work, log: Log) -> Taken:
    """Store the readings of a log once. Removable storage at a claimed desk tells the control room."""
    fresh_hosts = _hear(work, log.readings)
    known = _known(work, log.readings)
    new = [one for one in dict.fromkeys(log.readings) if (one.host, one.kind, one.at, one.words) not in known]
    for one in new:
        work.session.add(
            EndpointReading(
                id=new_id(),
                host=one.host,
                kind=one.kind,
                at=one.at,
                good=one.good,
                words=one.words,
                received_at=work.now,
            )
        )
    work.session.flush()
    if new or fresh_hosts:
        kinds = sorted({one.kind for one in new})
        data = {"new": len(new), "hosts": fresh_hosts, "kinds": kinds, "odd": log.faulty}
        work.record("cleandesk:posture:taken", data=data)
    _tell(work, [one for one in new if one.kind == "usb_device"])
    return Taken(len(new), len(log.readings) - len(new), tuple(fresh_hosts))


def claim_workstation(work: Work, host: str, place_id: str, person: str) -> None:
    """Say where a workstation stands and whose it is; an empty text takes that back."""
    row = work.session.get(Workstation, host, with_for_update=True)
    if row is None:
        raise NotFound("workstation", "No such workstation has reported.")
    place = work.session.get(Place, place_id) if place_id else None
    if place_id and (place is None or place.removed_at is not None):
        raise Refusal("place", f"There is no place {place_id[:40]}.", field="place")
    if person and person not in people.persons_by_number(work.session, [person]):
        raise Refusal("person", "Nobody in the directory has this number.", field="person")
    row.place_id, row.person = place_id or None, person
    # The person stays out of the fact: the row is what an erasure empties.
    work.record("cleandesk:workstation:claimed", subject=host, data={"place": row.place_id})


def exempt(work: Work, tag: str, what: str, person: str, reason: str, until: datetime) -> str:
    """Allow a tagged device in a no-device zone until a day of the next year at the latest; returns its id."""
    found = people.persons_by_number(work.session, [person]).get(person)
    if found is None or not found.active:
        raise Refusal("person", "Choose somebody of the directory.", field="person")
    for field, words in (("tag", tag), ("what", what), ("reason", reason)):
        if not words.strip():
            raise Refusal(field, "This cannot stay empty.", field=field)
    if not work.now < until <= work.now + LONGEST_EXEMPTION:
        raise Refusal("until", "Choose a day within the next year: every exemption ends.", field="until")
    in_force = select(Exemption).where(
        Exemption.tag == tag.strip(), Exemption.ended_at.is_(None), Exemption.until > work.now
    )
    if work.session.scalar(in_force) is not None:
        raise Conflict("tag_taken", "A device with this tag is exempt already.", field="tag")
    row = Exemption(
        id=new_id(), tag=tag.strip()[:40], what=what.strip()[:120], person=person, person_name=found.name,
        reason=reason.strip()[:200], until=until, given_by=work.actor.name, given_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    data = {"tag": row.tag, "what": row.what, "reason": row.reason, "until": until.isoformat()}
    work.record("cleandesk:exemption:given", subject=row.id, data=data)
    return row.id


def end_exemption(work: Work, exemption_id: str) -> None:
    """Take an exemption back before its day."""
    row = work.session.get(Exemption, exemption_id, with_for_update=True)
    if row is None:
        raise NotFound("exemption", "There is no such exemption.")
    if row.ended_at is not None or row.until <= work.now:
        raise Conflict("exemption_over", "This exemption is over already.")
    row.ended_at = work.now
    work.record("cleandesk:exemption:ended", subject=row.id, data={"tag": row.tag})


def set_locker(work: Work, locker_id: str, zone: str, person: str) -> None:
    """Give a locker to somebody, or make it free (`person` empty). A person has one locker."""
    locker_id = locker_id.strip()
    if not locker_id or len(locker_id) > 20 or not locker_id.isprintable():
        raise Refusal("locker", "Give the number of the locker, of at most 20 characters.", field="locker")
    found = people.persons_by_number(work.session, [person]).get(person) if person else None
    if person and (found is None or not found.active):
        raise Refusal("person", "Choose somebody of the directory.", field="person")
    other = work.session.scalar(select(Locker).where(Locker.person == person)) if person else None
    if other is not None and other.id != locker_id:
        raise Conflict("locker_taken", f"This person has locker {other.id} already.", field="person")
    row = work.session.get(Locker, locker_id, with_for_update=True)
    if row is None:
        row = Locker(id=locker_id, zone=zone, since=work.now)
        work.session.add(row)
    row.zone, row.person, row.since = zone, person or None, work.now
    row.person_name = found.name if found else ""
    work.record("cleandesk:locker:set", subject=locker_id, data={"zone": zone, "free": not person})


def _hear(work: Work, readings: Sequence[Reading]) -> list[str]:
    """Make the workstations known; one whose name is that of a desk stands at that desk. Returns the new ones."""
    newest: dict[str, datetime] = {}
    for one in readings:
        newest[one.host] = max(one.at, newest.get(one.host, one.at))
    fresh = []
    for host, at in sorted(newest.items()):
        row = work.session.get(Workstation, host)
        if row is None:
            place = work.session.get(Place, host.upper().removeprefix("WS-"))
            work.session.add(
                Workstation(host=host, place_id=place.id if place else None, person="", first_at=work.now, heard_at=at)
            )
            fresh.append(host)
        else:
            row.heard_at = max(row.heard_at, at)
    work.session.flush()
    return fresh


def _known(work: Work, readings: Sequence[Reading]) -> set[tuple[str, str, datetime, str]]:
    found: set[tuple[str, str, datetime, str]] = set()
    hosts = sorted({one.host for one in readings})
    for start in range(0, len(hosts), 200):
        rows = work.session.execute(
            select(EndpointReading.host, EndpointReading.kind, EndpointReading.at, EndpointReading.words).where(
                EndpointReading.host.in_(hosts[start : start + 200]),
                EndpointReading.at >= min(one.at for one in readings),
            )
        )
        found |= set(rows.tuples())
    return found


def _tell(work: Work, devices: Sequence[Reading]) -> None:
    for one in devices:
        row = work.session.get(Workstation, one.host)
        place = work.session.get(Place, row.place_id) if row and row.place_id else None
        if place is not None:
            summary = f"{one.words.capitalize()} at {place.label}, {place.zone}. Do not plug it in; bag and tag it."
            raise_alarm(work, USB_ALARM, summary, about=one.host, zone=place.zone, at=one.at)
