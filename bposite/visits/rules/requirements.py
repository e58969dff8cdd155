"""What is missing before a guest is cleared and before he is admitted, and what time alone may change."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from bposite.visits.rules.machine import EXPECTED, VisitEvent, VisitState
from bposite.visits.rules.standing import HoldKind, PassStanding

# Before the window opens a guest may already be checked in, but no door opens.
EARLY = timedelta(minutes=60)
# After the window closes an expected guest counts as a no-show only this much later.
NO_SHOW_AFTER = timedelta(minutes=60)


class Missing(StrEnum):
    """One condition that is not met yet."""

    IDENTITY = "identity"
    DOCUMENT = "document"
    HOLD = "hold"
    APPROVAL = "approval"
    TOO_EARLY = "too_early"
    WINDOW_CLOSED = "window_closed"
    CAPACITY = "capacity"
    HOST_ACK = "host_ack"
    ESCORT = "escort"
    DEPOSIT = "deposit"
    CLEARANCE = "clearance"


class DeskFacts(Struct, frozen=True, kw_only=True):
    """What the desk knows about a visit beside its standing.

    `identity`: checked by somebody, or waived. `host_acknowledged`: by the host, or overridden with a reason.
    `room`: every zone with a limit still has room for one more guest.
    """

    identity: bool
    host_acknowledged: bool
    room: bool = True


class WaiverKind(StrEnum):
    """What may be waived, with a reason and a name."""

    IDENTITY = "identity"
    DOCUMENT = "document"
    HOST_ACK = "host_ack"


def missing_to_clear(standing: PassStanding, desk: DeskFacts, now: datetime) -> tuple[Missing, ...]:
    """What `clear` still needs, in the order in which the desk works; empty = may be cleared."""
    given = {approval.zone for approval in standing.approvals if now < approval.until}
    conditions = (
        (Missing.TOO_EARLY, now < standing.window_from - EARLY),
        (Missing.WINDOW_CLOSED, now >= standing.window_until),
        (Missing.HOLD, bool(standing.holds - {HoldKind.APPROVAL})),
        (Missing.APPROVAL, bool(standing.approval_zones - given) or HoldKind.APPROVAL in standing.holds),
        (Missing.IDENTITY, not desk.identity),
        (Missing.DOCUMENT, any(not document.in_force(now) for document in standing.documents)),
        (Missing.CAPACITY, not desk.room),
    )
    return tuple(missing for missing, applies in conditions if applies)


def missing_to_admit(standing: PassStanding, desk: DeskFacts, now: datetime) -> tuple[Missing, ...]:
    """What `admit` needs beyond clearance; a condition that lapsed since clearance is named again."""
    conditions = (
        (Missing.CLEARANCE, standing.visit_state is not VisitState.CLEARED),
        (Missing.HOST_ACK, not desk.host_acknowledged),
        (Missing.ESCORT, bool(standing.escort_zones & standing.zones) and standing.escort is None),
        (Missing.DEPOSIT, bool(standing.deposit_zones & standing.zones) and not standing.deposited),
    )
    lapsed = missing_to_clear(standing, desk, now)
    return lapsed + tuple(missing for missing, applies in conditions if applies)


# Who may clear a hold is a right, and never the right to raise it alone.
RELEASED_WITH = {HoldKind.WATCHLIST: "watchlist:write", HoldKind.APPROVAL: "visits:approve"}


def may_release(raised_by: str, releasing: str, kind: HoldKind, permissions: frozenset[str]) -> bool:
    """Whether `releasing` may clear a hold alone: never the one who raised it, a watchlist match never the desk.

    A match that the system found while somebody registered a guest was raised by that person.
    """
    return raised_by != releasing and RELEASED_WITH.get(kind, "visits:write") in permissions


def by_time(state: VisitState, window_until: datetime, now: datetime) -> VisitEvent | None:
    """What the clock alone does to a visit: a no-show or an overstay, never a departure."""
    if state in EXPECTED and now >= window_until + NO_SHOW_AFTER:
        return VisitEvent.NO_SHOW
    if state is VisitState.ON_SITE and now >= window_until:
        return VisitEvent.OVERSTAY
    return None
