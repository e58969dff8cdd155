"""posture

Revision: 0005
After: 0004
"""

import sqlalchemy as sa
from alembic import op


revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('device_exemption',
    sa.Column('id', sa.String(length=26), nullable=False),
    sa.Column('tag', sa.String(length=40), nullable=False),
    sa.Column('what', sa.String(length=120), nullable=False),
    sa.Column('person', sa.String(length=40), nullable=False),
    sa.Column('person_name', sa.String(length=120), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('until', sa.BigInteger(), nullable=False),
    sa.Column('given_by', sa.String(length=120), nullable=False),
    sa.Column('given_at', sa.BigInteger(), nullable=False),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_device_exemption'))
    )
    op.create_table('locker',
    sa.Column('id', sa.String(length=20), nullable=False),
    sa.Column('zone', sa.String(length=40), nullable=False),
    sa.Column('person', sa.String(length=40), nullable=True),
    sa.Column('person_name', sa.String(length=120), nullable=False),
    sa.Column('since', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_locker'))
    )
    op.create_table('workstation',
    sa.Column('host', sa.String(length=120), nullable=False),
    sa.Column('place_id', sa.String(length=40), nullable=True),
    sa.Column('person', sa.String(length=40), nullable=False),
    sa.Column('first_at', sa.BigInteger(), nullable=False),
    sa.Column('heard_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['place_id'], ['place.id'], name='fk_workstation_place_id'),
    sa.PrimaryKeyConstraint('host', name=op.f('pk_workstation'))
    )
    with op.batch_alter_table('workstation', schema=None) as batch_op:
        batch_op.create_index('ix_workstation_place_id', ['place_id'], unique=False)

    op.create_table('endpoint_reading',
    sa.Column('id', sa.String(length=26), nullable=False),
    sa.Column('host', sa.String(length=120), nullable=False),
    sa.Column('kind', sa.String(length=12), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('good', sa.Boolean(), nullable=False),
    sa.Column('words', sa.String(length=160), nullable=False),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("kind IN ('usb_rule', 'usb_device', 'lock_rule', 'session')", name=op.f('ck_endpoint_reading_kind')),
    sa.ForeignKeyConstraint(['host'], ['workstation.host'], name='fk_endpoint_reading_host'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_endpoint_reading')),
    sa.UniqueConstraint('host', 'kind', 'at', 'words', name='uq_endpoint_reading_host')
    )


def downgrade() -> None:
    op.drop_table('endpoint_reading')
    with op.batch_alter_table('workstation', schema=None) as batch_op:
        batch_op.drop_index('ix_workstation_place_id')

    op.drop_table('workstation')
    op.drop_table('locker')
    op.drop_table('device_exemption')
