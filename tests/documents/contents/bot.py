"""What the bot shows and wants at Discord: its commands, permissions and intents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import discord
from discord import app_commands

from standup.bot import permissions
from standup.bot.client import StandupBot
from standup.bot.commands import StandupCommands
from standup.bot.event_monitor import Monitor
from standup.bot.voice_recorder import Recorder
from standup.dispatcher import Dispatcher
from standup.settings import load
from standup.template import TEMPLATES
from standup.vocabulary import AUTO, LANGUAGES, LONGEST_WORD, MOST_KEYS, MOST_WORDS, NONE, NUMBER_SIGN
from tests.documents.contents.table import table

SCOPES = ("bot", "applications.commands")
PRIVILEGED = frozenset(("members", "presences", "message_content"))
MANAGERS = "*Manage Server*"
EVERYBODY = "everybody"
#: Who may use a command, as the desks and the studio decide.
USERS: Mapping[str, str] = {
    "start": "who is in the voice channel",
    "stop": EVERYBODY,
    "status": EVERYBODY,
    "schedule": MANAGERS,
    "unschedule": MANAGERS,
    "settings": f"to read: {EVERYBODY}; to change: {MANAGERS}",
}
ENTRY = "move_members"
#: Looked at by `standup.bot.obstacles` where a channel is full.
THREADS = "create_public_threads"
OPTIONAL = (ENTRY, THREADS)
#: Left out of the invitation.
PLACES: Mapping[str, tuple[str, ...]] = {
    "voice channel": permissions.TO_LISTEN,
    "text channel": permissions.TO_POST,
    "thread": permissions.TO_POST_IN_THREAD,
}
LABELS: Mapping[str, str] = {**permissions.LABELS, ENTRY: "Move Members"}
#: Permission, as discord.py calls it -> what for, and what happens without.
USES: Mapping[str, tuple[str, str]] = {
    "read_messages": (
        "to see the voice channel, who is in it, and the text channel",
        "no recording begins; the answer names the permission and the channel",
    ),
    "connect": ("to join the voice channel", "as above"),
    "send_messages": ("the recording notice, then the notes", "as above"),
    "send_messages_in_threads": (
        "the same in a thread; the words in the thread of `STANDUP_LIVE_THREAD`",
        "as above; without that thread the recording goes on",
    ),
    "embed_links": ("the card that the notice and the notes stand in", "as above"),
    "attach_files": ("summary.md and transcript.md", "as above"),
    "read_message_history": (
        "to find the own message again when Discord's answer to a post was lost",
        "as above; taken away later, the meeting is parked at notify or its notes are posted twice",
    ),
    THREADS: (
        "the thread of `STANDUP_LIVE_THREAD`; not in the invitation",
        "there is no such thread, which recorder.log tells once; the recording goes on",
    ),
    ENTRY: (
        "to enter a voice channel whose user limit is reached; not in the invitation",
        "a full channel is not recorded; the answer says so",
    ),
}


def slash_commands() -> str:
    """Return the command group's commands in their order: options, users, what they do."""
    desks: Any = None  # asked only when a command is called
    commands = list(StandupCommands(desks, desks, desks).walk_commands())
    if {one.name for one in commands} != set(USERS):
        raise LookupError("USERS does not name the commands that there are")
    return table(
        ("command", "options", "who", "what it does"),
        (
            (f"`/{one.qualified_name}`", _options(one), USERS[one.name], one.description)
            for one in commands
            if isinstance(one, app_commands.Command)
        ),
    )


def _options(command: app_commands.Command[Any, ..., Any]) -> str:
    return "<br>".join(_option(one) for one in command.parameters) or "none"


def _option(one: app_commands.Parameter) -> str:
    choices = ", ".join(f"`{choice.name}`" for choice in one.choices)
    told = ". ".join(filter(None, (str(one.description), choices)))
    return f"`{one.name}`{'' if one.required else ' (may be left out)'}: {told}"


def permissions_table() -> str:
    """Return every permission that the code asks for: where, its bit, what for, what happens without it."""
    _check_uses()
    return table(
        ("permission", "bit", "where", "what for", "without it"),
        (
            (LABELS[name], f"`{_bits(name)}`", _where(name), use, without)
            for name, (use, without) in USES.items()
        ),
    )


def invitation() -> str:
    """Return the address that invites the bot, with the sum of the bits."""
    wanted = discord.Permissions(sum(map(_bits, _needed())))
    address = discord.utils.oauth_url(cast(int, "APPLICATION_ID"), permissions=wanted, scopes=SCOPES)
    return f"```text\n{address}\n```"


def _needed() -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in PLACES.values() for name in names))


def _check_uses() -> None:
    if set(USES) != {*_needed(), *OPTIONAL} or not {*permissions.TO_SHOW_LIVE} <= set(USES):
        raise LookupError("USES does not name the permissions that the code asks for")


def _where(name: str) -> str:
    if name == THREADS:
        return "text channel"
    return ", ".join(place for place, names in PLACES.items() if name in names) or "voice channel"


def _bits(name: str) -> int:
    return discord.Permissions(**{name: True}).value


def intents() -> str:
    """Return the gateway intents that each of the two sessions asks for, and whether Discord has to grant them."""
    settings = load(None, database_url="sqlite://")  # in memory: nothing is opened, no folder is made
    programs: Mapping[str, StandupBot] = {
        "recorder": Recorder(settings, Dispatcher(settings)),
        "monitor": Monitor(settings),
    }
    asked = {program: _asked(bot.intents) for program, bot in programs.items()}
    every = dict.fromkeys(name for names in asked.values() for name in names)
    return table(
        ("intent", *asked, "privileged"),
        (
            (
                f"`{name}`",
                *("yes" if name in names else "no" for names in asked.values()),
                "yes" if name in PRIVILEGED else "no",
            )
            for name in every
        ),
    )


def _asked(wanted: discord.Intents) -> list[str]:
    return [name for name, is_asked in wanted if is_asked]


def server_choices() -> str:
    """Return what `/standup settings` takes: options, values, limits, what holds without a choice."""
    return table(("option", "takes", "limits", "without a choice"), _choices())


def _choices() -> Iterator[tuple[str, str, str, str]]:
    templates = list(TEMPLATES)
    yield "`template`", ", ".join(f"`{one}`" for one in templates), "one of these", f"`{templates[0]}`"
    yield (
        "`words`",
        "project words and names as they are written, parted by commas",
        f"{MOST_WORDS} words of {LONGEST_WORD} characters; each has a letter or digit; `{NONE}` forgets them",
        "none are expected",
    )
    yield (
        "`language`",
        f"a language code such as `en`, or `{AUTO}`",
        f"the {len(LANGUAGES)} codes of Whisper; `{NONE}` takes it back",
        "`STANDUP_LANGUAGE`",
    )
    yield (
        "`tickets`",
        f"`{NUMBER_SIGN}` for {NUMBER_SIGN}205, a key such as `OPS` for OPS-205, parted by commas",
        f"{MOST_KEYS} ways; a key has 2 to 10 letters and digits; `{NONE}` takes them back",
        "ids stay as they were spoken",
    )
