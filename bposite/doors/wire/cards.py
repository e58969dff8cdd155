"""From what a device shows of a card to a credential without its number.

The identity of a card is the text ``card:NUMBER``, where NUMBER is what the site's
credential list holds: ``facility:card`` for 26-bit cards, else the number as the reader
reports it. Only its keyed hash, made by ``DeviceConfig.card_ref``, leaves an adapter.

``DeviceConfig.options["card_format"]`` says how a device's bare numbers are to be read:
``number`` (as they stand), ``wiegand26-decimal`` (facility * 100000 + card, the UHPPOTE
way), ``wiegand26`` (24 data bits as one number), ``uid`` (hexadecimal serial number).
"""

import re

from bposite.doors.events import Credential, CredentialType, DeviceConfig
from bposite.doors.wire.strict import MalformedError
from bposite.doors.wire.wiegand import Read, from_data, name

_HEX = re.compile(r"[0-9A-Fa-f]{1,64}")
_DIGITS = re.compile(r"[0-9]{1,20}")


def from_number(config: DeviceConfig, number: str, default: str = "number") -> Credential:
    """A card by the number a device told; see ``card_format`` above."""
    form = config.options.get("card_format", default)
    if form == "uid":
        return from_uid(config, number)
    if form == "wiegand26-decimal" and _DIGITS.fullmatch(number):
        facility, card = divmod(int(number), 100_000)
        if facility <= 255 and card <= 65535:
            return _card(config, name("wiegand26", facility, card), "wiegand26", 26)
    if form == "wiegand26" and _DIGITS.fullmatch(number):
        return from_read(config, from_data(int(number), 26))
    return _card(config, number.strip(), "number")


def from_uid(config: DeviceConfig, uid: str, form: str = "uid") -> Credential:
    """A card by its serial number in hexadecimal, with or without separators."""
    plain = uid.replace("-", "").replace(":", "").replace(" ", "").upper()
    if not _HEX.fullmatch(plain):
        raise MalformedError("bad-value", "a serial number is not hexadecimal")
    return _card(config, plain, form, len(plain) * 4)


def from_read(config: DeviceConfig, read: Read) -> Credential:
    """A card by its Wiegand frame; one whose parity is wrong has no reference to look up."""
    if read.parity_ok is False:
        return Credential(type="card", format=read.format, bits=read.bits, parity_ok=False)
    found = _card(config, read.number, read.format, read.bits)
    return Credential(type="card", format=read.format, bits=read.bits, ref=found.ref, parity_ok=read.parity_ok)


def from_code(config: DeviceConfig, code: str, kind: CredentialType = "qr") -> Credential:
    """A scanned code, on its way to the pass check."""
    if not 1 <= len(code) <= 512:
        raise MalformedError("bad-value", "a code of more than 512 characters")
    return Credential(type=kind, code=code, ref=config.card_ref(f"{kind}:{code}"))


def _card(config: DeviceConfig, number: str, form: str, bits: int | None = None) -> Credential:
    if not 1 <= len(number) <= 128:
        raise MalformedError("bad-value", "a card number has 1 to 128 characters")
    return Credential(type="card", format=form, bits=bits, ref=config.card_ref(f"card:{number}"))
