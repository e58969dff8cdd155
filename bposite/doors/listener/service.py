"""The listener's work: drain, decide, one transaction, acknowledge. Nothing stops it but ``stop``.

Order of a batch: answers to requests go out first (a person is waiting), then one transaction holds entries, presence,
watermarks and facts; only when it is committed are the messages acknowledged to the broker, and then to the devices.
A batch that fails is rolled back, memory is read again, and the broker delivers everything once more.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from bposite.doors import worker
from bposite.doors.actions import alarms, commands, devices, inbox, ingest
from bposite.doors.events import (
    AccessRequest,
    Ack,
    Birth,
    CommandResult,
    Delivery,
    EntryEvent,
    Facet,
    Ignored,
    Link,
    Rejection,
    Translation,
)
from bposite.doors.listener import upkeep
from bposite.doors.listener.memory import Memory, Watched
from bposite.doors.listener.reading import Intent, Reading
from bposite.doors.listener.requests import Decided, Desk, record
from bposite.doors.listener.telling import Telling
from bposite.doors.wire import encode
from bposite.doors.wire.topics import subscriptions
from bposite.journal.work import Actor, Work, unit_of_work
from bposite.plumbing import health
from bposite.plumbing.clock import from_micros, now
from bposite.plumbing.db import reading as reading_session
from bposite.plumbing.mqtt import Message, MqttLink
from bposite.plumbing.settings import current
from bposite.visits.actions import left_by_door

log = structlog.get_logger(__name__)
ACTOR = Actor.system("doors")
ACK_EVERY = timedelta(milliseconds=200)
ACK_AT_MOST = 50
ACK_AGAIN = timedelta(seconds=20)
UPKEEP_EVERY = timedelta(milliseconds=250)
TURN_WITHIN = timedelta(seconds=10)
PART = "listen"
BEAT_S = 5
Read = tuple[Delivery, Translation]


class Listener:
    """One listener. ``handle`` makes a batch durable; ``idle`` does what time brings about."""

    def __init__(self, site: str, watched: Watched | None = None) -> None:
        self.memory = Memory(site, watched)
        self.desk = Desk(self.memory)
        self.link: MqttLink | None = None
        self.unacked: set[tuple[str, str]] = set()
        self._filters: set[str] = set()
        self._telling = Telling()
        self._session = 0
        self._stale = True
        self.turned_at = now()
        self._kept = self.turned_at
        self.reload()

    def reload(self) -> None:
        """Read memory from the store."""
        self._stale = True
        with reading_session() as session:
            self.memory.load(session)
        self._stale = False

    # --- a batch -----------------------------------------------------------------------------------------------------

    def handle(self, messages: Sequence[Message]) -> None:
        """Make a batch durable and answer it. Raising means: nothing of it is acknowledged."""
        received = now()
        if self._stale:
            self.reload()
        read = [self._translate(message, received) for message in messages]
        decided, conflicts = self._answer(read, received)
        try:
            self._commit(read, decided, conflicts, received)
        except IntegrityError:
            # memory and store disagree (another listener, a restored database): the store is right
            log.warning("doors:batch:again", messages=len(messages))
            self.reload()
            self._commit(read, decided, conflicts, received)
        except BaseException:
            self.desk.forget(decided)
            raise
        self.acknowledge(received)

    def _translate(self, message: Message, received: datetime) -> Read:
        delivery = Delivery(
            topic=message.topic, payload=message.payload, received_at=received, retain=message.retain, dup=message.dup,
            qos=message.qos,
        )  # fmt: skip
        return delivery, self.memory.routes.translate(delivery)

    def _answer(
        self, read: Iterable[Read], received: datetime
    ) -> tuple[list[Decided], list[tuple[Delivery, Rejection]]]:
        asked = [(item, delivery) for delivery, told in read for item in told.items if isinstance(item, AccessRequest)]
        decided: list[Decided] = []
        conflicts: list[tuple[Delivery, Rejection]] = []
        if not asked:
            return decided, conflicts
        with reading_session() as session:
            for request, delivery in asked:
                answer = self.desk.answer(session, request, delivery, received)
                if isinstance(answer, Rejection):
                    conflicts.append((delivery, answer))
                elif answer is not None:
                    self.publish([answer.message])
                    decided.append(answer)
        return decided, conflicts

    def _commit(
        self,
        read: Sequence[Read],
        decided: Sequence[Decided],
        conflicts: Iterable[tuple[Delivery, Rejection]],
        received: datetime,
        pushed: Sequence[inbox.Waiting] = (),
    ) -> None:
        self._stale = True  # until it is committed: memory runs ahead of the store
        with unit_of_work(ACTOR) as work:
            inbox.done(work.session, pushed)
            batch = Reading(self.memory, work.session, received)
            batch.look_up(told for _, told in read)
            for one in decided:
                record(batch, one)
            for delivery, rejection in conflicts:
                batch.reject(delivery, rejection)
            for delivery, told in read:
                self._take(work, batch, delivery, told)
            self.memory.scene.note_heads(self.memory.policy)
            batch.sequences()
            positions = ingest.store(work, batch.batch)
            raise_intents(work, batch.intents, positions)
            for visit, index in batch.batch.departed:
                used = from_micros(batch.batch.records[index].time_used)
                left_by_door(work, visit, entry=str(positions[index]), at=used)
        self._stale = False
        self.unacked |= batch.acks
        self.publish(encode.error(self.memory.site, *one) for one in batch.errors)

    def _take(self, work: Work, batch: Reading, delivery: Delivery, told: Translation) -> None:
        for rejection in told.rejections:
            batch.reject(delivery, rejection)
        for item in told.items:
            if isinstance(item, EntryEvent):
                batch.event(item, delivery, told.evidence)
            elif isinstance(item, Birth):
                upkeep.birth(work, self.memory, item)
            elif isinstance(item, Link):
                devices.note_link(work, item)
            elif isinstance(item, Facet):
                devices.note_facet(work, item)
                upkeep.facet(self.memory, item)
            elif isinstance(item, CommandResult):
                commands.note_result(work, item)
            elif isinstance(item, Ignored) and item.device is not None and item.why == "retained-event":
                self.memory.device(item.device).count("retained")

    # --- what goes out -----------------------------------------------------------------------------------------------

    def publish(self, messages: Iterable[encode.Message]) -> None:
        """Send to devices (QoS 1, never retained)."""
        if self.link is not None:
            for topic, payload in messages:
                self.link.publish(topic, payload)

    def acknowledge(self, at: datetime, *, force: bool = False) -> None:
        """Tell devices what is committed: every 200 ms or 50 events at most, contiguous, with what is missing."""
        done = set()
        for device, name in self.unacked:
            boot = self.memory.device(device).boots.get(name)
            if boot is None:
                done.add((device, name))
                continue
            if force or boot.pending >= ACK_AT_MOST or boot.acked is None or at - boot.acked >= ACK_EVERY:
                body = Ack(boot=name, upto=boot.mark.upto, now=at, missing=tuple(boot.mark.missing()))
                self.publish([encode.ack(self.memory.site, device, body)])
                boot.acked, boot.pending = at, 0
                done.add((device, name))
        self.unacked -= done

    # --- time --------------------------------------------------------------------------------------------------------

    def idle(self) -> None:
        """Between batches: acknowledgements that waited, commands, gaps, notes."""
        at = self.turned_at = now()
        if self._stale:
            self.reload()  # nothing may be acknowledged from a memory that is ahead of the store
        if self.link is not None and self.link.sessions != self._session:
            self._session = self.link.sessions
            self._greet(at, self.link.session_kept)
        if self.unacked:
            self.acknowledge(at)
        if at - self._kept >= UPKEEP_EVERY:
            self._kept = at
            self._upkeep(at)

    def _greet(self, at: datetime, session_kept: bool) -> None:
        """After a (re)connection: tell every device where it stands; if the broker has forgotten our session, what came
        meanwhile is lost to us, so ask for everything that devices still keep."""
        self.unacked |= {(name, device.newest) for name, device in self.memory.devices.items() if device.newest}
        self.acknowledge(at, force=True)
        if not session_kept:
            self.publish(upkeep.sync_commands(self.memory, at))

    def _upkeep(self, at: datetime) -> None:
        for message_id, delivery in upkeep.take_notes(self.memory, at):
            self._replay(message_id, delivery)
        self.take_pushed(at)
        self.follow_plan()
        self.publish(upkeep.queued_commands(self.memory.site))
        self.tell()
        if upkeep.holes_due(self.memory, at):
            self._stale = True
            with unit_of_work(ACTOR) as work:
                touched = upkeep.mind_holes(work, self.memory, at)
            self._stale = False
            self.unacked |= touched
        self.unacked |= upkeep.remind(self.memory, at, ACK_AGAIN) | self.memory.restless
        self.memory.restless.clear()
        upkeep.write_devices(self.memory, at)

    def tell(self) -> None:
        """Tell other systems of the plan what was stored since the last time."""
        if self.link is not None:
            for message in self._telling.news(self.memory):
                self.link.publish(message.topic, message.payload, retain=message.retain)

    def take_pushed(self, at: datetime) -> None:
        """Store what came past the broker (HTTP, controllers that were asked); one bad message stops no other."""
        pushed = inbox.waiting()
        if not pushed:
            return
        try:
            self._store_pushed(pushed, at)
        except Exception as error:  # tried one by one, so that the culprit alone waits
            log.warning("doors:inbox:again", messages=len(pushed), exc_info=error)
            self.reload()
            for one in pushed:
                self._store_alone(one, at)

    def _store_pushed(self, pushed: Sequence[inbox.Waiting], at: datetime) -> None:
        read = [(one.delivery, self.memory.routes.translate(one.delivery)) for one in pushed]
        self._commit(read, [], [], at, pushed)

    def _store_alone(self, one: inbox.Waiting, at: datetime) -> None:
        try:
            self._store_pushed([one], at)
        except Exception as error:  # the edge of the worker: it comes again
            log.error("doors:inbox:failed", topic=one.delivery.topic, exc_info=error)
            self.reload()
            inbox.put_back(one, str(error), at)

    def follow_plan(self) -> None:
        """Subscribe to the topics of foreign devices that the plan names now."""
        new = [topic for topic in self.memory.routes.filters if topic not in self._filters]
        if new and self.link is not None:
            self.link.subscribe([(topic, 1) for topic in new])
            self._filters.update(new)

    def _replay(self, message_id: str, delivery: Delivery) -> None:
        """Read a quarantined message once more; if it fails again it waits for a person again."""
        told = self.memory.routes.translate(delivery)
        if told.rejections:
            with unit_of_work(ACTOR) as work:
                devices.reopen_message(work, message_id, told.rejections[0].detail)
            return
        self._commit([(delivery, told)], [], [], delivery.received_at)


def raise_intents(work: Work, intents: Iterable[Intent], positions: range) -> None:
    """Open, count up or end the alarms of a batch."""
    for one in intents:
        if one.over:
            alarms.end_condition(work, one.kind, one.about)
            continue
        alarms.raise_alarm(
            work, one.kind, one.summary, severity="warning" if one.severity == "warning" else "alarm", about=one.about,
            door=one.door, device=one.device, zone=one.zone, person=one.person, visit=one.visit,
            entry=None if one.record is None else positions[one.record], live=one.live, at=one.at,
        )  # fmt: skip


def run(stop: threading.Event, *, client_id: str = "", watched: Watched | None = None) -> None:
    """Listen until ``stop`` is set. One listener per site (or per shard) runs under its own fixed client id.

    ``watched`` tells which doors a camera sees; without it every door's entries get a job to find pictures.
    """
    settings = current()
    listener = Listener(settings.site.id, watched)
    topics = [(topic, 1) for topic in subscriptions(settings.site.id)]
    name = client_id or f"bposite-listener-{settings.site.id}"
    listener.link = MqttLink(settings.mqtt, name, topics, listener.handle, idle=listener.idle)
    watch = threading.Thread(target=_watch, args=(listener, listener.link, stop), daemon=True)
    watch.start()
    threading.Thread(target=worker.run, args=(stop,), daemon=True).start()
    listener.link.run(stop)
    watch.join(timeout=2)


def _watch(listener: Listener, link: MqttLink, stop: threading.Event) -> None:
    """Tell the truth from outside the loop: a loop that hangs or waits to reconnect cannot say so itself."""
    while not stop.is_set():
        state, detail = _standing(listener, link)
        try:
            health.beat(PART, state, detail, every_s=BEAT_S)
        except SQLAlchemyError as error:
            log.warning("doors:beat:failed", error=str(error))
        stop.wait(BEAT_S / 2)


def _standing(listener: Listener, link: MqttLink) -> tuple[health.State, str]:
    if not link.connected:
        return "down", f"no link to the broker: {link.problem}"
    silent = now() - listener.turned_at
    if silent > TURN_WITHIN:
        return "degraded", f"busy with one batch for {silent.total_seconds():.0f} s"
    return "up", ""
