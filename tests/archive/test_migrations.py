"""Bringing an archive up to date: from every revision, by several at once, and never back."""

from __future__ import annotations

import multiprocessing
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from standup.archive import Archive
from standup.archive.database import MIGRATIONS, revisions
from standup.vocabulary import Vocabulary


def config() -> Config:
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    return made


def move_to(archive: Archive, revision: str) -> None:
    """Bring the schema to *revision*, up or down."""
    alembic = config()
    with archive._engine.begin() as connection:
        alembic.attributes["connection"] = connection
        current = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
        (command.downgrade if current > revision else command.upgrade)(alembic, revision)


def test_the_newest_revision_is_alembics() -> None:
    """The files' names lead to the same head that Alembic finds in them."""
    assert revisions()[-1] == ScriptDirectory.from_config(config()).get_current_head()


def test_what_an_older_release_left_stays(archive: Archive) -> None:
    """Rows of revision 0001 are there after the migration, its failures as history that nobody answers."""
    move_to(archive, "0001")
    with archive._engine.begin() as connection:
        for statement in (
            "INSERT INTO meetings (id, guild_id, voice_channel_id, text_channel_id, started_at_ms, state, gaps, model, "
            "unattributed_packets) VALUES ('m', '1', '2', '3', 0, 'processing', '[]', '', 0)",
            "INSERT INTO stages (meeting_id, stage, state, attempts, strikes, publishes, holder, fence, "
            "lease_until_ms, next_at_ms, error) VALUES ('m', 'capture', 'todo', 1, 0, 0, '', 1, 0, 0, '')",
            "INSERT INTO failures (at_ms, program, code, meeting_id, stage, error) VALUES (7, 'beat', 139, '', '', '')",
        ):
            connection.exec_driver_sql(statement)
    archive.migrate()
    assert [one.attempts for one in archive.statuses("m")] == [1]
    assert archive.failures.times_ms("beat", 139) == (7,)
    assert archive.failures.unanswered() == ()


def test_an_older_release_works_on_the_newer_schema(archive: Archive) -> None:
    """A roll-back needs no downgrade: the statements of revision 0001 still find what they need."""
    with archive._engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO failures (at_ms, program, code, meeting_id, stage, error) VALUES (7, 'beat', 139, '', '', '')"
        )
    assert archive.failures.times_ms("beat", 139) == (7,)


def test_release_0004_works_on_the_newer_schema(archive: Archive) -> None:
    """What it writes of servers and meetings lacks the newer columns, and is read all the same."""
    with archive._engine.begin() as connection:
        for statement in (
            "INSERT INTO guilds (guild_id, template) VALUES ('1', 'planning')",
            "INSERT INTO meetings (id, guild_id, voice_channel_id, text_channel_id, started_at_ms, state, gaps, model, "
            "unattributed_packets) VALUES ('20261123T095800Z-1f0c9a2b', '1', '2', '3', 0, 'done', '[]', '', 0)",
        ):
            connection.exec_driver_sql(statement)
    assert archive.guilds.vocabulary("1") == Vocabulary()
    assert [(one.voice_channel_name, one.unsighted_people) for one in archive.meetings()] == [("", 0)]


def test_a_newer_schema_is_left_alone(archive: Archive) -> None:
    """A release that is rolled back to does not stumble over a revision that it does not know."""
    with archive._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    archive.migrate()
    assert archive.open_meetings() == {}


def migrate_together(folder: Path, barrier: Barrier) -> None:
    archive = Archive(f"sqlite:///{folder / 'a.sqlite3'}", str(folder))
    barrier.wait(30)
    archive.migrate()
    archive.close()


@pytest.mark.integration
@pytest.mark.no_cover
def test_several_programs_may_migrate_at_once(tmp_path: Path) -> None:
    """Programs that start together make the archive together, however often that is tried."""
    forking = multiprocessing.get_context("fork")
    for number in range(6):
        folder = tmp_path / str(number)
        folder.mkdir()
        barrier = forking.Barrier(5)
        programs = [forking.Process(target=migrate_together, args=(folder, barrier)) for _ in range(5)]
        for one in programs:
            one.start()
        for one in programs:
            one.join(30)
        assert [one.exitcode for one in programs] == [0] * 5
