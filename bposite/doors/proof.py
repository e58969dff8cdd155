"""Doors' part of ``bposite verify``: every entry against the fact that was written with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, select
from sqlalchemy.orm import Session

from bposite.doors.actions.ingest import COLUMNS, Record
from bposite.doors.tables import Entry
from bposite.journal.proof import Problem
from bposite.journal.queries import facts

_TABLE: Table = Entry.__table__  # type: ignore[assignment]
BATCH = 1000
ERASED = frozenset({"person", "visit", "pass_id", "credential_ref"})
"""What an erasure empties in a row; its fact is empty then, too."""


def witness(session: Session) -> Iterator[Problem]:
    """Entries that were changed, deleted or slipped in, told by comparing each with its fact."""
    connection = session.connection()
    rows = _rows(connection)
    row = next(rows, None)
    for fact in facts(session, ("doors:entry:",), batch=BATCH):
        while row is not None and row[0] < fact.seq:
            yield Problem(f"entry {row[0]}", "has no fact in the journal: it was slipped in")
            row = next(rows, None)
        if row is None or row[0] != fact.seq:
            yield Problem(f"entry {fact.seq}", "is missing")
            continue
        if fact.data is not None:
            yield from _compare(fact.seq, row, msgspec.convert(fact.data, Record))
        row = next(rows, None)
    while row is not None:
        yield Problem(f"entry {row[0]}", "has no fact in the journal: it was slipped in")
        row = next(rows, None)


def _compare(position: int, row: tuple[Any, ...], told: Record) -> Iterator[Problem]:
    for name in _differing(row, told):
        yield Problem(f"entry {position}", f"its {name} is not what was written")


def differing_columns(session: Session, position: int, data: Any) -> list[str]:
    """Columns in which the entry at ``position`` is not what its fact's ``data`` says; all of them when it is gone."""
    row = next(_rows(session.connection(), position - 1), None)
    if row is None or row[0] != position:
        return list(COLUMNS)
    return list(_differing(row, msgspec.convert(data, Record)))


def _differing(row: tuple[Any, ...], told: Record) -> Iterator[str]:
    for name, value, wanted in zip(COLUMNS, row[1:], msgspec.structs.astuple(told)[: len(COLUMNS)], strict=True):
        kept = bool(value) if isinstance(wanted, bool) else bytes(value) if isinstance(value, memoryview) else value
        if kept != wanted:
            yield name


def _rows(connection: Connection, after: int = -1) -> Iterator[tuple[Any, ...]]:
    """Entries as the database keeps them, in order, in batches, those after a position."""
    columns = [_TABLE.c.position, *(_TABLE.c[name] for name in COLUMNS)]
    while True:
        statement = select(*columns).where(_TABLE.c.position > after).order_by(_TABLE.c.position).limit(BATCH)
        raw = str(statement.compile(connection, compile_kwargs={"literal_binds": True}))
        chunk = connection.exec_driver_sql(raw).all()
        yield from (tuple(one) for one in chunk)
        if len(chunk) < BATCH:
            return
        after = chunk[-1][0]
