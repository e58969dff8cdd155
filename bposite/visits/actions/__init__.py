"""What people, doors and time do to visits. One public function is one step of a unit of work and its facts."""

from bposite.visits.actions.desk import (
    Admission,
    IdentityKind,
    acknowledge,
    admit,
    check_identity,
    deposit,
    issue_pass,
    name_escort,
    set_photo,
    turn_away,
)
from bposite.visits.actions.holds import demand_document, raise_hold, release_hold, see_document, waive
from bposite.visits.actions.invite import NewVisit, Placed, arrive, cancel, decide, invite, register_walk_in, reschedule
from bposite.visits.actions.leave import (
    come_back,
    correct_departure,
    depart,
    escalate,
    extend,
    left_by_door,
    presume_left,
    start_break,
)
from bposite.visits.actions.plan import LOBBY, apply_plan
from bposite.visits.actions.scan import LOCKED, Did, Purpose, Scanned, scan
from bposite.visits.actions.timers import Expired, close_day, expire, sign_day
from bposite.visits.actions.watch import NewEntry, unwatch, watch

__all__ = [
    "LOBBY",
    "LOCKED",
    "Admission",
    "Did",
    "Expired",
    "IdentityKind",
    "NewEntry",
    "NewVisit",
    "Placed",
    "Purpose",
    "Scanned",
    "acknowledge",
    "admit",
    "apply_plan",
    "arrive",
    "cancel",
    "check_identity",
    "close_day",
    "come_back",
    "correct_departure",
    "decide",
    "demand_document",
    "depart",
    "deposit",
    "escalate",
    "expire",
    "extend",
    "invite",
    "issue_pass",
    "left_by_door",
    "name_escort",
    "presume_left",
    "raise_hold",
    "register_walk_in",
    "release_hold",
    "reschedule",
    "scan",
    "see_document",
    "set_photo",
    "sign_day",
    "start_break",
    "turn_away",
    "unwatch",
    "waive",
    "watch",
]
