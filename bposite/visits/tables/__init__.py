"""Rows of visits: private to this feature."""

from bposite.visits.tables.visit import (
    NAME_LETTERS,
    REASON_LETTERS,
    Approval,
    DayClose,
    Document,
    Hold,
    ScanAnswer,
    ShortCodeMiss,
    Transition,
    Visit,
    Visitor,
    VisitorWord,
    Waiver,
    ZoneRule,
)
from bposite.visits.tables.watch import WatchEntry

__all__ = [
    "NAME_LETTERS",
    "REASON_LETTERS",
    "Approval",
    "DayClose",
    "Document",
    "Hold",
    "ScanAnswer",
    "ShortCodeMiss",
    "Transition",
    "Visit",
    "Visitor",
    "VisitorWord",
    "Waiver",
    "WatchEntry",
    "ZoneRule",
]
