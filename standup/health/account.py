"""Ask Discord about the bot: token, session starts, clock, intents, permissions. `standing` judges.

The exchange: `GET /gateway/bot` with the token answers three questions at once (its status, its limit and its Date
header); then discord.py logs in for the application's flags and for each channel's permissions.
https://discord.com/developers/docs/events/gateway#get-gateway-bot
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TypeAlias

import aiohttp
import discord
from discord.http import Route

from standup.bot import permissions
from standup.health import standing
from standup.health.check import Check, bad, doubtful
from standup.health.places import Place
from standup.notify.refusals import FAILURES, explain
from standup.settings import DiscordSettings, Settings

ANSWER_S = 5.0
PER_CHANNEL_S = 10.0
NEEDED_INTENTS: Sequence[str] = ()
#: Privileged intents of our programs, as the application's flags call them; there is none.
TO_ALERT = ("read_messages", "send_messages", "read_message_history")

Found: TypeAlias = discord.abc.GuildChannel | discord.abc.PrivateChannel | discord.Thread


@dataclass(frozen=True, slots=True)
class Answer:
    """What `GET /gateway/bot` told."""

    status: int
    skew_s: float | None = None
    """How far our clock is ahead; None without a Date header."""
    starts: tuple[int, int] | None = None
    """Session starts left and allowed a day."""


async def examine(settings: Settings, places: Sequence[Place]) -> AsyncIterator[Check]:
    """Yield what Discord says about the bot; ends after the token when that is not accepted."""
    token = settings.discord_token.get_secret_value()
    if not token:
        yield bad("token", "not set", "run `standup init`, or put STANDUP_DISCORD_TOKEN into .env")
        return
    try:
        answer = await ask(settings.discord)
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError) as cause:
        yield bad(
            "token",
            f"Discord does not answer ({type(cause).__name__})",
            "check the network and STANDUP_DISCORD_API_URL",
        )
        return
    yield standing.token(answer.status)
    if answer.skew_s is not None:
        yield standing.clock(answer.skew_s)
    if answer.starts is not None:
        yield standing.session_starts(*answer.starts)
    if answer.status == 200:
        async for check in _examine_inside(settings, places):
            yield check


async def ask(settings: DiscordSettings) -> Answer:
    """Ask Discord once, within ``ANSWER_S``.

    Raises aiohttp.ClientError, asyncio.TimeoutError or OSError when it does not answer, ValueError when the answer
    is not Discord's.
    """
    headers = {"Authorization": f"Bot {settings.token.get_secret_value()}"}
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_S), headers=headers) as session,
        session.get(f"{settings.api_url}/gateway/bot", allow_redirects=False) as response,
    ):
        now = datetime.now(timezone.utc)
        document = await response.json(content_type=None) if response.status == 200 else {}
        return Answer(response.status, _skew_s(now, response.headers), _starts(document))


def _skew_s(now: datetime, headers: Mapping[str, str]) -> float | None:
    try:
        return (now - parsedate_to_datetime(headers["Date"])).total_seconds()
    except (KeyError, TypeError, ValueError):
        return None


def _starts(document: object) -> tuple[int, int] | None:
    limit = document.get("session_start_limit") if isinstance(document, dict) else None
    return (int(limit["remaining"]), int(limit["total"])) if isinstance(limit, dict) else None


async def _examine_inside(settings: Settings, places: Sequence[Place]) -> AsyncIterator[Check]:
    Route.BASE = settings.discord.api_url
    async with discord.Client(intents=discord.Intents.none()) as client:
        try:
            await asyncio.wait_for(client.login(settings.discord.require_token()), ANSWER_S)
            flags = (await asyncio.wait_for(client.application_info(), ANSWER_S)).flags
        except FAILURES as cause:
            yield bad(
                "intents", f"Discord did not tell ({type(cause).__name__})", "run `standup doctor` again"
            )
            return
        yield standing.intents(NEEDED_INTENTS, [name for name, is_set in flags if is_set])
        for place in places:
            for check in await _channel(client, place, has_live_thread=settings.has_live_thread):
                yield check
    if not places:
        yield doubtful(
            "channels", "none was used lately", "check the channels of a meeting with --channel ID"
        )


async def _channel(client: discord.Client, place: Place, *, has_live_thread: bool) -> list[Check]:
    """Compare what the bot may do in a channel with what it does there."""
    try:
        found, granted = await asyncio.wait_for(_granted(client, place), PER_CHANNEL_S)
    except FAILURES as cause:
        told = str(explain(cause, place.channel_id)).partition(";")[0].partition(":")[0].rstrip(".")
        if isinstance(cause, discord.NotFound) and not place.is_wanted:
            # What somebody deleted since the last meeting stands in the way of none.
            return [doubtful(f"channel {place.channel_id}", told, "hold the next meeting in another channel")]
        judge = bad if place.is_vital else doubtful
        return [judge(f"channel {place.channel_id}", told, "let the bot see it, or use another channel")]
    missing = permissions.missing(granted, _needed(place, found))
    checks = [standing.permissions(place.channel_id, missing, stops=place.is_vital)]
    if has_live_thread and _may_have_threads(place, found):
        missing = permissions.missing(granted, permissions.TO_SHOW_LIVE)
        checks.append(standing.live_thread(place.channel_id, missing))
    return checks


async def _granted(client: discord.Client, place: Place) -> tuple[Found, Collection[str]]:
    """Return a channel and what the bot may do in it."""
    found = await client.fetch_channel(place.channel_id)
    if isinstance(found, discord.abc.PrivateChannel):
        return found, [name for name, _ in discord.Permissions.all()]
    guild = await client.fetch_guild(found.guild.id)
    assert client.user is not None, "a client that is logged in knows who it is"
    me = await guild.fetch_member(client.user.id)
    # A thread has the permissions of its parent; from fetched objects only the parent can work them out.
    ruling = found.parent_id if isinstance(found, discord.Thread) else found.id
    ruler = await guild.fetch_channel(ruling)
    assert not isinstance(ruler, discord.Thread), "a thread's parent is a channel"
    return found, {name for name, is_set in ruler.permissions_for(me) if is_set}


def _may_have_threads(place: Place, channel: Found) -> bool:
    return isinstance(channel, discord.TextChannel) and (place.posts or place.is_named)


def _needed(place: Place, channel: Found) -> tuple[str, ...]:
    if not place.is_vital:
        return TO_ALERT
    is_thread = isinstance(channel, discord.Thread)
    speaks = isinstance(channel, discord.VoiceChannel | discord.StageChannel)
    listens, posts = (speaks, not speaks) if place.is_named else (place.listens, place.posts)
    to_post = permissions.TO_POST_IN_THREAD if is_thread else permissions.TO_POST
    needed = (permissions.TO_LISTEN if listens else ()) + (to_post if posts else ())
    return tuple(dict.fromkeys(needed))
