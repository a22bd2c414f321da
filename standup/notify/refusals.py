"""What a failed call to Discord means for the operator: which error, and whether waiting helps.

Codes: https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
"""

from __future__ import annotations

import asyncio

import aiohttp
import discord

from standup.errors import ChannelForbidden, ChannelUnreachable, NotifyError, SettingsError, StandupError

UNKNOWN_MESSAGE = 10008
MISSING_ACCESS = 50001
THREAD_ARCHIVED = 50083
TOO_MANY_OLD_EDITS = 30046
FOREIGN_MESSAGE = 50005

#: Everything that a call through discord.py raises when Discord says no or cannot be reached.
FAILURES = (discord.DiscordException, aiohttp.ClientError, asyncio.TimeoutError, OSError)


def is_gone(error: discord.HTTPException) -> bool:
    """Return whether a message can no longer be edited: it was deleted, or another bot account wrote it."""
    return error.code in (UNKNOWN_MESSAGE, FOREIGN_MESSAGE)


def is_frozen(error: discord.HTTPException) -> bool:
    """Return whether a message is there but takes no edit now, while a new one would be taken.

    An archived thread opens again with a new message; a message over an hour old has few edits.
    """
    return error.code in (THREAD_ARCHIVED, TOO_MANY_OLD_EDITS)


def explain(error: BaseException, channel_id: int, *, has_files: bool = False) -> StandupError:
    """Return the error to raise for *error*, one of ``FAILURES``; it quotes nothing that Discord or we sent."""
    status = error.status if isinstance(error, discord.HTTPException) else 0
    if isinstance(error, discord.LoginFailure) or status == 401:
        return SettingsError(
            "Discord refused the bot's token; copy it again from the developer portal into STANDUP_DISCORD_TOKEN."
        )
    if isinstance(error, discord.Forbidden):
        return _forbidden(error, channel_id, has_files)
    if status == 404:
        return NotifyError(
            f"Channel {channel_id} does not exist any more; start the next standup in a text channel that does."
        )
    if isinstance(error, discord.HTTPException) and status < 500 and status != 429:
        return NotifyError(
            f"Discord refused the notes for channel {channel_id} (HTTP {status}, code {error.code}); "
            "look the code up in Discord's documentation and run `standup retry`."
        )
    cause = f"HTTP {status}" if status else type(error).__name__
    return ChannelUnreachable(
        f"Discord did not take the notes for channel {channel_id} ({cause}); they are tried again by themselves."
    )


def _forbidden(error: discord.Forbidden, channel_id: int, has_files: bool) -> ChannelForbidden:
    """Return the error naming the permissions that this kind of call needs."""
    if error.code == MISSING_ACCESS:
        needed = "View Channel and Read Message History"
    elif has_files:
        needed = "Send Messages, Embed Links and Attach Files"
    else:
        needed = "Send Messages and Embed Links"
    return ChannelForbidden(
        f"The bot may not post in channel {channel_id}: grant it {needed} there, then run `standup retry`."
    )
