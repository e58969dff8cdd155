"""The access decision: each rule as rows of a table, then what must hold whatever the rows are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bposite.doors.reasons import REASONS
from bposite.doors.rules.decide import RULES, Answer
from bposite.doors.rules.policy import Holder, Policy, Zone
from bposite.doors.rules.scene import Lockdown, Scene, Whereabouts
from tests.doors.rules import house as h

NOBODY = Scene()


def holders(**changes: Any) -> list[Holder]:
    """Anna, changed."""
    return [Holder("anna", "Anna", **changes)]


def with_door(**changes: Any) -> Policy:
    """The house with another floor door."""
    return h.house(doors=h.doors(**changes))


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("active", "granted"),
        ("not_yet", "deniedCredentialNotYetActive"),
        ("disabled", "deniedCredentialManualDisable"),
        ("lost", "deniedAuthenticationFactorLost"),
        ("stolen", "deniedAuthenticationFactorStolen"),
        ("damaged", "deniedAuthenticationFactorDamaged"),
        ("destroyed", "deniedAuthenticationFactorDestroyed"),
        ("expired", "deniedCredentialExpired"),
        ("unassigned", "deniedCredentialUnassigned"),
    ],
)
def test_credential_status(status: Any, reason: str) -> None:
    assert h.ask(h.house(credentials=[h.credential("anna", status=status)])).reason == reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"valid_from": h.NOON}, "granted"),
        ({"valid_from": h.NOON + timedelta(seconds=1)}, "deniedCredentialNotYetActive"),
        ({"valid_until": h.NOON}, "deniedCredentialExpired"),
        ({"valid_until": h.NOON + timedelta(seconds=1)}, "granted"),
        ({"max_uses": 3}, "deniedCredentialMaxUses"),
        ({"max_uses": 4}, "granted"),
        ({"idle_days": 30}, "deniedCredentialInactivity"),
        ({"idle_days": 31}, "granted"),
    ],
)
def test_credential_validity(changes: dict[str, Any], reason: str) -> None:
    here = Scene()
    here.uses["card", "h:anna"] = 3
    here.last_used["card", "h:anna"] = h.NOON - timedelta(days=30, seconds=1)
    assert h.ask(h.house(credentials=[h.credential("anna", **changes)]), here).reason == reason


def test_unknown_and_unassigned_and_inactive() -> None:
    assert h.ask(ref="h:nobody").reason == "deniedUnknownCredential"
    assert h.ask(ref=None).reason == "deniedUnknownCredential"
    assert h.ask(h.house(holders=[])).reason == "deniedCredentialUnassigned"
    assert h.ask(h.house(holders=holders(active=False))).reason == "deniedCredentialDisabled"
    assert h.ask(door="nowhere").reason == "outOfService"


@pytest.mark.parametrize(
    ("levels", "reason"),
    [
        ([], "deniedPointNoAccessRights"),
        ([h.level("l", ("floor", "out"))], "deniedPointNoAccessRights"),
        ([h.level("l", ("floor", "in"))], "granted"),
        ([h.level("l", zones=frozenset({"floor"}))], "granted"),
        ([h.level("l", zones=frozenset({"vault"}))], "deniedPointNoAccessRights"),
        ([h.level("l", ("floor", "in"), members=frozenset({"ben"}))], "deniedPointNoAccessRights"),
        (
            [h.level("l", ("floor", "in"), members=frozenset(), groups=frozenset({"night crew"}))],
            "deniedPointNoAccessRights",
        ),
        ([h.level("l", ("floor", "in"), schedule=h.DAY)], "granted"),
        ([h.level("l", ("floor", "in"), schedule=h.NIGHT)], "deniedOutOfTimeRange"),
        ([h.level("l", ("floor", "in"), schedule=h.NIGHT), h.level("m", ("floor", "in"), schedule=h.DAY)], "granted"),
        ([h.level("l", ("floor", "in"), until=h.NOON)], "deniedOutOfTimeRange"),
        ([h.level("l", ("floor", "in"), since=h.NOON, until=h.NOON + timedelta(hours=1))], "granted"),
        # deny beats grant, whatever the order; a denial that does not run denies nothing
        ([h.level("l", *h.EVERY_SIDE), h.level("d", ("floor", "in"), effect="deny")], "deniedPointNoAccessRights"),
        ([h.level("d", ("floor", "in"), effect="deny"), h.level("l", *h.EVERY_SIDE)], "deniedPointNoAccessRights"),
        ([h.level("l", *h.EVERY_SIDE), h.level("d", ("floor", "in"), effect="deny", schedule=h.NIGHT)], "granted"),
    ],
)
def test_rights(levels: list[Any], reason: str) -> None:
    assert h.ask(h.house(levels=levels)).reason == reason


def test_rights_by_group() -> None:
    crew = h.level("l", ("floor", "in"), members=frozenset(), groups=frozenset({"night crew"}))
    assert h.ask(h.house(levels=[crew]), who="ben").granted


def test_a_door_that_stands_unlocked_asks_for_no_right_but_still_for_a_valid_card() -> None:
    open_house = h.house(levels=[], doors=h.doors(unlocked=h.DAY, factors=h.factors(("card+finger", None))))
    assert h.ask(open_house).granted
    assert h.ask(open_house, ref="h:x").reason == "deniedUnknownCredential"
    assert h.ask(open_house, when=h.at("2026-11-23 20:00")).reason == "deniedPointNoAccessRights"


def test_competing_clients() -> None:
    rivals = [frozenset({"Northwind", "Meridian"})]
    assert h.ask(h.house(rivals=rivals), who="ben").reason == "client_conflict"
    assert h.ask(h.house(rivals=rivals), who="anna").granted
    assert h.ask(h.house(rivals=rivals), who="ben", door="inner").granted


@pytest.mark.parametrize(
    ("shown", "when", "reason"),
    [
        ({"card"}, "2026-11-23 12:00", "granted"),
        ({"card"}, "2026-11-23 22:00", "factor_missing"),
        ({"card", "finger"}, "2026-11-23 22:00", "granted"),
        ({"card"}, "2026-11-24 05:30", "factor_missing"),
    ],
)
def test_factors_by_time(shown: set[str], when: str, reason: str) -> None:
    policy = with_door(factors=h.factors(("card+finger", h.NIGHT), ("card", None)))
    assert h.ask(policy, when=h.at(when), factors=frozenset(shown)).reason == reason


@pytest.mark.parametrize(
    ("mode", "known", "way", "reason", "raised"),
    [
        ("none", "floor", "in", "granted", ()),
        ("soft", "floor", "in", "granted", ("passbackDetected",)),
        ("hard", "floor", "in", "deniedPassback", ()),
        ("hard", "lobby", "in", "granted", ()),
        ("hard", "outside", "in", "granted", ("passbackDetected",)),  # came in behind somebody: reported
        ("hard", "lobby", "out", "granted", ("deniedPassback",)),  # an exit opens and raises
        ("timed", "floor", "in", "granted", ()),  # an hour ago is long ago
    ],
)
def test_anti_passback(mode: Any, known: str, way: str, reason: str, raised: tuple[str, ...]) -> None:
    answer = h.ask(with_door(anti_passback=mode), h.scene(anna=known), way=way)
    assert (answer.reason, answer.raised) == (reason, raised)


def test_timed_anti_passback_refuses_a_second_entry_for_some_minutes() -> None:
    just_now = Scene([Whereabouts("anna", "floor", h.NOON - timedelta(minutes=4))])
    assert h.ask(with_door(anti_passback="timed"), just_now).reason == "deniedPassback"


def test_unknown_or_stale_whereabouts_never_refuse() -> None:
    policy = with_door(anti_passback="hard")
    assert h.ask(policy, Scene([Whereabouts("anna", None, h.NOON)])).granted
    assert h.ask(policy, Scene([Whereabouts("anna", "floor", h.NOON, confidence="stale")])).granted
    forgiven = h.scene(anna="floor")
    forgiven.note_forgiven("anna", h.NOON)
    assert h.ask(policy, forgiven).granted


def test_occupancy_with_hysteresis() -> None:
    policy = h.house(zones=h.zones(floor=Zone("floor", "Floor", "operations", capacity=3, reopen_at=1)))
    here = h.scene(ben="floor", carla="floor")
    assert h.ask(policy, here).granted
    here.put(Whereabouts("dora", "floor", h.NOON))
    assert h.ask(policy, here).reason == "deniedUpperOccupancyLimit"
    here.note_heads(policy)
    here.put(Whereabouts("dora", "lobby", h.NOON))
    assert h.ask(policy, here).reason == "deniedUpperOccupancyLimit"  # two are still above the mark of one
    here.put(Whereabouts("ben", "lobby", h.NOON))
    here.note_heads(policy)
    assert h.ask(policy, here).granted


def test_lockdown_by_rank_scope_and_end() -> None:
    here = Scene()
    here.lockdowns["floor"] = Lockdown("floor", 3, h.NOON, until=h.NOON + timedelta(minutes=5))
    assert h.ask(here=here).reason == "deniedThreatLevel"
    assert h.ask(here=here, who="carla").granted  # rank 5
    assert h.ask(here=here, door="front").granted
    assert h.ask(here=here, way="out").granted
    assert h.ask(here=here, when=h.NOON + timedelta(minutes=5)).granted  # it ends by itself
    here.lockdowns["*"] = Lockdown("*", 9, h.NOON)
    assert h.ask(here=here, door="front", who="carla").reason == "deniedThreatLevel"


def test_operator_lock_and_out_of_service() -> None:
    here = Scene()
    here.modes["floor"] = "locked"
    assert h.ask(here=here).reason == "lockedByHigherPriority"
    assert h.ask(here=here, way="out").granted
    assert h.ask(with_door(out_of_service=True)).reason == "outOfService"


def test_interlock() -> None:
    here = Scene()
    here.open_doors.add("outer")
    assert h.ask(here=here, door="inner").reason == "interlock"
    assert h.ask(here=here, door="inner", way="out").granted
    assert h.ask(here=here).granted  # the floor door is in no interlock
    here.open_doors = {"inner"}
    assert h.ask(here=here, door="inner").granted  # a door does not block itself


def test_two_persons() -> None:
    policy = h.house(zones=h.zones(vault=Zone("vault", "Vault", "restricted", two_person=True)))
    here = Scene()
    first = h.ask(policy, here, door="inner")
    assert (first.reason, first.waits) == ("two_person", True)
    here.note_swipe(("inner", "in"), "anna", h.NOON)
    assert h.ask(policy, here, door="inner").reason == "two_person"  # the same person twice is one
    assert h.ask(policy, here, door="inner", who="ben", when=h.NOON + timedelta(seconds=10)).granted
    late = h.ask(policy, here, door="inner", who="ben", when=h.NOON + timedelta(seconds=16))
    assert late.reason == "two_person"
    assert h.ask(policy, h.scene(carla="vault"), door="inner").granted  # somebody is inside


def test_a_refused_first_person_does_not_wait() -> None:
    policy = h.house(zones=h.zones(vault=Zone("vault", "Vault", "restricted", two_person=True)), levels=[])
    assert not h.ask(policy, door="inner").waits


def test_supervisor_first() -> None:
    vault = Zone("vault", "Vault", "restricted", supervisors=frozenset({"carla"}))
    policy = h.house(zones=h.zones(vault=vault))
    assert h.ask(policy, door="inner").reason == "supervisor_first"
    assert h.ask(policy, door="inner", who="carla").granted
    assert h.ask(policy, h.scene(carla="vault"), door="inner").granted


def test_escort() -> None:
    vault = Zone("vault", "Vault", "restricted", escort=True)
    people = [Holder("anna", "Anna", needs_escort=True), Holder("carla", "Carla", may_escort=True)]
    policy = h.house(zones=h.zones(vault=vault), holders=people)
    here = Scene()
    assert h.ask(policy, here, door="inner").reason == "escort_not_present"
    here.note_swipe(("inner", "in"), "carla", h.NOON)
    assert h.ask(policy, here, door="inner").granted
    assert h.ask(policy, here, door="inner", when=h.NOON + timedelta(minutes=1)).reason == "escort_not_present"


def test_lockout_after_failures_and_its_end() -> None:
    here = Scene()
    for second in range(5):
        here.note_failure(("floor", "in"), h.NOON - timedelta(seconds=second))
    assert h.ask(here=here).reason == "deniedMaxAttempts"
    assert h.ask(here=here, door="front").granted
    assert h.ask(here=here, way="out").granted
    assert h.ask(here=here, when=h.NOON + timedelta(seconds=61)).granted
    here.note_success(("floor", "in"), ("card", "h:anna"), h.NOON)
    assert h.ask(here=here).granted


def test_duress_grants_as_usual_and_is_told_to_the_guard_only() -> None:
    answer = h.ask(duress=True)
    assert (answer.decision, answer.reason, answer.raised) == ("granted", "granted", ("duress",))


def test_a_request_to_exit_asks_nobody() -> None:
    here = Scene()
    here.lockdowns["*"] = Lockdown("*", 9, h.NOON)
    answer = h.ask(h.house(levels=[]), here, kind="rex", ref=None)
    assert answer.granted
    assert answer.person is None


def test_the_trace_ends_with_the_rule_that_refused() -> None:
    answer = h.ask(h.house(levels=[]))
    assert [step.rule for step in answer.trace] == ["credential", "rights"]
    assert answer.trace[-1].verdict == "refuse"


# --- what must always hold -------------------------------------------------------------------------------------------

PEOPLE = st.sampled_from(["anna", "ben", "carla", "nobody"])
PLACES = st.sampled_from(["outside", "lobby", "floor", "vault"])
SCHEDULES = st.sampled_from([None, h.ALWAYS, h.DAY, h.NIGHT])
SIDES = st.sampled_from(h.EVERY_SIDE)
LEVELS = st.lists(
    st.builds(
        lambda side, effect, when, members: h.level("l", side, effect=effect, schedule=when, members=members),
        SIDES, st.sampled_from(["grant", "deny"]), SCHEDULES, st.frozensets(PEOPLE),
    ),
    max_size=6,
)  # fmt: skip
STATUSES = st.sampled_from(["active", "lost", "expired", "disabled", "not_yet", "stolen"])


@st.composite
def worlds(draw: Any) -> tuple[Policy, Scene]:
    """Any policy and any scene."""
    floor = Zone(
        "floor", "Floor", "operations", client="Northwind", capacity=draw(st.integers(0, 2)),
        two_person=draw(st.booleans()), supervisors=draw(st.sampled_from([frozenset(), frozenset({"carla"})])),
        escort=draw(st.booleans()),
    )  # fmt: skip
    policy = h.house(
        zones=h.zones(floor=floor),
        levels=draw(LEVELS),
        credentials=[h.credential(name, status=draw(STATUSES)) for name in ("anna", "ben", "carla")],
        doors=h.doors(
            anti_passback=draw(st.sampled_from(["none", "soft", "hard", "timed"])), unlocked=draw(SCHEDULES),
            out_of_service=draw(st.booleans()), factors=h.factors(("card+finger", draw(SCHEDULES))),
        ),
        rivals=draw(st.sampled_from([[], [frozenset({"Northwind", "Meridian"})]])),
    )  # fmt: skip
    here = Scene(Whereabouts(name, draw(PLACES), h.NOON) for name in draw(st.sets(PEOPLE)))
    here.open_doors = draw(st.sets(st.sampled_from(["front", "floor", "inner", "outer"])))
    here.modes = draw(st.dictionaries(st.sampled_from(["front", "floor"]), st.sampled_from(["locked", "unlocked"])))
    if draw(st.booleans()):
        here.lockdowns["*"] = Lockdown("*", draw(st.integers(1, 9)), h.NOON)
    return policy, here


WHEN = st.datetimes(h.datetime(2026, 11, 20), h.datetime(2026, 12, 27)).map(lambda wall: h.at(wall.isoformat()))
FACTORS = st.frozensets(st.sampled_from(["card", "finger"]))


@given(worlds(), PEOPLE, SIDES, WHEN, FACTORS, st.booleans())
def test_invariants(
    world: tuple[Policy, Scene], who: str, side: Any, when: Any, shown: frozenset[str], duress: bool
) -> None:
    policy, here = world
    door, way = side

    def once() -> Answer:
        return h.ask(policy, here, who=who, door=door, way=way, when=when, factors=shown, duress=duress)

    answer = once()
    assert answer == once()  # the same question, the same answer: deciding changes nothing
    assert answer.reason in REASONS
    assert all(code in REASONS for code in answer.raised)
    assert answer.granted is (answer.reason == "granted")
    assert {step.rule for step in answer.trace} <= {name for name, _ in RULES} | {"exit"}
    if way == "out":
        assert answer.granted  # an exit is never refused
        return
    assert sum(step.verdict == "refuse" for step in answer.trace) == (not answer.granted)
    denied = [one for one in policy.denials.get(side, ()) if who in one.members]
    if any(one.schedule in (None, h.ALWAYS) for one in denied):
        assert not answer.granted  # deny beats grant
    found = policy.credentials.get(("card", f"h:{who}"))
    if found is None or found.status != "active":
        assert not answer.granted
    if not duress:
        with_duress = h.ask(policy, here, who=who, door=door, way=way, when=when, factors=shown, duress=True)
        assert (with_duress.decision, with_duress.reason) == (answer.decision, answer.reason)


@given(worlds(), PEOPLE, SIDES, WHEN)
def test_more_factors_never_turn_a_grant_into_a_refusal(
    world: tuple[Policy, Scene], who: str, side: Any, when: Any
) -> None:
    policy, here = world
    less = h.ask(policy, here, who=who, door=side[0], way=side[1], when=when, factors=frozenset({"card"}))
    more = h.ask(policy, here, who=who, door=side[0], way=side[1], when=when, factors=frozenset({"card", "finger"}))
    assert more.granted or not less.granted
