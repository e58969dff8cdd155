"""osquery's own formats: a result log (one JSON a line) and the body of its TLS logger, as readings and odd lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from bposite.cleandesk.rules.posture import OddResultError, Reading, read_result
from bposite.plumbing.errors import Refusal

LARGEST = 10 * 1024 * 1024
MOST_LINES = 50_000
TOLD = 20


@dataclass(frozen=True, slots=True)
class Log:
    """What a log held. `odd`: (line number, words) of the first lines that could not be read; `faulty`: of how many."""

    readings: tuple[Reading, ...]
    odd: tuple[tuple[int, str], ...]
    faulty: int


def read_log(data: bytes, received: datetime) -> Log:
    """A result log: good lines are taken, the others counted and named. Refusal when it is too large or no text."""
    if len(data) > LARGEST:
        raise Refusal("log_large", "The log has more than 10 MB.", field="file", remedy="Send it in parts.")
    lines = [line for line in data.splitlines() if line.strip()]
    if not lines or len(lines) > MOST_LINES:
        what = "is empty" if not lines else f"has more than {MOST_LINES} lines"
        raise Refusal("log_lines", f"The log {what}.", field="file")
    return _log((_decoded(line) for line in lines), received)


def read_results(results: Sequence[object], received: datetime) -> Log:
    """The `data` of what osquery's TLS logger sends; Refusal when it holds too many."""
    if len(results) > MOST_LINES:
        raise Refusal("log_lines", f"More than {MOST_LINES} results at once.", field="data")
    return _log(results, received)


def _decoded(line: bytes) -> object:
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _log(results: Iterable[object], received: datetime) -> Log:
    readings: list[Reading] = []
    odd: list[tuple[int, str]] = []
    for number, result in enumerate(results, 1):
        try:
            readings += read_result(result, received)
        except OddResultError as error:
            odd.append((number, str(error)))
    return Log(tuple(readings), tuple(odd[:TOLD]), len(odd))
