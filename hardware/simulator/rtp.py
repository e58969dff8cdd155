"""RTP and RTCP packets: RFC 3550, H.264 payload RFC 6184 (packetization-mode 1), H.265 payload RFC 7798."""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass

from media import AccessUnit, Source

RTP_CLOCK = 90000  # Hz, of every video payload format
PAYLOAD_TYPE = 96
MTU = 1400
NTP_EPOCH = 2208988800  # seconds from 1900 to 1970
FU_A, FU_H265 = 28, 49


@dataclass(slots=True)
class Stamper:
    """Numbers one viewer's packets: sequence counter, stream identity (SSRC)."""

    ssrc: int
    sequence: int

    def packet(self, payload: bytes, timestamp: int, last: bool) -> bytes:
        """One RTP packet; `last` sets the marker: the access unit ends here."""
        kind = PAYLOAD_TYPE | (0x80 if last else 0)
        head = struct.pack(">BBHII", 0x80, kind, self.sequence, timestamp & 0xFFFFFFFF, self.ssrc)
        self.sequence = (self.sequence + 1) & 0xFFFF
        return head + payload


def payloads(codec: str, unit: AccessUnit) -> list[bytes]:
    """RTP payloads of one access unit: small NAL units as they are, larger ones as fragments."""
    cut = _fragments_h264 if codec == "h264" else _fragments_h265
    return [part for nal in unit.nals for part in ([nal] if len(nal) <= MTU else cut(nal))]


def _fragments_h264(nal: bytes) -> list[bytes]:
    indicator, kind, body, step = (nal[0] & 0xE0) | FU_A, nal[0] & 31, nal[1:], MTU - 2
    return [bytes((indicator, kind | edge)) + part for edge, part in _cut(body, step)]


def _fragments_h265(nal: bytes) -> list[bytes]:
    first, kind, body, step = (nal[0] & 0x81) | (FU_H265 << 1), (nal[0] >> 1) & 63, nal[2:], MTU - 3
    return [bytes((first, nal[1], kind | edge)) + part for edge, part in _cut(body, step)]


def _cut(body: bytes, step: int) -> list[tuple[int, bytes]]:
    """Pieces of at most `step` bytes, each with its start (0x80) and end (0x40) bits."""
    starts = range(0, len(body), step)
    return [((0x80 if at == 0 else 0) | (0x40 if at + step >= len(body) else 0), body[at : at + step]) for at in starts]


def sender_report(ssrc: int, ntp_time: float, timestamp: int, packets: int, octets: int) -> bytes:
    """RTCP sender report (RFC 3550, 6.4.1) and source description: the camera's clock at `timestamp`.

    `ntp_time` is the camera's own wall clock in seconds since 1970.
    """
    seconds = int(ntp_time)
    fraction = int((ntp_time - seconds) * 2**32)
    words = ((seconds + NTP_EPOCH) & 0xFFFFFFFF, fraction & 0xFFFFFFFF, timestamp & 0xFFFFFFFF)
    report = struct.pack(">BBHI", 0x80, 200, 6, ssrc)
    report += struct.pack(">IIIII", *words, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF)
    name = b"\x01\x06camera"  # CNAME item, eight bytes
    return report + struct.pack(">BBHI", 0x81, 202, 4, ssrc) + name + b"\x00" * 4


def describe(source: Source, host: str, title: str) -> str:
    """The session description (SDP, RFC 8866) of a camera's one video stream."""
    sets = [base64.b64encode(one).decode() for one in source.parameter_sets]
    if source.shape.codec == "h264":
        profile = source.parameter_sets[0][1:4].hex()
        media = (
            "a=rtpmap:96 H264/90000\r\n"
            f"a=fmtp:96 packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={','.join(sets)}\r\n"
        )
    else:
        media = f"a=rtpmap:96 H265/90000\r\na=fmtp:96 sprop-vps={sets[0]};sprop-sps={sets[1]};sprop-pps={sets[2]}\r\n"
    return (
        f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns={title}\r\nt=0 0\r\na=range:npt=now-\r\n"
        f"m=video 0 RTP/AVP 96\r\nc=IN IP4 0.0.0.0\r\na=framerate:{source.shape.fps:g}\r\n{media}"
        "a=control:trackID=0\r\n"
    )
