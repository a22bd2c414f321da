"""Keep what is left of a meeting's sound.

Only adds a column with a default: a release that knows revision 0006 alone goes on working, without it.

Revision: 0007
Follows: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("meetings", sa.Column("sound", sa.String(length=8), nullable=False, server_default="whole"))


def downgrade() -> None:
    """Take back."""
    op.drop_column("meetings", "sound")
