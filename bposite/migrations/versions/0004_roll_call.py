"""roll_call

Revision: 0004
After: 0003
"""

import sqlalchemy as sa
from alembic import op


revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('roll_call',
    sa.Column('id', sa.String(length=26), nullable=False),
    sa.Column('drill', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('started_at', sa.BigInteger(), nullable=False),
    sa.Column('started_by', sa.String(length=120), nullable=False),
    sa.Column('closed_at', sa.BigInteger(), nullable=True),
    sa.Column('closed_by', sa.String(length=120), nullable=False),
    sa.CheckConstraint("(closed_at IS NULL) = (closed_by = '')", name=op.f('ck_roll_call_closed')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_roll_call'))
    )
    with op.batch_alter_table('roll_call', schema=None) as batch_op:
        batch_op.create_index('ix_roll_call_started_at', ['started_at'], unique=False)

    op.create_table('roll_call_member',
    sa.Column('id', sa.String(length=26), nullable=False),
    sa.Column('call_id', sa.String(length=26), nullable=False),
    sa.Column('subject', sa.String(length=40), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('detail', sa.String(length=200), nullable=False),
    sa.Column('zone', sa.String(length=120), nullable=False),
    sa.Column('door', sa.String(length=120), nullable=False),
    sa.Column('seen_at', sa.BigInteger(), nullable=True),
    sa.Column('confidence', sa.String(length=10), nullable=False),
    sa.Column('entry', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("kind IN ('staff', 'visitor', 'stranger')", name=op.f('ck_roll_call_member_kind')),
    sa.ForeignKeyConstraint(['call_id'], ['roll_call.id'], name='fk_roll_call_member_call_id'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_roll_call_member')),
    sa.UniqueConstraint('call_id', 'subject', name='uq_roll_call_member_subject')
    )
    op.create_table('roll_call_tick',
    sa.Column('id', sa.String(length=40), nullable=False),
    sa.Column('call_id', sa.String(length=26), nullable=False),
    sa.Column('member_id', sa.String(length=26), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.Column('by', sa.String(length=120), nullable=False),
    sa.CheckConstraint("state IN ('safe', 'missing', 'unknown')", name=op.f('ck_roll_call_tick_state')),
    sa.ForeignKeyConstraint(['call_id'], ['roll_call.id'], name='fk_roll_call_tick_call_id'),
    sa.ForeignKeyConstraint(['member_id'], ['roll_call_member.id'], name='fk_roll_call_tick_member_id'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_roll_call_tick'))
    )
    with op.batch_alter_table('roll_call_tick', schema=None) as batch_op:
        batch_op.create_index('ix_roll_call_tick_call_id', ['call_id'], unique=False)
        batch_op.create_index('ix_roll_call_tick_member_id', ['member_id'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('roll_call_tick', schema=None) as batch_op:
        batch_op.drop_index('ix_roll_call_tick_member_id')
        batch_op.drop_index('ix_roll_call_tick_call_id')

    op.drop_table('roll_call_tick')
    op.drop_table('roll_call_member')
    with op.batch_alter_table('roll_call', schema=None) as batch_op:
        batch_op.drop_index('ix_roll_call_started_at')

    op.drop_table('roll_call')
