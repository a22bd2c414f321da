"""The gateway client of both programs, and how a program that runs one ends.

Exit statuses of `run`:

===  ================================================================================
0    asked to stop by SIGTERM or SIGINT; recordings are closed and resumed at the next start
69   Discord could not be reached (`ServiceMissing`): the address, the network, an outage
78   Discord refused the token (`SettingsError`)
===  ================================================================================

Any other exception is a defect and leaves `run`; the launcher turns it into 255.
REST and gateway are wherever ``STANDUP_DISCORD_API_URL`` points: `GET /gateway/bot` names the gateway.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import signal
from collections.abc import Coroutine
from typing import Any

import aiohttp
import discord
import discord.gateway
import yarl
from discord import app_commands
from discord.ext import commands
from discord.http import Route

from standup.bot.outages import Outages
from standup.errors import ServiceMissing, SettingsError, StandupError
from standup.settings import Settings

log = logging.getLogger(__name__)

CLOSE_S = 15.0
#: A program that was asked to stop closes within this time, journals first.
CONNECTED = ("shard_connect", "shard_resumed")
AUTHENTICATION_FAILED = 4004
#: https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes


class StandupBot(commands.AutoShardedBot):
    """A client without privileged intents; subclasses add what their program does.

    Owner: the event loop of `run`.
    """

    def __init__(
        self,
        intents: discord.Intents,
        *,
        tree: type[app_commands.CommandTree[Any]] = app_commands.CommandTree,
    ) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            tree_cls=tree,
            help_command=None,
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags(joined=False, voice=intents.voice_states),
            chunk_guilds_at_startup=False,
            max_messages=None,
        )
        self._outages = Outages()

    async def setup_hook(self) -> None:
        """Send also reconnects that cannot resume to the gateway that REST names."""
        self._outages.begin()
        _, gateway_url, _ = await self.http.get_bot_gateway()
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway_url)

    def dispatch(self, event_name: str, /, *args: Any, **kwargs: Any) -> None:
        """Hand out an event with each voice state as it is at this event.

        discord.py keeps one voice state per person, changes it at the person's next event and runs handlers later
        than that when events come together: to a busy program, somebody who came and went would only have left.
        """
        if event_name in CONNECTED:
            self._outages.over()
        seen = [copy.copy(one) if isinstance(one, discord.VoiceState) else one for one in args]
        super().dispatch(event_name, *seen, **kwargs)

    async def close(self) -> None:
        """Close the connection to Discord."""
        await super().close()
        self._outages.end()

    async def suspend(self) -> None:
        """Leave everything so that the next start can go on; called once before the connection is closed."""


def run(bot: StandupBot, settings: Settings) -> int:
    """Run *bot* until it is asked to stop; return the exit status, with the reason logged as one sentence."""
    try:
        token = settings.discord.require_token()
        Route.BASE = settings.discord_api_url
        asyncio.run(_serve(bot, token, settings.discord_api_url))
    except StandupError as problem:
        log.error("%s", problem)
        return problem.exit_status
    return 0


async def _serve(bot: StandupBot, token: str, api_url: str) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    try:
        async with bot:
            await _until(stopping, _connect(bot, token, api_url))
            await _suspend(bot)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _connect(bot: StandupBot, token: str, api_url: str) -> None:
    """Log in and stay connected; our own errors name the cause."""
    try:
        await bot.login(token)
        await bot.connect(reconnect=True)
    except discord.LoginFailure as cause:
        raise _wrong_token() from cause
    except discord.ConnectionClosed as cause:
        if cause.code == AUTHENTICATION_FAILED:
            raise _wrong_token() from cause
        raise _unreachable(api_url, f"the gateway closed the connection with code {cause.code}") from cause
    except (discord.HTTPException, discord.GatewayNotFound) as cause:
        raise _unreachable(api_url, f"it answered with status {getattr(cause, 'status', 'none')}") from cause
    except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as cause:
        raise _unreachable(api_url, f"the connection failed ({type(cause).__name__})") from cause


async def _until(stopping: asyncio.Event, connection: Coroutine[Any, Any, None]) -> None:
    """Wait for the connection to end or for the wish to stop; raise what the connection raised."""
    connected = asyncio.create_task(connection, name="gateway")
    asked = asyncio.create_task(stopping.wait(), name="wish to stop")
    try:
        await asyncio.wait({connected, asked}, return_when=asyncio.FIRST_COMPLETED)
        if connected.done():
            connected.result()
    finally:
        asked.cancel()
        connected.cancel()
        await asyncio.gather(connected, asked, return_exceptions=True)


async def _suspend(bot: StandupBot) -> None:
    try:
        await asyncio.wait_for(bot.suspend(), CLOSE_S)
    except asyncio.TimeoutError:
        log.warning("Closing took more than %.0f s; the journals are resumed at the next start", CLOSE_S)


def _wrong_token() -> SettingsError:
    return SettingsError(
        "Discord refused the bot token; copy the token from the developer portal into STANDUP_DISCORD_TOKEN."
    )


def _unreachable(api_url: str, how: str) -> ServiceMissing:
    return ServiceMissing(
        f"Discord cannot be reached at {api_url}, {how}; check the network and STANDUP_DISCORD_API_URL."
    )
