"""The sample messages of real devices, each with what our reading of it has to be.

Two places: ``hardware/contract/examples`` (ships with the project) and the folder of
shared payloads beside the checkout, which may be absent.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from bposite.doors.events import Delivery, DeviceConfig

REPO = Path(__file__).resolve().parents[3]
FOLDERS = (REPO / "hardware" / "contract" / "examples", REPO.parent / "shared" / "payloads")
KOLKATA = ZoneInfo("Asia/Kolkata")
RECEIVED = datetime(2026, 11, 23, 9, 0, 2, tzinfo=UTC)

ADAPTERS = {
    "bposite": "native",
    "esp-rfid": "esp-rfid",
    "onvif": "onvif-ej",
    "zkteco": "zkteco",
}
TOPICS = {
    "hikvision": "/push/hikvision",
    "osdp": "osdp",
    "zkteco": "/iclock/cdata?SN=CGXH201360029&table=rtlog",
}


class Vector(NamedTuple):
    """One sample file."""

    path: Path
    doc: dict[str, Any]

    @property
    def expect(self) -> dict[str, Any]:
        """What our reading has to be."""
        return dict(self.doc.get("expect", {}))

    @property
    def config(self) -> DeviceConfig:
        """The configuration of the device that sent it; references show what they were made of."""
        adapter = ADAPTERS.get(self.doc["vendor"], self.doc["vendor"])
        if "pyzk" in self.path.name:
            adapter = "pyzk"
        return DeviceConfig(adapter=adapter, site="pune-1", zone=KOLKATA, card_ref=lambda identity: f"h:{identity}")

    @property
    def deliveries(self) -> Iterator[Delivery]:
        """The messages, as bytes on a topic."""
        for message in self.doc.get("sequence", [self.doc]):
            payload = message.get("payload_text", message.get("payload"))
            raw = payload.encode() if isinstance(payload, str) else json.dumps(payload).encode()
            yield Delivery(
                topic=self.topic(message), payload=raw, received_at=RECEIVED, retain=message.get("retain", False)
            )

    def topic(self, message: dict[str, Any]) -> str:
        """The topic, or for HTTP the path with its query."""
        if "topic" in message:
            return str(message["topic"])
        words = self.doc["transport"].split()
        paths = [word for word in words if word.startswith("/iclock") and "..." not in word]
        return (
            paths[0]
            if paths
            else TOPICS[self.doc["vendor"]].replace("rtlog", "ATTLOG" if "ATTLOG" in self.doc["transport"] else "rtlog")
        )


def vectors() -> list[Vector]:
    """All samples; of a name that is in both folders, both."""
    files = [path for folder in FOLDERS for path in sorted(folder.glob("*.json"))]
    return [Vector(path, json.loads(path.read_text("utf-8"))) for path in files]
