"""Slash commands and buttons: registration, the call, and the bot's answers.

A call goes out as INTERACTION_CREATE. The bot has 3 s for its first answer (the callback) and then 15 minutes in which
the interaction's own token edits that answer and posts more.
https://discord.com/developers/docs/interactions/receiving-and-responding
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone

from aiohttp import web

from .answers import (
    ALREADY_ACKNOWLEDGED,
    INVALID_WEBHOOK_TOKEN,
    UNKNOWN_INTERACTION,
    UNKNOWN_MESSAGE,
    UNKNOWN_WEBHOOK,
    ApiError,
    answer_json,
    answer_nothing,
    refuse_form,
    unknown,
)
from .commands import CommandBook, find_command_errors
from .content import FormError
from .errors import NotAnswered
from .payloads import (
    GUILD_LOCALE,
    Json,
    serialize_channel,
    serialize_member,
    serialize_message,
    serialize_resolved,
)
from .postings import Form, Postings, read_form
from .world import EPHEMERAL, LOADING, Message, World

ANSWER_TIMEOUT_S = 3.0
TOKEN_LIFETIME_S = 15 * 60.0
COMMAND, COMPONENT, COMPLETION = 2, 3, 4
MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, CHOICES = 4, 5, 6, 7, 8
KINDS = {MESSAGE: "message", DEFERRED: "deferred", DEFERRED_UPDATE: "deferred update", UPDATE: "update"}
MOST_CHOICES = 25


@dataclass(eq=False)
class Interaction:
    """One call of a member, and what the bot answered."""

    id: int
    token: str = field(repr=False)
    type: int
    member_id: int
    channel_id: int
    created_at: datetime
    world: World = field(repr=False)
    kind: str | None = None
    """How the bot answered: ``message``, ``deferred``, ``deferred update``, ``update``, ``choices``; None before."""
    original_id: int | None = None
    """The message that the first answer made, or that a button sits on."""
    choices: tuple[str, ...] = ()
    """What the bot offers for an option that is being typed."""
    followup_ids: list[int] = field(default_factory=list)
    answered: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @property
    def message(self) -> Message | None:
        """Look up the first answer as it stands, ephemeral ones too; None when there is none or it was deleted."""
        return self.world.messages.get(self.original_id or 0)

    @property
    def followups(self) -> tuple[Message, ...]:
        """Look up the messages posted after the first answer, as they stand."""
        return tuple(self.world.messages[one] for one in self.followup_ids if one in self.world.messages)


class Interactions:
    """Every interaction, and the calls by which the bot answers them.

    Owned by the event loop of the loopback Discord. *dispatch* sends INTERACTION_CREATE; *complain* takes a sentence
    when the bot breaks the protocol.
    """

    def __init__(
        self,
        world: World,
        postings: Postings,
        base_url: Callable[[], str],
        dispatch: Callable[[Json], None],
        complain: Callable[[str], None],
    ) -> None:
        self.world = world
        self.book = CommandBook(world.bot_id, world.guild_id)
        self._postings = postings
        self._base_url = base_url
        self._dispatch = dispatch
        self._complain = complain
        self._by_token: dict[str, Interaction] = {}

    async def call(self, member_id: int, channel_id: int, data: Json) -> Interaction:
        """Call a command as *member_id* and wait for the first answer.

        Raises NotAnswered after 3 s, and counts that against the bot.
        """
        options = data["options"][0].get("options", data["options"]) if data["options"] else ()
        resolved = serialize_resolved(self.world, member_id, options)
        return await self._create(COMMAND, member_id, channel_id, {"data": data | {"resolved": resolved}})

    async def complete(self, member_id: int, channel_id: int, data: Json) -> Interaction:
        """Type an option as *member_id* and wait for what the bot offers; raises NotAnswered after 3 s."""
        return await self._create(COMPLETION, member_id, channel_id, {"data": data})

    async def press(self, member_id: int, message: Message, custom_id: str) -> Interaction:
        """Press the button *custom_id* of *message* as *member_id* and wait for the first answer.

        Raises NotAnswered after 3 s, and counts that against the bot.
        """
        shown = serialize_message(self.world, message, self._base_url())
        content = {"data": {"component_type": 2, "custom_id": custom_id}, "message": shown}
        return await self._create(COMPONENT, member_id, message.channel_id, content, message.id)

    async def _create(
        self, kind: int, member_id: int, channel_id: int, content: Json, original_id: int | None = None
    ) -> Interaction:
        now = datetime.now(timezone.utc)
        number, token = self.world.snowflakes.next(now), secrets.token_urlsafe(48)
        interaction = Interaction(number, token, kind, member_id, channel_id, now, self.world)
        interaction.original_id = original_id
        self._by_token[token] = interaction
        self._dispatch(self._serialize(interaction) | content)
        try:
            await asyncio.wait_for(interaction.answered.wait(), ANSWER_TIMEOUT_S)
        except asyncio.TimeoutError as cause:
            self._complain("The bot did not acknowledge an interaction within 3 s.")
            raise NotAnswered from cause
        return interaction

    def _serialize(self, interaction: Interaction) -> Json:
        world, channel = self.world, self.world.channels[interaction.channel_id]
        granted = world.permissions(interaction.member_id, channel.id)
        member = serialize_member(world, world.users[interaction.member_id])
        return {
            "id": str(interaction.id),
            "application_id": str(world.bot_id),
            "type": interaction.type,
            "token": interaction.token,
            "version": 1,
            "guild_id": str(world.guild_id),
            "guild": {"id": str(world.guild_id), "locale": GUILD_LOCALE, "features": []},
            "guild_locale": GUILD_LOCALE,
            "locale": GUILD_LOCALE,
            "channel_id": str(channel.id),
            "channel": serialize_channel(world, channel) | {"permissions": str(int(granted))},
            "member": member | {"permissions": str(int(granted))},
            "app_permissions": str(int(world.permissions(world.bot_id, channel.id))),
            "entitlements": [],
            "authorizing_integration_owners": {"0": str(world.guild_id)},
            "context": 0,
            "attachment_size_limit": 10 * 1024 * 1024,
        }

    def routes(self) -> list[web.RouteDef]:
        """List the routes, without the API's prefix."""
        commands = "/applications/{application_id}/commands"
        local = "/applications/{application_id}/guilds/{guild_id}/commands"
        webhook = "/webhooks/{application_id}/{interaction_token}"
        message = webhook + "/messages/{message_id}"
        return [
            web.get(commands, self.get_commands),
            web.put(commands, self.put_commands),
            web.get(local, self.get_commands),
            web.put(local, self.put_commands),
            web.post("/interactions/{interaction_id}/{interaction_token}/callback", self.post_callback),
            web.post(webhook, self.post_followup),
            web.get(message, self.get_message),
            web.patch(message, self.patch_message),
            web.delete(message, self.delete_message),
        ]

    async def get_commands(self, request: web.Request) -> web.Response:
        """List the registered commands, of everywhere or of one guild."""
        return answer_json(self.book.listed(_scope(request)))

    async def put_commands(self, request: web.Request) -> web.Response:
        """Replace the registered commands, everywhere or in one guild."""
        commands = await request.json()
        errors = find_command_errors(commands)
        if errors:
            raise refuse_form(errors)
        now = datetime.now(timezone.utc)
        return answer_json(
            self.book.replace(_scope(request), commands, lambda: self.world.snowflakes.next(now))
        )

    async def post_callback(self, request: web.Request) -> web.Response:
        """Take the first answer to an interaction."""
        interaction = self._by_token.get(request.match_info["interaction_token"])
        if interaction is None or str(interaction.id) != request.match_info["interaction_id"]:
            raise unknown("interaction", UNKNOWN_INTERACTION)
        if interaction.kind is not None:
            self._complain("The bot acknowledged an interaction twice.")
            raise ApiError(400, ALREADY_ACKNOWLEDGED, "Interaction has already been acknowledged.")
        if _age_s(interaction) > ANSWER_TIMEOUT_S:
            raise unknown("interaction", UNKNOWN_INTERACTION)
        form = await read_form(request)
        self._acknowledge(interaction, form)
        if request.query.get("with_response") not in ("true", "1"):
            return answer_nothing()
        return answer_json(self._describe(interaction, int(form.body["type"])))

    def _acknowledge(self, interaction: Interaction, form: Form) -> None:
        answer_type = form.body.get("type")
        if (answer_type == CHOICES) != (interaction.type == COMPLETION) or answer_type not in (
            *KINDS,
            CHOICES,
        ):
            raise refuse_form([FormError("type", "BASE_TYPE_CHOICES", "This answer is not offered here.")])
        answer = Form(form.body.get("data") or {}, form.uploads)
        if answer_type == CHOICES:
            interaction.choices = _choices(answer)
        if answer_type in (MESSAGE, DEFERRED):
            interaction.original_id = self._post(interaction, answer, is_loading=answer_type == DEFERRED).id
        elif answer_type == UPDATE and interaction.message:
            self._postings.edit(interaction.message, answer)
        interaction.kind = KINDS.get(answer_type, "choices")
        interaction.answered.set()

    def _post(self, interaction: Interaction, form: Form, *, is_loading: bool = False) -> Message:
        return self._postings.create(
            interaction.channel_id,
            self.world.bot_id,
            form,
            interaction_id=interaction.id,
            flags=LOADING if is_loading else 0,
        )

    def _describe(self, interaction: Interaction, answer_type: int) -> Json:
        content: Json = {"interaction": {"id": str(interaction.id), "type": interaction.type}}
        message = interaction.message
        if message:
            content["interaction"] |= {
                "response_message_id": str(message.id),
                "response_message_loading": message.is_loading,
                "response_message_ephemeral": bool(message.flags & EPHEMERAL),
            }
            content["resource"] = {"type": answer_type, "message": self._show(message)}
        return content

    async def post_followup(self, request: web.Request) -> web.Response:
        """Post one more message; the first one after a deferral takes the place of "thinking"."""
        interaction = self._interaction(request)
        form = await read_form(request)
        original = interaction.message
        if original and original.is_loading:
            return answer_json(self._show(self._postings.edit(original, form)))
        message = self._post(interaction, form)
        interaction.followup_ids.append(message.id)
        return answer_json(self._show(message))

    async def get_message(self, request: web.Request) -> web.Response:
        """Show the first answer or a later one."""
        return answer_json(self._show(self._message(request)))

    async def patch_message(self, request: web.Request) -> web.Response:
        """Edit the first answer or a later one."""
        message = self._message(request)
        return answer_json(self._show(self._postings.edit(message, await read_form(request))))

    async def delete_message(self, request: web.Request) -> web.Response:
        """Delete the first answer or a later one."""
        self._postings.delete(self._message(request))
        return answer_nothing()

    def _interaction(self, request: web.Request) -> Interaction:
        interaction = self._by_token.get(request.match_info["interaction_token"])
        if interaction is None or interaction.kind is None:
            raise unknown("Webhook", UNKNOWN_WEBHOOK)
        if _age_s(interaction) > TOKEN_LIFETIME_S:
            raise ApiError(401, INVALID_WEBHOOK_TOKEN, "Invalid Webhook Token")
        return interaction

    def _message(self, request: web.Request) -> Message:
        interaction, wanted = self._interaction(request), request.match_info["message_id"]
        number = interaction.original_id if wanted == "@original" else int(wanted)
        own = [interaction.original_id, *interaction.followup_ids]
        message = self.world.messages.get(number or 0)
        if message is None or message.id not in own:
            raise unknown("Message", UNKNOWN_MESSAGE)
        return message

    def _show(self, message: Message) -> Json:
        return serialize_message(self.world, message, self._base_url())


def _choices(answer: Form) -> tuple[str, ...]:
    offered = answer.body.get("choices") or ()
    if len(offered) > MOST_CHOICES:
        sentence = f"Must be {MOST_CHOICES} or fewer in length."
        raise refuse_form([FormError("data.choices", "BASE_TYPE_BAD_LENGTH", sentence)])
    return tuple(str(one["value"]) for one in offered)


def _scope(request: web.Request) -> int | None:
    return int(request.match_info["guild_id"]) if "guild_id" in request.match_info else None


def _age_s(interaction: Interaction) -> float:
    return (datetime.now(timezone.utc) - interaction.created_at).total_seconds()
