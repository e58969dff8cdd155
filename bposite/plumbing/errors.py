"""Errors that are for the person who caused them. Edges turn them into a message beside a field or problem+json."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818 -- it is an answer, not an error
    """Input or a rule forbids it, and nothing was changed.

    ``code`` is short and stable (for the phone and for programs), ``message`` says what happened,
    ``remedy`` what to do or who can help, ``field`` which input it belongs to.
    """

    status = 422

    def __init__(self, code: str, message: str, *, field: str | None = None, remedy: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.remedy = remedy


class NotFound(Refusal):
    """What was asked for is not there (or not for this person)."""

    status = 404


class Conflict(Refusal):
    """It was changed meanwhile, or the same key came with other content."""

    status = 409
