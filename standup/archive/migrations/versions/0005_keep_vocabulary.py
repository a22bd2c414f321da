"""Keep what servers' people say: project words, language, ids of tickets, and the names of voice channels.

Only adds columns with defaults: a release that knows revision 0004 alone goes on working, without them.

Revision: 0005
Follows: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for name, kind in (("words", sa.Text()), ("language", sa.String(length=8)), ("tickets", sa.Text())):
        op.add_column("guilds", sa.Column(name, kind, nullable=False, server_default=""))
    op.add_column(
        "meetings",
        sa.Column("voice_channel_name", sa.String(length=128), nullable=False, server_default=""),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_column("meetings", "voice_channel_name")
    for name in ("tickets", "language", "words"):
        op.drop_column("guilds", name)
