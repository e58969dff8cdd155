"""A camera as the site plan and its form describe it."""

from typing import Annotated

import msgspec

Slug = Annotated[str, msgspec.Meta(pattern="^[a-z0-9-]{1,40}$")]
Offset = Annotated[int, msgspec.Meta(ge=-30_000, le=60_000)]


class Cover(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One door in the view of a camera, and how many milliseconds after an event there the person is in its middle."""

    door: Slug
    offset_ms: Offset = 0


class CameraPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One camera as the plan writes it. `doors` are ids, or {door, offset_ms}; `url` may carry credentials.

    `offset_ms` holds for every door that says nothing else. `ring_mb` None: the site's setting.
    """

    id: Slug
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    url: Annotated[str, msgspec.Meta(max_length=500)]
    doors: list[Slug | Cover] = []
    zones: list[Slug] = []
    offset_ms: Offset = 0
    transport: Annotated[str, msgspec.Meta(pattern="^(tcp|udp)$")] = "tcp"
    expected_rate: Annotated[float, msgspec.Meta(gt=0, le=240)] | None = None
    ring_mb: Annotated[int, msgspec.Meta(ge=16, le=4_000_000)] | None = None
    enabled: bool = True

    def covers(self) -> list[Cover]:
        """The doors with their offsets."""
        return [door if isinstance(door, Cover) else Cover(door, self.offset_ms) for door in self.doors]
