"""The REST calls about threads below messages: made, archived, and what an archived one refuses.

Only public threads that begin at a message, which is all that the bot makes.
https://discord.com/developers/docs/topics/threads
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

from aiohttp import web

from .access import Access
from .answers import (
    MISSING_PERMISSIONS,
    THREAD_ARCHIVED,
    THREAD_EXISTS,
    WRONG_CHANNEL_TYPE,
    ApiError,
    answer_json,
    refuse_form,
)
from .content import FormError
from .payloads import serialize_thread
from .permissions import Permission
from .postings import read_form
from .world import HAS_THREAD, TEXT_CHANNEL, Channel, Message, Thread, World

NAME_CHARACTERS = 100
ARCHIVE_MINUTES = (60, 1440, 4320, 10080)


class Threads:
    """The calls themselves.

    *publish* is called with ``THREAD_CREATE`` or ``THREAD_UPDATE`` and the thread, *republish* with
    ``MESSAGE_UPDATE`` and a message that got one.
    """

    def __init__(
        self,
        world: World,
        access: Access,
        publish: Callable[[str, Thread], None],
        republish: Callable[[str, Message], None],
    ) -> None:
        self._world = world
        self._access = access
        self._publish = publish
        self._republish = republish

    def routes(self) -> list[web.RouteDef]:
        """List the routes, without the API's prefix."""
        return [
            web.post("/channels/{channel_id}/messages/{message_id}/threads", self.start),
            web.patch("/channels/{channel_id}", self.change),
        ]

    async def start(self, request: web.Request) -> web.Response:
        """Make the thread of a message; there is never a second one, also when the first was deleted."""
        channel = self._access.channel(request, Permission.CREATE_PUBLIC_THREADS)
        message = self._access.message(request)
        if not isinstance(channel, Channel) or channel.kind != TEXT_CHANNEL:
            raise ApiError(400, WRONG_CHANNEL_TYPE, "Cannot execute action on this channel type")
        body = (await read_form(request)).body
        errors = find_thread_errors(body)
        if errors:
            raise refuse_form(errors)
        if message.flags & HAS_THREAD:
            raise ApiError(400, THREAD_EXISTS, "A thread has already been created for this message")
        minutes = int(body.get("auto_archive_duration") or ARCHIVE_MINUTES[1])
        now = datetime.now(timezone.utc)
        made = Thread(message.id, str(body["name"]), channel.id, self._world.bot_id, now, minutes)
        self._publish("THREAD_CREATE", self._world.start_thread(made))
        self._republish("MESSAGE_UPDATE", self._world.messages[message.id])
        return answer_json(serialize_thread(self._world, made), 201)

    async def change(self, request: web.Request) -> web.Response:
        """Archive one of the bot's own threads or open it again; nothing else of a channel may the bot change."""
        thread = self._access.channel(request)
        body = (await read_form(request)).body
        is_own = isinstance(thread, Thread) and thread.owner_id == self._world.bot_id
        if not isinstance(thread, Thread) or not is_own or set(body) != {"archived"}:
            raise ApiError(403, MISSING_PERMISSIONS, "Missing Permissions")
        return answer_json(serialize_thread(self._world, self._archive(thread, bool(body["archived"]))))

    def open(self, thread: Thread) -> None:
        """Open an archived thread, as a message in it does."""
        if thread.is_archived:
            self._archive(thread, is_archived=False)

    def _archive(self, thread: Thread, is_archived: bool) -> Thread:
        now = datetime.now(timezone.utc)
        changed = self._world.archive_thread(thread.id, now, is_archived=is_archived)
        self._publish("THREAD_UPDATE", changed)
        return changed


def check_open(channel: Channel | Thread | None) -> None:
    """Refuse a change in an archived thread."""
    if isinstance(channel, Thread) and channel.is_archived:
        raise ApiError(400, THREAD_ARCHIVED, "Thread is archived")


def find_thread_errors(body: Mapping[str, Any]) -> list[FormError]:
    """List everything that API v10 refuses in the body of a new thread."""
    errors = []
    if not 0 < len(str(body.get("name") or "").strip()) <= NAME_CHARACTERS:
        sentence = f"Must be between 1 and {NAME_CHARACTERS} in length."
        errors.append(FormError("name", "BASE_TYPE_BAD_LENGTH", sentence))
    minutes = body.get("auto_archive_duration")
    if minutes is not None and minutes not in ARCHIVE_MINUTES:
        sentence = f"Value must be one of {ARCHIVE_MINUTES}."
        errors.append(FormError("auto_archive_duration", "BASE_TYPE_CHOICES", sentence))
    return errors
