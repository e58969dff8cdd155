"""What time brings about: overdue findings go up a rung, accepted risks end."""

from __future__ import annotations

from sqlalchemy import select

from bposite.cleandesk.actions.findings import escalate, lapse
from bposite.cleandesk.rules.machines import SETTLED, Finding
from bposite.cleandesk.tables import FindingRow
from bposite.journal.work import Work

AT_ONCE = 200


def tick(work: Work) -> int:
    """Do what is due at `work.now`; returns how many findings moved. Doing it again at once changes nothing."""
    late = list(
        work.session.scalars(
            select(FindingRow)
            .where(
                FindingRow.next_step_at <= work.now, FindingRow.exercise.is_(False), FindingRow.state.not_in(SETTLED)
            )
            .order_by(FindingRow.next_step_at)
            .limit(AT_ONCE)
        )
    )
    for finding in late:
        escalate(work, finding)
    over = list(
        work.session.scalars(
            select(FindingRow)
            .where(FindingRow.state == Finding.ACCEPTED_RISK, FindingRow.risk_until <= work.now)
            .limit(AT_ONCE)
        )
    )
    for finding in over:
        lapse(work, finding)
    return len(late) + len(over)
