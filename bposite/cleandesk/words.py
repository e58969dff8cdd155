"""Words for people: states, answers, steps. One place, so that every screen says the same."""

from __future__ import annotations

from bposite.cleandesk.rules.machines import Finding, Round

ROUND_WORDS: dict[str, tuple[str, str]] = {
    Round.PLANNED: ("unknown", "Planned"),
    Round.DRAWN: ("accent", "Drawn"),
    Round.IN_PROGRESS: ("accent", "Being walked"),
    Round.SUBMITTED: ("attention", "To review"),
    Round.REVIEWED: ("good", "Reviewed"),
    Round.PUBLISHED: ("attention", "Findings open"),
    Round.CLOSED: ("good", "Closed"),
    Round.CANCELLED: ("unknown", "Cancelled"),
}
"""state -> (status colour, word). Published rounds wait only for their findings."""

FINDING_WORDS: dict[str, tuple[str, str]] = {
    Finding.OPEN: ("attention", "Open"),
    Finding.ACKNOWLEDGED: ("attention", "Acknowledged"),
    Finding.ACTION_PROPOSED: ("accent", "Action proposed"),
    Finding.IN_ACTION: ("accent", "In work"),
    Finding.DONE_CLAIMED: ("accent", "To verify"),
    Finding.VERIFIED: ("good", "Verified"),
    Finding.CLOSED: ("good", "Closed"),
    Finding.DISPUTED: ("attention", "Disputed"),
    Finding.WITHDRAWN: ("unknown", "Withdrawn"),
    Finding.ACCEPTED_RISK: ("unknown", "Risk accepted"),
}

SEVERITY_WORDS = {
    "S1": ("alarm", "S1 critical"),
    "S2": ("refused", "S2 major"),
    "S3": ("attention", "S3 minor"),
    "S4": ("unknown", "S4 note"),
}

STEP_WORDS = {
    "raise": "Raised",
    "acknowledge": "Acknowledged",
    "propose": "Action proposed",
    "begin": "Work begun",
    "claim_done": "Said to be mended",
    "send_back": "Sent back: not mended",
    "verify": "Verified",
    "close": "Closed",
    "dispute": "Disputed",
    "uphold": "Dispute decided: it stands",
    "withdraw": "Dispute decided: withdrawn",
    "correct": "Withdrawn: the observation was corrected",
    "accept_risk": "Risk accepted",
    "lapse": "Accepted time is over",
    "escalate": "Escalated",
}

MOMENT_WORDS = {
    "live": "While people work",
    "break": "In the break",
    "end_of_shift": "End of shift",
    "after_hours": "After hours",
    "monthly": "Monthly check",
}

KIND_WORDS = {
    "desk": "Desk",
    "room": "Room",
    "printer": "Printer",
    "bin": "Bin",
    "whiteboard": "Whiteboard",
    "area": "Whole zone",
}

ANSWER_WORDS = {
    "pass": ("good", "Pass"),
    "fail": ("refused", "Fail"),
    "not_observed": ("unknown", "Not seen"),
    "not_applicable": ("unknown", "Does not apply"),
}

PURPOSE_WORDS = {"random": "Random sample", "targeted": "Targeted check", "self_check": "Self-check"}

AREA_WORDS = {
    "paper": "Paper",
    "secrets": "Secrets and keys",
    "screen": "Screens",
    "devices": "Devices",
    "print_and_bins": "Print and bins",
    "storage": "Storage",
    "rooms": "Rooms",
    "zone": "Zone",
    "home": "Home",
}

METHOD_WORDS = {
    "hypergeometric": "exact for this frame (hypergeometric)",
    "clopper_pearson": "exact for a large frame (Clopper-Pearson)",
    "stratified": "uneven strata, weighted (Korn-Graubard)",
}


def shift_word(shift: str) -> str:
    """A shift's slug as people read it: "day" is "Day shift"."""
    word = shift.replace("-", " ").capitalize()
    return word if "shift" in word.lower() else f"{word} shift"


def moment_word(moment: str) -> str:
    """A kind of moment as people read it."""
    return MOMENT_WORDS.get(moment, moment.replace("_", " ").capitalize())


def kind_word(kind: str) -> str:
    """A kind of place as people read it."""
    return KIND_WORDS.get(kind, kind.replace("_", " ").capitalize())
