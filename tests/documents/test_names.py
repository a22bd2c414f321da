"""What the documents name is there."""

from __future__ import annotations

import builtins
import re

import pytest

from standup.settings import Settings, variable
from tests.documents.document import Document, documents
from tests.documents.names import (
    CAMEL_CASE,
    PROGRAMS,
    TESTS,
    VARIABLE,
    command_lines,
    missing_paths,
    problem,
    program_and_words,
    source,
    split,
)

DOCUMENTS = [pytest.param(one, id=one.name) for one in documents()]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_settings_are_there(document: Document) -> None:
    """A variable that a document names is a setting, or one that the code reads."""
    known = {variable(one) for one in Settings.model_fields} | set(VARIABLE.findall(source(*PROGRAMS)))
    assert set(VARIABLE.findall(document.text)) <= known


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_are_there(document: Document) -> None:
    """Commands of ours are called with subcommands, options and programs that they have."""
    calls = [program_and_words(words) for words in command_lines(document)]
    assert [wrong for name, words in calls if name and (wrong := problem(name, words))] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_names_of_the_code_are_there(document: Document) -> None:
    """A name in CamelCase, written as code, stands in the code or is Python's own."""
    named = {one for one in document.code if CAMEL_CASE.match(one)} - set(dir(builtins))
    text = source(*PROGRAMS, *TESTS)
    assert {one for one in named if not re.search(rf"\b{one}\b", text)} == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_paths_are_there(document: Document) -> None:
    """A path in the repository, written as code, leads to a file or folder."""
    assert missing_paths(document) == []


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("standup lost", id="command"),
        pytest.param("standup show ID --colour", id="option"),
        pytest.param("standup models list --limit 3", id="option of another command"),
        pytest.param("cd x && .venv/bin/standup bench sleep", id="subcommand behind another command"),
        pytest.param("./setup.sh --everything", id="script's option"),
        pytest.param("supervisorctl -c supervisord.conf restart worker-tpu", id="program"),
    ],
)
def test_a_wrong_command_is_told(line: str) -> None:
    """What a program does not have is found wherever it stands in a line."""
    assert [wrong for words in split(line) if (wrong := problem(*program_and_words(words)))]


@pytest.mark.parametrize(
    "line",
    [
        "standup show ID --template planning | head",
        "STANDUP_LIVE=false .venv/bin/standup demo --json > out.json",
        "./test.sh unit -- -k journal",
        ".venv/bin/supervisorctl -c supervisord.conf restart worker-gpu",
        "supervisorctl restart PROGRAM",
    ],
)
def test_a_right_command_passes(line: str) -> None:
    """What a program has is not told as a problem, with placeholders, pipes and variables before it."""
    assert not [wrong for words in split(line) if (wrong := problem(*program_and_words(words)))]
