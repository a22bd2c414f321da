"""What servers chose, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from standup.archive import Archive
from standup.template import PLANNING, RETROSPECTIVE, STANDUP


def test_without_a_choice(archive: Archive) -> None:
    """A server that chose nothing has the default."""
    assert archive.guilds.template("1") is STANDUP


def test_a_choice_is_kept_for_its_server(archive: Archive) -> None:
    """The last choice counts, for nobody else."""
    archive.guilds.keep_template("1", RETROSPECTIVE)
    archive.guilds.keep_template("1", PLANNING)
    assert [PLANNING, STANDUP] == [archive.guilds.template(one) for one in ("1", "2")]


def test_a_template_of_another_release(archive: Archive) -> None:
    """After a roll-back a template that is not known any more is the default; the notes come all the same."""
    archive.guilds.keep_template("1", PLANNING)
    with archive._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE guilds SET template = 'party'")
    assert archive.guilds.template("1") is STANDUP
