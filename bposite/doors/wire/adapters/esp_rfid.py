"""ESP-RFID, versions 1 and 2 (sources: README-MQTT.md, src/mqtt.esp of the project).

One shared topic for all boards (version 1 ``/rfid``, version 2 ``/rfid/send``; with Home
Assistant ``/rfid/tag``, ``/rfid/io/...``, ``/rfid/avty``). Version 1 names no device at all;
in version 2 the host name is a label that anybody on the topic can write: only a broker's
ACL makes it an identity. No sequence numbers; epoch seconds, small before the first NTP answer.
"""

from collections.abc import Mapping

from bposite.doors.events import Credential, Delivery, DeviceConfig, EntryEvent, Ignored, Incoming, Translation
from bposite.doors.wire import cards, fields
from bposite.doors.wire.fields import Doc
from bposite.doors.wire.foreign import DENIED_OTHER, Source, adapter, one, online, plain_text, slug
from bposite.doors.wire.strict import parse
from bposite.doors.wire.times import epoch

NAME = "esp-rfid/1"
SECRETS = frozenset({"uid", "UID", "pincode", "pin"})

_GRANTED = frozenset({"Admin", "Always"})
_DENIED: Mapping[str, str] = {
    "Disabled": "deniedCredentialDisabled",
    "Expired": "deniedCredentialExpired",
    "NotYetValid": "deniedCredentialNotYetActive",
    "Not yet valid": "deniedCredentialNotYetActive",
}
_LOG: tuple[tuple[str, str, str], ...] = (
    ("door", "Door Open", "door-opened"),
    ("door", "Door Closed", "door-closed"),
    ("doorbell", "", "intercom-call"),
    ("tamper", "Door wasn't closed", "doorOpenTooLong"),
    ("tamper", "", "tamper"),
    ("sys", "System setup completed", "device-restarted"),
    ("sys", "System is going to reboot", "device-restarted"),
    ("sys", "Auto restarting", "device-restarted"),
    ("sys", "Event log cleared", "events-lost"),
    ("sys", "Latest Access log cleared", "events-lost"),
    ("sys", "Filesystem formatted", "events-lost"),
    ("sys", "Config stored", "configuration-changed"),
    ("updt", "", "configuration-changed"),
    ("mqtt", "Connected", "device-online"),
    ("mqtt", "Disconnected", "device-offline"),
    ("mqtt", "Dropping", "events-lost"),
)
"""Log lines: source, how the description begins, our reason. The first that fits counts."""
_IO: Mapping[str, Mapping[str, str]] = {
    "door": {"open": "door-opened", "on": "door-opened", "closed": "door-closed", "off": "door-closed"},
    "lock": {"unlocked": "door-unlocked", "locked": "door-locked"},
    "tamper": {"on": "tamper", "off": "tamper"},
    "doorbell": {"on": "intercom-call"},
}


@adapter
def translate(delivery: Delivery, config: DeviceConfig) -> Translation:
    """A message of a board."""
    topic = delivery.topic.strip("/").split("/")
    if topic[-1] == "avty":
        source = Source(delivery, config, NAME, slug(topic[0]), repeats=True)
        return one(source.link(online(plain_text(delivery))))
    if len(topic) >= 2 and topic[-2] == "io":
        return one(_io(Source(delivery, config, NAME, slug(topic[0]), repeats=True), topic[-1], plain_text(delivery)))
    if topic[-1] == "cmd":
        return one(Ignored(device=config.device, why="own-message"))
    doc = fields.mapping(parse(delivery.payload))
    device = fields.text(doc, "hostname") or fields.text(doc, "door") or topic[0]
    seconds = doc.get("time")
    moment = epoch(seconds) if isinstance(seconds, int | float) and not isinstance(seconds, bool) else None
    source = Source(delivery, config, NAME, slug(device), moment, repeats=True)
    safe = fields.redacted(doc, SECRETS)
    return one(_message(source, doc), fields.encoded(safe) if safe != doc else None)


def _message(source: Source, doc: Doc) -> Incoming:
    kind = fields.text(doc, "type")
    if kind == "access" or (kind is None and "uid" in doc and "access" in doc):
        return _access(source, doc)
    if kind == "boot":
        return source.system("device-restarted")
    if kind == "heartbeat":
        return source.link(True, "heartbeat")
    if kind in ("INFO", "WARN", "ERRO", "ERROR"):
        return _log(source, doc, kind)
    return Ignored(device=source.device, why="no-news")


def _access(source: Source, doc: Doc) -> Incoming:
    word, known = _word(doc), fields.boolean(doc, "isKnown")
    user = fields.text(doc, "username")
    uid = (fields.text(doc, "uid") or "").strip()
    if user == "MQTT" and not uid:  # the board reports a remote opening as an access of this name
        operator = Credential(type="operator")
        return source.access("granted", "operator-unlock", credential=operator, vendor_reason=word)
    shown = cards.from_uid(source.config, uid) if uid else None
    holder = None if user in (None, "Unknown") else user
    decision, reason = _decided(word, known)
    return source.access(
        decision, reason, vendor_reason=word, credential=shown, factors=("card",) if shown else (), holder=holder
    )


def _word(doc: Doc) -> str:
    """``access`` is one word, or a list with one per relay."""
    value = doc.get("access")
    if not isinstance(value, list):
        return fields.text(doc, "access") or ""
    words = [word for word in value if isinstance(word, str)]
    granted = [word for word in words if word in _GRANTED]
    return (granted or words or [""])[0][:200]


def _decided(word: str, known: bool | None) -> tuple[str, str]:
    if word in _GRANTED:
        return "granted", "granted"
    if word in _DENIED:
        return "denied", _DENIED[word]
    if known is False or (known is None and word == "Denied"):
        return "denied", "deniedUnknownCredential"
    return "denied", "deniedNoAccessRights" if word == "Denied" else DENIED_OTHER


def _log(source: Source, doc: Doc, level: str) -> EntryEvent | Ignored:
    origin, said = fields.text(doc, "src") or "", fields.text(doc, "desc") or ""
    if origin == "rfid" and said.startswith("Unknown"):
        return source.read("credential-read", word=said)
    for where, start, reason in _LOG:
        if origin == where and said.startswith(start):
            return _event(source, reason, said)
    if level == "INFO":
        return Ignored(device=source.device, why="no-news")
    return source.system("otherEvent", word=f"{origin}: {said}"[:200])


def _event(source: Source, reason: str, said: str | None, active: bool = True) -> EntryEvent:
    if reason in ("doorOpenTooLong", "tamper"):
        return source.alarm(reason, word=said, active=active)
    if reason.startswith("door-"):
        return source.door(reason, door=None, word=said)
    if reason == "intercom-call":
        return source.read(reason, word=said)
    return source.system(reason, word=said)


def _io(source: Source, name: str, text: str) -> Incoming:
    reason = _IO.get(name, {}).get(text.lower())
    if reason is None:
        return source.facet(f"io/{slug(name)}", {"state": text[:40]})
    return _event(source, reason, None, active=text.lower() != "off")
