"""What the doors say, as frozen values: the language between the rim and the rules.

``wire`` makes these from bytes; ``rules``, ``actions`` and ``listener`` read them.
Nothing here does I/O or reads a clock. All times are aware UTC datetimes.

Two names for a door: ``door_ref`` is the word the device used (``floor-a``, ``1``,
``ap-floor-a-in``). Which door of the site it is, and on which side, the plan says
(device, ref) -> (door, direction); a ref that the plan lacks goes to "claim this door".
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from msgspec import Struct

Decision = Literal["granted", "denied", "taken", "not-taken", "request"]
Direction = Literal["in", "out"]
Clock = Literal["ntp", "gps", "rtc", "unset"]
CredentialType = Literal["card", "pin", "face", "finger", "iris", "qr", "mobile", "rex", "operator", "token", "other"]
DECISIONS: tuple[Decision, ...] = ("granted", "denied", "taken", "not-taken", "request")
CLOCKS: tuple[Clock, ...] = ("ntp", "gps", "rtc", "unset")
NATIVE_CREDENTIALS: tuple[CredentialType, ...] = (
    "card",
    "pin",
    "face",
    "finger",
    "iris",
    "qr",
    "mobile",
    "rex",
    "operator",
)
COMMANDS = ("unlock", "lock", "lockdown", "release", "resend", "sync")

RejectionCode = Literal[
    "empty",
    "too-large",
    "not-utf8",
    "bad-json",
    "duplicate-key",
    "too-deep",
    "bad-shape",
    "bad-value",
    "unknown-topic",
    "unknown-class",
    "unsupported-version",
    "spoofing",
    "wrong-site",
    "unknown-device",
    "unknown-door",
    "event-id-conflict",
    "not-for-us",
]
"""Why a message went to quarantine. Closed: a screen and a metric exist per code.
``unknown-device``, ``unknown-door`` and ``event-id-conflict`` are given by the engine."""

REJECTION_CODES: tuple[RejectionCode, ...] = get_args(RejectionCode)

MAX_PAYLOAD = 64 * 1024
MAX_DEPTH = 32
MAX_SEQ = 2**63 - 1
CLOCK_FLOOR = datetime(2020, 1, 1, tzinfo=UTC)
"""A device that tells an earlier time has not set its clock: ``clock`` becomes ``unset``."""


class Delivery(Struct, frozen=True, kw_only=True, gc=False):
    """One message as it arrived. ``received_at`` is aware UTC, given by the caller."""

    topic: str
    payload: bytes
    received_at: datetime
    retain: bool = False
    dup: bool = False
    qos: int = 1


class DeviceConfig(Struct, frozen=True, kw_only=True):
    """What an adapter must know about a device, or about the bridge it speaks through.

    ``device``: the site's slug; None lets the adapter name devices by the vendor's own
    identity (``uhppote-405419896``), as a bridge that speaks for many must.
    ``zone``: the IANA zone of naive local times. ``card_ref``: keyed hash of a card's
    canonical identity (see ``wire.wiegand``): a number never leaves an adapter.
    ``doors``: ref -> ref the plan knows, for vendors without a door in the message.
    ``inputs``: input ref -> ``contact:DOOR`` | ``contact-inverted:DOOR`` | ``rex:DOOR``.
    ``options``: the adapter's own further settings, each named in its docstring.
    """

    adapter: str
    site: str
    card_ref: Callable[[str], str]
    device: str | None = None
    zone: ZoneInfo = ZoneInfo("UTC")
    door: str | None = None
    direction: Direction | None = None
    inputs: Mapping[str, str] = {}
    options: Mapping[str, str] = {}


class Credential(Struct, frozen=True, kw_only=True, gc=False):
    """What was shown. Never a card number, a PIN or a template.

    ``ref``: keyed hash of the card's identity. ``token``: a foreign system's own name
    for the credential. ``slot``: the user slot of a stand-alone lock. ``code``: the text
    of a QR code on its way to the pass check: in memory only, never stored or printed.
    """

    type: CredentialType
    format: str | None = None
    bits: int | None = None
    ref: str | None = None
    token: str | None = None
    slot: int | None = None
    parity_ok: bool | None = None
    code: str | None = None

    def __repr__(self) -> str:
        """Without the code: representations end up in logs."""
        code = ", code=***" if self.code is not None else ""
        return f"Credential({self.type}, {self.format}, ref={self.ref}, token={self.token}{code})"


class Event(Struct, frozen=True, kw_only=True, gc=False):
    """What every event has, whatever its class.

    ``key``: canonical within the device: two messages with equal (device, key) are the
    same event, whichever path they took. (A foreign one with another time or reason is a
    conflict, the vendor's counter was reset; a native one with other bytes is.)
    ``seq`` is None where the source does not count; ``fingerprint``, where it repeats itself:
    the same fingerprint within DEBOUNCE_SECONDS is the same event. ``boot`` is set where a
    hole in the numbers means a lost event (for foreign devices ``g0``, ``g1``, ... after the
    vendor's counter began again). ``prev_seq``: the number the device says came before; what
    lies between was never used. ``time``: what the device said, None when it said
    nothing; with ``clock == "unset"`` it is kept, not used. ``time_alt``: the other reading
    of a repeated local hour (see ``wire.times``). ``replayed``: the device itself says
    that this is not live.
    """

    device: str
    key: str
    id: str
    reason: str
    adapter: str
    boot: str | None = None
    seq: int | None = None
    prev_seq: int | None = None
    fingerprint: str | None = None
    time: datetime | None = None
    time_alt: datetime | None = None
    clock: Clock = "rtc"
    door_ref: str | None = None
    vendor_reason: str | None = None
    replayed: bool = False
    offline: bool = False
    retained: bool = False
    dup: bool = False


class AccessEvent(Event, frozen=True, kw_only=True, gc=False):
    """Somebody asked, was let in or refused, went through or did not.

    ``taken``: True/False when the device knows whether the holder passed, else None.
    ``holder``: the device's name for the person (``E-1001``, a vendor's employee number).
    """

    decision: Decision | None = None
    reader: str | None = None
    direction: Direction | None = None
    credential: Credential | None = None
    factors: tuple[str, ...] = ()
    holder: str | None = None
    taken: bool | None = None
    duress: bool = False


class DoorEvent(Event, frozen=True, kw_only=True, gc=False):
    """A door moved or changed its mode; ``mode`` is the vendor's word for it."""

    mode: str | None = None


class AlarmEvent(Event, frozen=True, kw_only=True, gc=False):
    """Something is wrong at a door. ``active`` False: it is over.
    ``silent``: nothing may show at the reader or the desk screen that the holder sees."""

    active: bool = True
    silent: bool = False
    reader: str | None = None
    credential: Credential | None = None
    holder: str | None = None


class ReaderEvent(Event, frozen=True, kw_only=True, gc=False):
    """A reader read something and leaves the decision to us; ``error`` when it could not."""

    reader: str | None = None
    direction: Direction | None = None
    credential: Credential | None = None
    error: str | None = None


class SystemEvent(Event, frozen=True, kw_only=True, gc=False):
    """A device about itself. ``skew_s``: clock error in seconds, positive = ahead."""

    skew_s: float | None = None
    detail: str | None = None


class Birth(Struct, frozen=True, kw_only=True):
    """``state/info``: who the device is and which events it still holds."""

    device: str
    boot: str
    model: str = ""
    fw: str = ""
    proto: int = 1
    doors: tuple[str, ...] = ()
    seq_next: int | None = None
    seq_oldest: int | None = None
    buffer_max: int | None = None
    tz: str | None = None
    clock: Clock = "unset"
    retained: bool = False


class Link(Struct, frozen=True, kw_only=True):
    """``state/link``, a will, a heartbeat: is the device there?"""

    device: str
    online: bool
    boot: str | None = None
    reason: str | None = None
    time: datetime | None = None
    clock: Clock | None = None
    retained: bool = False


class Facet(Struct, frozen=True, kw_only=True):
    """One retained part of a device's state (``door/floor-a``, ``clock``, ``input/0``).

    ``value`` None: the state was cleared. Values are JSON values, already bounded.
    """

    device: str
    facet: str
    value: Mapping[str, Any] | None
    time: datetime | None = None
    clock: Clock | None = None
    retained: bool = False


class AccessRequest(Struct, frozen=True, kw_only=True, gc=False):
    """``req/access``: a device asks for a decision and waits for ``rsp/access``.

    ``digest``: SHA-256 of the payload: the same id with another body is a conflict.
    """

    device: str
    id: str
    digest: str
    door_ref: str
    credential: Credential
    reader: str | None = None
    direction: Direction | None = None
    time: datetime | None = None
    clock: Clock = "unset"
    factors: tuple[str, ...] = ()
    holder: str | None = None
    duress: bool = False
    boot: str | None = None
    retained: bool = False
    dup: bool = False


class CommandResult(Struct, frozen=True, kw_only=True):
    """``res/{name}``, or a vendor's reply: what became of a command.

    ``code``: the vendor's error number, None when it went well.
    """

    device: str
    name: str
    nonce: str
    ok: bool
    code: int | None = None
    detail: str | None = None
    time: datetime | None = None


class Ignored(Struct, frozen=True, kw_only=True):
    """Read, understood and without meaning for us; counted under ``why``."""

    device: str | None
    why: Literal["retained-event", "empty-action", "heartbeat", "own-message", "no-news"]


class Rejection(Struct, frozen=True):
    """A message (or one line of it) nobody could read: goes to quarantine, and the stream goes on.

    ``detail`` is for an operator; it never repeats what the message said. ``boot`` and
    ``seq`` are there when they could be read: that event is quarantined, not missing, so
    it counts as received in the acknowledgement (else the device would send it for ever).
    """

    code: RejectionCode
    detail: str
    device: str | None = None
    boot: str | None = None
    seq: int | None = None


EntryEvent = AccessEvent | DoorEvent | AlarmEvent | ReaderEvent | SystemEvent
Incoming = EntryEvent | Birth | Link | Facet | AccessRequest | CommandResult | Ignored


class Translation(Struct, frozen=True):
    """What one message means: what it says, and what of it could not be read.

    ``evidence``: the message with secrets and card numbers replaced, to be stored in place
    of the payload; None: the payload holds none and is stored as it came.
    """

    items: tuple[Incoming, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    evidence: bytes | None = None


class Ack(Struct, frozen=True, kw_only=True):
    """``ack``: all up to ``upto`` are committed (contiguous, never the maximum);
    ``missing``: closed ranges the site would like to have again."""

    boot: str
    upto: int
    now: datetime
    missing: tuple[tuple[int, int], ...] = ()


class AccessAnswer(Struct, frozen=True, kw_only=True):
    """``rsp/access``. ``reason``: the admission answer or a BACnet name; ``open_ms``: how long
    the lock is to be released."""

    id: str
    decision: Literal["granted", "denied"]
    reason: str
    open_ms: int | None = None
    message: str | None = None


class Command(Struct, frozen=True, kw_only=True):
    """``cmd/{name}``: refused by the device after ``exp``, and done once per ``nonce``."""

    name: Literal["unlock", "lock", "lockdown", "release", "resend", "sync"]
    nonce: str
    exp: datetime
    door: str | None = None
    operator: str | None = None
    reason: str | None = None
    open_ms: int | None = None
    rank: int | None = None
    boot: str | None = None
    ranges: tuple[tuple[int, int], ...] = ()


DEBOUNCE_SECONDS = 3.0
"""Sources without sequence numbers repeat themselves: same fingerprint, same event."""
