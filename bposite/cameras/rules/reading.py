"""What the cameras process says of one camera every few seconds: written by it, read by the screens."""

from datetime import datetime
from typing import Any

import msgspec

from bposite.cameras.rules.health import Verdict


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """State of one camera at `updated_at`.

    `verdict` since `since`, `also` the lesser verdicts beside it, `measures` the numbers behind them. `rate` in frames
    a second, `delay_ms` the least delay of arrival against the camera's own clock (None without sender reports).
    `oldest_at` .. `last_unit_at` is what can be retrieved; `still_at` the moment of the still on the wall.
    `connects`, `drops`, `disk_errors` count since the process started.
    """

    camera_id: str
    verdict: Verdict
    since: datetime | None
    also: list[str]
    measures: dict[str, Any]
    connected: bool
    error: str
    codec: str
    width: int
    height: int
    rate: float | None
    kbits: int | None
    delay_ms: int | None
    time_source: str | None
    clock_bad: bool
    connects: int
    drops: int
    disk_errors: int
    oldest_at: datetime | None
    last_unit_at: datetime | None
    still_at: datetime | None
    ring_bytes: int
    updated_at: datetime
