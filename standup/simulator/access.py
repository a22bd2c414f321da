"""What a REST call names in its path, and whether the bot may do there what it wants to.

No I/O here. Whatever is unknown or forbidden raises ApiError, as Discord answers it.
"""

from __future__ import annotations

from aiohttp import web

from .answers import MISSING_ACCESS, MISSING_PERMISSIONS, UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, ApiError, unknown
from .permissions import Permission
from .world import Channel, Message, Thread, World


def number_of(request: web.Request, name: str) -> int:
    """Read an id from the path; 0, which names nothing, for what is no snowflake."""
    text = request.match_info[name]
    return int(text) if text.isdecimal() else 0


class Access:
    """Looks up what a call is about, with the bot's permissions there."""

    def __init__(self, world: World) -> None:
        self._world = world

    def channel(self, request: web.Request, needed: Permission = Permission.VIEW_CHANNEL) -> Channel | Thread:
        """Give the channel or thread that the path names, in which the bot has *needed*."""
        channel_id = number_of(request, "channel_id")
        channel = self._world.threads.get(channel_id) or self._world.channels.get(channel_id)
        if channel is None:
            raise unknown("Channel", UNKNOWN_CHANNEL)
        self.check(channel, needed)
        return channel

    def message(self, request: web.Request, needed: Permission = Permission.VIEW_CHANNEL) -> Message:
        """Give the message that the path names, in a channel or thread in which the bot has *needed*."""
        channel = self.channel(request, needed)
        message = self._world.messages.get(number_of(request, "message_id"))
        if message is None or message.channel_id != channel.id or message.is_ephemeral:
            raise unknown("Message", UNKNOWN_MESSAGE)
        return message

    def check(self, channel: Channel | Thread, needed: Permission) -> None:
        """Refuse what the bot may not do in a channel or thread."""
        granted = self._world.permissions(self._world.bot_id, channel.id)
        if not granted & Permission.VIEW_CHANNEL:
            raise ApiError(403, MISSING_ACCESS, "Missing Access")
        if not granted & needed:
            raise ApiError(403, MISSING_PERMISSIONS, "Missing Permissions")
