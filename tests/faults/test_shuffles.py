"""A broker that delivers in any order, again and again, to listeners that die: the store holds each event once."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from bposite.doors.tables import Presence
from bposite.plumbing.clock import now
from bposite.plumbing.mqtt import Message
from tests.doors.kit import FLOOR_A, Device, ago, log, new_listener, rows

PEOPLE = ("E-1016", "E-1017", "E-1018", "E-1019")


def stream(luck: random.Random, count: int) -> list[Message]:
    """What three boots of one controller have to say, in the order of their times."""
    boots = [Device(boot=name) for name in ("a1", "b2", "c3")]
    told = []
    for step in range(count):
        device = boots[min(step * 3 // count, 2)]
        way = luck.choice(["in", "out"])
        told.append(device.access("taken", person=luck.choice(PEOPLE), direction=way, time=ago(count - step)))
    return told


@pytest.mark.parametrize("seed", range(4))
def test_any_order_any_repetition_any_death(any_planned: object, seed: int) -> None:
    luck = random.Random(seed)
    told = stream(luck, 120)
    delivered = told * 2
    luck.shuffle(delivered)
    listener, tape = new_listener()
    while delivered:
        size = luck.randint(1, 30)
        batch, delivered = delivered[:size], delivered[size:]
        if luck.random() < 0.15:
            listener, tape = new_listener()  # killed before this batch, started again: memory is gone
        listener.handle(batch)
    entries = log()
    assert Counter((entry.boot, entry.seq) for entry in entries) == Counter(
        {(boot, seq): 1 for boot in ("a1", "b2", "c3") for seq in range(1, 41)}
    )
    listener.unacked |= {(FLOOR_A, boot) for boot in ("a1", "b2", "c3")}
    listener.acknowledge(now(), force=True)
    last = {body["boot"]: body for body in tape.of(FLOOR_A, "ack")}
    assert {boot: (body["upto"], body["missing"]) for boot, body in last.items()} == dict.fromkeys(last, (40, []))
    assert len(last) == 3
    replayed = {entry.person: entry for entry in sorted(entries, key=lambda one: (one.time_used, one.position))}
    assert {row.subject: row.zone for row in rows(Presence)} == {who: one.zone for who, one in replayed.items()}
