"""Slash commands as a bot registers them and as a member calls them.

No clock and no I/O here. https://discord.com/developers/docs/interactions/application-commands
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .content import FormError
from .errors import CommandRefused

Json = dict[str, Any]
NAME = re.compile(r"^[-_'\w]{1,32}$")
CHAT_INPUT = 1
SUB_COMMAND, SUB_COMMAND_GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE = range(1, 9)
DESCRIPTION_CHARACTERS = 100
OPTIONS = 25
#: What the value of each option type is in Python.
VALUE_TYPES: dict[int, type | tuple[type, ...]] = {
    STRING: str,
    INTEGER: int,
    BOOLEAN: bool,
    USER: int,
    CHANNEL: int,
    ROLE: int,
    10: (int, float),
}


def find_command_errors(commands: Sequence[Mapping[str, Any]]) -> list[FormError]:
    """List everything that Discord refuses in a bulk registration."""
    errors: list[FormError] = []
    for position, command in enumerate(commands):
        errors += _errors_of(str(position), command)
    names = [(command.get("name"), command.get("type", CHAT_INPUT)) for command in commands]
    if len(set(names)) < len(names):
        errors.append(
            FormError("0.name", "APPLICATION_COMMANDS_DUPLICATE_NAME", "Command names must be unique.")
        )
    return errors


@dataclass
class CommandBook:
    """What a bot has registered, for the whole of Discord and for the one guild.

    Owned by the event loop of the loopback Discord.
    """

    application_id: int
    guild_id: int
    _scopes: dict[int | None, list[Json]] = field(default_factory=dict)

    def replace(
        self, scope: int | None, commands: Sequence[Mapping[str, Any]], make_id: Callable[[], int]
    ) -> list[Json]:
        """Replace every command of a scope (None is global, else a guild id) and return them as stored."""
        known = {command["name"]: command["id"] for command in self._scopes.get(scope, ())}
        self._scopes[scope] = [
            self._stored(scope, one, known.get(one["name"]) or make_id()) for one in commands
        ]
        return self._scopes[scope]

    def listed(self, scope: int | None) -> list[Json]:
        """List the commands of a scope."""
        return self._scopes.get(scope, [])

    def call(
        self, name: str, subcommand: str | None, options: Mapping[str, Any], *, is_complete: bool = True
    ) -> Json:
        """Make the ``data`` of the interaction by which a member calls a command; not *is_complete*: types it.

        Raises CommandRefused when Discord's client would not offer that call: the command, the subcommand
        or an option is not registered, a required option is missing or a value has the wrong type.
        """
        command = self._find(name)
        data = {"id": command["id"], "name": name, "type": CHAT_INPUT}
        if self._is_local(command):
            data["guild_id"] = str(self.guild_id)
        if subcommand is None:
            return data | {"options": _filled(name, command, options, is_complete)}
        chosen = _named(command.get("options") or (), subcommand)
        if chosen is None or chosen["type"] != SUB_COMMAND:
            raise CommandRefused(f"The command /{name} has no subcommand {subcommand}; register it first.")
        filled = _filled(f"{name} {subcommand}", chosen, options, is_complete)
        return data | {"options": [{"name": subcommand, "type": SUB_COMMAND, "options": filled}]}

    def complete(self, name: str, subcommand: str, option: str, typed: str) -> Json:
        """Make the ``data`` of the interaction by which a client asks what *typed* may become.

        Raises CommandRefused when the option is not registered as one that offers choices.
        """
        chosen = _named(self._find(name).get("options") or (), subcommand)
        asked = _named((chosen or {}).get("options") or (), option)
        if asked is None or not asked.get("autocomplete"):
            raise CommandRefused(f"The option {option} of /{name} {subcommand} offers no choices.")
        data = self.call(name, subcommand, {}, is_complete=False)
        data["options"][0]["options"] = [
            {"name": option, "type": asked["type"], "value": typed, "focused": True}
        ]
        return data

    def _find(self, name: str) -> Json:
        for scope in (self.guild_id, None):
            command = _named(self.listed(scope), name)
            if command:
                return command
        raise CommandRefused(
            f"The command /{name} is not registered; the bot has to sync its command tree first."
        )

    def _is_local(self, command: Json) -> bool:
        return any(command is one for one in self.listed(self.guild_id))

    def _stored(self, scope: int | None, command: Mapping[str, Any], command_id: int) -> Json:
        stored: Json = {
            "default_member_permissions": None,
            "dm_permission": True,
            "nsfw": False,
            "type": CHAT_INPUT,
            **command,
            "id": str(command_id),
            "application_id": str(self.application_id),
            "version": str(command_id),
        }
        if scope is not None:
            stored["guild_id"] = str(scope)
        return stored


def _errors_of(path: str, command: Mapping[str, Any]) -> Iterator[FormError]:
    name = str(command.get("name") or "")
    if command.get("type", CHAT_INPUT) == CHAT_INPUT:
        if not NAME.match(name) or name != name.lower():
            yield FormError(f"{path}.name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
        if not 1 <= len(command.get("description") or "") <= DESCRIPTION_CHARACTERS:
            sentence = f"Must be between 1 and {DESCRIPTION_CHARACTERS} in length."
            yield FormError(f"{path}.description", "BASE_TYPE_BAD_LENGTH", sentence)
    options = command.get("options") or ()
    if len(options) > OPTIONS:
        yield FormError(f"{path}.options", "BASE_TYPE_BAD_LENGTH", f"Must be {OPTIONS} or fewer in length.")
    for position, option in enumerate(options):
        yield from _errors_of(f"{path}.options.{position}", {**option, "type": CHAT_INPUT})


def _named(items: Sequence[Json], name: str) -> Json | None:
    return next((item for item in items if item["name"] == name), None)


def _filled(called: str, command: Json, options: Mapping[str, Any], is_complete: bool) -> list[Json]:
    registered = {
        option["name"]: option
        for option in command.get("options") or ()
        if option["type"] > SUB_COMMAND_GROUP
    }
    strangers = set(options) - set(registered)
    if strangers:
        raise CommandRefused(f"The command /{called} has no option {', '.join(sorted(strangers))}.")
    for name, option in registered.items():
        if is_complete and option.get("required") and name not in options:
            raise CommandRefused(f"The command /{called} needs its option {name}.")
    return [_filled_option(called, registered[name], value) for name, value in options.items()]


def _filled_option(called: str, option: Json, value: object) -> Json:
    kind = option["type"]
    if not isinstance(value, VALUE_TYPES.get(kind, str)) or (isinstance(value, bool) and kind != BOOLEAN):
        raise CommandRefused(
            f"The option {option['name']} of /{called} does not take a {type(value).__name__}."
        )
    sent = str(value) if kind in (USER, CHANNEL, ROLE) else value
    return {"name": option["name"], "type": kind, "value": sent}
