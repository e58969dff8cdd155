"""How fast native events are read, on one core: ``python -m tests.doors.wire.measure [events]``.

CPU time, so that other work on the machine does not count; the best of five runs. Beside it stand ``json.loads`` of the
same bytes (what any program pays, checking nothing) and the patient way (what an unusual message pays).
"""

import json
import sys
from collections.abc import Callable
from time import process_time

from bposite.doors.events import Delivery
from bposite.doors.wire.native import translate
from bposite.doors.wire.native_slow import read_slowly
from bposite.doors.wire.topics import parse_topic
from tests.doors.wire.samples import CONFIG, RECEIVED, TOPIC, access

Readings = dict[str, float]


def messages(count: int) -> list[bytes]:
    """Access events as a controller writes them, each with its own number."""
    return [json.dumps(access(seq=seq, id=f"b7f2-{seq:09}"), separators=(",", ":")).encode() for seq in range(count)]


def measure(count: int = 20_000) -> Readings:
    """Microseconds of CPU for one event: ``quick``, ``patient``, ``json`` (json.loads alone)."""
    payloads, topic = messages(count), parse_topic(TOPIC)

    def quick(payload: bytes) -> object:
        return translate(Delivery(topic=TOPIC, payload=payload, received_at=RECEIVED), CONFIG)

    def patient(payload: bytes) -> object:
        return read_slowly(topic, Delivery(topic=TOPIC, payload=payload, received_at=RECEIVED))

    return {"quick": best(quick, payloads), "patient": best(patient, payloads), "json": best(json.loads, payloads)}


def best(read: Callable[[bytes], object], payloads: list[bytes]) -> float:
    """Microseconds of CPU for one payload, the best of five runs."""
    runs = []
    for _ in range(5):
        began = process_time()
        for payload in payloads:
            read(payload)
        runs.append(process_time() - began)
    return min(runs) / len(payloads) * 1e6


def main() -> None:
    """Print the figures."""
    found = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
    for name, cost in found.items():
        rate, ratio = 1e6 / cost, cost / found["json"]
        print(f"{name:8} {cost:6.2f} us an event  {rate:9,.0f} events/s on one core  {ratio:.2f} x json.loads")


if __name__ == "__main__":
    main()
