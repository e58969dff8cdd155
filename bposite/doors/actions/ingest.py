"""One batch of door events made durable: entries, presence, watermarks, quarantine and jobs in one transaction.

The listener turns messages into a ``Batch`` of plain values; this is the only place that writes it. Rows go through the
driver in bulk: an ORM object per row costs ten times as much (docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Table, bindparam, delete, func, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bposite.doors.rules.decide import Step
from bposite.doors.rules.scene import Whereabouts
from bposite.doors.tables import (
    Claim,
    Credential,
    DeviceState,
    DoorState,
    Entry,
    Presence,
    Quarantine,
    RequestAnswer,
    SequenceRow,
)
from bposite.journal.work import Work
from bposite.plumbing.bulk import insert_rows
from bposite.plumbing.db import Model
from bposite.plumbing.ids import new_id
from bposite.plumbing.jobs import enqueue_many

LINK_JOB = "cameras:link"
QUARANTINE_RAW = 64 * 1024


class Record(msgspec.Struct, gc=False, kw_only=True, omit_defaults=True):
    """One entry and its fact. The fields up to ``adapter`` are the columns of the log, in their order.

    Moments are whole microseconds since 1970 UTC. ``trace`` and ``raw`` are kept in the fact alone.
    """

    time_used: int
    received_at: int
    time_told: int | None = None
    time_source: str
    skew_ms: int | None = None
    late: bool = False
    device: str
    key: str
    boot: str | None = None
    seq: int | None = None
    cls: str
    decision: str | None = None
    reason: str
    vendor_reason: str | None = None
    notable: bool = False
    door: str | None = None
    door_ref: str | None = None
    direction: str | None = None
    zone: str | None = None
    reader: str | None = None
    person: str | None = None
    visit: str | None = None
    pass_id: str | None = None
    credential_type: str | None = None
    credential_ref: str | None = None
    factors: str = ""
    decided_by: str = "device"
    taken: bool | None = None
    duress: bool = False
    raised: str = ""
    shadow: str | None = None
    digest: bytes
    adapter: str
    holder: str | None = None
    trace: tuple[Step, ...] = ()
    raw: str | None = None
    request: str | None = None


_FIELDS = Record.__struct_fields__
COLUMNS = _FIELDS[: _FIELDS.index("adapter") + 1]
_WIDTH = len(COLUMNS)
_CREDENTIAL: Table = Credential.__table__  # type: ignore[assignment]
_ENTRY: Table = Entry.__table__  # type: ignore[assignment]


class Rejected(msgspec.Struct, frozen=True):
    """A message for the quarantine."""

    topic: str
    device: str | None
    digest: str
    code: str
    detail: str
    raw: bytes


class Answered(msgspec.Struct, frozen=True):
    """An answer to ``req/access``, to be given again byte for byte."""

    device: str
    request: str
    digest: str
    answer: bytes


class Batch(msgspec.Struct):
    """What one drain of the socket brought, ready to be written. ``moves`` hold the index of their record.

    ``departed``: (visit, index of the record) of visitors who went out of the building. ``devices`` and ``doors``:
    changed columns by id. ``alarms`` and ``results`` are handled by their own actions in the same unit of work.
    """

    records: list[Record] = []
    links: list[int] = []
    moves: dict[str, tuple[Whereabouts, int]] = {}
    departed: list[tuple[str, int]] = []
    sequences: dict[tuple[str, str], dict[str, Any]] = {}
    devices: dict[str, dict[str, Any]] = {}
    doors: dict[str, dict[str, Any]] = {}
    door_entries: dict[str, int] = {}
    claims: dict[tuple[str, str], int] = {}
    rejected: list[Rejected] = []
    answered: list[Answered] = []
    used: dict[tuple[str, str], tuple[datetime, int]] = {}


def store(work: Work, batch: Batch) -> range:
    """Write the batch; returns the positions of its entries, in order."""
    session = work.session
    positions = work.record_many([(f"doors:entry:{one.cls}", one.device, one) for one in batch.records])
    rows = [
        (position, *msgspec.structs.astuple(one)[:_WIDTH])
        for position, one in zip(positions, batch.records, strict=True)
    ]
    insert_rows(session, _ENTRY, ("position", *COLUMNS), rows)
    links = [positions[index] for index in batch.links]
    enqueue_many(session, LINK_JOB, [(str(position), {"position": position}) for position in links])
    _store_moves(session, batch, positions)
    _store_state(session, batch, positions)
    _store_claims(work, batch)
    _store_rejected(work, batch.rejected)
    if batch.answered:
        session.execute(
            insert(RequestAnswer), [msgspec.structs.asdict(one) | {"at": work.now} for one in batch.answered]
        )
    return positions


def known_digests(session: Session, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
    """(device, key) -> digest of the raw message, for those of ``keys`` that are in the log."""
    wanted = list(keys)
    found: dict[tuple[str, str], bytes] = {}
    for start in range(0, len(wanted), 300):  # below every limit of bound values
        part = wanted[start : start + 300]
        statement = select(Entry.device, Entry.key, Entry.digest).where(tuple_(Entry.device, Entry.key).in_(part))
        found |= {(device, key): digest for device, key, digest in session.execute(statement)}
    return found


def answer_given(session: Session, device: str, request: str) -> tuple[str, bytes] | None:
    """(digest of the request, answer) when ``device`` asked under this id before."""
    row = session.get(RequestAnswer, (device, request))
    return None if row is None else (row.digest, row.answer)


def forget_answers(session: Session, before: datetime) -> None:
    """Drop stored answers to requests of long ago; their entries stay."""
    session.execute(delete(RequestAnswer).where(RequestAnswer.at < before))


def _store_moves(session: Session, batch: Batch, positions: range) -> None:
    rows = [
        {
            "subject": subject, "zone": one.zone, "at": one.at, "door": one.door, "direction": one.direction,
            "confidence": one.confidence, "position": positions[index],
        }
        for subject, (one, index) in batch.moves.items()
    ]  # fmt: skip
    upsert(session, Presence, rows, keys=("subject",))
    if batch.used:
        shown = update(_CREDENTIAL)
        shown = shown.where(_CREDENTIAL.c.type == bindparam("kind"), _CREDENTIAL.c.ref == bindparam("shown"))
        used = [{"kind": kind, "shown": ref, "at": at, "n": uses} for (kind, ref), (at, uses) in batch.used.items()]
        session.connection().execute(shown.values(last_used=bindparam("at"), uses=bindparam("n")), used)


def _store_state(session: Session, batch: Batch, positions: range) -> None:
    sequences = [{"device": device, "boot": boot, **row} for (device, boot), row in batch.sequences.items()]
    upsert(session, SequenceRow, sequences, keys=("device", "boot"), keep=("first_at",))
    for device, values in batch.devices.items():
        upsert(session, DeviceState, [{"device": device, **values}], keys=("device",))
    for door, index in batch.door_entries.items():
        row = {"entry": positions[index], "entry_at": batch.records[index].time_used}
        batch.doors.setdefault(door, {}).update(row)
    for door, values in batch.doors.items():
        upsert(session, DoorState, [{"door": door, **values}], keys=("door",))


def _store_claims(work: Work, batch: Batch) -> None:
    for (device, ref), count in batch.claims.items():
        row = work.session.get(Claim, (device, ref))
        if row is None:
            row = Claim(device=device, ref=ref, first_at=work.now, last_at=work.now, count=0)
            work.session.add(row)
            work.record("doors:claim:opened", subject=device, data={"device": device, "ref": ref})
        row.count += count
        row.last_at = work.now


def _store_rejected(work: Work, rejected: Sequence[Rejected]) -> None:
    for one in rejected:
        held = work.session.scalar(
            select(Quarantine).where(Quarantine.topic == one.topic, Quarantine.digest == one.digest)
        )
        if held is not None:
            held.count += 1
            held.last_at = work.now
            continue
        row = Quarantine(
            id=new_id(), topic=one.topic, device=one.device, digest=one.digest, code=one.code, detail=one.detail[:400],
            raw=one.raw[:QUARANTINE_RAW], size=len(one.raw), first_at=work.now, last_at=work.now, count=1, state="open",
        )  # fmt: skip
        work.session.add(row)
        work.session.flush()
        data = {"code": one.code, "device": one.device, "digest": one.digest, "topic": one.topic}
        work.record("doors:quarantine:added", subject=row.id, data=data)


def upsert(
    session: Session,
    model: type[Model],
    rows: Sequence[dict[str, Any]],
    *,
    keys: tuple[str, ...],
    keep: tuple[str, ...] = (),
) -> None:
    """Insert ``rows`` (all with the same columns) or, where the key exists, set their other columns but ``keep``."""
    if not rows:
        return
    maker = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = maker(model)
    columns = [name for name in rows[0] if name not in keys and name not in keep]
    changes = {name: statement.excluded[name] for name in columns}
    session.execute(statement.on_conflict_do_update(index_elements=list(keys), set_=changes), list(rows))


def stored_count(session: Session, device: str) -> int:
    """How many entries a device has."""
    return session.scalar(select(func.count()).where(Entry.device == device)) or 0
