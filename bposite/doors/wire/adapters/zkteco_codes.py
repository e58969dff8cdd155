"""ZKTeco real-time event codes (names as in the PULL SDK's list of event types)."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from bposite.doors.events import CredentialType


class Meaning(NamedTuple):
    """What a code means. ``factors``: the way used, when the code itself says so;
    ``shown``: a credential that is neither card nor body (button, operator)."""

    kind: Literal["access", "door", "alarm", "system"]
    reason: str
    factors: tuple[CredentialType, ...] = ()
    shown: CredentialType | None = None
    duress: bool = False


def _access(reason: str, *codes: int, factors: tuple[CredentialType, ...] = ()) -> dict[int, Meaning]:
    return {code: Meaning("access", reason, factors) for code in codes}


CODES: Mapping[int, Meaning] = (
    _access("granted", 0, 1, 2, 3)
    | _access("granted", 4, factors=("pin",))
    | _access("granted", 14, 15, 16, 18, factors=("finger",))
    | _access("granted", 17, 19, 203, factors=("card", "finger"))
    | {
        5: Meaning("door", "freeAccess"),
        6: Meaning("system", "otherEvent"),
        7: Meaning("system", "otherEvent"),
        8: Meaning("access", "operator-unlock", shown="operator"),
        9: Meaning("door", "door-locked"),
        10: Meaning("door", "schedule-lock"),
        11: Meaning("door", "schedule-unlock"),
        12: Meaning("system", "otherEvent"),
        13: Meaning("system", "otherEvent"),
    }
    | _access("deniedOther", 20)
    | _access("deniedOutOfTimeRange", 21, 22)
    | _access("deniedPointNoAccessRights", 23)
    | _access("deniedPassback", 24)
    | _access("interlock", 25)
    | _access("two_person", 26)
    | _access("deniedUnknownCredential", 27, factors=("card",))
    | {28: Meaning("alarm", "doorOpenTooLong")}
    | _access("deniedCredentialExpired", 29, factors=("card",))
    | _access("deniedIncorrectAuthenticationFactor", 30, factors=("pin",))
    | _access("deniedOther", 31, factors=("finger",))
    | _access("two_person", 32, factors=("finger",))
    | _access("deniedCredentialExpired", 33, factors=("finger",))
    | _access("deniedUnknownCredential", 34, factors=("finger",))
    | _access("deniedOutOfTimeRange", 35, factors=("finger",))
    | {
        36: Meaning("access", "deniedOutOfTimeRange", shown="rex"),
        37: Meaning("alarm", "door-left-open"),
        101: Meaning("alarm", "duress", ("pin",), duress=True),
        102: Meaning("alarm", "forcedOpen"),
        103: Meaning("alarm", "duress", ("finger",), duress=True),
        200: Meaning("door", "door-opened"),
        201: Meaning("door", "door-closed"),
        202: Meaning("access", "request-to-exit", shown="rex"),
        204: Meaning("door", "schedule-lock"),
        205: Meaning("door", "freeAccess"),
        206: Meaning("system", "device-restarted"),
        220: Meaning("system", "otherEvent"),
        221: Meaning("system", "otherEvent"),
    }
)
"""Code -> meaning."""


def beyond(code: int) -> Meaning:
    """A code that the list lacks, by the range it is in: 20 to 99 are refusals, 100 to 199
    alarms, 200 and above what a door or the device did."""
    if code < 100:
        return Meaning("access", "deniedOther")
    if code < 200:
        return Meaning("alarm", "alarm")
    return Meaning("door" if code < 255 else "system", "otherEvent")
