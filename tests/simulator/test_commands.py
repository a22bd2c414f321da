"""Slash commands, registered and called."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from standup.simulator.commands import CommandBook, find_command_errors
from standup.simulator.errors import CommandRefused

GUILD_ID = 1
START = {
    "name": "start",
    "type": 1,
    "description": "Start",
    "options": [
        {"name": "channel", "type": 7, "description": "Where", "required": True},
        {"name": "minutes", "type": 4, "description": "How long"},
        {"name": "quiet", "type": 5, "description": "No sound"},
    ],
}
STANDUP = {"name": "standup", "description": "Standups", "options": [START]}
PING = {"name": "ping", "description": "Ping"}


def book(scope: int | None = None) -> CommandBook:
    """Make a book with two commands."""
    made = CommandBook(5, GUILD_ID)
    ids = count(100)
    made.replace(scope, [STANDUP, PING], lambda: next(ids))
    return made


def test_call_with_options() -> None:
    """A call carries the subcommand and each option with its registered type, ids as text."""
    data = book().call("standup", "start", {"channel": 77, "minutes": 5, "quiet": True})

    (subcommand,) = data["options"]
    assert subcommand["options"] == [
        {"name": "channel", "type": 7, "value": "77"},
        {"name": "minutes", "type": 4, "value": 5},
        {"name": "quiet", "type": 5, "value": True},
    ]


@pytest.mark.parametrize(("scope", "names_guild"), [(None, False), (GUILD_ID, True)])
def test_scope(scope: int | None, names_guild: bool) -> None:
    """A guild's own command names the guild."""
    assert ("guild_id" in book(scope).call("ping", None, {})) is names_guild


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        pytest.param(("stop", None, {}), "not registered", id="command"),
        pytest.param(("standup", "stop", {}), "no subcommand stop", id="subcommand"),
        pytest.param(("standup", "start", {}), "needs its option channel", id="required option"),
        pytest.param(("standup", "start", {"channel": 1, "x": 1}), "no option x", id="unknown option"),
        pytest.param(("standup", "start", {"channel": "a"}), "does not take a str", id="wrong type"),
        pytest.param(
            ("standup", "start", {"channel": 1, "minutes": True}), "does not take a bool", id="bool"
        ),
    ],
)
def test_refused_calls(call: tuple[str, str | None, dict[str, Any]], sentence: str) -> None:
    """What Discord's client would not offer cannot be called."""
    with pytest.raises(CommandRefused, match=sentence):
        book().call(*call)


@pytest.mark.parametrize(
    ("command", "path"),
    [
        pytest.param({"name": "Upper", "description": "d"}, "0.name", id="upper case"),
        pytest.param({"name": "x" * 33, "description": "d"}, "0.name", id="long name"),
        pytest.param({"name": "x"}, "0.description", id="no description"),
        pytest.param({"name": "x", "description": "d" * 101}, "0.description", id="long description"),
        pytest.param(
            {"name": "x", "description": "d", "options": [{"name": "Y", "type": 3, "description": "d"}]},
            "0.options.0.name",
            id="option name",
        ),
    ],
)
def test_refused_registrations(command: dict[str, Any], path: str) -> None:
    """A command that Discord would refuse is refused with the place of the mistake."""
    assert [error.path for error in find_command_errors([command])] == [path]


def test_duplicate_names() -> None:
    """Two commands cannot share a name."""
    assert [error.code for error in find_command_errors([PING, PING])] == [
        "APPLICATION_COMMANDS_DUPLICATE_NAME"
    ]


def test_too_many_options() -> None:
    """A command has 25 options at most."""
    options = [{"name": f"o{number}", "type": 3, "description": "d"} for number in range(26)]

    assert [error.path for error in find_command_errors([{**PING, "options": options}])] == ["0.options"]


def test_registered_is_accepted() -> None:
    """The commands of these tests are good ones."""
    assert find_command_errors([STANDUP, PING]) == []


ZONE = {"name": "zone", "type": 3, "description": "Zone", "required": True, "autocomplete": True}


def test_typing_an_option() -> None:
    """An option that is being typed is sent alone and in focus, whatever else is required."""
    made = CommandBook(5, GUILD_ID)
    options = [{**START, "options": [*START["options"], ZONE]}]  # type: ignore[misc]
    made.replace(None, [{**STANDUP, "options": options}], lambda: 1)

    (subcommand,) = made.complete("standup", "start", "zone", "ber")["options"]

    assert subcommand["options"] == [{"name": "zone", "type": 3, "value": "ber", "focused": True}]


@pytest.mark.parametrize("option", ["minutes", "nothing"])
def test_options_without_choices(option: str) -> None:
    """Only an option registered for it asks the bot for choices."""
    with pytest.raises(CommandRefused, match="offers no choices"):
        book().complete("standup", "start", option, "x")
