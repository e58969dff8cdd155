"""An entry as people say it: a badge with status and word, and one sentence of what happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bposite.doors.rules.words import label, remedy

__all__ = [
    "ANSWERS",
    "CREDENTIALS",
    "DECIDERS",
    "TIME_SOURCES",
    "Answer",
    "answer",
    "label",
    "remedy",
    "sentence",
    "skew",
]

ANSWERS: dict[str, str] = {
    "granted": "Granted",
    "denied": "Refused",
    "taken": "Went through",
    "not-taken": "Did not go through",
    "request": "Asked",
}
"""What the decision of an entry is called on screens."""
CLASS_WORDS = {
    "access": "Access",
    "door": "Door",
    "reader": "Reader",
    "alarm": "Alarm",
    "system": "Device",
}
TIME_SOURCES = {
    "device": "the device's own clock",
    "corrected": "the device's clock, corrected by its known error",
    "received": "the moment the site received it, because the device had no trusted time",
}
DECIDERS = {"site": "this site", "device": "the device itself", "operator": "an operator"}
UNSEEN_S = 0.05
VERDICTS = {"pass": "fine", "refuse": "refuses", "raise": "reported, does not refuse"}
CREDENTIALS = {
    "card": "Card",
    "pin": "PIN",
    "face": "Face",
    "finger": "Finger",
    "iris": "Iris",
    "qr": "QR pass",
    "mobile": "Phone",
    "rex": "Request to exit",
    "operator": "Operator",
    "token": "Token",
    "other": "Other",
}


class Answer(NamedTuple):
    """``status`` is one of the interface's status colours, ``word`` what stands beside it."""

    status: str
    word: str


def answer(cls: str, decision: str | None, notable: bool) -> Answer:
    """The badge of an entry."""
    if cls == "alarm":
        return Answer("alarm" if notable else "unknown", "Alarm" if notable else "Alarm over")
    if decision == "denied":
        return Answer("refused", ANSWERS["denied"])
    if decision in ("granted", "taken"):
        return Answer("granted", ANSWERS[decision])
    if decision is not None:
        return Answer("unknown", ANSWERS.get(decision, decision))
    return Answer("attention" if notable else "unknown", CLASS_WORDS.get(cls, cls))


def sentence(decision: str | None, reason: str, vendor_reason: str | None, factors: Sequence[str]) -> str:
    """What happened. A plain grant says what was shown; a vendor's own word is kept when ours says less."""
    if decision == "taken":
        return ""  # the badge says that somebody went through
    if reason == "granted":
        return " + ".join(CREDENTIALS.get(factor, factor) for factor in factors)
    told = label(reason)
    return f"{told} ({vendor_reason})" if vendor_reason and reason in ("deniedOther", "otherEvent") else told


def skew(milliseconds: int | None) -> str:
    """A clock error in words."""
    if milliseconds is None:
        return "not known"
    seconds = abs(milliseconds) / 1000
    side = "ahead" if milliseconds > 0 else "behind"
    return "none" if seconds < UNSEEN_S else f"{seconds:.1f} s {side}"
