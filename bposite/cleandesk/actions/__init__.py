"""What people and time do to the clean desk. One public function is one step of a unit of work and its facts."""

from bposite.cleandesk.actions.findings import (
    Raised,
    accept_risk,
    acknowledge,
    begin,
    claim_done,
    decide_dispute,
    dispute,
    propose,
    verify,
)
from bposite.cleandesk.actions.plans import NewPlan, end_plan, load_catalogue, save_plan
from bposite.cleandesk.actions.roster import (
    FaultyLine,
    Imported,
    apply_plan,
    assign,
    import_places,
    position_places,
    remove_place,
    save_place,
)
from bposite.cleandesk.actions.rounds import (
    NewRound,
    cancel_round,
    plan_round,
    reassign,
    review_round,
    start_round,
)
from bposite.cleandesk.actions.timers import tick
from bposite.cleandesk.actions.walk import Observed, keep_photos, observe, submit_round

__all__ = [
    "FaultyLine",
    "Imported",
    "NewPlan",
    "NewRound",
    "Observed",
    "Raised",
    "accept_risk",
    "acknowledge",
    "apply_plan",
    "assign",
    "begin",
    "cancel_round",
    "claim_done",
    "decide_dispute",
    "dispute",
    "end_plan",
    "import_places",
    "keep_photos",
    "load_catalogue",
    "observe",
    "plan_round",
    "position_places",
    "propose",
    "reassign",
    "remove_place",
    "review_round",
    "save_place",
    "save_plan",
    "start_round",
    "submit_round",
    "tick",
    "verify",
]
