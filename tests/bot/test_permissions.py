"""A missing permission is named as Discord's settings name it, with its channel and the next step."""

from __future__ import annotations

import discord
import pytest

from standup.bot import permissions


@pytest.mark.parametrize(
    ("granted", "expected"),
    [
        pytest.param({"read_messages", "connect"}, (), id="all there"),
        pytest.param({"read_messages"}, ("Connect",), id="one missing"),
        pytest.param(set(), ("View Channel", "Connect"), id="all missing"),
    ],
)
def test_missing(granted: set[str], expected: tuple[str, ...]) -> None:
    """What is not granted is listed in the order of need."""
    assert permissions.missing(granted, permissions.TO_LISTEN) == expected


@pytest.mark.parametrize(
    "needed", [permissions.TO_LISTEN, permissions.TO_POST, permissions.TO_POST_IN_THREAD]
)
def test_names_are_those_of_discord_py(needed: tuple[str, ...]) -> None:
    """discord.py's own flags contain every name, so that a granted permission is recognized."""
    granted = {name for name, is_granted in discord.Permissions.all() if is_granted}

    assert permissions.missing(granted, needed) == ()


def test_sentence() -> None:
    """The sentence says which permission, where, and what to do."""
    said = permissions.sentence(("Connect", "View Channel"), 42)

    assert said == (
        "I lack the permissions **Connect** and **View Channel** in <#42>, so nothing is recorded. "
        "Grant it in the channel's settings and try again."
    )


def test_no_sentence_without_a_cause() -> None:
    """Nothing missing is no refusal."""
    with pytest.raises(ValueError, match="nothing to say"):
        permissions.sentence((), 42)
