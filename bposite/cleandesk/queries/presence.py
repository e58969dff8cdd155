"""Where the doors had the auditor while a round was walked."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bposite.cleandesk.rules.presence import ZonePresence, judge_presence
from bposite.cleandesk.tables import AuditRound, Observation, RoundPlace
from bposite.doors.queries import EntryFilter, search_entries

BEFORE = timedelta(hours=14)
MOST_PASSAGES = 500


def presence_of(session: Session, round_id: str) -> list[ZonePresence]:
    """Zone by zone, whether the first auditor was there; empty when the account belongs to nobody in the directory.

    Late door events count as soon as they are in the log, so the answer can still change after the walk.
    """
    row = session.get(AuditRound, round_id)
    if row is None or not row.auditor_person or row.started_at is None:
        return []
    looks = [
        (at, zone)
        for at, zone in session.execute(
            select(Observation.seen_at, RoundPlace.zone)
            .join(
                RoundPlace,
                (RoundPlace.round_id == Observation.round_id) & (RoundPlace.place_id == Observation.place_id),
            )
            .where(
                Observation.round_id == round_id,
                Observation.seat == "first",
                Observation.superseded.is_(False),
                Observation.answer != "not_observed",
            )
            .order_by(Observation.seen_at)
        )
    ]
    if not looks:
        return []
    wanted = EntryFilter(
        persons=(row.auditor_person,),
        decisions=("granted", "taken"),
        since=row.started_at - BEFORE,
        until=looks[-1][0] + timedelta(minutes=2),
    )
    entries = search_entries(session, wanted, limit=MOST_PASSAGES)
    passages = sorted((entry.time_used, entry.zone) for entry in entries if entry.zone and entry.taken is not False)
    return judge_presence(passages, looks)
