"""Encoded pictures as they travel from a source through the rings to a clip or a frame."""

from collections.abc import Sequence

import msgspec

from bposite.cameras.rules.clock import Unit


class Codec(msgspec.Struct, frozen=True):
    """How to decode a stream. `name` is h264, hevc or mjpeg; `extradata` the parameter sets (Annex B) or empty.

    `lossy`: the network may lose packets without a word (UDP), so a missing picture spoils those built upon it.
    """

    name: str
    width: int
    height: int
    extradata: bytes
    lossy: bool = False


class AccessUnit(msgspec.Struct, frozen=True, gc=False):
    """One encoded picture: its times and its bytes (Annex B for H.264/H.265, a JPEG file for MJPEG)."""

    unit: Unit
    data: bytes


class Stretch(msgspec.Struct, frozen=True):
    """Units of one connection, in decoding order. `session` is the connection's start in microseconds."""

    session: int
    codec: Codec
    units: tuple[AccessUnit, ...]

    @property
    def times(self) -> list[Unit]:
        """The units without their bytes, for the rules."""
        return [access.unit for access in self.units]

    def from_key(self) -> "Stretch":
        """The stretch from its first keyframe on: what comes before cannot be decoded."""
        first = next((i for i, access in enumerate(self.units) if access.unit.key), len(self.units))
        return Stretch(self.session, self.codec, self.units[first:]) if first else self


def joined(parts: Sequence[Stretch]) -> list[Stretch]:
    """Neighbouring parts of one connection made one, empty ones dropped; order is kept."""
    whole: list[Stretch] = []
    for part in parts:
        if not part.units:
            continue
        if whole and whole[-1].session == part.session and whole[-1].codec == part.codec:
            whole[-1] = Stretch(part.session, part.codec, whole[-1].units + part.units)
        else:
            whole.append(part)
    return whole
