"""What a reason says to people: what happened, what to do, who can help.

The closed list itself, with the BACnet names, is in ``doors.reasons``.
"""

from __future__ import annotations

from bposite.doors.reasons import REASONS

_DESK = "Send the person to reception."
_GUARD = "Ask the guard."
_RIGHTS = "Facilities can change rights under Doors."
_TAKE = "Take the card and call the guard."
_WAIT = "Wait until somebody leaves."
_HOST = "Wait for the host."
_LOOK = "Go and look."
_RELEASE = "The guard can release it."

REMEDIES: dict[str, str] = {
    "passbackDetected": "Ask who used the card.",
    "duress": "Follow the duress procedure; do not call the reader.",
    "lockoutMaxAttempts": "Wait, or ask the guard.",
    "lockedByHigherPriority": _RELEASE,
    "outOfService": "Facilities can put the door back in service.",
    "authorizationDelayed": "The second person presents a card now.",
    "deniedDenyAll": _RIGHTS,
    "deniedUnknownCredential": _DESK,
    "deniedAuthenticationUnavailable": "Try again; then ask the guard.",
    "deniedAuthenticationFactorTimeout": "Present both again.",
    "deniedIncorrectAuthenticationFactor": "Try again; then ask the guard.",
    "deniedZoneNoAccessRights": _RIGHTS,
    "deniedPointNoAccessRights": _RIGHTS,
    "deniedNoAccessRights": _RIGHTS,
    "deniedOutOfTimeRange": _RIGHTS,
    "deniedThreatLevel": _RELEASE,
    "deniedPassback": "The guard can forgive it with a reason.",
    "deniedUnexpectedLocationUsage": "Ask who used the card.",
    "deniedMaxAttempts": "Wait, or ask the guard.",
    "deniedLowerOccupancyLimit": _GUARD,
    "deniedUpperOccupancyLimit": _WAIT,
    "deniedAuthenticationFactorLost": _TAKE,
    "deniedAuthenticationFactorStolen": _TAKE,
    "deniedAuthenticationFactorDestroyed": _TAKE,
    "deniedAuthenticationFactorDamaged": _DESK,
    "deniedAuthenticationFactorDisabled": _DESK,
    "deniedAuthenticationFactorError": "Present it again.",
    "deniedCredentialUnassigned": _DESK,
    "deniedCredentialNotProvisioned": _DESK,
    "deniedCredentialNotYetActive": _DESK,
    "deniedCredentialExpired": _DESK,
    "deniedCredentialManualDisable": _DESK,
    "deniedCredentialLockout": "Wait, or ask the guard.",
    "deniedCredentialMaxDays": _DESK,
    "deniedCredentialMaxUses": _DESK,
    "deniedCredentialInactivity": _DESK,
    "deniedCredentialDisabled": _DESK,
    "deniedNoAccompaniment": "Come with an escort.",
    "deniedIncorrectAccompaniment": "Come with an escort.",
    "deniedLockout": _GUARD,
    "deniedVerificationFailed": "Try again; then ask the guard.",
    "deniedVerificationTimeout": "Try again.",
    "deniedOther": "See the device's own code on the entry.",
    "misread": "Hold the code still and scan again.",
    "unknown_pass": _DESK,
    "superseded": "Use the newest label.",
    "revoked": _DESK,
    "lost": "Take the pass and call the guard.",
    "visit_cancelled": _DESK,
    "held": _DESK,
    "not_armed": _DESK,
    "too_early": _DESK,
    "expired": _DESK,
    "wrong_site": _DESK,
    "zone_not_allowed": _DESK,
    "document_lapsed": _DESK,
    "approval_lapsed": _DESK,
    "device_not_deposited": "Deposit the phone first.",
    "escort_required": _HOST,
    "escort_not_present": _HOST,
    "escort_overloaded": "A second host must come.",
    "already_inside": "Compare the pictures; ask the guard.",
    "exit_without_entry": "Ask how the person came in.",
    "capacity_full": _WAIT,
    "lockdown": "Follow the guard's instructions.",
    "clock_untrusted": "Facilities must set the clock.",
    "interlock": "Close the other door first.",
    "client_conflict": _RIGHTS,
    "two_person": "The second person presents a card now.",
    "supervisor_first": "Wait for the supervisor.",
    "factor_missing": "Present card and finger.",
    "forcedOpen": _LOOK,
    "doorOpenTooLong": "Close the door.",
    "tamper": _LOOK,
}


TITLES: dict[str, str] = {
    "forcedOpen": "Door forced open",
    "doorOpenTooLong": "Door open too long",
    "door-left-open": "Door left open",
    "door-jammed": "Lock is jammed",
    "doorFault": "Contact or lock is faulty",
    "tamper": "Device opened or moved",
    "duress": "Duress",
    "silent-duress": "Duress",
    "fire": "Fire panel",
    "alarm": "Alarm",
    "divergence": "Passed against our rules",
    "spoofing": "Message in another's name",
    "event-id-conflict": "Number used twice",
    "clock-drift": "Clock is wrong",
    "clock-unset": "Clock is not set",
    "device-offline": "Device not reachable",
    "lockoutMaxAttempts": "Reader locked",
}
"""Alarms in a few words, for lists and walls."""


def title(kind: str) -> str:
    """An alarm's kind in a few words."""
    return TITLES.get(kind) or label(kind).rstrip(".")


def label(code: str) -> str:
    """What happened, as a sentence; a code that the list lacks is shown as it is."""
    reason = REASONS.get(code)
    return reason.meaning if reason else code


def remedy(code: str) -> str:
    """What to do or who can help; empty when there is nothing to do."""
    return REMEDIES.get(code, "")
