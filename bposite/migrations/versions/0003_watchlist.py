"""watchlist

Revision: 0003
After: 0002
"""

import sqlalchemy as sa
from alembic import op


revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('watch_entry',
    sa.Column('id', sa.String(length=26), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('company', sa.String(length=120), nullable=False),
    sa.Column('contact', sa.String(length=254), nullable=False),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.Column('owner', sa.String(length=60), nullable=False),
    sa.Column('owner_name', sa.String(length=120), nullable=False),
    sa.Column('made_at', sa.BigInteger(), nullable=False),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.Column('ended_by_name', sa.String(length=120), nullable=True),
    sa.Column('ended_why', sa.String(length=300), nullable=True),
    sa.CheckConstraint("name <> '' OR company <> '' OR contact <> ''", name=op.f('ck_watch_entry_says_something')),
    sa.CheckConstraint('(ended_at IS NULL) = (ended_by_name IS NULL)', name=op.f('ck_watch_entry_ended')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_watch_entry'))
    )
    with op.batch_alter_table('watch_entry', schema=None) as batch_op:
        batch_op.create_index('ix_watch_entry_expires_at', ['expires_at'], unique=False)
    with op.batch_alter_table('visit_hold', schema=None) as batch_op:
        batch_op.add_column(sa.Column('watch_id', sa.String(length=26), nullable=True))
        batch_op.add_column(sa.Column('score', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('matched', sa.String(length=300), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('visit_hold', schema=None) as batch_op:
        batch_op.drop_column('matched')
        batch_op.drop_column('score')
        batch_op.drop_column('watch_id')
    with op.batch_alter_table('watch_entry', schema=None) as batch_op:
        batch_op.drop_index('ix_watch_entry_expires_at')
    op.drop_table('watch_entry')
