"""What the desk and the doors need to know about one pass, as frozen facts."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from bposite.passes.rules import Ending, PassState, Suspension
from bposite.visits.rules.machine import VisitState


class HoldKind(StrEnum):
    """Why a visit may not go on for now. Holds are a set; each is cleared by itself."""

    WATCHLIST = "watchlist"
    ID_MISMATCH = "id_mismatch"
    APPROVAL = "approval"
    DOCUMENT = "document"
    CAPACITY = "capacity"
    MANUAL = "manual"


class DocumentKind(StrEnum):
    """A paper that a zone or a kind of visit may demand."""

    AGREEMENT = "agreement"
    INDUCTION = "induction"
    INSURANCE = "insurance"


class DocumentStanding(Struct, frozen=True, kw_only=True):
    """One demanded document: in force until `until` (None = missing), or waived by a named person."""

    kind: DocumentKind
    until: datetime | None = None
    waived: bool = False

    def in_force(self, now: datetime) -> bool:
        """Whether it counts at `now`; it lapses at `until` itself."""
        return self.waived or (self.until is not None and now < self.until)


class ApprovalStanding(Struct, frozen=True, kw_only=True):
    """One given approval for one zone, and when it lapses."""

    zone: str
    until: datetime


class PassStanding(Struct, frozen=True, kw_only=True):
    """Everything about a pass and its visit that decides at a door; nothing here changes afterwards."""

    pass_id: str
    pass_number: int
    visit_id: str
    visitor_id: str
    visitor_name: str
    company: str
    host: str
    host_name: str
    site: str
    photo: str | None
    state: PassState
    suspension: Suspension | None
    ending: Ending | None
    window_from: datetime
    window_until: datetime
    visit_state: VisitState
    zones: frozenset[str]
    holds: frozenset[HoldKind]
    documents: tuple[DocumentStanding, ...]
    approvals: tuple[ApprovalStanding, ...]
    approval_zones: frozenset[str]
    escort_zones: frozenset[str]
    escort: str | None
    deposit_zones: frozenset[str]
    deposited: bool
