"""What each server has chosen."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session, sessionmaker

from standup.archive import database
from standup.archive.models import GuildRow
from standup.template import STANDUP, TEMPLATES, Template
from standup.vocabulary import AUTO, LANGUAGES, Vocabulary


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

    def vocabulary(self, guild_id: str) -> Vocabulary:
        """Return what a server's people say; empty without a choice, and a language of another release is none."""
        with database.guarded(), self._sessions() as session:
            session.connection(execution_options={"reading": True})
            row = session.get(GuildRow, guild_id)
            if row is None:
                return Vocabulary()
            language = row.language if row.language in (AUTO, *LANGUAGES) else ""
            return Vocabulary(_parts(row.words), language, _parts(row.tickets))

    def keep_vocabulary(
        self,
        guild_id: str,
        *,
        words: Sequence[str] | None = None,
        language: str | None = None,
        tickets: Sequence[str] | None = None,
    ) -> None:
        """Store what is given of a server's vocabulary, leaving the rest as it is; no word has a comma."""
        given = {
            "words": None if words is None else ",".join(words),
            "language": language,
            "tickets": None if tickets is None else ",".join(tickets),
        }
        chosen = {name: value for name, value in given.items() if value is not None}
        with database.guarded(), self._sessions.begin() as session:
            session.merge(GuildRow(guild_id=guild_id, **chosen))


def _parts(stored: str) -> tuple[str, ...]:
    return tuple(stored.split(",")) if stored else ()
