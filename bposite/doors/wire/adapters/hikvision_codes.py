"""Hikvision access-control event codes (major, minor): numbers and meanings as in the HCNetSDK header.

Each entry is (class, reason, factors): class ``access`` reasons decide by their own outcome.
``-`` marks codes that say nothing. A code outside the table keeps its number as the
vendor's reason under the fallback of its major type.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Kind = Literal["access", "door", "alarm", "end", "reader", "system", "request", "not-taken", "-"]


class Code(NamedTuple):
    """What a code means; ``end`` is the end of the alarm of that reason."""

    kind: Kind
    reason: str
    factors: tuple[str, ...] = ()


def _row(kind: Kind, reason: str, *minors: int) -> dict[int, Code]:
    return {minor: Code(kind, reason) for minor in minors}


def _passed(*rows: tuple[int, str]) -> dict[int, Code]:
    return {minor: Code("access", "granted", tuple(words.split())) for minor, words in rows}


def _failed(reason: str, *rows: tuple[int, str]) -> dict[int, Code]:
    return {minor: Code("access", reason, tuple(words.split())) for minor, words in rows}


_EVENTS: dict[int, Code] = (
    _passed(
        (0x01, "card"),
        (0x02, "card pin"),
        (0x10, ""),
        (0x22, "pin"),
        (0x26, "finger"),
        (0x28, "card finger"),
        (0x2B, "card finger pin"),
        (0x2E, "finger pin"),
        (0x36, "face finger"),
        (0x39, "face pin"),
        (0x3C, "face card"),
        (0x3F, "face pin finger"),
        (0x42, "face card finger"),
        (0x45, "finger"),
        (0x48, "finger pin"),
        (0x4B, "face"),
        (0x4D, "face"),
        (0x65, "pin"),
        (0x69, "face card"),
        (0x99, ""),
    )
    | _failed(
        "deniedIncorrectAuthenticationFactor",
        (0x03, "card pin"),
        (0x2C, "card finger pin"),
        (0x2F, "finger pin"),
        (0x3A, "face pin"),
        (0x40, "face pin finger"),
        (0x49, "finger pin"),
        (0x66, "pin"),
        (0x97, "pin"),
        (0x9B, ""),
    )
    | _failed(
        "deniedVerificationFailed",
        (0x0E, ""),
        (0x0F, ""),
        (0x27, "finger"),
        (0x29, "card finger"),
        (0x37, "face finger"),
        (0x3D, "face card"),
        (0x43, "face card finger"),
        (0x46, "finger"),
        (0x4C, "face"),
        (0x4E, "face"),
        (0x50, "face"),
        (0x68, "face"),
        (0x70, "face card"),
        (0x77, "card"),
        (0x8E, "face"),
    )
    | _failed(
        "deniedAuthenticationFactorTimeout",
        (0x04, "card pin"),
        (0x2A, "card finger"),
        (0x2D, "card finger pin"),
        (0x30, "finger pin"),
        (0x38, "face finger"),
        (0x3B, "face pin"),
        (0x3E, "face card"),
        (0x41, "face pin finger"),
        (0x44, "face card finger"),
        (0x47, "finger"),
        (0x4A, "finger pin"),
        (0x4F, "face"),
        (0x67, "pin"),
        (0x24, ""),
        (0x9A, ""),
    )
    | _failed("deniedMaxAttempts", (0x05, "card pin"))
    | _failed("deniedPointNoAccessRights", (0x06, "card"))
    | _failed("deniedOutOfTimeRange", (0x07, "card"), (0x0D, "card"), (0x75, ""), (0x76, ""), (0x82, ""), (0x84, ""))
    | _failed("deniedCredentialExpired", (0x08, "card"))
    | _failed("deniedUnknownCredential", (0x09, "card"), (0x31, "finger"), (0x98, ""))
    | _failed("deniedPassback", (0x0A, "card"), (0x86, ""))
    | _failed("interlock", (0x0B, ""))
    | _failed("deniedIncorrectAccompaniment", (0x0C, "card"), (0x23, ""))
    | _failed("supervisor_first", (0x5E, "card"))
    | _failed("deniedCredentialDisabled", (0x71, ""))
    | _row("access", "request-to-exit", 0x17)
    | _row("request", "verificationRequired", 0x21, 0x32)
    | _row("not-taken", "noEntryAfterGranted", 0x89)
    | _row("door", "freeAccess", 0x11, 0x13, 0x51)
    | _row("door", "normal", 0x12, 0x14, 0x20, 0x52)
    | _row("door", "lockDown", 0x1F)
    | _row("door", "door-unlocked", 0x15)
    | _row("door", "door-locked", 0x16)
    | _row("door", "door-opened", 0x19)
    | _row("door", "door-closed", 0x1A)
    | _row("alarm", "forcedOpen", 0x1B, 0x87)
    | _row("alarm", "doorOpenTooLong", 0x1C)
    | _row("alarm", "fire", 0x34)
    | _row("end", "fire", 0x35)
    | _row("alarm", "doorFault", *range(0x53, 0x5E))
    | _row("alarm", "alarm", 0x85, 0x88, 0x8A, 0x8B, 0x8C)
    | _row("end", "alarm", 0x8D)
    | _row("reader", "intercom-call", 0x25, 0x33)
    | _row("-", "", 0x18, 0x1D, 0x1E, 0x83)
)
_ALARMS: dict[int, Code] = (
    _row("alarm", "tamper", 0x404, 0x406, 0x408, 0x40F, 0x41E, 0x422)
    | _row("end", "tamper", 0x405, 0x407, 0x409, 0x410, 0x41F, 0x423)
    | _row("alarm", "duress", 0x40A)
    | _row("system", "storage-full", 0x40B, 0x40D, 0x442)
    | _row("alarm", "lockoutMaxAttempts", 0x40C)
    | _row("alarm", "fire", 0x415, 0x416, 0x418, 0x424)
    | _row("end", "fire", 0x417, 0x419, 0x425)
    | _row("alarm", "alarm", 0x400, 0x401, 0x402, 0x41C)
    | _row("end", "alarm", 0x403, 0x41D)
    | _row("-", "", 0x40E, 0x413, 0x414)
)
_EXCEPTIONS: dict[int, Code] = (
    _row("system", "device-restarted", 0x400, 0x402)
    | _row("system", "power-lost", 0x401, 0x405)
    | _row("system", "power-restored", 0x404, 0x406, 0x412)
    | _row("system", "battery-low", 0x403, 0x411)
    | _row("system", "device-offline", 0x27, 0x3A, 0x409, 0x40D, 0x40F, 0x413, 0x415, 0x417, 0x419, 0x41C)
    | _row("system", "device-offline", 0x41D, 0x41F, 0x421, 0x423, 0x427, 0x42A)
    | _row("system", "device-online", 0x3B, 0x407, 0x40A, 0x40E, 0x410, 0x414, 0x416, 0x418, 0x41A, 0x41B)
    | _row("system", "device-online", 0x41E, 0x420, 0x422, 0x424, 0x426, 0x42B)
    | _row("alarm", "tamper", 0x428)
)
_OPERATIONS: dict[int, Code] = (
    _row("access", "operator-unlock", 0x400, 0x41D)
    | _row("door", "door-locked", 0x401, 0x41C)
    | _row("door", "freeAccess", 0x402, 0x41E)
    | _row("door", "lockDown", 0x403)
    | _passed((0x40F, "pin"))
    | _row("system", "device-restarted", 0x7B)
    | _row("system", "local-sign-in", 0x50, 0x70)
    | _row("system", "list-changed", 0x406, 0x414)
    | _row("system", "configuration-changed", 0x5A, 0x7E, 0x87, 0x404, 0x405, 0x407, 0x408, 0x409)
    | _row("system", "configuration-changed", 0x40A, 0x40C, 0x40D, 0x40E, 0x412, 0x416)
)

CODES: Mapping[int, Mapping[int, Code]] = {1: _ALARMS, 2: _EXCEPTIONS, 3: _OPERATIONS, 5: _EVENTS}
"""major -> minor -> meaning."""

FALLBACK: Mapping[int, Code] = {
    1: Code("alarm", "alarm"),
    2: Code("system", "otherEvent"),
    3: Code("system", "otherEvent"),
    5: Code("access", "deniedOther"),
}
"""What an unknown minor code of a major type becomes."""
