"""What storing an event costs, against a bare client and against the usual program, in one run on this machine.

    python -m tests.bench.doors_ingest [--events 20000] [--naive 1000]

Each consumer drains the same events from a queue that Mosquitto (with the shipped settings) has kept for it. ``bare``
counts with a stock paho client; ``naive`` commits one row an event by the ORM; ``ours`` is the real listener: durable
(SQLite in WAL mode, FULL), deduplicated, journalled, judged in shadow, acknowledged to the device. Only the ratios mean
something on another machine.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import paho.mqtt.client as paho
from sqlalchemy import Integer, String, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from bposite.doors.listener import Listener
from bposite.plumbing import db
from bposite.plumbing.mqtt import Message, MqttLink
from bposite.plumbing.settings import Mqtt
from tests.conftest import new_settings
from tests.doors import kit
from tests.doors.conftest import open_core
from tests.faults.broker import Mosquitto

FILTER = f"bposite/v1/{kit.SITE}/+/evt/#"
PEOPLE = ("E-1016", "E-1017", "E-1018", "E-1019", "E-1020")


class Base(DeclarativeBase):
    """Of the naive program."""


class Row(Base):
    """What it stores."""

    __tablename__ = "entry_log"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    device: Mapped[str] = mapped_column(String(40), index=True)
    person: Mapped[str] = mapped_column(String(40), index=True)
    time: Mapped[str] = mapped_column(String(40), index=True)
    body: Mapped[str] = mapped_column(String)


def client(name: str, port: int, on_message: Callable[[bytes], None] | None = None) -> paho.Client:
    """A stock client with a session that stays."""
    one = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
    one.max_queued_messages_set(0)
    one.max_inflight_messages_set(2000)
    if on_message is not None:
        one.on_message = lambda _client, _data, message: on_message(message.payload)
    one.connect("127.0.0.1", port)
    return one


def queue_for(name: str, port: int, messages: Sequence[Message]) -> None:
    """Let the broker keep ``messages`` for the session ``name``."""
    waiting = client(name, port)
    waiting.loop_start()
    waiting.on_subscribe = lambda *_: subscribed.set()
    subscribed = threading.Event()
    waiting.subscribe(FILTER, 1)
    subscribed.wait(10)
    waiting.disconnect()
    waiting.loop_stop()
    speaker = client("speaker", port)
    speaker.loop_start()
    sent = [speaker.publish(one.topic, one.payload, 1) for one in messages]
    for one in sent:
        one.wait_for_publish(300)
    speaker.disconnect()
    speaker.loop_stop()


Figure = tuple[float, float]
"""Events a second, and microseconds of processor time an event (which a busy machine distorts less)."""


def bare(port: int, count: int) -> Figure:
    """A stock client that only counts."""
    return _drain("bare", port, count, lambda _payload: None)


def naive(port: int, count: int, folder: Path) -> Figure:
    """The usual program: one ORM row and one commit for each."""
    engine = create_engine(f"sqlite:///{folder / 'naive.sqlite3'}")
    Base.metadata.create_all(engine)

    def store(payload: bytes) -> None:
        told = json.loads(payload)
        with Session(engine) as session:
            row = Row(
                device=told["source"], person=told["data"]["credential"]["ref"], time=told["time"], body=str(told)
            )
            session.add(row)
            session.commit()

    return _drain("naive", port, count, store)


def _drain(name: str, port: int, count: int, each: Callable[[bytes], None]) -> Figure:
    seen, began, used = 0, 0.0, 0.0

    def take(payload: bytes) -> None:
        nonlocal seen, began, used
        began, used = began or time.perf_counter(), used or time.process_time()
        each(payload)
        seen += 1
        if seen == count:
            one.disconnect()

    one = client(name, port, take)
    one.loop_forever()
    return count / (time.perf_counter() - began), (time.process_time() - used) / count * 1e6


def ours(port: int, count: int) -> Figure:
    """The listener."""
    listener, stop = Listener(kit.SITE, lambda _session: set()), threading.Event()
    seen, began, ended, used = 0, 0.0, 0.0, 0.0

    def handle(batch: Sequence[Message]) -> None:
        nonlocal seen, began, ended, used
        began, used = began or time.perf_counter(), used or time.process_time()
        listener.handle(batch)
        seen += len(batch)
        if seen >= count:
            ended = time.perf_counter()
            stop.set()

    listener.link = MqttLink(Mqtt(port=port, embedded=False), "ours", [(FILTER, 1)], handle, idle=listener.idle)
    listener.link.run(stop)
    return count / (ended - began), (time.process_time() - used) / count * 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--naive", type=int, default=1_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "site").mkdir()
        open_core(new_settings(folder / "site"))
        cards = {person: kit.card(person) for person in PEOPLE}
        device = kit.Device()
        events = [device.access(credential=cards[PEOPLE[n % 5]]) for n in range(given.events)]
        broker = Mosquitto(folder / "broker")
        broker.start()
        try:
            rates = {}
            queue_for("bare", broker.port, events)
            rates["bare"] = bare(broker.port, given.events)
            queue_for("ours", broker.port, events)
            rates["ours"] = ours(broker.port, given.events)
            queue_for("naive", broker.port, events[: given.naive])
            rates["naive"] = naive(broker.port, given.naive, folder)
        finally:
            broker.kill()
            db.close()
    for what, (rate, used) in rates.items():
        print(f"{what:6} {rate:10,.0f} events a second, {used:8,.1f} us of processor time each")
    (bare_rate, bare_used), (rate, used), (naive_rate, _) = rates["bare"], rates["ours"], rates["naive"]
    print(f"ours / bare  {rate / bare_rate:.2f}, by processor time {bare_used / used:.2f}  (aim: >= 0.8)")
    print(f"ours / naive {rate / naive_rate:.0f}  (aim: >= 30)")


if __name__ == "__main__":
    main()
