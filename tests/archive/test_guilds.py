"""What servers chose, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from standup.archive import Archive
from standup.template import PLANNING, RETROSPECTIVE, STANDUP
from standup.vocabulary import Vocabulary


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


def test_without_a_vocabulary(archive: Archive) -> None:
    """A server that chose nothing, or only a template, expects nothing."""
    archive.guilds.keep_template("2", PLANNING)
    assert [Vocabulary()] * 2 == [archive.guilds.vocabulary(one) for one in ("1", "2")]


def test_a_vocabulary_is_kept_part_by_part(archive: Archive) -> None:
    """What is not given stays as it is, the template too; nobody else has it; an empty part is none."""
    archive.guilds.keep_vocabulary("1", words=("Grafana", "two words"), language="en")
    archive.guilds.keep_template("1", PLANNING)
    archive.guilds.keep_vocabulary("1", language="", tickets=("#", "OPS"))
    assert archive.guilds.vocabulary("1") == Vocabulary(("Grafana", "two words"), "", ("#", "OPS"))
    archive.guilds.keep_vocabulary("1", words=())
    assert archive.guilds.vocabulary("1") == Vocabulary((), "", ("#", "OPS"))
    assert (archive.guilds.template("1"), archive.guilds.vocabulary("2")) == (PLANNING, Vocabulary())


def test_a_vocabulary_chooses_no_template(archive: Archive) -> None:
    """A server that only told its words has the default template."""
    archive.guilds.keep_vocabulary("1", words=("Grafana",))
    assert archive.guilds.template("1") is STANDUP


def test_a_language_of_another_release(archive: Archive) -> None:
    """A code that is not known any more must not fail every meeting; the operator's is in force."""
    archive.guilds.keep_vocabulary("1", language="tlh")
    assert archive.guilds.vocabulary("1").language == ""
