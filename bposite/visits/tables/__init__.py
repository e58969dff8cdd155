"""Rows of visits: private to this feature."""

from bposite.visits.tables.agreements import Agreement, AgreementText, Signature
from bposite.visits.tables.messages import HostCall, Message
from bposite.visits.tables.series import Kiosk, Series
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
    "Agreement",
    "AgreementText",
    "Approval",
    "DayClose",
    "Document",
    "Hold",
    "HostCall",
    "Kiosk",
    "Message",
    "ScanAnswer",
    "Series",
    "ShortCodeMiss",
    "Signature",
    "Transition",
    "Visit",
    "Visitor",
    "VisitorWord",
    "Waiver",
    "WatchEntry",
    "ZoneRule",
]
