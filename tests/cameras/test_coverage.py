"""Coverage: a door or a zone is covered by a working camera or by none."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from bposite.cameras.rules.coverage import coverage_of


@dataclass(frozen=True)
class Seen:
    id: str
    enabled: bool = True
    failed: bool = False
    doors: tuple[tuple[str, int], ...] = ()
    zones: tuple[str, ...] = ()
    name: str = field(default="camera")


DOORS = {"d1": ("Door 1", "z1"), "d2": ("Door 2", "z1"), "d3": ("Door 3", "gone")}
ZONES = {"z1": "Zone 1", "z2": "Zone 2"}
seen = st.builds(
    Seen,
    st.sampled_from("abcdef"),
    st.booleans(),
    st.booleans(),
    st.lists(st.sampled_from([("d1", 0), ("d2", 5), ("d3", 0)]), unique=True).map(tuple),
    st.lists(st.sampled_from(["z1", "z2"]), unique=True).map(tuple),
)


@given(st.lists(seen, unique_by=lambda one: one.id))
def test_covered_means_that_a_working_camera_shows_it(cameras: list[Seen]) -> None:
    table = coverage_of(DOORS, ZONES, cameras)
    for place in table.doors:
        shown = [one for one in cameras if place.id in dict(one.doors)]
        assert place.covered is any(one.enabled and not one.failed for one in shown)
        assert {*place.working, *place.failing} == {one.id for one in shown}
    assert {place.id for place in table.uncovered_doors} == {p.id for p in table.doors if not p.covered}
    assert [(zone.id, [door.id for door in doors]) for zone, doors in table.map] == [("z1", ["d1", "d2"]), ("z2", [])]
