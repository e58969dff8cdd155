"""From the site plan to the configuration of each simulated device: what the cameras show, who the controllers are."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import yaml

Row = dict[str, Any]
Plan = dict[str, Any]

# what each camera of the plan shows: scene, and its doors as "slot" or "slot:far" (rooms.py)
STAGE: dict[str, tuple[str, dict[str, str]]] = {
    "cam-plaza": ("plaza", {}),
    "cam-entrance": ("entrance", {"main-entrance": "0", "staff-entrance": "1"}),
    "cam-lobby": ("lobby", {"ops-b-main": "0:far"}),
    "cam-ops-a": ("ops-a", {"ops-a-main": "0"}),
    "cam-ops-a-west": ("ops-a-west", {"ops-a-west": "0"}),
    "cam-card-a": ("card-room", {"card-room": "0"}),
    "cam-ops-b": ("ops-b", {"ops-b-main": "0"}),
    "cam-core": ("server-room", {"server-room": "0"}),
    "cam-goods": ("goods", {"goods-bay": "0"}),
}
FOOTAGE_CAMERA = "cam-plaza"
SIZE = {"width": 640, "height": 360, "fps": 8.0, "gop": 16}


def read_plan(path: Path) -> Plan:
    """The site plan; its sections are lists of rows (site is one row)."""
    plan = yaml.safe_load(path.read_text("utf-8"))
    if not isinstance(plan, dict) or "site" not in plan:
        raise ValueError(f"{path} is not a site plan")
    return plan


def reference(key: bytes, kind: str, number: str) -> str:
    """The keyed hash that names a credential (the message contract's rule; the plan's header tells it too)."""
    digest = hmac.new(key, f"{kind}:{number}".encode(), hashlib.sha256).hexdigest()
    return f"h:{digest[:32]}"


def camera_rows(plan: Plan, footage: bool) -> list[Row]:
    """The configuration of `camera.py`: one room for each camera of the plan."""
    rows = []
    for camera in plan.get("cameras", ()):
        scene, doors = STAGE.get(camera["id"], ("lobby", {}))
        kind = "footage" if footage and camera["id"] == FOOTAGE_CAMERA else "room"
        about = {"path": camera["id"], "name": camera["name"], "zone": plan["site"]["timezone"], "doors": doors}
        rows.append({**about, "kind": kind, "scene": scene, **SIZE, **({"fps": 10.0} if kind == "footage" else {})})
    return rows


def views(cameras: list[Row]) -> dict[str, list[str]]:
    """Door -> cameras in whose picture it is."""
    found: dict[str, list[str]] = {}
    for camera in cameras:
        for door in camera["doors"]:
            found.setdefault(door, []).append(camera["path"])
    return found


def device_config(plan: Plan, device: str, mqtt: Row, ref_key: str, login: Row) -> Row:
    """The configuration of one controller: its doors and readers, its broker login, who it knows without the site."""
    doors = [row for row in plan["doors"] if row["device"] == device]
    about = next(row for row in plan["devices"] if row["id"] == device)
    names = {row["id"] for row in doors}
    return {
        "site": plan["site"]["id"],
        "device": device,
        "model": about.get("model", ""),
        "timezone": plan["site"]["timezone"],
        "mqtt": mqtt | login,
        "ref_key": ref_key,
        "doors": [_door(plan, row) for row in doors],
        "entries": entries(plan, bytes.fromhex(ref_key), names),
    }


def _door(plan: Plan, row: Row) -> Row:
    readers = [
        {"id": one["id"], "direction": one["direction"], "factors": one.get("factors") or "card"}
        for one in plan["readers"]
        if one["door"] == row["id"]
    ]
    known = {key: row[key] for key in ("id", "open_ms", "held_s", "degraded") if key in row}
    return known | {"unlocked": row.get("unlocked") == "always", "readers": readers}


def entries(plan: Plan, key: bytes, doors: set[str]) -> list[Row]:
    """The access list for degraded mode: each active credential's reference, holder and doors."""
    rows = []
    for one in plan["credentials"]:
        if one.get("status", "active") == "active":
            opened = sorted(allowed(plan, one["person"]) & doors)
            rows.append({"ref": reference(key, one["type"], one["number"]), "holder": one["person"], "doors": opened})
    return rows


def allowed(plan: Plan, number: str) -> set[str]:
    """The doors that a person's levels open; a deny level takes its doors away."""
    return _doors(plan, number, "grant") - _doors(plan, number, "deny")


def _doors(plan: Plan, number: str, effect: str) -> set[str]:
    levels = [row for row in plan["levels"] if row.get("effect", "grant") == effect and number in row["members"]]
    return {door for row in levels for door in row["doors"]}


def write(path: Path, value: Any) -> None:
    """JSON, readable by this user only: it holds the site's key for references."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(value, indent=1), "utf-8")
