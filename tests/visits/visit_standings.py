"""A standing that opens everything, to be spoilt one fact at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bposite.passes.rules import PassState
from bposite.visits.rules import DoorFacts, PassStanding, VisitState

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

GOOD = PassStanding(
    pass_id="01P",
    pass_number=1,
    visit_id="01V",
    visitor_id="01G",
    visitor_name="Asha Rao",
    company="Initech",
    host="E-1001",
    host_name="Vikram Shah",
    site="pune-1",
    photo=None,
    state=PassState.ARMED,
    suspension=None,
    ending=None,
    window_from=NOON - timedelta(hours=2),
    window_until=NOON + timedelta(hours=2),
    visit_state=VisitState.ON_SITE,
    zones=frozenset({"lobby", "floor-a"}),
    holds=frozenset(),
    documents=(),
    approvals=(),
    approval_zones=frozenset(),
    escort_zones=frozenset(),
    escort=None,
    deposit_zones=frozenset(),
    deposited=False,
)
INTO_FLOOR = DoorFacts(site="pune-1", door="floor-a", zone="floor-a")
