"""Reading passes and media: frozen rows for the desk, the doors and the screens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bposite.passes.codes import Codes, opened, short_hash
from bposite.passes.rules import Ending, MediumState, PassState, Reading, ReadingKind, Suspension
from bposite.passes.tables import Medium, Pass
from bposite.plumbing.clock import now


@dataclass(frozen=True, slots=True)
class PassRow:
    """One pass, without its code."""

    id: str
    visit_id: str
    number: int
    state: PassState
    suspension: Suspension | None
    ending: Ending | None
    code_hash: str
    issued_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class MediumRow:
    """One printed label or card. `pass_number` and `serial` together name it on the screen: 2-1."""

    id: str
    visit_id: str
    pass_number: int
    serial: int
    kind: str
    state: MediumState
    made_at: datetime
    changed_at: datetime


def pass_of_hash(session: Session, code_hash: str) -> PassRow | None:
    """The pass whose code has the reference `code_hash` (`codes.code_hash`), ended ones included."""
    return _row(session.scalar(select(Pass).where(Pass.code_hash == code_hash)))


def pass_of_short(session: Session, short: str) -> PassRow | None:
    """The pass with the spoken code `short` in its normal form (`rules.read`)."""
    return _row(session.scalar(select(Pass).where(Pass.short_hash == short_hash(short))))


def pass_of_reading(session: Session, reading: Reading, code_reference: str) -> PassRow | None:
    """The pass of a scanned or typed text; `code_reference` is its `codes.code_hash` when it is a full code."""
    if reading.kind is ReadingKind.SHORT:
        return pass_of_short(session, reading.text)
    return pass_of_hash(session, code_reference) if reading.kind is ReadingKind.CODE else None


def latest_passes(session: Session, visit_ids: Iterable[str]) -> dict[str, PassRow]:
    """For each visit the pass with the highest number; visits without one are left out."""
    rows = session.scalars(select(Pass).where(Pass.visit_id.in_(list(visit_ids))).order_by(Pass.number))
    return {row.visit_id: _made(row) for row in rows}


def passes_of(session: Session, visit_id: str) -> list[PassRow]:
    """All passes of a visit, oldest first."""
    return [_made(row) for row in session.scalars(select(Pass).where(Pass.visit_id == visit_id).order_by(Pass.number))]


def armed_hashes(session: Session) -> list[str]:
    """References of all armed passes, for the lists that doors keep for the time without a server."""
    return list(session.scalars(select(Pass.code_hash).where(Pass.state == PassState.ARMED)))


def codes_of(session: Session, pass_id: str) -> Codes | None:
    """The codes of a pass while they may still be shown; None afterwards: then only a reprint gives new ones."""
    row = session.get(Pass, pass_id)
    if row is None or row.sealed is None or row.sealed_until is None or now() >= row.sealed_until:
        return None
    return opened(row.sealed)


def media_of(session: Session, visit_id: str) -> list[MediumRow]:
    """All labels and cards of a visit, oldest first."""
    statement = select(Medium, Pass.number).join(Pass).where(Medium.visit_id == visit_id).order_by(Medium.made_at)
    return [_medium(medium, number) for medium, number in session.execute(statement).tuples()]


def open_media(session: Session, start: datetime, end: datetime, *, limit: int) -> list[MediumRow]:
    """Labels and cards made in [start, end) that are still being printed or still out, oldest first."""
    still = Medium.state.in_((MediumState.PRINTING, MediumState.ISSUED))
    made = (Medium.made_at >= start) & (Medium.made_at < end)
    statement = select(Medium, Pass.number).join(Pass).where(still, made).order_by(Medium.made_at).limit(limit)
    return [_medium(medium, number) for medium, number in session.execute(statement).tuples()]


def media_counts(session: Session, start: datetime, end: datetime) -> dict[MediumState, int]:
    """How many of the media made in [start, end) are in which state: the figures of a day close."""
    rows = session.execute(
        select(Medium.state, func.count()).where(Medium.made_at >= start, Medium.made_at < end).group_by(Medium.state)
    )
    return {MediumState(state): count for state, count in rows}


def _medium(row: Medium, number: int) -> MediumRow:
    return MediumRow(
        row.id, row.visit_id, number, row.serial, row.kind, MediumState(row.state), row.made_at, row.changed_at
    )  # fmt: skip


def _row(row: Pass | None) -> PassRow | None:
    return None if row is None else _made(row)


def _made(row: Pass) -> PassRow:
    return PassRow(
        row.id,
        row.visit_id,
        row.number,
        PassState(row.state),
        None if row.suspension is None else Suspension(row.suspension),
        None if row.ending is None else Ending(row.ending),
        row.code_hash,
        row.issued_at,
        row.ended_at,
    )
