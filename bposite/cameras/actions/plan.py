"""Cameras of the plan: what they are called, where they stream, what they show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import delete, select

from bposite.cameras.rules.address import Address, host, parse
from bposite.cameras.rules.plan import CameraPlan
from bposite.cameras.rules.shapes import Polygon, checked_masks
from bposite.cameras.tables import Camera, CameraCover
from bposite.journal.work import Work
from bposite.plumbing.errors import NotFound, Refusal
from bposite.plumbing.secrets import seal

PURPOSE = "camera"


def apply_plan(work: Work, section: Sequence[dict[str, Any]]) -> None:
    """Make the cameras those of the plan: new ones added, known ones changed, absent ones retired.

    A camera whose address carries no credentials keeps the ones it has. Refusal names the row that is wrong;
    then nothing was changed.
    """
    plans = [_read(row, number) for number, row in enumerate(section)]
    twice = {plan.id for plan in plans if sum(other.id == plan.id for other in plans) > 1}
    if twice:
        raise Refusal("plan", f"cameras: {sorted(twice)[0]} is there twice", field="cameras")
    changed = [plan.id for number, plan in enumerate(plans) if _apply(work, plan, number)]
    wanted = {plan.id for plan in plans}
    gone = [row for row in work.session.scalars(select(Camera).where(~Camera.retired)) if row.id not in wanted]
    for row in gone:
        row.retired, row.revision = True, row.revision + 1
    if changed or gone:
        data = {"changed": changed, "retired": [row.id for row in gone], "cameras": len(plans)}
        work.record("cameras:plan:applied", subject="plan", data=data)


def _read(row: dict[str, Any], number: int) -> CameraPlan:
    try:
        plan = msgspec.convert(row, CameraPlan)
        parse(plan.url)
    except (msgspec.ValidationError, ValueError) as error:
        name = row.get("id", f"number {number + 1}") if isinstance(row, dict) else f"number {number + 1}"
        raise Refusal("plan", f"cameras, {name}: {error}", field="cameras", remedy="Mend the site plan.") from None
    return plan


def _apply(work: Work, plan: CameraPlan, ordinal: int) -> bool:
    row = work.session.get(Camera, plan.id)
    if row is None:
        row = Camera(id=plan.id, revision=0, masks=[], line=[])
        work.session.add(row)
    address = parse(plan.url)
    before = _facts(row)
    if row.url is not None and host(row.url) != host(address.url):
        row.secret = None  # or whoever may change an address could have the password sent to a machine of theirs
    row.name, row.url, row.transport, row.enabled = plan.name, address.url, plan.transport, plan.enabled
    row.zones, row.expected_rate, row.ring_mb = list(plan.zones), plan.expected_rate, plan.ring_mb
    row.retired, row.ordinal = False, ordinal
    fresh_secret = _set_secret(row, address)
    moved = _set_covers(work, plan)
    if not (moved or fresh_secret or before != _facts(row)):
        return False
    row.revision += 1
    return True


def _facts(row: Camera) -> tuple[Any, ...]:
    names = ("name", "url", "transport", "enabled", "zones", "expected_rate", "ring_mb", "retired", "ordinal")
    return tuple(getattr(row, name) for name in names)


def _set_secret(row: Camera, address: Address) -> bool:
    if not address.username:
        return False
    credentials = msgspec.json.encode([address.username, address.password])
    row.secret = seal(PURPOSE, credentials)
    return True


def _set_covers(work: Work, plan: CameraPlan) -> bool:
    wanted = {(cover.door, cover.offset_ms) for cover in plan.covers()}
    rows = work.session.scalars(select(CameraCover).where(CameraCover.camera_id == plan.id))
    if wanted == {(row.door, row.offset_ms) for row in rows}:
        return False
    work.session.flush()
    work.session.execute(delete(CameraCover).where(CameraCover.camera_id == plan.id))
    work.session.add_all(CameraCover(camera_id=plan.id, door=door, offset_ms=offset) for door, offset in wanted)
    return True


def the_camera(work: Work, camera_id: str) -> Camera:
    """The camera for a change; NotFound when there is none."""
    row = work.session.get(Camera, camera_id, with_for_update=True)
    if row is None or row.retired:
        raise NotFound("camera", "There is no such camera.")
    return row


def configure(work: Work, plan: CameraPlan) -> None:
    """Change one camera through its form. Credentials are kept while the host stays the same and no new ones come.

    A file of this machine is a camera by the site plan only, never by a form.
    """
    row = the_camera(work, plan.id)
    try:
        if parse(plan.url).url.startswith("file:") and plan.url != row.url:
            raise ValueError("A file cannot be chosen here. Write it into the site plan.")
    except ValueError as error:
        raise Refusal("camera_address", str(error), field="url") from None
    if _apply(work, plan, row.ordinal):
        doors = [msgspec.structs.asdict(cover) for cover in plan.covers()]
        data = {"camera": row.id, "name": row.name, "url": row.url, "enabled": row.enabled, "doors": doors}
        work.record("cameras:camera:configured", subject=row.id, data=data)


def set_masks(work: Work, camera_id: str, masks: Sequence[Polygon]) -> None:
    """What must never be seen of this camera's view. Pictures from now on are stored for viewing without it."""
    row = the_camera(work, camera_id)
    try:
        checked = checked_masks(masks)
    except ValueError as error:
        raise Refusal("camera_masks", str(error), field="masks") from None
    row.masks = [[list(point) for point in mask] for mask in checked]
    row.revision += 1
    work.record("cameras:camera:masked", subject=row.id, data={"camera": row.id, "masks": row.masks})
