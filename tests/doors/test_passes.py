"""A visitor's pass at the doors: opens what the visit names, answers in the order of the design, ends at the exit."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bposite.doors import actions as doors
from bposite.doors.listener.service import Listener
from bposite.doors.references import reference
from bposite.journal.work import Actor
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.visits import actions as visits
from bposite.visits.actions import IdentityKind, NewVisit
from bposite.visits.queries import judged
from bposite.visits.rules.machine import Evidence
from tests.doors.kit import FLOOR_A, Device, Tape, acting, card, log

LOBBY = "ctl-lobby"
Listening = tuple[Listener, Tape]


def guest(
    admit: bool = True, zones: tuple[str, ...] = ("ops-a",), secure: bool = False, **changes: Any
) -> tuple[str, str]:
    """A guest who is expected now and, unless told otherwise, checked in; the visit and the code of the pass."""
    facts = {
        "name": "Asha Rao", "company": "Initech", "email": "asha@initech.example.com", "host": "E-1002",
        "host_name": "Farhan Siddiqui", "purpose": "Review", "window_from": now() - timedelta(minutes=5),
        "window_until": now() + timedelta(hours=4), "zones": zones,
    }  # fmt: skip
    with acting() as work:
        placed = visits.invite(work, NewVisit(**(facts | changes)))  # type: ignore[arg-type]
    if secure:
        with acting(Actor("user", "u2", "Sunita Bhosale", "facilities")) as work:
            visits.decide(work, placed.visit_id, approve=True)
            visits.name_escort(work, placed.visit_id, "E-1004", "Tomás Herrera")
    if not admit:
        with acting() as work:
            return placed.visit_id, visits.issue_pass(work, placed.visit_id).codes.code
    with acting() as work:
        visits.arrive(work, placed.visit_id)
        visits.check_identity(work, placed.visit_id, IdentityKind.PASSPORT, matches=True)
        visits.acknowledge(work, placed.visit_id, "told by phone")
        if secure:
            visits.deposit(work, placed.visit_id, "locker 4")
        admission = visits.admit(work, placed.visit_id)
    assert admission.issued is not None
    return placed.visit_id, admission.issued.codes.code


def shown(code: str) -> dict[str, Any]:
    """A pass as a reader reports it."""
    return {"credential": {"type": "qr", "ref": reference("qr", code)}, "factors": ["qr"]}


def ask(ears: Listening, code: str, door: str = "ops-a-main", device: str = FLOOR_A, **more: Any) -> dict[str, Any]:
    """Show a pass at a door and read the answer."""
    listener, tape = ears
    listener.handle([Device(device).request(f"q{len(tape.sent)}", door=door, **(shown(code) | more))])
    return tape.of(device, "rsp", "access")[-1]


def test_right_door_wrong_door_and_after_check_out(any_listening: Listening) -> None:
    visit, code = guest()
    assert ask(any_listening, code)["decision"] == "granted"
    assert ask(any_listening, code, "ops-b-main", "ctl-floor-b")["reason"] == "zone_not_allowed"
    with acting() as work:
        visits.depart(work, visit, Evidence.DESK_SCAN)
    assert ask(any_listening, code)["decision"] == "denied"
    entries = log()
    assert [(entry.visit, entry.decision) for entry in entries] == [
        (visit, "granted"),
        (visit, "denied"),
        (visit, "denied"),
    ]
    assert entries[2].reason in ("expired", "visit_cancelled")


def test_before_check_in(listening: Listening) -> None:
    _, code = guest(admit=False)
    assert ask(listening, code)["reason"] == "not_armed"


@pytest.mark.parametrize("code", ["", "BP" + "B" * 34])
def test_a_code_nobody_issued(listening: Listening, code: str) -> None:
    assert ask(listening, code)["reason"] == "unknown_pass"


def test_a_misread_code_as_text(listening: Listening) -> None:
    _, code = guest()
    broken = code[:-1] + ("B" if code[-1] != "B" else "C")
    answer = ask(listening, code, credential={"type": "qr", "code": broken})
    assert answer["reason"] == "misread"
    assert ask(listening, code, credential={"type": "qr", "code": code.lower()})["decision"] == "granted"
    assert code not in str(log())


def test_the_same_pass_a_second_time_while_the_first_is_inside(listening: Listening) -> None:
    _, code = guest()
    assert ask(listening, code)["decision"] == "granted"
    listening[0].handle([Device().access("taken", **shown(code))])
    assert ask(listening, code)["reason"] == "already_inside"
    out = ask(listening, code, direction="out")
    assert out["decision"] == "granted"  # an exit is never refused
    listening[0].handle([Device(boot="x").access("taken", direction="out", **shown(code))])
    assert ask(listening, code)["decision"] == "granted"


def test_a_granted_pass_that_did_not_go_through_is_not_inside(listening: Listening) -> None:
    _, code = guest()
    ask(listening, code)
    listening[0].handle([Device().access("not-taken", **shown(code))])
    assert ask(listening, code)["decision"] == "granted"


def test_superseded_and_held(listening: Listening) -> None:
    visit, code = guest()
    with acting() as work:
        new = visits.issue_pass(work, visit).codes.code
    assert ask(listening, code)["reason"] == "superseded"
    with acting() as work:
        visits.raise_hold(work, visit, "manual", "Asked to wait")  # type: ignore[arg-type]
    assert ask(listening, new)["reason"] == "held"


def test_the_card_room_opens_when_the_escort_has_just_badged(listening: Listening) -> None:
    _, code = guest(zones=("ops-a", "card-a"), secure=True)
    assert ask(listening, code, "card-room")["reason"] == "escort_not_present"
    listening[0].handle([Device().request("host", door="card-room", credential=card("E-1004"))])
    assert ask(listening, code, "card-room")["decision"] == "granted"


def test_lockdown_and_interlock_with_the_door_come_before_the_visit(listening: Listening) -> None:
    _, code = guest()
    with acting() as work:
        doors.lock(work, "ops-a-main", "Spill on the floor")
    listening[0].idle()
    listening[0].reload()
    assert ask(listening, code)["reason"] == "lockedByHigherPriority"
    assert ask(listening, code, direction="out")["decision"] == "granted"


def test_going_out_of_the_building_ends_the_visit(any_listening: Listening) -> None:
    visit, code = guest()
    device = Device(LOBBY)
    any_listening[0].handle([device.access("taken", door="main-entrance", direction="out", **shown(code))])
    with reading() as session:
        found = judged(session, visit)
        assert found is not None
        assert (found.visit.state, found.visit.departure) == ("departed", Evidence.EXIT_DOOR)
    assert ask(any_listening, code)["decision"] == "denied"


def test_a_pass_granted_offline_is_recomputed(listening: Listening) -> None:
    visit, code = guest(zones=("ops-a",))
    listening[0].handle([Device("ctl-floor-b").access("granted", door="ops-b-main", **shown(code))])
    (entry,) = log()
    assert (entry.visit, entry.shadow) == (visit, "zone_not_allowed")
