"""What each server has chosen."""

from __future__ import annotations

from sqlalchemy.orm import Session, sessionmaker

from standup.archive import database
from standup.archive.models import GuildRow
from standup.template import STANDUP, TEMPLATES, Template


class GuildBook:
    """The settings of servers in the archive. Each method is one transaction."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions

    def template(self, guild_id: str) -> Template:
        """Return the template of a server's notes: the default without a choice, or when it is none of this release."""
        with database.guarded(), self._sessions() as session:
            session.connection(execution_options={"reading": True})
            row = session.get(GuildRow, guild_id)
            return TEMPLATES.get(row.template, STANDUP) if row else STANDUP

    def keep_template(self, guild_id: str, chosen: Template) -> None:
        """Store the template of a server's notes."""
        with database.guarded(), self._sessions.begin() as session:
            session.merge(GuildRow(guild_id=guild_id, template=chosen.name))
