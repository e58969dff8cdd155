"""What other features and the screens may read of doors: the entry log, doors and zones now, devices, alarms."""

from __future__ import annotations

from bposite.doors.queries.entries import (
    CAP,
    Bucket,
    Cursor,
    EntryFilter,
    EntryRow,
    capped_count,
    entries_after,
    entry,
    entry_of,
    histogram,
    last_entries,
    newest_position,
    search_entries,
)

__all__ = [
    "CAP",
    "Bucket",
    "Cursor",
    "EntryFilter",
    "EntryRow",
    "capped_count",
    "entries_after",
    "entry",
    "entry_of",
    "histogram",
    "last_entries",
    "newest_position",
    "search_entries",
]
