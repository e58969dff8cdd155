"""Reading one message by one adapter, and looking at what came of it."""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import asdict

from bposite.doors.events import Delivery, DeviceConfig, Translation
from bposite.doors.wire.adapters.registry import translate

RECEIVED = datetime(2026, 11, 23, 9, 0, 2, tzinfo=UTC)
KOLKATA = ZoneInfo("Asia/Kolkata")


def reading(adapter: str, topic: str, body: Any, **config: Any) -> Translation:
    """A message by one adapter; the references show what they were made of."""
    payload = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    settings = DeviceConfig(
        adapter=adapter, site="pune-1", zone=config.pop("zone", KOLKATA), card_ref=lambda i: f"h:{i}", **config
    )
    return translate(Delivery(topic=topic, payload=payload, received_at=RECEIVED), settings)


def facts(translation: Translation, index: int = 0) -> dict[str, Any]:
    """The fields of an item, with those of its credential beside them."""
    assert not translation.rejections, translation.rejections
    item = translation.items[index]
    shown = getattr(item, "credential", None)
    inner = {f"shown_{key}": value for key, value in asdict(shown).items()} if shown else {}
    return {"kind": type(item).__name__, **asdict(item), **inner}


def check(translation: Translation, **expected: Any) -> None:
    """The named facts of the first item."""
    found = facts(translation)
    assert {key: found.get(key) for key in expected} == expected
