"""A site with the demonstration plan, a listener without a broker, and messages as a controller writes them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bposite.doors import actions
from bposite.doors.listener.service import Listener
from bposite.doors.queries import EntryFilter, EntryRow, entries_after
from bposite.doors.references import reference
from bposite.journal.work import Actor, Work, unit_of_work
from bposite.people import actions as people
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.mqtt import Message
from bposite.visits import actions as visits

REPO = Path(__file__).resolve().parent.parent.parent
PLAN: dict[str, Any] = yaml.safe_load((REPO / "hardware/simulator/site.yaml").read_text("utf-8"))
SITE = "pune-1"
FLOOR_A = "ctl-floor-a"
OPERATOR = Actor("user", "u1", "Vikram Rathore", "guard")


def apply(plan: dict[str, Any] = PLAN) -> None:
    """The plan's sections that doors need, with persons and the visitors' view of zones."""
    with unit_of_work(Actor.system("test")) as work:
        people.apply_plan(work, plan["persons"])
        actions.apply_plan(work, plan)
        visits.apply_plan(work, plan["zones"])


@contextmanager
def acting(actor: Actor = OPERATOR) -> Iterator[Work]:
    """A unit of work of an operator."""
    with unit_of_work(actor) as work:
        yield work


def number_of(person: str, kind: str = "card") -> str:
    """The number of the first active credential of a person in the plan."""
    return next(
        row["number"]
        for row in PLAN["credentials"]
        if row["person"] == person and row["type"] == kind and row["status"] == "active"
    )


def card(person: str) -> dict[str, Any]:
    """A person's card as a device tells it."""
    return {"type": "card", "format": "wiegand26", "bits": 26, "ref": reference("card", number_of(person))}


@dataclass
class Device:
    """A controller: counts its events and says them."""

    id: str = FLOOR_A
    boot: str = "b7f2"
    seq: int = 0
    site: str = SITE

    def topic(self, *words: str) -> str:
        """A topic of this device."""
        return "/".join(("bposite/v1", self.site, self.id, *words))

    def envelope(self, data: dict[str, Any], cls: str = "access", **changed: Any) -> dict[str, Any]:
        """A CloudEvents envelope; the next number unless ``seq`` is given."""
        if "seq" not in changed:
            self.seq += 1
        seq = changed.get("seq", self.seq)
        told = {
            "specversion": "1.0", "id": f"{self.boot}-{seq:09d}", "source": f"/{self.site}/{self.id}",
            "type": f"in.bposite.{cls}.v1", "time": stamp(now()), "datacontenttype": "application/json",
            "seq": seq, "boot": self.boot, "clock": "ntp", "data": data,
        }  # fmt: skip
        return told | changed

    def access(
        self, decision: str = "granted", *, door: str = "ops-a-main", person: str = "E-1016", **more: Any
    ) -> Message:
        """An access event by a person's card."""
        envelope = {name: more.pop(name) for name in ("seq", "time", "boot", "clock", "id", "source") if name in more}
        reason = {
            "granted": "granted",
            "denied": "deniedUnknownCredential",
            "taken": "passed",
            "not-taken": "not_taken",
        }
        data = {
            "decision": decision, "reason": reason.get(decision, "granted"), "door": door, "direction": "in",
            "credential": card(person), "factors": ["card", "finger"], "holder": None, "taken": None, "duress": False,
            "offline": False,
        } | more  # fmt: skip
        return self.message("evt/access", self.envelope(data, **envelope))

    def event(self, cls: str, reason: str, *, door: str | None = "ops-a-main", **more: Any) -> Message:
        """An event of another class."""
        envelope = {name: more.pop(name) for name in ("seq", "time", "boot", "clock") if name in more}
        data = {"reason": reason, "door": door} | more
        return self.message(
            f"evt/{cls}", self.envelope({k: v for k, v in data.items() if v is not None}, cls, **envelope)
        )

    def request(self, name: str, *, door: str = "ops-a-main", **more: Any) -> Message:
        """A question for a decision."""
        body = {
            "id": name, "door": door, "direction": "in", "credential": card("E-1016"), "factors": ["card", "finger"],
            "time": stamp(now()), "clock": "ntp",
        } | more  # fmt: skip
        return self.message("req/access", body)

    def birth(self, **more: Any) -> Message:
        """``state/info``."""
        body = {
            "boot": self.boot, "model": "BC-4", "fw": "1.0", "proto": 1, "doors": [], "seq_next": self.seq + 1,
            "seq_oldest": 1, "buffer_max": 20000, "tz": "Asia/Kolkata", "clock": "ntp",
        } | more  # fmt: skip
        return self.message("state/info", body)

    def link(self, online: bool) -> Message:
        """``state/link``."""
        return self.message("state/link", {"online": online, "boot": self.boot})

    def message(self, tail: str, body: Any, *, retain: bool = False) -> Message:
        """Any message of this device; bytes go as they are."""
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Message(self.topic(*tail.split("/")), payload, 1, retain, False, 0)


def stamp(moment: datetime) -> str:
    """A moment as devices write it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ago(seconds: float) -> str:
    """The moment ``seconds`` ago as devices write it."""
    return stamp(now() - timedelta(seconds=seconds))


@dataclass
class Tape:
    """Stands where the link to the broker stands, and keeps what was published."""

    sent: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    sessions: int = 0
    session_kept: bool = True

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Keep it."""
        self.sent.append((topic, json.loads(payload)))

    def of(self, device: str, *words: str) -> list[dict[str, Any]]:
        """What one device was told on one topic."""
        return [body for topic, body in self.sent if topic == "/".join(("bposite/v1", SITE, device, *words))]


def new_listener() -> tuple[Listener, Tape]:
    """A listener of the site of this test, and the tape of what it publishes."""
    listener, tape = Listener(SITE), Tape()
    listener.link = tape  # type: ignore[assignment]
    return listener, tape


def log(wanted: EntryFilter | None = None) -> list[EntryRow]:
    """The whole log (or what ``wanted`` asks for) in the order of insertion."""
    with reading() as session:
        return entries_after(session, wanted or EntryFilter(), -1, limit=100_000)


def rows(model: Any, **equal: Any) -> Sequence[Any]:
    """Rows of a table."""
    with reading() as session:
        found = list(session.scalars(select(model).filter_by(**equal)))
        session.expunge_all()
        return found


def count(session: Session, model: Any) -> int:
    """How many rows a table has."""
    return session.scalar(select(func.count()).select_from(model)) or 0
