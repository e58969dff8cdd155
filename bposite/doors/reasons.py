"""The closed list of reasons: every word a door may say, and what it is in BACnet.

The names of decisions are the BACnetAccessEvent and BACnetDoorAlarmState
names of ISO 16484-5, written in camel case. Ours fill what the standard lacks;
each carries the BACnet name a foreign system should be told instead.
A foreign code that nobody mapped becomes ``deniedOther`` (or ``otherEvent``)
and keeps the vendor's own word beside it: it is never dropped.
"""

from typing import Literal

from msgspec import Struct

EventClass = Literal["access", "door", "reader", "alarm", "system"]
CLASSES: tuple[EventClass, ...] = ("access", "door", "reader", "alarm", "system")


class Reason(Struct, frozen=True):
    """One reason: its code, the classes it may come in, its BACnet name, its meaning."""

    code: str
    classes: tuple[EventClass, ...]
    bacnet: str
    meaning: str
    outcome: Literal["granted", "denied", "fact"] = "fact"
    ours: bool = False


def _granted(code: str, meaning: str, bacnet: str = "") -> Reason:
    return Reason(code, ("access",), bacnet or code, meaning, "granted", ours=bool(bacnet))


def _denied(code: str, meaning: str, bacnet: str = "") -> Reason:
    return Reason(code, ("access",), bacnet or code, meaning, "denied", ours=bool(bacnet))


def _fact(code: str, classes: str, meaning: str, bacnet: str = "") -> Reason:
    return Reason(code, tuple(_CLASS[c] for c in classes), bacnet or code, meaning, ours=bool(bacnet))


_CLASS: dict[str, EventClass] = {c[0]: c for c in ("access", "door", "reader", "system")}
_CLASS["!"] = "alarm"

_BACNET_ACCESS = (
    _granted("granted", "Access was granted."),
    _granted("muster", "Accepted at a muster point."),
    _fact("passbackDetected", "a!", "The holder used an area twice without leaving it."),
    _fact("duress", "a!", "The holder signalled that they act under threat."),
    _fact("trace", "a", "A traced credential was used."),
    _fact("lockoutMaxAttempts", "a!", "The reader locked after too many failures."),
    _fact("lockoutOther", "a!", "The reader was locked for another reason."),
    _fact("lockoutRelinquished", "a!", "The lockout ended."),
    _fact("lockedByHigherPriority", "ad", "A command of higher priority holds the door locked."),
    _fact("outOfService", "ads!", "The access point is out of service."),
    _fact("outOfServiceRelinquished", "ads", "The access point is back in service."),
    _fact("accompanimentBy", "a", "A companion's credential was accepted."),
    _fact("authenticationFactorRead", "ar", "A reader read a credential; nobody has decided yet."),
    _fact("authorizationDelayed", "a", "The decision waits."),
    _fact("verificationRequired", "a", "A person or another system has to confirm."),
    _fact("noEntryAfterGranted", "a", "Access was granted and nobody went through."),
    _denied("deniedDenyAll", "The access point refuses everybody."),
    _denied("deniedUnknownCredential", "The credential is not known."),
    _denied("deniedAuthenticationUnavailable", "The credential could not be checked."),
    _denied("deniedAuthenticationFactorTimeout", "The second factor did not come in time."),
    _denied("deniedIncorrectAuthenticationFactor", "A factor was wrong (for example a PIN)."),
    _denied("deniedZoneNoAccessRights", "No right to enter this zone."),
    _denied("deniedPointNoAccessRights", "No right at this door."),
    _denied("deniedNoAccessRights", "No right here."),
    _denied("deniedOutOfTimeRange", "Outside the times of the right."),
    _denied("deniedThreatLevel", "The threat level forbids it."),
    _denied("deniedPassback", "Anti-passback: already inside."),
    _denied("deniedUnexpectedLocationUsage", "Used where the holder cannot be."),
    _denied("deniedMaxAttempts", "Too many failures."),
    _denied("deniedLowerOccupancyLimit", "Too few people would be inside."),
    _denied("deniedUpperOccupancyLimit", "The zone is full."),
    _denied("deniedAuthenticationFactorLost", "The card or key was reported lost."),
    _denied("deniedAuthenticationFactorStolen", "The card or key was reported stolen."),
    _denied("deniedAuthenticationFactorDamaged", "The card or key is damaged."),
    _denied("deniedAuthenticationFactorDestroyed", "The card or key was destroyed."),
    _denied("deniedAuthenticationFactorDisabled", "The card or key is disabled."),
    _denied("deniedAuthenticationFactorError", "The card or key could not be read."),
    _denied("deniedCredentialUnassigned", "The credential belongs to nobody."),
    _denied("deniedCredentialNotProvisioned", "The credential is not set up yet."),
    _denied("deniedCredentialNotYetActive", "The credential is not valid yet."),
    _denied("deniedCredentialExpired", "The credential has expired."),
    _denied("deniedCredentialManualDisable", "The credential was disabled by hand."),
    _denied("deniedCredentialLockout", "The credential is locked out."),
    _denied("deniedCredentialMaxDays", "The credential has been used on too many days."),
    _denied("deniedCredentialMaxUses", "The credential has no use left."),
    _denied("deniedCredentialInactivity", "The credential was not used for too long."),
    _denied("deniedCredentialDisabled", "The credential is disabled."),
    _denied("deniedNoAccompaniment", "A companion is needed."),
    _denied("deniedIncorrectAccompaniment", "The companion is not the right one."),
    _denied("deniedLockout", "The door or reader is locked out."),
    _denied("deniedVerificationFailed", "The check of the credential failed."),
    _denied("deniedVerificationTimeout", "The check of the credential took too long."),
    _denied("deniedOther", "Refused for a reason only the vendor knows."),
)

_BACNET_DOOR = (
    _fact("normal", "d!", "The alarm at the door is over."),
    _fact("alarm", "!", "The door reports an alarm."),
    _fact("doorOpenTooLong", "!", "The door stayed open too long."),
    _fact("forcedOpen", "!", "The door was opened without a grant."),
    _fact("tamper", "!", "Somebody opened or moved a device."),
    _fact("doorFault", "!", "The door's contact or lock is faulty."),
    _fact("lockDown", "d!", "The door is locked down."),
    _fact("freeAccess", "d", "The door is free to pass."),
    _fact("egressOpen", "d", "The door is open for the way out."),
)

# visits.md, "The admission answer at a door or desk", in the order it is checked.
_ADMISSION = (
    _denied("misread", "The code was not read well.", "deniedAuthenticationFactorError"),
    _denied("unknown_pass", "The pass is not known.", "deniedUnknownCredential"),
    _denied("superseded", "A newer print of this pass exists.", "deniedAuthenticationFactorDisabled"),
    _denied("revoked", "The pass was revoked.", "deniedCredentialManualDisable"),
    _denied("lost", "The pass was reported lost.", "deniedAuthenticationFactorLost"),
    _denied("visit_cancelled", "The visit was cancelled.", "deniedCredentialDisabled"),
    _denied("held", "The visit is on hold.", "deniedCredentialLockout"),
    _denied("not_armed", "The pass opens doors only after check-in.", "deniedCredentialNotProvisioned"),
    _denied("too_early", "The pass is not valid yet.", "deniedCredentialNotYetActive"),
    _denied("expired", "The pass has expired.", "deniedCredentialExpired"),
    _denied("wrong_site", "The pass belongs to another site.", "deniedUnexpectedLocationUsage"),
    _denied("zone_not_allowed", "The pass does not cover this zone.", "deniedZoneNoAccessRights"),
    _denied("document_lapsed", "A signed document has lapsed.", "deniedVerificationFailed"),
    _denied("approval_lapsed", "An approval has lapsed.", "deniedVerificationFailed"),
    _denied("device_not_deposited", "A phone has to be deposited first.", "deniedVerificationFailed"),
    _denied("escort_required", "An escort is needed.", "deniedNoAccompaniment"),
    _denied("escort_not_present", "The escort is not here.", "deniedNoAccompaniment"),
    _denied("escort_overloaded", "The escort has too many visitors.", "deniedIncorrectAccompaniment"),
    _denied("already_inside", "The pass is inside already.", "deniedPassback"),
    _denied("exit_without_entry", "The pass leaves without having entered.", "deniedPassback"),
    _denied("capacity_full", "The zone is full.", "deniedUpperOccupancyLimit"),
    _denied("lockdown", "A lockdown is in force.", "deniedThreatLevel"),
    _denied("clock_untrusted", "The door's clock cannot be trusted.", "deniedVerificationFailed"),
    _granted("passed", "The holder went through.", "granted"),
    _fact("not_taken", "a", "Access was granted and nobody went through.", "noEntryAfterGranted"),
)

_OURS = (
    _denied("interlock", "Another door of the interlock is open.", "deniedOther"),
    _denied("client_conflict", "The holder has rights of a competing client.", "deniedNoAccessRights"),
    _denied("two_person", "A second person has to present a credential.", "deniedNoAccompaniment"),
    _denied("supervisor_first", "A supervisor has to be inside first.", "deniedNoAccompaniment"),
    _denied("factor_missing", "Another factor is needed at this time.", "deniedIncorrectAuthenticationFactor"),
    _granted("request-to-exit", "Somebody asked to leave (button or sensor).", "granted"),
    _granted("operator-unlock", "An operator opened the door.", "granted"),
    _granted("emergency-exit", "The door opened for an emergency.", "granted"),
    _fact("door-opened", "d", "The door opened.", "normal"),
    _fact("door-closed", "d", "The door closed.", "normal"),
    _fact("door-locked", "d", "The lock engaged.", "normal"),
    _fact("door-unlocked", "d", "The lock released.", "normal"),
    _fact("door-jammed", "!", "The lock could not move.", "doorFault"),
    _fact("door-left-open", "!", "The door was open when its unlock schedule ended.", "doorOpenTooLong"),
    _fact("door-mode", "d", "The door changed its mode.", "normal"),
    _fact("schedule-lock", "d", "A schedule locked the door.", "normal"),
    _fact("schedule-unlock", "d", "A schedule released the door.", "freeAccess"),
    _fact("credential-read", "r", "A reader read a credential.", "authenticationFactorRead"),
    _fact("read-error", "r", "A reader could not read a credential.", "deniedAuthenticationFactorError"),
    _fact("keypad", "r", "Somebody typed on a keypad.", "authenticationFactorRead"),
    _fact("silent-duress", "!", "Somebody signalled duress; the reader shows nothing.", "duress"),
    _fact("fire", "!", "The fire panel has spoken.", "alarm"),
    _fact("intercom-call", "!r", "Somebody rang.", "authenticationFactorRead"),
    _fact("person-seen", "r", "A camera saw a person.", "authenticationFactorRead"),
    _fact("battery-low", "s!", "A battery is low.", "doorFault"),
    _fact("power-lost", "s!", "A device lost its mains.", "outOfService"),
    _fact("power-restored", "s", "A device has its mains again.", "outOfServiceRelinquished"),
    _fact("device-restarted", "s", "A device started again.", "outOfServiceRelinquished"),
    _fact("device-online", "s", "A device is reachable.", "outOfServiceRelinquished"),
    _fact("device-offline", "s!", "A device is not reachable.", "outOfService"),
    _fact("clock-drift", "s!", "A device's clock is wrong.", "outOfService"),
    _fact("clock-unset", "s!", "A device has no time.", "outOfService"),
    _fact("storage-full", "s!", "A device's event store is full.", "outOfService"),
    _fact("events-lost", "s!", "A device says that it lost events.", "outOfService"),
    _fact("list-changed", "s", "A device took a new access list.", "trace"),
    _fact("configuration-changed", "s", "A device's settings were changed.", "trace"),
    _fact("local-sign-in", "s", "Somebody signed in at the device itself.", "trace"),
    _fact("otherEvent", "drs!", "An event only its vendor knows.", "trace"),
)

REASONS: dict[str, Reason] = {r.code: r for r in _BACNET_ACCESS + _BACNET_DOOR + _ADMISSION + _OURS}
"""Every reason by its code."""

ADMISSION_ANSWERS: tuple[str, ...] = tuple(r.code for r in _ADMISSION)
"""The answers of visits.md that need a name of their own, in the order they are checked."""

FALLBACK: dict[EventClass, str] = {
    "access": "deniedOther",
    "door": "otherEvent",
    "reader": "otherEvent",
    "alarm": "alarm",
    "system": "otherEvent",
}
"""What an unknown code of a class becomes (the vendor's word is kept beside it)."""


def bacnet(code: str) -> str:
    """The BACnet name (ISO 16484-5) a foreign system is told for one of our reasons."""
    return REASONS[code].bacnet
