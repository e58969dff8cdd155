"""Devices that push over HTTP: which may, and by what secret."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from sqlalchemy import select
from sqlalchemy.orm import Session

from bposite.doors.tables import Device
from bposite.plumbing.secrets import keyed_hash, same

KINDS = ("hikvision", "zkteco")
SECRET_DIGITS = 40


@dataclass(frozen=True, slots=True)
class Pusher:
    """A planned device that pushes. ``serial``, ``network``: what its messages must come from; empty: anything."""

    device: str
    name: str
    kind: str
    secret: str
    serial: str
    network: str

    def is_from(self, address: str) -> bool:
        """Whether the sender's address is in the device's network, when the plan names one."""
        if not self.network:
            return True
        try:
            return ip_address(address) in ip_network(self.network, strict=False)
        except ValueError:
            return False


def pusher(session: Session, device: str) -> Pusher | None:
    """The planned, unrevoked device of this id, when its kind pushes."""
    row = session.get(Device, device)
    return None if row is None else _pusher(row)


def pusher_by_secret(session: Session, device: str, secret: str) -> Pusher | None:
    """The device whose secret this is. Takes as long for an unknown device as for a wrong secret."""
    found = pusher(session, device)
    wanted = found.secret if found else _secret(device, "")
    return found if same(wanted, secret) and found else None


def pusher_by_serial(session: Session, serial: str) -> Pusher | None:
    """The device with this serial number, for firmware that can be given no secret: only such a one counts
    whose network the plan names."""
    rows = session.scalars(select(Device).where(Device.kind == "zkteco", Device.planned))
    found = [_pusher(row) for row in rows if serial and row.options.get("serial") == serial]
    return found[0] if len(found) == 1 and found[0] is not None and found[0].network else None


def _pusher(row: Device) -> Pusher | None:
    if row.kind not in KINDS or not row.planned or row.revoked_at is not None:
        return None
    secret = _secret(row.id, row.options.get("push_generation", ""))
    return Pusher(row.id, row.name, row.kind, secret, row.options.get("serial", ""), row.options.get("network", ""))


def _secret(device: str, generation: str) -> str:
    """Made from the site's key: nothing to store, and another ``push_generation`` in the plan makes another."""
    return keyed_hash("device-push", f"{device}:{generation}")[:SECRET_DIGITS]
