"""The loopback Discord, whole: start it, let people in, call the bot, break things.

::

    async with LoopbackDiscord(folder) as discord:
        # The bot process gets SSL_CERT_FILE=discord.ca_file in its environment before it starts, sets
        # discord.http.Route.BASE to discord.api_url, DiscordWebSocket.DEFAULT_GATEWAY to discord.gateway_url,
        # and logs in with discord.token.
        await discord.wait_for_bot(20)
        ana = await discord.enter("Ana")
        await ana.join_voice()
        call = await discord.invoke(ana, "standup", "start")
        await discord.wait_for_bot_voice(20)
        await ana.speak(frames)
        await discord.wait_for_message(discord.text_channel_id, lambda one: "Notes" in one.content, 60)
        await ana.leave_voice()
        assert discord.violations == []
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any

import aiohttp
from aiohttp import web

from .access import Access
from .admission import API_PREFIX, Admission
from .certificates import make_certificates
from .errors import LoopbackError, NotSeen
from .events import Events
from .faults import Faults
from .gateway import Gateway
from .interactions import Interaction, Interactions
from .participant import Participant, Surroundings
from .postings import Form, Postings
from .rest import Rest
from .threads import Threads
from .trouble import Trouble
from .voice_rooms import VoiceRooms
from .voice_server import VoiceServer
from .world import Message, World

__all__ = ["LoopbackDiscord", "Message"]

#: Beyond every limit of Discord's own, so that the limits themselves answer.
REQUEST_BYTES = 128 * 1024 * 1024
SHUTDOWN_TIMEOUT_S = 2.0
#: Longer than a ghost stays in the MLS group, so that a bot killed at the wrong moment keeps nobody out.
WELCOME_TIMEOUT_S = 30.0


class LoopbackDiscord(Trouble):
    """One Discord on this machine's loopback interface, with one guild, one text and one voice channel and one bot.

    Owned by the event loop that entered it. *folder* gets the certificate authority's PEM and nothing else; *seed*
    decides every fault; without *has_dave* calls are not end-to-end encrypted (DAVE protocol version 0).
    """

    def __init__(
        self, folder: Path, *, faults: Faults | None = None, seed: int = 0, has_dave: bool = True
    ) -> None:
        self.violations: list[str] = []
        """What the bot did that a real server would not stand, one sentence each; tests want it empty."""
        self.token = f"loopback.{secrets.token_urlsafe(32)}"
        self.world = World(datetime.now(timezone.utc))
        self._random = Random(seed)
        self._certificates = make_certificates(folder)
        self.rooms = VoiceRooms(
            self.world,
            self._certificates.server_tls,
            faults or Faults(),
            seed,
            has_dave,
            changed=lambda state: self.events.voice_changed(state),
            complain=self.complain,
        )
        self.events = Events(self.world, self.rooms, self.base_url, self.complain)
        self.gateway = Gateway(self.token, self.events.hooks())
        self.events.gateway = self.gateway
        self.postings = Postings(self.world, self.events.message_changed)
        self.admission = Admission(self.token, self.complain)
        self.interactions = Interactions(
            self.world, self.postings, self.base_url, self.events.interaction_created, self.complain
        )
        self.participants: dict[int, Participant] = {}
        """Everybody who was let in, by user id."""
        self._runner: web.AppRunner | None = None
        self._web: aiohttp.ClientSession | None = None
        self._port = 0

    async def __aenter__(self) -> LoopbackDiscord:
        """Open REST and the gateway on a free loopback port."""
        self._web = aiohttp.ClientSession()
        self._runner = web.AppRunner(self._make_app(), access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._certificates.server_tls)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Send everybody home and close every port."""
        for participant in self.participants.values():
            await participant.leave_voice()
        await self.rooms.close()
        self.gateway.close_all(1001, is_resumable=False)
        if self._runner:
            await self._runner.cleanup()
        if self._web:
            await self._web.close()

    def _make_app(self) -> web.Application:
        threads = Threads(
            self.world, Access(self.world), self.events.thread_changed, self.events.message_changed
        )
        rest = Rest(self.world, self.postings, threads, lambda: self.gateway_url, self.base_url)
        app = web.Application(client_max_size=REQUEST_BYTES, middlewares=[self.admission.middleware])
        for route in [*rest.routes(), *threads.routes(), *self.interactions.routes()]:
            app.router.add_route(route.method, API_PREFIX + route.path, route.handler)
        app.router.add_get("/gateway/", self.gateway.connect)
        app.router.add_get("/attachments/{channel_id}/{attachment_id}/{filename}", self._get_attachment)
        return app

    async def _get_attachment(self, request: web.Request) -> web.Response:
        wanted = request.match_info["attachment_id"]
        for message in self.world.messages.values():
            for attachment in message.attachments:
                if str(attachment.id) == wanted:
                    return web.Response(body=attachment.content)
        raise web.HTTPNotFound

    def base_url(self) -> str:
        """Say where this server answers, without a path."""
        return f"https://127.0.0.1:{self._port}"

    @property
    def api_url(self) -> str:
        """Say what the bot sets ``discord.http.Route.BASE`` to."""
        return self.base_url() + API_PREFIX

    @property
    def gateway_url(self) -> str:
        """Say where the gateway is; GET /gateway/bot gives the same."""
        return f"wss://127.0.0.1:{self._port}/gateway/"

    @property
    def ca_file(self) -> Path:
        """Say which PEM a client's SSL_CERT_FILE has to name."""
        return self._certificates.ca_file

    @property
    def bot_id(self) -> int:
        """Say the bot's user id."""
        return self.world.bot_id

    @property
    def application_id(self) -> int:
        """Say the bot's application id, which is its user id."""
        return self.world.bot_id

    @property
    def guild_id(self) -> int:
        """Say the guild's id."""
        return self.world.guild_id

    @property
    def voice_channel_id(self) -> int:
        """Say the voice channel's id."""
        return self.world.voice_channel_id

    @property
    def text_channel_id(self) -> int:
        """Say the text channel's id."""
        return self.world.text_channel_id

    @property
    def team_role_id(self) -> int:
        """Say the id of the role that all people have."""
        return self.world.team_role_id

    def complain(self, sentence: str) -> None:
        """Note one violation."""
        self.violations.append(sentence)

    async def enter(self, name: str, *, heard: Callable[[int, bytes], None] | None = None) -> Participant:
        """Let one more person into the guild; they are in no voice channel yet.

        *heard* is called with the speaker's id and the Opus frame of all that reaches them; without it they are deaf.
        """
        if self._web is None:
            raise LoopbackError("The loopback Discord is not running; enter it with `async with` first.")
        user = self.world.add_user(name, datetime.now(timezone.utc))
        self.events.member_added(user)
        around = Surroundings(
            self.guild_id,
            self.voice_channel_id,
            self.rooms,
            self._web,
            self._certificates.client_tls,
            self._write,
            self._wait_until_heard,
        )
        random = Random(self._random.getrandbits(64))
        participant = Participant(user.id, name, around, random=random, heard=heard)
        self.participants[user.id] = participant
        return participant

    async def invoke(
        self,
        member: Participant,
        command: str,
        subcommand: str | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        channel_id: int | None = None,
    ) -> Interaction:
        """Call a slash command as *member*, by default in the text channel, and return once the bot has answered.

        Raises CommandRefused when it is not registered as called, NotAnswered after 3 s.
        """
        data = self.interactions.book.call(command, subcommand, options or {})
        return await self.interactions.call(member.user_id, channel_id or self.text_channel_id, data)

    async def complete(
        self, member: Participant, command: str, subcommand: str, option: str, typed: str
    ) -> tuple[str, ...]:
        """Type *typed* into an option as *member*, and return what the bot offers. Raises as `invoke` does."""
        data = self.interactions.book.complete(command, subcommand, option, typed)
        return (await self.interactions.complete(member.user_id, self.text_channel_id, data)).choices

    async def press(self, member: Participant, message: Message, custom_id: str) -> Interaction:
        """Press a button of *message* as *member*, and return once the bot has answered.

        Raises NotAnswered after 3 s.
        """
        return await self.interactions.press(member.user_id, message, custom_id)

    def messages(self, channel_id: int) -> tuple[Message, ...]:
        """List what everybody in a channel sees, oldest first."""
        return self.world.channel_messages(channel_id)

    async def wait_for_message(
        self, channel_id: int, predicate: Callable[[Message], bool], timeout_s: float
    ) -> Message:
        """Wait until a message of a channel, as created or as edited, satisfies *predicate*, and return it.

        Raises NotSeen after *timeout_s*.
        """

        def find() -> Message | None:
            return next((one for one in self.messages(channel_id) if predicate(one)), None)

        await self.wait_until(lambda: find() is not None, timeout_s, "a message")
        found = find()
        assert found is not None
        return found

    async def wait_until(self, condition: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Wait until *condition* holds; it is asked again after every change and a few times a second.

        Raises NotSeen after *timeout_s*.
        """
        try:
            await asyncio.wait_for(self.events.wait_until(condition), timeout_s)
        except asyncio.TimeoutError as cause:
            raise NotSeen(f"The loopback Discord waited {timeout_s:g} s for {what} in vain.") from cause

    async def wait_for_bot(self, timeout_s: float) -> None:
        """Wait until a bot has identified at the gateway. Raises NotSeen after *timeout_s*."""
        await self.wait_until(
            lambda: any(session.connection for session in self.gateway.sessions.values()),
            timeout_s,
            "the bot to identify",
        )

    async def wait_for_bot_voice(self, timeout_s: float, *, channel_id: int | None = None) -> None:
        """Wait until the bot sits in a voice channel and everybody there could be decrypted by it.

        Raises NotSeen after *timeout_s*.
        """
        await self._wait_until_member(self.bot_id, channel_id or self.voice_channel_id, timeout_s)

    def _write(self, user_id: int, channel_id: int | None, text: str) -> Message:
        return self.postings.create(channel_id or self.text_channel_id, user_id, Form({"content": text}))

    async def _wait_until_heard(self, user_id: int, channel_id: int) -> None:
        await self._wait_until_member(user_id, channel_id, WELCOME_TIMEOUT_S)

    async def _wait_until_member(self, user_id: int, channel_id: int, timeout_s: float) -> None:
        def is_member() -> bool:
            server = self.rooms.server_of(channel_id)
            return server is not None and server.hears(user_id) and self._have_keys(server)

        await self.wait_until(is_member, timeout_s, f"user {user_id} in voice")

    def _have_keys(self, server: VoiceServer) -> bool:
        # Transition 0, the first commit, is acknowledged by nobody: what it needs is looked up at the participants.
        members = server.group.members
        clients = [self.participants[one].client for one in members if one in self.participants]
        return len(members) < 2 or all(client is not None and client.has_keys for client in clients)
