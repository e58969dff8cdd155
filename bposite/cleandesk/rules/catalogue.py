"""The catalogue as typed, frozen values: what is looked at, how bad a fault is, what the programme asks for.

It is read strictly (an unknown key is an error) from `config/clean_desk.yaml`; an observation keeps the version it
was made under.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

Severity = Literal["S1", "S2", "S3", "S4"]
PhotoRule = Literal["none", "allowed", "redacted"]
IncidentRule = Literal["never", "when", "always"]
SEVERITIES: tuple[Severity, ...] = ("S1", "S2", "S3", "S4")


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One check. `fault` is what an auditor taps, `pass_when` what compliance means; `due_hours` counts from the moment
    it was seen; `names_person`: only then may a person be linked to the finding."""

    id: str
    area: str
    fault: str
    pass_when: str
    how: str
    severity: Severity
    zones: tuple[str, ...]
    places: tuple[str, ...]
    moments: tuple[str, ...]
    photo: PhotoRule
    on_the_spot: str
    due_hours: int
    incident: IncidentRule
    incident_when: str
    names_person: bool
    supports: tuple[str, ...]

    def looked_at(self, zone_type: str, kind: str, moment: str) -> bool:
        """Whether this check belongs to a place of `kind` in a zone of `zone_type` at `moment`."""
        in_zone = "all" in self.zones or zone_type in self.zones
        return in_zone and kind in self.places and ("any" in self.moments or moment in self.moments)


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rung of an escalation: so many hours after the due time, to whom."""

    after_hours: int
    to: str


class Grade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One severity: its words, weight in the trend figure, whether it fails the desk, whom it escalates to."""

    name: str
    means: str
    weight: int
    act: str
    fails_desk: bool
    escalate: tuple[Step, ...]


class Sampling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of the sampling programme, and the published tables that the tests reproduce."""

    frame: str
    draw: str
    replacement: str
    extra: str
    plan_95_95: dict[str, object]
    plan_90_95: dict[str, object]
    plan_98_95: dict[str, object]
    finite_frame_95_95: dict[str, object]
    warning: str
    estimators: dict[str, str]
    not_observed_max_share: float
    small_stratum: int
    least_per_stratum: int
    start_rho: float
    double_audit_share: float
    double_audit_minutes: int
    kappa_floor: float


class Workflow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Times and rules of a finding's life."""

    dispute_working_days: int
    risk_max_days: int
    overdue_s1_makes_red: bool
    rules: tuple[str, ...]


class Repeats(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a fault counts as repeated, and when it is the team's and not a person's."""

    window_days: int
    ladder: tuple[str, ...]
    team_people: int
    team_days: int
    positive: str


class Privacy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What protects the people who are looked at."""

    small_team: int
    person_link_months: int
    photo_rules: tuple[str, ...]
    staff: tuple[str, ...]


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole catalogue of one version."""

    version: int
    name: str
    built: str
    basis: tuple[str, ...]
    unit_of_observation: str
    zone_types: dict[str, str]
    zone_type_of_kind: dict[str, str]
    place_kinds: dict[str, str]
    moments: dict[str, str]
    severities: dict[Severity, Grade]
    reasons_not_observed: dict[str, str]
    scoring: dict[str, object]
    sampling: Sampling
    frequency: dict[str, str]
    workflow: Workflow
    repeats: Repeats
    privacy: Privacy
    items: tuple[Item, ...]

    def item(self, item_id: str) -> Item:
        """The check called `item_id`; KeyError when the catalogue has none."""
        for item in self.items:
            if item.id == item_id:
                return item
        raise KeyError(item_id)

    def items_for(self, zone_type: str, kind: str, moment: str) -> tuple[Item, ...]:
        """The checks of one kind of place, gravest first and then in the order of the catalogue."""
        chosen = [item for item in self.items if item.looked_at(zone_type, kind, moment)]
        return tuple(sorted(chosen, key=lambda item: item.severity))


def read(data: object) -> Catalogue:
    """A catalogue from parsed YAML; ValueError names the first thing that is wrong."""
    try:
        found = msgspec.convert(data, Catalogue)
    except msgspec.ValidationError as error:
        raise ValueError(f"clean desk catalogue: {error}") from error
    _check(found)
    return found


def _check(catalogue: Catalogue) -> None:
    ids = [item.id for item in catalogue.items]
    if len(ids) != len(set(ids)):
        raise ValueError("clean desk catalogue: two items share an id")
    if set(catalogue.severities) != set(SEVERITIES):
        raise ValueError("clean desk catalogue: the severities are S1 to S4")
    for item in catalogue.items:
        _known(item.id, "zone type", item.zones, {*catalogue.zone_types, "all"})
        _known(item.id, "place", item.places, catalogue.place_kinds)
        _known(item.id, "moment", item.moments, {*catalogue.moments, "any"})
        if (item.incident == "when") != bool(item.incident_when):
            raise ValueError(f"clean desk catalogue: {item.id}: say when it is an incident")


def _known(item: str, what: str, given: Iterable[str], known: Iterable[str]) -> None:
    if unknown := sorted(set(given) - set(known)):
        raise ValueError(f"clean desk catalogue: {item}: no {what} {unknown[0]!r}")
