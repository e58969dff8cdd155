"""Pure rules of the pass: its machine, the machine of its media, and its code.

The code in the QR symbol says nothing: 128 random bits in sixteen consonants
that stand on the same key of every Latin keyboard layout (no A, M, Q, W, Y, Z)
and cannot spell a word (no vowels). Two check letters tell a code that was
read wrongly from one that nobody issued.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from bposite.passes.machine import Machine, Move

ALPHABET = "BCDFGHJKLNPRSTVX"
PREFIX = "BP"
BODY_LETTERS = 32
CHECK_LETTERS = 2
CODE_LETTERS = len(PREFIX) + BODY_LETTERS + CHECK_LETTERS
SHORT_LETTERS = 8
SEED_BYTES = 16

# Polynomial x^8+x^4+x^3+x^2+1 (CRC-8/SAE J1850): primitive, so over the 144 bits
# of a code it finds every wrong letter, every swapped pair of neighbours (both
# are bursts of at most 8 bits) and any two flipped bits. The more usual 0x07 has
# period 127 and would miss pairs of errors in a code of this length.
_CRC_POLYNOMIAL = 0x1D
_VALUE = {letter: value for value, letter in enumerate(ALPHABET)}


class PassState(StrEnum):
    """What a pass opens: nothing but the desk, its doors, nothing for now, nothing any more."""

    ISSUED = "issued"
    ARMED = "armed"
    SUSPENDED = "suspended"
    ENDED = "ended"


class PassEvent(StrEnum):
    """What happens to a pass."""

    ARM = "arm"
    SUSPEND = "suspend"
    RESUME = "resume"
    END = "end"


class Suspension(StrEnum):
    """Why an armed pass opens nothing for now."""

    BREAK = "break"
    HOLD = "hold"
    ESCORT_LOST = "escort_lost"
    LOCKDOWN = "lockdown"


class Ending(StrEnum):
    """Why a pass opens nothing any more."""

    EXPIRED = "expired"
    SURRENDERED = "surrendered"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    LOST = "lost"


PASS_MACHINE: Machine[PassState, PassEvent] = Machine(
    "pass",
    PassState.ISSUED,
    (
        Move(PassState.ISSUED, PassEvent.ARM, PassState.ARMED, "the visitor was admitted"),
        Move(PassState.ISSUED, PassEvent.END, PassState.ENDED, "never used, replaced or called back"),
        Move(PassState.ARMED, PassEvent.SUSPEND, PassState.SUSPENDED, "break, hold, escort lost or lockdown"),
        Move(PassState.ARMED, PassEvent.END, PassState.ENDED, "the visit is over, or the pass is called back"),
        Move(PassState.SUSPENDED, PassEvent.RESUME, PassState.ARMED, "the cause is gone"),
        Move(PassState.SUSPENDED, PassEvent.END, PassState.ENDED, "the visit is over, or the pass is called back"),
    ),
)


class MediumState(StrEnum):
    """Where one printed label or card is."""

    PRINTING = "printing"
    ISSUED = "issued"
    RETURNED = "returned"
    DESTROYED = "destroyed"
    VOID = "void"
    MISSING = "missing"


class MediumEvent(StrEnum):
    """What happens to one printed label or card."""

    HAND_OUT = "hand_out"
    VOID = "void"
    RETURN = "return"
    DESTROY = "destroy"
    MISS = "miss"


MEDIUM_MACHINE: Machine[MediumState, MediumEvent] = Machine(
    "medium",
    MediumState.PRINTING,
    (
        Move(MediumState.PRINTING, MediumEvent.HAND_OUT, MediumState.ISSUED, "printed well and handed out"),
        Move(MediumState.PRINTING, MediumEvent.VOID, MediumState.VOID, "the print failed; the check-in stands"),
        Move(MediumState.ISSUED, MediumEvent.RETURN, MediumState.RETURNED, "handed back at the desk"),
        Move(MediumState.ISSUED, MediumEvent.DESTROY, MediumState.DESTROYED, "destroyed with a witness"),
        Move(MediumState.ISSUED, MediumEvent.VOID, MediumState.VOID, "replaced by a reprint"),
        Move(MediumState.ISSUED, MediumEvent.MISS, MediumState.MISSING, "not found at day close"),
        Move(MediumState.MISSING, MediumEvent.RETURN, MediumState.RETURNED, "found after all"),
        Move(MediumState.MISSING, MediumEvent.DESTROY, MediumState.DESTROYED, "found and destroyed"),
        Move(MediumState.RETURNED, MediumEvent.DESTROY, MediumState.DESTROYED, "destroyed with a witness"),
    ),
)


class ReadingKind(StrEnum):
    """What a text that came from a scanner or a keyboard looks like."""

    CODE = "code"
    SHORT = "short"
    MISREAD = "misread"


@dataclass(frozen=True, slots=True)
class Reading:
    """A scanned or typed text, judged: `text` is the normal form (capitals, no blanks); empty for a misread."""

    kind: ReadingKind
    text: str


def _check_letters(body: str) -> str:
    crc = 0
    for letter in body:
        crc ^= _VALUE[letter] << 4
        for _ in range(4):
            crc = ((crc << 1) ^ _CRC_POLYNOMIAL) & 0xFF if crc & 0x80 else (crc << 1) & 0xFF
    return ALPHABET[crc >> 4] + ALPHABET[crc & 15]


def _letters(data: bytes) -> str:
    return "".join(ALPHABET[byte >> 4] + ALPHABET[byte & 15] for byte in data)


def encode(bits: bytes) -> str:
    """The 36-letter code for 16 random bytes: prefix, 32 letters, 2 check letters.

    Raises ValueError when `bits` is not exactly 16 bytes: a shorter code could be guessed.
    """
    if len(bits) != SEED_BYTES:
        raise ValueError(f"a code carries {SEED_BYTES} bytes, not {len(bits)}")
    body = PREFIX + _letters(bits)
    return body + _check_letters(body)


def new_code(randomness: Callable[[int], bytes]) -> str:
    """A fresh code; `randomness(n)` gives n random bytes (`secrets.token_bytes` outside tests)."""
    return encode(randomness(SEED_BYTES))


def new_short_code(randomness: Callable[[int], bytes]) -> str:
    """A fresh 8-letter code to be spoken: 32 random bits, safe only behind a limit of attempts."""
    return _letters(randomness(SHORT_LETTERS // 2))


def normal(text: str) -> str:
    """`text` as the scanner meant it: capitals (caps lock, phone keyboards), without blanks, dashes and line ends.

    Only ASCII letters are raised, so that no foreign letter turns into one of the alphabet.
    """
    kept = (char for char in text if not char.isspace() and char not in "-\u2010\u2011\u00ad")
    return "".join(char.upper() if char.isascii() else char for char in kept)


def read(text: str) -> Reading:
    """Judge what a scanner or a keyboard gave. Never raises; anything that is no code is a misread.

    A 36-letter code is only a code when prefix and check letters agree, so that
    "hold it still and scan again" and "nobody issued this" are different answers.
    """
    code = normal(text[:200])
    if not code or not set(code) <= set(ALPHABET):
        return Reading(ReadingKind.MISREAD, "")
    if len(code) == SHORT_LETTERS:
        return Reading(ReadingKind.SHORT, code)
    if len(code) == CODE_LETTERS and code.startswith(PREFIX) and code[-2:] == _check_letters(code[:-2]):
        return Reading(ReadingKind.CODE, code)
    return Reading(ReadingKind.MISREAD, "")


def spoken(short_code: str) -> str:
    """A short code as it is printed and read out: two groups of four."""
    return f"{short_code[:4]}-{short_code[4:]}"


def reconciled(counts: dict[MediumState, int]) -> bool:
    """Whether a day's media add up: none still printing and none still issued (PCI DSS 9.3.3).

    issued in the day = returned + destroyed + void + missing, so nothing may be left in the two open states.
    """
    return not counts.get(MediumState.PRINTING, 0) and not counts.get(MediumState.ISSUED, 0)
