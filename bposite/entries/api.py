"""REST: the entry log, paged by insert position so that an entry that comes late is never skipped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from bposite.doors.queries import EntryFilter, EntryRow, entries_after, entry, search_entries
from bposite.entries import queries
from bposite.entries.rules.moments import sent_moment
from bposite.journal.queries import fact
from bposite.journal.receipt import receipt
from bposite.people.access import may, requires
from bposite.plumbing.api import endpoint
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound, Refusal

blueprint = Blueprint("entries_api", __name__, url_prefix="/api/v1")
blueprints = (blueprint,)
MOST = 1000
FAR = 2**62
Slug = Annotated[str, Field(max_length=80, pattern=r"^[^\x00]*$")]


def _moment(text: str) -> str:
    sent_moment(text)
    return text


Moment = Annotated[
    str,
    Field(max_length=40, json_schema_extra={"format": "date-time"}, description="time with an offset"),
    AfterValidator(_moment),
]


class Model(BaseModel):
    """Base: closed and immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class EntryQuery(Model):
    """Which entries. Without ``order`` by insert position, oldest first: page with ``after`` = ``next_after``."""

    after: int | None = Field(None, ge=-1, lt=FAR, description="insert position; entries after it")
    limit: int = Field(100, ge=1, le=MOST)
    door: Slug | None = None
    zone: Slug | None = Field(None, description="the zone that was entered or asked for")
    person: Slug | None = Field(None, description="number of the person")
    visit: Slug | None = None
    since: Moment | None = Field(None, alias="from", description="time of the event, inclusive")
    until: Moment | None = Field(None, alias="to", description="time of the event, exclusive")
    decision: Literal["granted", "denied", "taken", "not-taken", "request"] | None = None
    reason: Slug | None = None
    order: Literal["position", "newest"] = Field("position", description="newest: latest first, one page")

    def as_filter(self) -> EntryFilter:
        """The filter of the log."""
        return EntryFilter(
            doors=_some(self.door), zones=_some(self.zone), persons=_some(self.person), visits=_some(self.visit),
            decisions=_some(self.decision), reasons=_some(self.reason),
            since=sent_moment(self.since) if self.since else None,
            until=sent_moment(self.until) if self.until else None,
        )  # fmt: skip


class PersonOut(Model):
    """Somebody of the directory."""

    number: str
    name: str


class SnapshotOut(Model):
    """What one camera shows of the entry."""

    id: str
    camera: str
    state: str
    reason: str | None
    url: str | None
    clip_url: str | None
    event_time: datetime = Field(description="time of the event plus the camera's offset")
    frame_time: datetime | None
    time_source: str | None
    error_bound_ms: float | None
    sha256: str | None


class EntryOut(Model):
    """One entry of the log."""

    position: int = Field(description="insert position: the cursor of this list and the number of its fact")
    time: datetime = Field(description="the best known time of the event")
    time_told: datetime | None = Field(description="what the device said, unchanged")
    time_source: str
    skew_ms: int | None
    received_at: datetime
    late: bool
    kind: str = Field(alias="class", description="access, door, reader, alarm or system")
    decision: str | None
    reason: str = Field(description="BACnet AccessEvent name of ISO 16484-5, or one of ours")
    vendor_reason: str | None
    door: str | None
    zone: str | None
    direction: str | None
    reader: str | None
    person: PersonOut | None
    visit: str | None
    credential_type: str | None
    factors: list[str]
    decided_by: str
    taken: bool | None
    duress: bool
    raised: list[str]
    shadow: str | None = Field(description="what our own policy would have said where a device decided")
    device: str
    boot: str | None
    seq: int | None
    sha256: str = Field(description="of the message as it came")
    snapshots: list[SnapshotOut]


class EntryPage(Model):
    """One page; ``next_after`` goes into the next request, null at the end."""

    items: list[EntryOut]
    next_after: int | None


class StepOut(Model):
    """One rule of the decision."""

    rule: str
    row: str
    verdict: str


class ProofOut(Model):
    """The proof that the entry is in the journal; empty until a checkpoint covers it."""

    leaf: str
    size: int
    path: list[str]
    root: str
    note: str


class EntryFull(Model):
    """One entry with the trace of its decision, its message and its proof."""

    entry: EntryOut
    trace: list[StepOut]
    message: str | None
    proof: ProofOut | None


@blueprint.get("/entries")
@requires("entries:read")
@endpoint(summary="The entry log", query=EntryQuery, returns=EntryPage)
def list_entries(query: EntryQuery) -> EntryPage:
    """A page of entries."""
    if query.order == "newest" and query.after is not None:
        raise Refusal("order", "after goes with order=position", field="after")
    with reading() as session:
        if query.order == "newest":
            rows = search_entries(session, query.as_filter(), limit=query.limit)
            return EntryPage(items=_items(session, rows), next_after=None)
        after = -1 if query.after is None else query.after
        rows = entries_after(session, query.as_filter(), after, limit=query.limit + 1)
        shown = rows[: query.limit]
        more = shown[-1].position if len(rows) > query.limit else None
        return EntryPage(items=_items(session, shown), next_after=more)


@blueprint.get("/entries/<int:position>")
@requires("entries:read")
@endpoint(summary="One entry with its trace, message and proof", returns=EntryFull)
def one_entry(position: int) -> EntryFull:
    """The entry at an insert position."""
    with reading() as session:
        row = entry(session, position) if position < FAR else None
        if row is None:
            raise NotFound("entry", "There is no entry with this position.")
        told = fact(session, position)
        data: dict[str, Any] = told.data if told is not None and isinstance(told.data, dict) else {}
        found = receipt(session, position)
        proof = None
        if found is not None and found.root:
            proof = ProofOut(
                leaf=found.leaf, size=found.size, path=list(found.path), root=found.root, note=found.note
            )  # fmt: skip
        trace = [StepOut(rule=str(a), row=str(b), verdict=str(c)) for a, b, c in data.get("trace", ())]
        return EntryFull(entry=_items(session, [row])[0], trace=trace, message=data.get("raw"), proof=proof)


def _items(session: Session, rows: Sequence[EntryRow]) -> list[EntryOut]:
    people = queries.whos(session, rows)
    frames = queries.frames_of(session, [row.position for row in rows]) if may("frames:view") else {}
    return [_item(row, people[row.position], frames.get(row.position, ())) for row in rows]


def _item(row: EntryRow, who: queries.Who, frames: Sequence[queries.FrameInfo]) -> EntryOut:
    person = PersonOut(number=row.person, name=who.name if who.kind == "person" else row.person) if row.person else None
    return EntryOut(
        position=row.position, time=row.time_used, time_told=row.time_told, time_source=row.time_source,
        skew_ms=row.skew_ms, received_at=row.received_at, late=row.late, kind=row.cls, decision=row.decision,
        reason=row.reason, vendor_reason=row.vendor_reason, door=row.door, zone=row.zone, direction=row.direction,
        reader=row.reader, person=person, visit=row.visit, credential_type=row.credential_type,
        factors=list(row.factors), decided_by=row.decided_by, taken=row.taken, duress=row.duress,
        raised=list(row.raised), shadow=row.shadow, device=row.device, boot=row.boot, seq=row.seq, sha256=row.digest,
        snapshots=[_snapshot(frame) for frame in frames],
    )  # fmt: skip


def _snapshot(frame: queries.FrameInfo) -> SnapshotOut:
    base = f"/api/v1/snapshots/{frame.id}"
    return SnapshotOut(
        id=frame.id, camera=frame.camera, state=frame.state.value, reason=frame.reason.value if frame.reason else None,
        url=f"{base}/picture.jpg" if frame.has_picture else None, clip_url=f"{base}/clip" if frame.has_clip else None,
        event_time=frame.wanted_at, frame_time=frame.frame_at,
        time_source=frame.time_source.value if frame.time_source else None,
        error_bound_ms=frame.error_bound_ms, sha256=frame.picture_sha256,
    )  # fmt: skip


def _some(value: str | None) -> tuple[str, ...]:
    return (value,) if value else ()
