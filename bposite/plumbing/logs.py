"""Structured logs on standard error: static event names ``source:subject:action`` with the data in fields."""

from __future__ import annotations

import logging
import sys

import structlog

REDACTED = ("password", "secret", "token", "totp", "code", "authorization", "cookie")


def configure_logs(level: str) -> None:
    """Log at ``level`` and above: readable on a terminal, JSON lines elsewhere; secrets are blotted out by name."""
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _redact,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _redact(_logger: object, _method: str, fields: structlog.typing.EventDict) -> structlog.typing.EventDict:
    for name in fields:
        if any(word in name.lower() for word in REDACTED):
            fields[name] = "[redacted]"
    return fields
