"""The state machines of a round, a finding and a corrective action, as tables.

An event that a table does not name cannot happen in that state. Who may do it and what it needs (another person, a
reason, an end date) is decided where it is done; the tables say only what follows what.
"""

from collections.abc import Mapping
from enum import StrEnum


class Round(StrEnum):
    """States of a round. There is no way to drop a started walk: what was not seen is submitted as not observed, or
    a walk that goes badly could be drawn again until it goes well."""

    PLANNED = "planned"
    DRAWN = "drawn"
    IN_PROGRESS = "in_progress"
    SUBMITTED = "submitted"
    REVIEWED = "reviewed"
    PUBLISHED = "published"
    CLOSED = "closed"
    CANCELLED = "cancelled"


ROUND: Mapping[tuple[str, str], str] = {
    (Round.PLANNED, "draw"): Round.DRAWN,
    (Round.PLANNED, "cancel"): Round.CANCELLED,
    (Round.DRAWN, "start"): Round.IN_PROGRESS,
    (Round.IN_PROGRESS, "submit"): Round.SUBMITTED,
    (Round.SUBMITTED, "review"): Round.REVIEWED,
    (Round.REVIEWED, "publish"): Round.PUBLISHED,
    (Round.PUBLISHED, "close"): Round.CLOSED,
}


class Finding(StrEnum):
    """States of a finding (catalogue, `workflow.finding_states`)."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    ACTION_PROPOSED = "action_proposed"
    IN_ACTION = "in_action"
    DONE_CLAIMED = "done_claimed"
    VERIFIED = "verified"
    CLOSED = "closed"
    DISPUTED = "disputed"
    WITHDRAWN = "withdrawn"
    ACCEPTED_RISK = "accepted_risk"


FINDING: Mapping[tuple[str, str], str] = {
    (Finding.OPEN, "acknowledge"): Finding.ACKNOWLEDGED,
    (Finding.OPEN, "propose"): Finding.ACTION_PROPOSED,
    (Finding.ACKNOWLEDGED, "propose"): Finding.ACTION_PROPOSED,
    (Finding.ACTION_PROPOSED, "propose"): Finding.ACTION_PROPOSED,
    (Finding.ACTION_PROPOSED, "begin"): Finding.IN_ACTION,
    (Finding.OPEN, "claim_done"): Finding.DONE_CLAIMED,
    (Finding.ACKNOWLEDGED, "claim_done"): Finding.DONE_CLAIMED,
    (Finding.ACTION_PROPOSED, "claim_done"): Finding.DONE_CLAIMED,
    (Finding.IN_ACTION, "claim_done"): Finding.DONE_CLAIMED,
    (Finding.DONE_CLAIMED, "send_back"): Finding.IN_ACTION,
    (Finding.DONE_CLAIMED, "verify"): Finding.VERIFIED,
    (Finding.VERIFIED, "close"): Finding.CLOSED,
    (Finding.OPEN, "correct"): Finding.WITHDRAWN,
    (Finding.OPEN, "dispute"): Finding.DISPUTED,
    (Finding.ACKNOWLEDGED, "dispute"): Finding.DISPUTED,
    (Finding.ACTION_PROPOSED, "dispute"): Finding.DISPUTED,
    (Finding.DISPUTED, "uphold"): Finding.ACKNOWLEDGED,
    (Finding.DISPUTED, "withdraw"): Finding.WITHDRAWN,
    (Finding.OPEN, "accept_risk"): Finding.ACCEPTED_RISK,
    (Finding.ACKNOWLEDGED, "accept_risk"): Finding.ACCEPTED_RISK,
    (Finding.ACTION_PROPOSED, "accept_risk"): Finding.ACCEPTED_RISK,
    (Finding.IN_ACTION, "accept_risk"): Finding.ACCEPTED_RISK,
    (Finding.ACCEPTED_RISK, "lapse"): Finding.OPEN,
}

STILL_OPEN = frozenset(
    {
        Finding.OPEN,
        Finding.ACKNOWLEDGED,
        Finding.ACTION_PROPOSED,
        Finding.IN_ACTION,
        Finding.DONE_CLAIMED,
        Finding.DISPUTED,
    }
)
"""States in which the due time runs."""

SETTLED = frozenset({Finding.VERIFIED, Finding.CLOSED, Finding.WITHDRAWN, Finding.ACCEPTED_RISK})
"""States with which a round may close (an accepted risk has an end date of its own)."""


class Action(StrEnum):
    """States of a corrective action, of a finding or of a team fault."""

    PROPOSED = "proposed"
    IN_ACTION = "in_action"
    DONE_CLAIMED = "done_claimed"
    VERIFIED = "verified"
    DROPPED = "dropped"


ACTION: Mapping[tuple[str, str], str] = {
    (Action.PROPOSED, "begin"): Action.IN_ACTION,
    (Action.PROPOSED, "claim_done"): Action.DONE_CLAIMED,
    (Action.PROPOSED, "drop"): Action.DROPPED,
    (Action.IN_ACTION, "claim_done"): Action.DONE_CLAIMED,
    (Action.IN_ACTION, "drop"): Action.DROPPED,
    (Action.DONE_CLAIMED, "send_back"): Action.IN_ACTION,
    (Action.DONE_CLAIMED, "verify"): Action.VERIFIED,
}


def after(machine: Mapping[tuple[str, str], str], state: str, event: str) -> str | None:
    """The state that follows, or None when `event` cannot happen in `state`."""
    return machine.get((state, event))


def events_in(machine: Mapping[tuple[str, str], str], state: str) -> tuple[str, ...]:
    """What can happen in `state`, in the order of the table."""
    return tuple(event for (source, event) in machine if source == state)


def diagram(machine: Mapping[tuple[str, str], str]) -> str:
    """The machine as a Mermaid state diagram, for the documents."""
    lines = [f"  {source} --> {target}: {event}" for (source, event), target in machine.items()]
    return "\n".join(["stateDiagram-v2", *lines, ""])
