"""Answer failures: who died once is counted once, and what the next starts do differently is kept.

Only adds, and with defaults: a release that knows revision 0001 alone goes on working, so a roll-back needs no
downgrade.

Revision: 0002
Follows: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "measures",
        sa.Column("program", sa.String(length=64), nullable=False),
        sa.Column("recovery", sa.String(length=32), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("program", "recovery"),
    )
    with op.batch_alter_table("failures", schema=None) as batch_op:
        batch_op.add_column(sa.Column("death_id", sa.String(length=64), nullable=True))
        # What was noted before anybody answered is history, not work.
        batch_op.add_column(sa.Column("answered", sa.Boolean(), server_default=sa.true(), nullable=False))
        batch_op.create_unique_constraint("uq_failures_death_id", ["death_id"])
        batch_op.create_index("ix_failures_program", ["program", "code", "at_ms"], unique=False)
    with op.batch_alter_table("stages", schema=None) as batch_op:
        batch_op.add_column(sa.Column("crashes", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("stages", schema=None) as batch_op:
        batch_op.drop_column("crashes")
    with op.batch_alter_table("failures", schema=None) as batch_op:
        batch_op.drop_index("ix_failures_program")
        batch_op.drop_constraint("uq_failures_death_id", type_="unique")
        batch_op.drop_column("answered")
        batch_op.drop_column("death_id")
    op.drop_table("measures")
