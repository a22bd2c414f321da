"""The loopback Discord by hand: `standup simulate`.

A line a command; what the bot posts is shown as it is posted. The recorder and the workers run in other
terminals, with the environment that the console writes to ``<folder>/environment``.
"""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from .errors import LoopbackError
from .faults import Faults
from .participant import Participant
from .scenario import perform, standup
from .server import LoopbackDiscord
from .speech import synthesize
from .world import Message

HELP = """start, stop, status      call /standup start, stop or status
say NAME WORDS           NAME speaks
standup                  everybody says the lines of the demo
join NAME, leave NAME    enter or leave the voice channel
move                     move the voice region
drop                     drop the bot's voice connection
restart                  restart the gateway
quit                     end"""
WATCH_EVERY_S = 0.5
ANSWER_S = 30.0
#: Joining a voice channel takes the bot a while.
Say = Callable[[str], None]


async def console_session(people: int, folder: Path, faults: Faults, say: Say = print) -> None:
    """Run the loopback Discord with *people* in voice until `quit` or the end of standard input."""
    async with LoopbackDiscord(folder, faults=faults) as discord:
        scenario = standup()
        names = list(scenario.voices)[:people]
        console = Console(discord, {name: scenario.voices[name] for name in names}, say)
        environment = _write_environment(folder, discord)
        say(f"In another terminal:  source {shlex.quote(str(environment))} && standup run recorder")
        say("and redis, worker-cpu and worker-gpu likewise. `help` lists the commands here.")
        await console.let_in()
        watching = asyncio.create_task(console.watch())
        try:
            while await console.obey(await asyncio.to_thread(sys.stdin.readline)):
                pass
        finally:
            watching.cancel()


def _write_environment(folder: Path, discord: LoopbackDiscord) -> Path:
    values = {
        "STANDUP_DISCORD_TOKEN": discord.token,
        "STANDUP_DISCORD_API_URL": discord.api_url,
        "SSL_CERT_FILE": str(discord.ca_file),
    }
    target = folder / "environment"
    target.touch(mode=0o600)
    target.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in values.items()))
    return target


class Console:
    """The people of one loopback Discord, and what a line makes them do. Owned by one event loop."""

    def __init__(self, discord: LoopbackDiscord, voices: Mapping[str, str], say: Say) -> None:
        self._discord = discord
        self._voices = voices
        self._say = say
        self._people: dict[str, Participant] = {}
        self._shown: dict[int, tuple[str, int]] = {}
        self._commands: dict[str, Callable[[Sequence[str]], Awaitable[None]]] = {
            **{name: self._order(name) for name in ("start", "stop", "status")},
            "say": self._speak,
            "standup": self._perform,
            "join": self._join,
            "leave": self._leave,
            "move": self._move,
            "drop": self._drop,
            "restart": self._restart,
            "help": self._help,
        }

    async def let_in(self) -> None:
        """Let everybody into the guild and the voice channel."""
        for name in self._voices:
            self._people[name] = await self._discord.enter(name)
            await self._people[name].join_voice()
        self._say(f"In the voice channel: {', '.join(self._people)}.")

    async def obey(self, line: str) -> bool:
        """Do what a line says; False when it says `quit` or is the end of the input."""
        words = line.split()
        if not line or words[:1] == ["quit"]:
            return False
        if words:
            command = self._commands.get(words[0], self._help)
            try:
                await command(words[1:])
            except (LoopbackError, KeyError, ValueError) as problem:
                self._say(f"✗ {problem}")
        return True

    async def watch(self) -> None:
        """Show each message of the text channel, and of the threads below, as it is posted and edited."""
        while True:
            places = (self._discord.text_channel_id, *self._discord.world.threads)
            for message in (one for place in places for one in self._discord.messages(place)):
                state = (message.content, message.edits)
                if self._shown.get(message.id) != state:
                    self._shown[message.id] = state
                    self._say(_told(message))
            await asyncio.sleep(WATCH_EVERY_S)

    def _order(self, subcommand: str) -> Callable[[Sequence[str]], Awaitable[None]]:
        async def order(_words: Sequence[str]) -> None:
            host = next(iter(self._people.values()))
            answer = await self._discord.invoke(host, "standup", subcommand)

            def is_filled() -> bool:
                return answer.message is not None and not answer.message.is_loading

            await self._discord.wait_until(is_filled, ANSWER_S, "the bot's answer")
            if answer.message is not None:
                self._say(_told(answer.message))

        return order

    async def _speak(self, words: Sequence[str]) -> None:
        if len(words) < 2:
            raise ValueError("say needs a name and some words")
        person = self._person(words[0])
        await person.speak(await asyncio.to_thread(synthesize, " ".join(words[1:]), self._voices[words[0]]))

    async def _perform(self, _words: Sequence[str]) -> None:
        scenario = standup()
        absent = set(scenario.voices) - set(self._people)
        if absent:
            raise ValueError(f"the demo's standup needs {', '.join(sorted(absent))} too; use --people 4")
        await perform(self._people, scenario, lambda line: self._say(f"{line.speaker}: {line.text}"))

    async def _join(self, words: Sequence[str]) -> None:
        await self._person("".join(words[:1])).join_voice()

    async def _leave(self, words: Sequence[str]) -> None:
        await self._person("".join(words[:1])).leave_voice()

    async def _move(self, _words: Sequence[str]) -> None:
        await self._discord.move_region()

    async def _drop(self, _words: Sequence[str]) -> None:
        self._discord.drop_voice()

    async def _restart(self, _words: Sequence[str]) -> None:
        self._discord.restart_gateway()

    async def _help(self, _words: Sequence[str]) -> None:
        self._say(HELP)

    def _person(self, name: str) -> Participant:
        try:
            return self._people[name]
        except KeyError:
            raise ValueError(f"nobody is called {name!r} here; there are {', '.join(self._people)}") from None


def _told(message: Message) -> str:
    lines = [f"┃ {line}" for line in message.content.splitlines()]
    for embed in message.embeds:
        lines += [
            f"┃ {line}" for line in f"{embed.get('title', '')}\n{embed.get('description', '')}".splitlines()
        ]
        for field in embed.get("fields", ()):
            lines += [f"┃ {line}" for line in f"{field['name']}: {field['value']}".splitlines()]
    lines += [f"┃ 📎 {one.filename}" for one in message.attachments]
    return "\n".join(lines)
