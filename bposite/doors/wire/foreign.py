"""What all adapters of foreign devices share: the guard, the common fields, names.

An adapter reads a message into a ``Translation`` and raises MalformedError where it
cannot; ``adapter`` turns that into a rejection, so that no message ever raises.
"""

import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from bposite.doors.events import (
    AccessEvent,
    AlarmEvent,
    Credential,
    Delivery,
    DeviceConfig,
    Direction,
    DoorEvent,
    EntryEvent,
    Facet,
    Incoming,
    Link,
    ReaderEvent,
    Rejection,
    SystemEvent,
    Translation,
)
from bposite.doors.reasons import FALLBACK, REASONS, EventClass
from bposite.doors.wire import fields
from bposite.doors.wire.strict import MalformedError
from bposite.doors.wire.times import Moment

Translate = Callable[[Delivery, DeviceConfig], Translation]
_NOT_SLUG = re.compile(r"[^a-z0-9-]+")
_ONLINE = {"online": True, "offline": False, "true": True, "false": False}

DENIED_OTHER = "deniedOther"
GENERATION = "g"
DOOR_LIMIT = 80
READER_LIMIT = 60


def adapter(read: Translate) -> Translate:
    """Make an adapter total: a message that it cannot read becomes a rejection."""

    @wraps(read)
    def total(delivery: Delivery, config: DeviceConfig) -> Translation:
        try:
            return read(delivery, config)
        except MalformedError as fault:
            return Translation(rejections=(rejection(fault, config.device),))

    return total


def rejection(fault: MalformedError, device: str | None = None) -> Rejection:
    """A fault as a rejection."""
    return Rejection(fault.code, fault.detail, device, fault.boot, fault.seq)


def slug(text: str) -> str:
    """A device's own name as an id of ours; names that would fall together stay apart."""
    plain = _NOT_SLUG.sub("-", text.lower()).strip("-")
    if plain == text.lower() and 1 <= len(plain) <= 40:
        return plain
    return f"{plain[:31].strip('-')}-{fields.short_hash(text)[:8]}".strip("-")


def bounded(text: str | None, limit: int, what: str) -> str | None:
    """A name that fits where it is stored; a longer one is refused, a cut one would be another."""
    if text is not None and len(text) > limit:
        raise MalformedError("bad-value", f"{what} is longer than {limit} characters")
    return text


def one(item: Incoming, evidence: bytes | None = None) -> Translation:
    """A translation of one value."""
    return Translation((item,), (), evidence)


def online(text: str) -> bool:
    """``online``/``offline`` (or true/false) in any spelling; refused otherwise."""
    known = _ONLINE.get(text.strip().lower())
    if known is None:
        raise MalformedError("bad-value", "neither online nor offline")
    return known


def plain_text(delivery: Delivery, limit: int = 512) -> str:
    """A payload that is a bare text."""
    if len(delivery.payload) > limit:
        raise MalformedError("too-large", f"a bare text of more than {limit} bytes")
    try:
        text = delivery.payload.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise MalformedError("not-utf8", "not UTF-8") from None
    if not text:
        raise MalformedError("empty", "no payload")
    if "\0" in text:
        raise MalformedError("bad-value", "a NUL character")
    return text


class Source:
    """One message of one device, from which events with the common fields are made.

    ``seq``/``key``: how the vendor names events. Without a key an event's name is made of
    what was said (``said``) and when; ``repeats`` marks a source that repeats itself, so
    that the same words within three seconds are one event. ``counts``: the numbers have no
    holes of their own (or ``prev_seq`` bridges them), so that a hole is a lost event;
    ``generation`` tells counts apart after the vendor's counter began again.
    """

    def __init__(
        self,
        delivery: Delivery,
        config: DeviceConfig,
        adapter_name: str,
        device: str,
        moment: Moment | None = None,
        *,
        seq: int | None = None,
        prev_seq: int | None = None,
        key: str | None = None,
        repeats: bool = False,
        replayed: bool = False,
        counts: bool = False,
        generation: int = 0,
    ) -> None:
        self.delivery = delivery
        self.config = config
        self.device = config.device or device
        self.moment = moment
        self._key = key
        self._repeats = repeats
        self._common: dict[str, Any] = {
            "device": self.device,
            "adapter": adapter_name,
            "boot": f"{GENERATION}{generation}" if counts and seq is not None else None,
            "seq": seq,
            "prev_seq": prev_seq,
            "time": moment.time if moment else None,
            "time_alt": moment.other if moment else None,
            "clock": moment.clock if moment else "unset",
            "replayed": replayed,
            "retained": delivery.retain,
            "dup": delivery.dup,
        }

    def common(self, reason: str, vendor_reason: str | None, door: str | None, *said: object) -> dict[str, Any]:
        """The fields that every event has; ``said`` tells it from others at the same moment."""
        key, fingerprint = self._key, None
        if key is None:
            words = fields.short_hash(self.device, reason, vendor_reason, door, *said)
            key = f"fp:{fields.short_hash(words, self._when())}"
            fingerprint = words if self._repeats or self.moment is None else None
        return self._common | {
            "key": key,
            "id": key,
            "fingerprint": fingerprint,
            "reason": reason,
            "vendor_reason": vendor_reason,
            "door_ref": bounded(door or self.config.door, DOOR_LIMIT, "the door's name"),
        }

    def _when(self) -> str:
        """What tells this event from an equal one: its own time; of a message without, that it was kept by the
        broker (and comes again with every connection), else its arrival."""
        if self.moment is not None and self.moment.clock != "unset":
            return self.moment.time.isoformat()
        return "retained" if self.delivery.retain else self.delivery.received_at.isoformat()

    def access(
        self,
        decision: str | None,
        reason: str,
        *,
        vendor_reason: str | None = None,
        door: str | None = None,
        direction: Direction | None = None,
        credential: Credential | None = None,
        factors: tuple[str, ...] = (),
        holder: str | None = None,
        reader: str | None = None,
        duress: bool = False,
    ) -> AccessEvent:
        """A decision of the device."""
        return AccessEvent(
            **self.common(reason, vendor_reason, door, decision, credential and credential_words(credential), holder),
            decision=decision,  # type: ignore[arg-type]  # adapters write the literals
            direction=direction or self.config.direction,
            credential=credential,
            factors=factors,
            holder=holder,
            reader=bounded(reader, READER_LIMIT, "the reader's name"),
            duress=duress,
        )

    def door(self, reason: str, *, door: str | None, mode: str | None = None, word: str | None = None) -> DoorEvent:
        """A door moved or changed its mode."""
        return DoorEvent(**self.common(reason, word, door, mode), mode=mode)

    def alarm(
        self,
        reason: str,
        *,
        door: str | None = None,
        word: str | None = None,
        active: bool = True,
        credential: Credential | None = None,
        holder: str | None = None,
        reader: str | None = None,
    ) -> AlarmEvent:
        """An alarm, or its end."""
        return AlarmEvent(
            **self.common(reason, word, door, active, credential and credential_words(credential), reader),
            active=active,
            silent=reason in ("duress", "silent-duress"),
            credential=credential,
            holder=holder,
            reader=bounded(reader, READER_LIMIT, "the reader's name"),
        )

    def read(
        self,
        reason: str,
        *,
        credential: Credential | None = None,
        error: str | None = None,
        reader: str | None = None,
        door: str | None = None,
        word: str | None = None,
    ) -> ReaderEvent:
        """A reader read something; the decision is ours."""
        said = (credential and credential_words(credential), error, reader)
        return ReaderEvent(
            **self.common(reason, word, door, *said),
            reader=bounded(reader, READER_LIMIT, "the reader's name"),
            direction=self.config.direction,
            credential=credential,
            error=error,
        )

    def system(
        self, reason: str, *, word: str | None = None, skew_s: float | None = None, detail: str | None = None
    ) -> SystemEvent:
        """The device about itself."""
        return SystemEvent(**self.common(reason, word, None, skew_s, detail), skew_s=skew_s, detail=detail)

    def facet(self, name: str, value: Mapping[str, Any] | None) -> Facet:
        """A part of the device's state."""
        return Facet(
            device=self.device,
            facet=name,
            value=value,
            time=self.moment.time if self.moment else None,
            clock=self.moment.clock if self.moment else None,
            retained=self.delivery.retain,
        )

    def link(self, is_online: bool, why: str | None = None) -> Link:
        """The device is there, or is not."""
        return Link(
            device=self.device,
            online=is_online,
            reason=why,
            time=self.moment.time if self.moment else None,
            clock=self.moment.clock if self.moment else None,
            retained=self.delivery.retain,
        )

    def input(self, ref: str, active: bool) -> tuple[Facet | EntryEvent, ...]:
        """A dry contact changed: its state, and what the site says that it means (``config.inputs``:
        ``contact:DOOR``, open when active; ``contact-inverted:DOOR``; ``rex:DOOR``)."""
        state = self.facet(ref.replace(":", "/"), {"state": active})
        meaning, _, door = self.config.inputs.get(ref, "").partition(":")
        if meaning in ("contact", "contact-inverted"):
            is_open = active == (meaning == "contact")
            return state, self.door("door-opened" if is_open else "door-closed", door=door)
        if meaning == "rex" and active:
            rex = Credential(type="rex")
            return state, self.access("granted", "request-to-exit", door=door, direction="out", credential=rex)
        return (state,)

    def unmapped(self, code: str, kind: EventClass, *, door: str | None = None) -> EntryEvent:
        """An event of a code that nobody mapped: kept under the fallback of its class."""
        if kind == "access":
            return self.access("denied", DENIED_OTHER, vendor_reason=code, door=door)
        if kind == "alarm":
            return self.alarm(FALLBACK[kind], door=door, word=code)
        if kind == "door":
            return self.door(FALLBACK[kind], door=door, word=code)
        if kind == "reader":
            return self.read(FALLBACK[kind], door=door, word=code)
        return self.system(FALLBACK[kind], word=code)


def credential_words(credential: Credential) -> tuple[object, ...]:
    """What of a credential tells two events apart (never the code itself)."""
    return credential.type, credential.ref, credential.token, credential.slot


def outcome(reason: str) -> str | None:
    """The decision that a reason implies: granted, denied or none."""
    known = REASONS[reason].outcome
    return known if known != "fact" else None
