"""REST: rounds, findings and the figures of a period, and what workstations report. No person is in any answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field

from bposite.cleandesk import actions, queries
from bposite.cleandesk.osquery import read_results
from bposite.cleandesk.queries import FindingNow, RoundRow, Scope, Wanted
from bposite.cleandesk.rules.claims import judge
from bposite.journal.work import unit_of_work
from bposite.people.access import current_actor, requires
from bposite.plumbing.api import endpoint
from bposite.plumbing.clock import local, now
from bposite.plumbing.db import reading

api = Blueprint("cleandesk_api", __name__, url_prefix="/api/v1/clean-desk")
MONTH = r"^[0-9]{4}-(0[1-9]|1[0-2])$"
FINDING_STATES = Literal["open", "settled", "any"]


class RoundQuery(BaseModel):
    """Which rounds."""

    model_config = ConfigDict(extra="forbid")

    month: str = Field("", pattern=f"{MONTH}|^$", description="such as 2026-11; empty: any")
    before: int | None = Field(None, ge=1, le=2**31 - 1, description="number of the last round of the page before")
    limit: int = Field(50, ge=1, le=500)


class Round(BaseModel):
    """A round. `commitment` fixes its draw; `seed` is there once it is published."""

    id: str
    number: int
    name: str
    purpose: Literal["random", "targeted", "self_check"]
    exercise: bool
    state: str
    zones: list[str]
    kinds: list[str]
    shift: str
    moment: str
    period: str
    planned_for: datetime
    drawn: int
    seen: int
    judged: int
    passed: int
    not_observed: int
    findings: int
    commitment: str
    checkpoint: str
    frame_digest: str
    seed: str | None


class RoundList(BaseModel):
    """Rounds, newest first."""

    items: list[Round]


class FindingQuery(BaseModel):
    """Which findings."""

    model_config = ConfigDict(extra="forbid")

    state: FINDING_STATES = "open"
    zone: str = Field("", max_length=40)
    severity: Literal["", "S1", "S2", "S3", "S4"] = ""
    after: int | None = Field(None, ge=0, le=2**31 - 1, description="number of the last finding of the page before")
    limit: int = Field(100, ge=1, le=500)


class Finding(BaseModel):
    """A finding: it belongs to a desk, a team and a shift."""

    id: str
    number: int
    item: str
    fault: str
    severity: Literal["S1", "S2", "S3", "S4"]
    state: str
    place: str
    zone: str
    team: str
    shift: str
    moment: str
    seen_at: datetime
    due_at: datetime
    settled_at: datetime | None
    overdue: bool
    repeat: int
    incident: Literal["none", "proposed"]


class FindingList(BaseModel):
    """Findings by number."""

    items: list[Finding]


class FigureQuery(BaseModel):
    """Which figures, and what one would like to claim."""

    model_config = ConfigDict(extra="forbid")

    month: str = Field("", pattern=f"{MONTH}|^$", description="such as 2026-11; empty: the present one")
    client: str = Field("", max_length=80)
    target: float = Field(0.95, ge=0.5, le=0.999)
    confidence: float = Field(0.95, ge=0.5, le=0.999)


class Stratum(BaseModel):
    """Counts of one zone, shift and moment."""

    key: str
    frame: int
    judged: int
    passed: int


class Figures(BaseModel):
    """What a month's random rounds show and support. The claim is refused with what is missing."""

    month: str
    client: str
    target: float
    confidence: float
    supported: bool
    provisional: list[str]
    missing: list[str]
    more_without_fail: int | None
    judged: int
    passed: int
    frame: int
    lower: float | None = Field(description="exact one-sided lower bound at `confidence`")
    method: str
    strata: list[Stratum]


@api.get("/rounds")
@requires("cleandesk:read")
@endpoint(query=RoundQuery, returns=RoundList, summary="Clean desk rounds")
def list_rounds(query: RoundQuery) -> RoundList:
    """Rounds, newest first."""
    with reading() as session:
        rows = queries.rounds(session, month=query.month, before=query.before, limit=query.limit)
        proofs = {row.id: queries.proof_of(session, row.id) for row in rows}
    return RoundList(items=[_round(row, proofs[row.id]) for row in rows])


@api.get("/findings")
@requires("cleandesk:read")
@endpoint(query=FindingQuery, returns=FindingList, summary="Clean desk findings")
def list_findings(query: FindingQuery) -> FindingList:
    """Findings by number, so that a page never skips one."""
    states = {"open": queries.OPEN, "settled": queries.CLOSED_STATES, "any": ()}[query.state]
    wanted = Wanted(
        states=states,
        zones=(query.zone,) if query.zone else (),
        severities=(query.severity,) if query.severity else (),
    )
    with reading() as session:
        rows = queries.findings_by_number(session, wanted, now(), after=query.after, limit=query.limit)
    return FindingList(items=[_finding(row) for row in rows])


@api.get("/figures")
@requires("cleandesk:read")
@endpoint(query=FigureQuery, returns=Figures, summary="What the rounds of a month support")
def figures(query: FigureQuery) -> Figures:
    """Counts by stratum, the exact bound and the claim."""
    month = query.month or f"{local(now()):%Y-%m}"
    scope = Scope((month,), client=query.client)
    with reading() as session:
        strata, quality = queries.strata(session, scope), queries.quality(session, scope)
    claim = judge(strata, query.target, query.confidence, quality, queries.limits(queries.in_force()))
    found = claim.found
    return Figures(
        month=month, client=query.client, target=query.target, confidence=query.confidence,
        supported=claim.supported, provisional=[one.message for one in claim.provisional],
        missing=[one.message for one in claim.missing], more_without_fail=claim.more_without_fail,
        judged=sum(one.seen for one in strata), passed=sum(one.passed for one in strata),
        frame=sum(one.frame for one in strata), lower=found.lower if found else None,
        method=found.method if found else "", strata=[
            Stratum(key=one.key, frame=one.frame, judged=one.seen, passed=one.passed) for one in strata
        ],
    )  # fmt: skip


class PostureBody(BaseModel):
    """What osquery's TLS logger sends; its other fields are let through and not looked at."""

    model_config = ConfigDict(extra="allow")

    log_type: str = Field(max_length=20, description="`result` is taken, anything else is answered and dropped")
    data: list[dict[str, Any]] = Field(max_length=50_000)


class PostureAnswer(BaseModel):
    """What was taken. The same results sent again are `known` and change nothing."""

    node_invalid: bool = False
    new: int
    known: int
    odd: int = Field(description="results that could not be read")


@api.post("/posture")
@requires("cleandesk:plan")
@endpoint(body=PostureBody, returns=PostureAnswer, summary="Take osquery results of workstations")
def push_posture(body: PostureBody) -> PostureAnswer:
    """Results of the queries in config/osquery_pack.json; others are let through."""
    log = read_results(body.data if body.log_type == "result" else [], now())
    with unit_of_work(current_actor()) as work:
        taken = actions.take_log(work, log)
    return PostureAnswer(new=taken.new, known=taken.known, odd=log.faulty)


def _round(row: RoundRow, proof: queries.RoundProof | None) -> Round:
    values = {name: getattr(row, name) for name in Round.model_fields if hasattr(row, name)}
    published = proof is not None and proof.nonce and row.purpose == "random"
    return Round(
        **values,
        commitment=proof.commitment if proof else "",
        checkpoint=proof.checkpoint if proof else "",
        frame_digest=proof.frame_digest if proof else "",
        seed=queries.seed_of(proof) if proof and published else None,
    )


def _finding(row: FindingNow) -> Finding:
    renamed = {"item": row.item_id, "place": row.place_id, "overdue": row.overdue(now())}
    values = {name: getattr(row, name) for name in Finding.model_fields if name not in renamed}
    return Finding(**values, **renamed)


blueprints = (api,)
