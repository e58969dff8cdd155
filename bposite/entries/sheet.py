"""The entry log as rows of a sheet: stable column names, times in UTC and on the site's clock."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from bposite.entries.queries.lines import Line
from bposite.entries.rules.cells import Value

HEAD: Sequence[str] = (
    "position", "time_utc", "time_site", "received_utc", "time_source", "skew_ms", "late", "class", "decision",
    "reason", "reason_text", "vendor_reason", "door", "door_name", "direction", "zone", "zone_name", "reader",
    "person", "person_name", "visit", "visitor", "credential_type", "factors", "decided_by", "taken", "duress",
    "raised", "shadow", "device", "boot", "seq", "message_sha256",
)  # fmt: skip


def sheet_row(line: Line, zone: ZoneInfo) -> Sequence[Value]:
    """The values of one entry in the order of ``HEAD``; the writer makes them safe."""
    row = line.row
    return (
        row.position, row.time_used, row.time_used.astimezone(zone), row.received_at, row.time_source, row.skew_ms,
        row.late, row.cls, row.decision, row.reason, line.what, row.vendor_reason, row.door or row.door_ref, line.door,
        row.direction, row.zone, line.zone, row.reader, row.person, line.who.name if line.who.kind == "person" else "",
        row.visit, line.who.name if line.who.kind == "visit" else "", row.credential_type, " + ".join(row.factors),
        row.decided_by, row.taken, row.duress, " ".join(row.raised), row.shadow, row.device, row.boot, row.seq,
        row.digest,
    )  # fmt: skip
