"""The one clock. Time inside is aware UTC; the site's IANA zone is for people only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bposite.plumbing.settings import current

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def to_micros(moment: datetime) -> int:
    """Whole microseconds since 1970-01-01 UTC; a naive ``moment`` is an error (ValueError)."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be placed in time")
    return (moment - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC moment ``micros`` microseconds after 1970-01-01 UTC."""
    return EPOCH + timedelta(microseconds=micros)


def site_zone() -> ZoneInfo:
    """The site's IANA time zone, as set in the settings."""
    return ZoneInfo(current().site.zone)


def local(moment: datetime) -> datetime:
    """``moment`` on the wall clock of the site."""
    return moment.astimezone(site_zone())
