"""REST: visits and the steps of each."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from bposite.people.access import requires
from bposite.plumbing.api import endpoint
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound
from bposite.visits import queries
from bposite.visits.queries import StepRow, VisitRow, Wanted
from bposite.visits.rules.machine import VisitState

blueprint = Blueprint("visits_api", __name__, url_prefix="/api/v1")
blueprints = (blueprint,)
MOST = 1000


class Model(BaseModel):
    """Base: closed and immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class VisitOut(Model):
    """A visit. Codes of passes are never given out."""

    id: str
    visitor: str = Field(description="id of the guest; the same guest keeps it from visit to visit")
    name: str
    company: str
    host: str = Field(description="number of the host")
    host_name: str
    purpose: str
    state: VisitState
    window_from: datetime
    window_until: datetime = Field(description="the first moment at which the visit is over")
    zones: list[str]
    walk_in: bool
    created_at: datetime
    arrived_at: datetime | None
    admitted_at: datetime | None
    departed_at: datetime | None
    departure: str | None = Field(description="kind of evidence that the guest has left")


class StepOut(Model):
    """One step in the life of a visit."""

    event: str
    state: VisitState = Field(description="state after the step")
    at: datetime
    actor: str
    role: str
    device: str
    reason: str
    evidence: list[str]


class VisitPage(Model):
    """Visits in the order in which they were entered."""

    visits: list[VisitOut]
    next: str | None = Field(description="give it as `after` for the following page; null on the last one")


class VisitDetail(Model):
    """One visit with all its steps."""

    visit: VisitOut
    steps: list[StepOut]


class VisitQuery(Model):
    """What to list. Times must carry an offset."""

    after: str = Field("", max_length=26, pattern=r"^[0-9A-Z]*$", description="`next` of the page before")
    limit: int = Field(100, ge=1, le=MOST)
    state: VisitState | None = None
    host: str = Field("", max_length=40)
    start: AwareDatetime | None = Field(None, alias="from", description="visits whose window ends after this")
    end: AwareDatetime | None = Field(None, alias="to", description="visits whose window begins before this")


@blueprint.get("/visits")
@requires("visits:read")
@endpoint(query=VisitQuery, returns=VisitPage, summary="Visits")
def list_visits(query: VisitQuery) -> VisitPage:
    """Visits, page by page."""
    states = (query.state,) if query.state else ()
    wanted = Wanted(states=states, host=query.host, start=query.start, end=query.end)
    with reading() as session:
        rows = queries.visit_rows(session, wanted, after=query.after, limit=query.limit + 1)
    page = rows[: query.limit]
    return VisitPage(visits=[_visit(row) for row in page], next=page[-1].id if len(rows) > query.limit else None)


@blueprint.get("/visits/<visit_id>")
@requires("visits:read")
@endpoint(returns=VisitDetail, summary="One visit with its steps")
def one_visit(visit_id: str) -> VisitDetail:
    """One visit."""
    with reading() as session:
        row = queries.visit_row(session, visit_id[:26])
        steps = queries.steps(session, visit_id[:26])
    if row is None:
        raise NotFound("no_visit", "This visit does not exist.")
    return VisitDetail(visit=_visit(row), steps=[_step(step) for step in steps])


def _visit(row: VisitRow) -> VisitOut:
    return VisitOut(
        id=row.id,
        visitor=row.visitor_id,
        name=row.name,
        company=row.company,
        host=row.host,
        host_name=row.host_name,
        purpose=row.purpose,
        state=row.state,
        window_from=row.window_from,
        window_until=row.window_until,
        zones=list(row.zones),
        walk_in=row.walk_in,
        created_at=row.created_at,
        arrived_at=row.arrived_at,
        admitted_at=row.admitted_at,
        departed_at=row.departed_at,
        departure=row.departure,
    )


def _step(step: StepRow) -> StepOut:
    return StepOut(
        event=step.event,
        state=step.target,
        at=step.at,
        actor=step.actor_name,
        role=step.role,
        device=step.device,
        reason=step.reason,
        evidence=list(step.evidence),
    )
