"""The journal: leaves that the database itself refuses to change, head, perfect subtrees, checkpoints.

Revision: 0001
After:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
GUARDS = {
    "sqlite": (
        """CREATE TRIGGER journal_leaf_no_delete BEFORE DELETE ON journal_leaf
        BEGIN SELECT RAISE(ABORT, 'journal leaves are never deleted'); END""",
        """CREATE TRIGGER journal_leaf_no_update BEFORE UPDATE ON journal_leaf
        WHEN NEW.seq != OLD.seq OR NEW.at != OLD.at OR NEW.kind != OLD.kind OR NEW."commit" != OLD."commit"
          OR NEW.salt IS NOT NULL OR NEW.payload IS NOT NULL
        BEGIN SELECT RAISE(ABORT, 'journal leaves are never changed'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION journal_leaf_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF TG_OP = 'UPDATE' AND NEW.seq = OLD.seq AND NEW.at = OLD.at AND NEW.kind = OLD.kind
            AND NEW.commit = OLD.commit AND NEW.salt IS NULL AND NEW.payload IS NULL THEN RETURN NEW; END IF;
          RAISE EXCEPTION 'journal leaves are never changed or deleted'; END $$""",
        """CREATE TRIGGER journal_leaf_guard BEFORE UPDATE OR DELETE ON journal_leaf
        FOR EACH ROW EXECUTE FUNCTION journal_leaf_guard()""",
    ),
}


def upgrade() -> None:
    op.create_table(
        "journal_leaf",
        sa.Column("seq", SEQUENCE, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(80), nullable=False),
        sa.Column("commit", sa.LargeBinary(32), nullable=False),
        sa.Column("salt", sa.LargeBinary(16)),
        sa.Column("payload", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("seq", name="pk_journal_leaf"),
    )
    op.create_table(
        "journal_head",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_journal_head_single")),
        sa.PrimaryKeyConstraint("id", name="pk_journal_head"),
    )
    op.create_table(
        "journal_node",
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("level", "idx", name="pk_journal_node"),
    )
    op.create_table(
        "journal_checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_journal_checkpoint"),
    )
    op.create_index("ix_journal_checkpoint_at", "journal_checkpoint", ["at"])
    for guard in GUARDS[op.get_bind().dialect.name]:
        op.execute(guard)


def downgrade() -> None:
    for table in ("journal_checkpoint", "journal_node", "journal_head", "journal_leaf"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION journal_leaf_guard()")
