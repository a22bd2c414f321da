"""What people are called at the time of the meeting. Names go into the manifest, never into a log."""

from __future__ import annotations

import asyncio

import aiohttp
import discord

LOOK_UP_S = 10.0


async def name_of(guild: discord.Guild, user_id: int) -> str:
    """Return the display name of a member, or ``Participant 1234`` (the end of the id) when Discord has none.

    People in voice channels are in discord.py's cache; others are asked for, for at most ``LOOK_UP_S``.
    """
    member = guild.get_member(user_id)
    if member is None:
        try:
            member = await asyncio.wait_for(guild.fetch_member(user_id), LOOK_UP_S)
        except (discord.HTTPException, aiohttp.ClientError, OSError, asyncio.TimeoutError):
            return f"Participant {user_id % 10_000:04}"
    return member.display_name
