"""The visit as one table of states and events.

Time may make an overstay, a missing person or a no-show. Only evidence makes a
departure: no timer event leads to `departed`, and a test holds that for good.
"""

from __future__ import annotations

from enum import StrEnum

from bposite.passes.machine import Machine, Move


class VisitState(StrEnum):
    """Where a visit stands."""

    DRAFT = "draft"
    REQUESTED = "requested"
    APPROVED = "approved"
    INVITED = "invited"
    PREREGISTERED = "preregistered"
    AT_DESK = "at_desk"
    CLEARED = "cleared"
    ON_SITE = "on_site"
    BREAK_OUT = "break_out"
    OVERSTAY = "overstay"
    UNACCOUNTED = "unaccounted"
    DEPARTED = "departed"
    PRESUMED_LEFT = "presumed_left"
    INCIDENT = "incident"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"
    TURNED_AWAY = "turned_away"


class VisitEvent(StrEnum):
    """What moves a visit."""

    REQUEST = "request"
    APPROVE = "approve"
    REJECT = "reject"
    INVITE = "invite"
    PREREGISTER = "preregister"
    WALK_IN = "walk_in"
    ARRIVE = "arrive"
    CLEAR = "clear"
    REOPEN = "reopen"
    ADMIT = "admit"
    TURN_AWAY = "turn_away"
    CANCEL = "cancel"
    NO_SHOW = "no_show"
    BREAK_OUT = "break_out"
    COME_BACK = "come_back"
    OVERSTAY = "overstay"
    EXTEND = "extend"
    UNACCOUNT = "unaccount"
    DEPART = "depart"
    PRESUME_LEFT = "presume_left"
    ESCALATE = "escalate"


_S, _E = VisitState, VisitEvent

VISIT_MACHINE: Machine[VisitState, VisitEvent] = Machine(
    "visit",
    _S.DRAFT,
    (
        Move(_S.DRAFT, _E.REQUEST, _S.REQUESTED, "somebody asks for the visit"),
        Move(_S.REQUESTED, _E.APPROVE, _S.APPROVED, "all approvals are given"),
        Move(_S.REQUESTED, _E.REJECT, _S.REJECTED, "an approver says no"),
        Move(_S.REQUESTED, _E.WALK_IN, _S.AT_DESK, "unannounced guest; missing approvals become a hold"),
        Move(_S.APPROVED, _E.INVITE, _S.INVITED, "the guest is told"),
        Move(_S.INVITED, _E.PREREGISTER, _S.PREREGISTERED, "the guest has filled in what is asked before arrival"),
        Move(_S.APPROVED, _E.ARRIVE, _S.AT_DESK, "the guest stands at the desk without having been told"),
        Move(_S.INVITED, _E.ARRIVE, _S.AT_DESK, "the guest stands at the desk without pre-registration"),
        Move(_S.PREREGISTERED, _E.ARRIVE, _S.AT_DESK, "the guest stands at the desk"),
        Move(_S.AT_DESK, _E.CLEAR, _S.CLEARED, "identity, documents, approvals, window, no hold"),
        Move(_S.CLEARED, _E.REOPEN, _S.AT_DESK, "a hold came up, or a condition lapsed while the guest waited"),
        Move(_S.CLEARED, _E.ADMIT, _S.ON_SITE, "host acknowledged, escort and deposit where a zone demands them"),
        Move(_S.AT_DESK, _E.TURN_AWAY, _S.TURNED_AWAY, "the guest may not come in"),
        Move(_S.CLEARED, _E.TURN_AWAY, _S.TURNED_AWAY, "the guest may not come in after all"),
        *(
            Move(state, _E.CANCEL, _S.CANCELLED, "called off before arrival")
            for state in (_S.DRAFT, _S.REQUESTED, _S.APPROVED, _S.INVITED, _S.PREREGISTERED)
        ),
        *(
            Move(state, _E.NO_SHOW, _S.NO_SHOW, "the window closed and nobody came")
            for state in (_S.REQUESTED, _S.APPROVED, _S.INVITED, _S.PREREGISTERED)
        ),
        Move(_S.NO_SHOW, _E.ARRIVE, _S.AT_DESK, "came after all; the closed window is one of the conditions to clear"),
        Move(_S.ON_SITE, _E.BREAK_OUT, _S.BREAK_OUT, "left, coming back"),
        Move(_S.BREAK_OUT, _E.COME_BACK, _S.ON_SITE, "came back"),
        Move(_S.ON_SITE, _E.OVERSTAY, _S.OVERSTAY, "the window closed and the guest is still inside"),
        Move(_S.OVERSTAY, _E.EXTEND, _S.ON_SITE, "the host says that the guest stays, until when"),
        Move(_S.OVERSTAY, _E.UNACCOUNT, _S.UNACCOUNTED, "no evidence of leaving at day close"),
        Move(_S.ON_SITE, _E.DEPART, _S.DEPARTED, "evidence of leaving"),
        Move(_S.BREAK_OUT, _E.DEPART, _S.DEPARTED, "the guest did not come back; the way out is the evidence"),
        Move(_S.OVERSTAY, _E.DEPART, _S.DEPARTED, "evidence of leaving"),
        Move(_S.UNACCOUNTED, _E.DEPART, _S.DEPARTED, "evidence of leaving"),
        Move(_S.OVERSTAY, _E.PRESUME_LEFT, _S.PRESUMED_LEFT, "searched for; a named person answers for it"),
        Move(_S.UNACCOUNTED, _E.PRESUME_LEFT, _S.PRESUMED_LEFT, "searched for; a named person answers for it"),
        Move(_S.UNACCOUNTED, _E.ESCALATE, _S.INCIDENT, "handed over as an incident"),
        Move(_S.PRESUMED_LEFT, _E.DEPART, _S.DEPARTED, "evidence turned up later"),
    ),
)

EXPECTED = frozenset({_S.REQUESTED, _S.APPROVED, _S.INVITED, _S.PREREGISTERED})
AT_DESK = frozenset({_S.AT_DESK, _S.CLEARED})
# Everyone who may still be in the building: what the roll call starts from.
INSIDE = frozenset({_S.ON_SITE, _S.OVERSTAY, _S.UNACCOUNTED})
LEFT = frozenset({_S.DEPARTED, _S.BREAK_OUT, _S.PRESUMED_LEFT})
CALLED_OFF = frozenset({_S.CANCELLED, _S.REJECTED, _S.TURNED_AWAY})
# What the clock alone may cause. None of them leads to `departed`.
BY_TIME = frozenset({_E.NO_SHOW, _E.OVERSTAY, _E.UNACCOUNT})


class Evidence(StrEnum):
    """What proves that a guest has left, strongest first."""

    EXIT_DOOR = "exit_door"
    DESK_SCAN = "desk_scan"
    KIOSK_SCAN = "kiosk_scan"
    CARD_SURRENDERED = "card_surrendered"
    CAMERA_STILL = "camera_still"
    HOST_STATEMENT = "host_statement"


class Grade(StrEnum):
    """How much a departure can be relied on: seen by a machine or an eye of ours, or told."""

    SEEN = "seen"
    TOLD = "told"


def grade(evidence: Evidence) -> Grade:
    """A host's word is `told`; everything else was seen at the site."""
    return Grade.TOLD if evidence is Evidence.HOST_STATEMENT else Grade.SEEN
