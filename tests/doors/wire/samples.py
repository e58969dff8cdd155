"""Native messages for tests, as a controller writes them."""

import json
from datetime import UTC, datetime
from typing import Any

from bposite.doors.events import Delivery, DeviceConfig

TOPIC = "bposite/v1/pune-1/ctl-floor-a/evt/access"
RECEIVED = datetime(2026, 11, 23, 9, 0, 2, tzinfo=UTC)
CONFIG = DeviceConfig(adapter="native", site="pune-1", card_ref=lambda identity: f"h:{identity}")


def access(**changes: Any) -> dict[str, Any]:
    """A granted access event; ``data__door="x"`` changes inside ``data``."""
    body: dict[str, Any] = {
        "specversion": "1.0",
        "id": "b7f2-000001042",
        "source": "/pune-1/ctl-floor-a",
        "type": "in.bposite.access.v1",
        "time": "2026-11-23T09:00:01.120Z",
        "datacontenttype": "application/json",
        "seq": 1042,
        "boot": "b7f2",
        "clock": "ntp",
        "data": {
            "decision": "granted",
            "reason": "granted",
            "door": "floor-a",
            "direction": "in",
            "credential": {"type": "card", "format": "wiegand26", "bits": 26, "ref": "h:9f2c"},
            "factors": ["card", "finger"],
            "holder": "E-1001",
            "taken": None,
            "duress": False,
            "offline": False,
        },
    }
    for name, value in changes.items():
        where, _, inner = name.rpartition("__")
        (body[where] if where else body)[inner] = value
    return body


def delivery(body: Any, topic: str = TOPIC, **flags: Any) -> Delivery:
    """A message on a topic; a body that is not bytes is written as JSON."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Delivery(topic=topic, payload=payload, received_at=RECEIVED, **flags)
