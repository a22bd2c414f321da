"""The REST calls about users, the guild, its channels and their messages.

https://discord.com/developers/docs/resources/channel
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from .access import Access, number_of
from .answers import (
    CANNOT_EDIT_OTHERS,
    UNKNOWN_GUILD,
    UNKNOWN_MEMBER,
    UNKNOWN_USER,
    ApiError,
    answer_json,
    answer_nothing,
    unknown,
)
from .payloads import (
    serialize_application,
    serialize_channel,
    serialize_guild,
    serialize_member,
    serialize_message,
    serialize_thread,
    serialize_user,
)
from .permissions import Permission
from .postings import Postings, read_form
from .threads import Threads, check_open
from .world import Message, Thread, World

SESSION_STARTS = 1000


class Rest:
    """The calls themselves; ``Admission`` has already checked the token.

    *gateway_url* and *base_url* are asked for at each call, since the port is known only once the server runs.
    """

    def __init__(
        self,
        world: World,
        postings: Postings,
        threads: Threads,
        gateway_url: Callable[[], str],
        base_url: Callable[[], str],
    ) -> None:
        self.world = world
        self.postings = postings
        self._threads = threads
        self._access = Access(world)
        self._gateway_url = gateway_url
        self._base_url = base_url

    def routes(self) -> list[web.RouteDef]:
        """List the routes, without the API's prefix."""
        message = "/channels/{channel_id}/messages/{message_id}"
        return [
            web.get("/gateway", self.get_gateway),
            web.get("/gateway/bot", self.get_gateway_bot),
            web.get("/users/@me", self.get_me),
            web.get("/users/{user_id}", self.get_user),
            web.get("/oauth2/applications/@me", self.get_application),
            web.get("/applications/@me", self.get_application),
            web.get("/guilds/{guild_id}", self.get_guild),
            web.get("/guilds/{guild_id}/channels", self.get_guild_channels),
            web.get("/guilds/{guild_id}/members/{user_id}", self.get_member),
            web.get("/channels/{channel_id}", self.get_channel),
            web.post("/channels/{channel_id}/typing", self.post_typing),
            web.get("/channels/{channel_id}/messages", self.get_messages),
            web.post("/channels/{channel_id}/messages", self.post_message),
            web.get(message, self.get_message),
            web.patch(message, self.patch_message),
            web.delete(message, self.delete_message),
        ]

    async def get_gateway(self, request: web.Request) -> web.Response:
        """Say where the gateway is."""
        return answer_json({"url": self._gateway_url()})

    async def get_gateway_bot(self, request: web.Request) -> web.Response:
        """Say where the gateway is and how many shards and session starts a bot has."""
        limit = {"total": SESSION_STARTS, "remaining": SESSION_STARTS, "reset_after": 0, "max_concurrency": 1}
        return answer_json({"url": self._gateway_url(), "shards": 1, "session_start_limit": limit})

    async def get_me(self, request: web.Request) -> web.Response:
        """Show the bot's own user."""
        return answer_json(serialize_user(self.world.users[self.world.bot_id]))

    async def get_user(self, request: web.Request) -> web.Response:
        """Show one user."""
        user = self.world.users.get(number_of(request, "user_id"))
        if user is None:
            raise unknown("User", UNKNOWN_USER)
        return answer_json(serialize_user(user))

    async def get_application(self, request: web.Request) -> web.Response:
        """Show the bot's application."""
        return answer_json(serialize_application(self.world))

    async def get_guild(self, request: web.Request) -> web.Response:
        """Show the guild."""
        self._check_guild(request)
        return answer_json(serialize_guild(self.world))

    async def get_guild_channels(self, request: web.Request) -> web.Response:
        """List the guild's channels."""
        self._check_guild(request)
        return answer_json([serialize_channel(self.world, one) for one in self.world.channels.values()])

    async def get_member(self, request: web.Request) -> web.Response:
        """Show one member."""
        self._check_guild(request)
        user = self.world.users.get(number_of(request, "user_id"))
        if user is None:
            raise unknown("Member", UNKNOWN_MEMBER)
        return answer_json(serialize_member(self.world, user))

    async def get_channel(self, request: web.Request) -> web.Response:
        """Show one channel or thread."""
        found = self._access.channel(request)
        if isinstance(found, Thread):
            return answer_json(serialize_thread(self.world, found))
        return answer_json(serialize_channel(self.world, found))

    async def post_typing(self, request: web.Request) -> web.Response:
        """Show that the bot is typing."""
        self._access.channel(request, Permission.SEND_MESSAGES)
        return answer_nothing()

    async def get_messages(self, request: web.Request) -> web.Response:
        """List a channel's messages, newest first, at most *limit* of them."""
        channel = self._access.channel(request, Permission.READ_MESSAGE_HISTORY)
        before = int(request.query.get("before", 1 << 63))
        after = int(request.query.get("after", 0))
        found = [one for one in self.world.channel_messages(channel.id) if after < one.id < before]
        limit = min(int(request.query.get("limit", 50)), 100)
        chosen = found[:limit] if "after" in request.query else found[-limit:]
        return answer_json([self._serialize(one) for one in reversed(chosen)])

    async def post_message(self, request: web.Request) -> web.Response:
        """Post a message as the bot; an archived thread opens with it."""
        channel = self._access.channel(request)
        is_thread = isinstance(channel, Thread)
        self._access.check(
            channel, Permission.SEND_MESSAGES_IN_THREADS if is_thread else Permission.SEND_MESSAGES
        )
        form = await read_form(request)
        if form.uploads:
            self._access.check(channel, Permission.ATTACH_FILES)
        if form.body.get("embeds"):
            self._access.check(channel, Permission.EMBED_LINKS)
        if isinstance(channel, Thread):
            self._threads.open(channel)
        return answer_json(self._serialize(self.postings.create(channel.id, self.world.bot_id, form)))

    async def get_message(self, request: web.Request) -> web.Response:
        """Show one message."""
        return answer_json(self._serialize(self._access.message(request, Permission.READ_MESSAGE_HISTORY)))

    async def patch_message(self, request: web.Request) -> web.Response:
        """Edit one of the bot's own messages."""
        message = self._access.message(request)
        if message.author_id != self.world.bot_id:
            raise ApiError(403, CANNOT_EDIT_OTHERS, "Cannot edit a message authored by another user")
        check_open(self.world.threads.get(message.channel_id))
        return answer_json(self._serialize(self.postings.edit(message, await read_form(request))))

    async def delete_message(self, request: web.Request) -> web.Response:
        """Delete a message: the bot's own, or any with MANAGE_MESSAGES."""
        message = self._access.message(request)
        if message.author_id != self.world.bot_id:
            self._access.channel(request, Permission.MANAGE_MESSAGES)
        self.postings.delete(message)
        return answer_nothing()

    def _serialize(self, message: Message) -> dict[str, Any]:
        return serialize_message(self.world, message, self._base_url())

    def _check_guild(self, request: web.Request) -> None:
        if number_of(request, "guild_id") != self.world.guild_id:
            raise unknown("Guild", UNKNOWN_GUILD)
