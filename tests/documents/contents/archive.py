"""The archive's tables and the personal data in them."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Table

from standup.archive.models import MeetingRow, Row
from tests.documents.contents.table import table

#: Table -> what of it is about people; every table has been judged.
PERSONAL: Mapping[str, str] = {
    "meetings": "when a team met and where: `guild_id`, `voice_channel_id`, `voice_channel_name`, `text_channel_id`",
    "participants": "who was there: `id` (the Discord account's), `name` (as displayed at the time), `position`",
    "tracks": "who spoke for how long: `speaker` (an account's id), `speech_ms`; `path` leads to the voice",
    "utterances": "who said what when: `speaker`, `start_ms`, `text`",
    "summaries": "the notes, with account ids and the items of the meeting before that they speak of: `document`",
    "notices": "none; `message_id` leads to the message in Discord",
    "stages": "none",
    "failures": "none",
    "measures": "none",
    "schedules": "none; when a team meets: `voice_channel_id`, `days`, `at`",
    "guilds": "names, where somebody typed some into `words`",
}


def archive_tables() -> str:
    """Return every table of the archive: what a row is, its columns, the personal data, and with what it goes."""
    return table(
        ("table", "a row is", "personal data", "goes with its meeting", "columns"),
        (
            (
                f"`{one.__tablename__}`",
                (one.__doc__ or "").splitlines()[0].rstrip("."),
                PERSONAL[one.__tablename__],
                _goes(one.metadata.tables[one.__tablename__]),
                ", ".join(f"`{column.name}`" for column in one.metadata.tables[one.__tablename__].columns),
            )
            for one in Row.__subclasses__()
        ),
    )


def _goes(found: Table) -> str:
    if found.name == MeetingRow.__tablename__:
        return "is it"
    cascades = (one.ondelete == "CASCADE" for one in found.foreign_keys)
    return "yes" if any(cascades) else "no"
