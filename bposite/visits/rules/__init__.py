"""Pure decisions about visits. What other features need is named here."""

from bposite.visits.rules.answer import Answer, Direction, DoorFacts, Outcome, Place, Reason, TraceLine, door_answer
from bposite.visits.rules.machine import VISIT_MACHINE, Evidence, VisitEvent, VisitState
from bposite.visits.rules.standing import (
    ApprovalStanding,
    DocumentKind,
    DocumentStanding,
    HoldKind,
    PassStanding,
)

__all__ = [
    "VISIT_MACHINE",
    "Answer",
    "ApprovalStanding",
    "Direction",
    "DocumentKind",
    "DocumentStanding",
    "DoorFacts",
    "Evidence",
    "HoldKind",
    "Outcome",
    "PassStanding",
    "Place",
    "Reason",
    "TraceLine",
    "VisitEvent",
    "VisitState",
    "door_answer",
]
