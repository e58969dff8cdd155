"""The words people read: what happened, what to do, who can help. Codes stay in rules, sentences are here."""

from __future__ import annotations

from dataclasses import dataclass

from bposite.visits.rules.answer import Reason
from bposite.visits.rules.machine import Evidence, VisitState
from bposite.visits.rules.requirements import Missing
from bposite.visits.rules.standing import HoldKind


@dataclass(frozen=True, slots=True)
class Told:
    """An answer for the person at the desk: what happened, and what to do or who can help."""

    title: str
    remedy: str = ""


ANSWERS: dict[str, Told] = {
    Reason.GRANTED: Told("The pass is good."),
    Reason.MISREAD: Told("The code was not read completely.", "Hold it still and scan again, or type the short code."),
    Reason.UNKNOWN_PASS: Told("This pass was not issued here.", "Search for the visitor by name."),
    Reason.SUPERSEDED: Told("This pass was replaced by a newer one.", "Ask for the newer label and destroy this one."),
    Reason.REVOKED: Told("This pass was called back.", "Open the visit to see why. A supervisor can help."),
    Reason.LOST: Told("This pass was reported missing.", "Keep it and call the guard."),
    Reason.VISIT_CANCELLED: Told("The visit was called off.", "Call the host; a new visit can be registered."),
    Reason.HELD: Told("The visit is on hold.", "Open the visit to see who can release it."),
    Reason.NOT_ARMED: Told("The visitor is not admitted yet.", "Finish the check-in."),
    Reason.TOO_EARLY: Told("The visit has not begun.", "Ask the visitor to wait, or the host to move the visit."),
    Reason.EXPIRED: Told("The visit is over.", "Check the visitor out, or let the host extend the visit."),
    Reason.WRONG_SITE: Told("This pass belongs to another site.", "Tell the visitor the address on the invitation."),
    Reason.ZONE_NOT_ALLOWED: Told("This zone is not part of the visit.", "Ask the host."),
    Reason.DOCUMENT_LAPSED: Told("A document is missing or has lapsed.", "Ask for it at the desk."),
    Reason.APPROVAL_LAPSED: Told("An approval is missing or has lapsed.", "Ask the approver again."),
    Reason.DEVICE_NOT_DEPOSITED: Told("Devices are not deposited.", "Deposit phone and laptop at the desk."),
    Reason.ESCORT_REQUIRED: Told("An escort is needed.", "Name an escort in the visit."),
    Reason.ESCORT_NOT_PRESENT: Told("The escort is not here.", "The escort badges first."),
    Reason.ESCORT_OVERLOADED: Told("The escort leads too many visitors.", "Name another escort."),
    Reason.ALREADY_INSIDE: Told("This pass is already inside.", "Compare the face with the photo and call the guard."),
    Reason.EXIT_WITHOUT_ENTRY: Told("Left without having entered.", "Check how the visitor came in."),
    Reason.CAPACITY_FULL: Told("The zone is full.", "Wait until somebody leaves."),
    Reason.LOCKDOWN: Told("A lockdown is on.", "Stay with the visitor and follow the guard."),
    Reason.CLOCK_UNTRUSTED: Told("The clock cannot be trusted.", "Tell the facilities manager."),
    "short_code_locked": Told("Five wrong short codes: locked for a minute.", "Scan the QR code, or search by name."),
}

MISSING: dict[Missing, str] = {
    Missing.IDENTITY: "Identity check",
    Missing.DOCUMENT: "Document",
    Missing.HOLD: "On hold",
    Missing.APPROVAL: "Approval",
    Missing.TOO_EARLY: "Too early",
    Missing.WINDOW_CLOSED: "Visit time is over",
    Missing.CAPACITY: "Zone is full",
    Missing.HOST_ACK: "Host to be told",
    Missing.ESCORT: "Escort",
    Missing.DEPOSIT: "Device deposit",
    Missing.CLEARANCE: "Clearance",
}

# State of a visit -> (status colour of the shared badge, word)
STATES: dict[VisitState, tuple[str, str]] = {
    VisitState.DRAFT: ("unknown", "Draft"),
    VisitState.REQUESTED: ("attention", "Waiting for approval"),
    VisitState.APPROVED: ("accent", "Expected"),
    VisitState.INVITED: ("accent", "Expected"),
    VisitState.PREREGISTERED: ("accent", "Expected, pre-registered"),
    VisitState.AT_DESK: ("attention", "At the desk"),
    VisitState.CLEARED: ("accent", "Cleared"),
    VisitState.ON_SITE: ("granted", "On site"),
    VisitState.BREAK_OUT: ("unknown", "On a break"),
    VisitState.OVERSTAY: ("alarm", "Overstay"),
    VisitState.UNACCOUNTED: ("alarm", "Unaccounted for"),
    VisitState.DEPARTED: ("unknown", "Left"),
    VisitState.PRESUMED_LEFT: ("attention", "Presumed left"),
    VisitState.INCIDENT: ("alarm", "Incident"),
    VisitState.REJECTED: ("refused", "Rejected"),
    VisitState.CANCELLED: ("unknown", "Cancelled"),
    VisitState.NO_SHOW: ("unknown", "Did not come"),
    VisitState.TURNED_AWAY: ("refused", "Turned away"),
}

HOLDS: dict[HoldKind, str] = {
    HoldKind.WATCHLIST: "Watchlist match",
    HoldKind.ID_MISMATCH: "ID does not match",
    HoldKind.APPROVAL: "Waits for approval",
    HoldKind.DOCUMENT: "Document",
    HoldKind.CAPACITY: "Zone is full",
    HoldKind.MANUAL: "Held",
}

EVIDENCE: dict[Evidence, str] = {
    Evidence.EXIT_DOOR: "Went out through a door",
    Evidence.DESK_SCAN: "Pass scanned at the desk",
    Evidence.KIOSK_SCAN: "Pass scanned at the kiosk",
    Evidence.CARD_SURRENDERED: "Label handed back at the desk",
    Evidence.CAMERA_STILL: "Seen leaving on a picture",
    Evidence.HOST_STATEMENT: "Host says the visitor has left",
}

IDENTITIES: dict[str, str] = {
    "national_id": "National ID",
    "passport": "Passport",
    "driving_licence": "Driving licence",
    "company_card": "Company card",
    "known_person": "Known to the desk",
}

STEPS: dict[str, str] = {
    "request": "Visit requested",
    "approve": "Approved",
    "reject": "Rejected",
    "invite": "Invitation sent",
    "preregister": "Pre-registered",
    "walk_in": "Came to the desk without an invitation",
    "arrive": "Arrived at the desk",
    "clear": "Cleared",
    "reopen": "Clearance taken back",
    "admit": "Admitted",
    "turn_away": "Turned away",
    "cancel": "Cancelled",
    "no_show": "Did not come",
    "break_out": "Left for a break",
    "come_back": "Came back",
    "overstay": "Time is over, still inside",
    "extend": "Stays longer",
    "unaccount": "Not accounted for at day close",
    "depart": "Left",
    "presume_left": "Presumed to have left",
    "escalate": "Handed over as an incident",
}


def answer(reason: str) -> Told:
    """The sentence for an answer; an unknown code is shown as it is rather than hidden."""
    return ANSWERS.get(reason, Told(reason.replace("_", " ")))
