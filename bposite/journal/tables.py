"""Rows of the journal. Leaves may not be changed or deleted; erasure empties payload, salt and subject only."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DDL, BigInteger, CheckConstraint, Index, Integer, LargeBinary, SmallInteger, String, Text, event
from sqlalchemy.orm import Mapped, mapped_column

from bposite.plumbing.db import Model, UtcDateTime

# SQLite counts rows by INTEGER only; BIGINT there would not be the row id.
Sequence = BigInteger().with_variant(Integer, "sqlite")


class Leaf(Model):
    """One fact. ``seq`` counts up without a hole, in the order of commits."""

    __tablename__ = "journal_leaf"
    seq: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[str] = mapped_column(String(80))
    commit: Mapped[bytes] = mapped_column(LargeBinary(32))
    salt: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    payload: Mapped[bytes | None] = mapped_column(LargeBinary)


class Head(Model):
    """One row: the number of leaves. Its update is the lock that puts units of work in order."""

    __tablename__ = "journal_head"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)
    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(BigInteger)


class Node(Model):
    """A perfect subtree of at least 16 leaves, kept so that a proof reads tens of rows, not all."""

    __tablename__ = "journal_node"
    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    idx: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class CheckpointRow(Model):
    """A signed tree head and the frontier to go on from (levels and hashes, largest first)."""

    __tablename__ = "journal_checkpoint"
    __table_args__ = (Index("ix_journal_checkpoint_at", "at"),)
    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    root: Mapped[bytes] = mapped_column(LargeBinary(32))
    frontier: Mapped[bytes] = mapped_column(LargeBinary)
    note: Mapped[str] = mapped_column(Text)


SQLITE_GUARDS = (
    """CREATE TRIGGER journal_leaf_no_delete BEFORE DELETE ON journal_leaf
    BEGIN SELECT RAISE(ABORT, 'journal leaves are never deleted'); END""",
    """CREATE TRIGGER journal_leaf_no_update BEFORE UPDATE ON journal_leaf
    WHEN NEW.seq != OLD.seq OR NEW.at != OLD.at OR NEW.kind != OLD.kind OR NEW."commit" != OLD."commit"
      OR NEW.salt IS NOT NULL OR NEW.payload IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'journal leaves are never changed'); END""",
)
POSTGRESQL_GUARDS = (
    """CREATE FUNCTION journal_leaf_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF TG_OP = 'UPDATE' AND NEW.seq = OLD.seq AND NEW.at = OLD.at AND NEW.kind = OLD.kind
        AND NEW.commit = OLD.commit AND NEW.salt IS NULL AND NEW.payload IS NULL THEN RETURN NEW; END IF;
      RAISE EXCEPTION 'journal leaves are never changed or deleted'; END $$""",
    """CREATE TRIGGER journal_leaf_guard BEFORE UPDATE OR DELETE ON journal_leaf
    FOR EACH ROW EXECUTE FUNCTION journal_leaf_guard()""",
)
for _dialect, _guards in (("sqlite", SQLITE_GUARDS), ("postgresql", POSTGRESQL_GUARDS)):
    for _guard in _guards:
        event.listen(Leaf.__table__, "after_create", DDL(_guard).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]
