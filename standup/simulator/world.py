"""Who and what exists in the loopback Discord: one guild, its people, channels and messages.

No clock and no I/O here: the time is an argument. The world only keeps; who may change it is decided by its
callers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .content import find_pinged
from .permissions import EVERYONE, NOTHING, Overwrite, Permission, permissions_in_channel

DISCORD_EPOCH_MS = 1_420_070_400_000
TEXT_CHANNEL = 0
VOICE_CHANNEL = 2
PUBLIC_THREAD = 11
HAS_THREAD = 1 << 5
EPHEMERAL = 1 << 6
LOADING = 1 << 7


@dataclass(slots=True)
class Snowflakes:
    """Make ids that carry their time, as Discord's do; never the same twice."""

    _last: int = 0

    def next(self, now: datetime) -> int:
        """Make the next id; it is greater than every id before it."""
        wanted = (int(now.timestamp() * 1000) - DISCORD_EPOCH_MS) << 22
        self._last = max(self._last + 1, wanted)
        return self._last


@dataclass(frozen=True, slots=True)
class User:
    """One person or bot, a member of the guild."""

    id: int
    name: str
    is_bot: bool = False
    role_ids: tuple[int, ...] = ()
    """Besides @everyone."""


@dataclass(frozen=True, slots=True)
class Role:
    """One role of the guild."""

    id: int
    name: str
    permissions: Permission


@dataclass(frozen=True, slots=True)
class Channel:
    """One text or voice channel."""

    id: int
    name: str
    kind: int
    """TEXT_CHANNEL or VOICE_CHANNEL."""
    overwrites: tuple[Overwrite, ...] = ()


@dataclass(frozen=True, slots=True)
class Thread:
    """One public thread below a message, whose id it has; its permissions are those of its parent."""

    id: int
    name: str
    parent_id: int
    """The text channel of the message."""
    owner_id: int
    created_at: datetime
    archive_minutes: int
    """Discord archives it after so long without a message; the loopback leaves that to tests."""
    is_archived: bool = False
    archived_at: datetime | None = None
    """When it was last archived or opened again."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file of a message."""

    id: int
    filename: str
    content: bytes = field(repr=False)
    content_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it stands after its last edit."""

    id: int
    channel_id: int
    author_id: int
    created_at: datetime
    content: str = field(default="", repr=False)
    embeds: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    attachments: tuple[Attachment, ...] = ()
    components: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    allowed_mentions: Mapping[str, Any] | None = None
    """The body's own; None when it had none, which allows everything."""
    nonce: str | None = None
    pinged: frozenset[str] = frozenset()
    """Who was really notified: ``everyone``, ``here``, ``user:ID``, ``role:ID``. Edits notify nobody."""
    flags: int = 0
    edits: int = 0
    edited_at: datetime | None = None
    interaction_id: int | None = None
    """The interaction that it answers."""

    @property
    def is_loading(self) -> bool:
        """Whether it is a deferred answer that is yet to be filled: Discord shows "thinking"."""
        return bool(self.flags & LOADING)

    @property
    def is_ephemeral(self) -> bool:
        """Say whether only the member who called the bot sees it."""
        return bool(self.flags & EPHEMERAL)


@dataclass(frozen=True, slots=True)
class VoiceState:
    """Where one user sits, and whether deaf or mute."""

    user_id: int
    channel_id: int | None
    session_id: str
    self_mute: bool = False
    self_deaf: bool = False


@dataclass(eq=False)
class World:
    """One guild with a text and a voice channel, and the bot in it.

    Owned by the event loop of the loopback Discord.
    """

    now: datetime
    """When the guild was made."""
    snowflakes: Snowflakes = field(default_factory=Snowflakes)
    users: dict[int, User] = field(default_factory=dict)
    roles: dict[int, Role] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    threads: dict[int, Thread] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    voice_states: dict[int, VoiceState] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.guild_id = self.snowflakes.next(self.now)
        self.roles[self.guild_id] = Role(self.guild_id, "@everyone", EVERYONE)
        self.team_role_id = self.snowflakes.next(self.now)
        self.roles[self.team_role_id] = Role(self.team_role_id, "Team", NOTHING)
        self.lead_role_id = self.snowflakes.next(self.now)
        self.roles[self.lead_role_id] = Role(self.lead_role_id, "Lead", Permission.MANAGE_GUILD)
        self.owner_id = self.add_user("Owner", self.now).id
        self.bot_id = self.add_user("StandupBot", self.now, is_bot=True).id
        self.text_channel_id = self.add_channel("standup-notes", TEXT_CHANNEL, self.now).id
        self.voice_channel_id = self.add_channel("Standup", VOICE_CHANNEL, self.now).id

    def add_user(self, name: str, now: datetime, *, is_bot: bool = False) -> User:
        """Let one more user into the guild; people get the Team role, bots do not."""
        user = User(self.snowflakes.next(now), name, is_bot, () if is_bot else (self.team_role_id,))
        self.users[user.id] = user
        return user

    def promote(self, user_id: int) -> None:
        """Give somebody the Lead role, with which they may manage the guild."""
        user = self.users[user_id]
        self.users[user_id] = dataclasses.replace(user, role_ids=(*user.role_ids, self.lead_role_id))

    def add_channel(self, name: str, kind: int, now: datetime) -> Channel:
        """Open one more channel."""
        channel = Channel(self.snowflakes.next(now), name, kind)
        self.channels[channel.id] = channel
        return channel

    def permissions(self, user_id: int, channel_id: int) -> Permission:
        """Work out what *user_id* may do in *channel_id*, a channel or a thread."""
        role_ids = self.users[user_id].role_ids
        granted = self.roles[self.guild_id].permissions
        for role_id in role_ids:
            granted |= self.roles[role_id].permissions
        return permissions_in_channel(
            granted,
            self.channels[self._ruling(channel_id)].overwrites,
            everyone_id=self.guild_id,
            role_ids=role_ids,
            member_id=user_id,
        )

    def overwrite(self, channel_id: int, overwrite: Overwrite) -> Channel:
        """Replace what a channel grants or takes from one role or member."""
        channel = self.channels[channel_id]
        kept = tuple(one for one in channel.overwrites if one.target_id != overwrite.target_id)
        self.channels[channel_id] = dataclasses.replace(channel, overwrites=(*kept, overwrite))
        return self.channels[channel_id]

    def start_thread(self, thread: Thread) -> Thread:
        """Keep a new thread, and mark the message that it stands below for good."""
        message = self.messages[thread.id]
        self.messages[message.id] = dataclasses.replace(message, flags=message.flags | HAS_THREAD)
        self.threads[thread.id] = thread
        return thread

    def archive_thread(self, thread_id: int, now: datetime, *, is_archived: bool) -> Thread:
        """Archive a thread, or open it again."""
        changed = dataclasses.replace(self.threads[thread_id], is_archived=is_archived, archived_at=now)
        self.threads[thread_id] = changed
        return changed

    def remove_thread(self, thread_id: int) -> Thread:
        """Take a thread away with all that was written in it; the message it stood below stays."""
        self.messages = {one.id: one for one in self.messages.values() if one.channel_id != thread_id}
        return self.threads.pop(thread_id)

    def find_nonce(self, channel_id: int, author_id: int, nonce: str) -> Message | None:
        """Find the author's message that carries *nonce*."""
        for message in self.messages.values():
            if (message.channel_id, message.author_id, message.nonce) == (channel_id, author_id, nonce):
                return message
        return None

    def post(self, message: Message) -> Message:
        """Keep a new message, with whom it pings worked out."""
        may = bool(self.permissions(message.author_id, message.channel_id) & Permission.MENTION_EVERYONE)
        pinged = find_pinged(message.content, message.allowed_mentions, may_mention_everyone=may)
        self.messages[message.id] = dataclasses.replace(message, pinged=pinged)
        return self.messages[message.id]

    def edit(self, message_id: int, changes: Mapping[str, Any], now: datetime) -> Message:
        """Replace fields of a message; counts the edit."""
        message = self.messages[message_id]
        self.messages[message_id] = dataclasses.replace(
            message, edits=message.edits + 1, edited_at=now, **changes
        )
        return self.messages[message_id]

    def channel_messages(self, channel_id: int) -> tuple[Message, ...]:
        """List what everybody in a channel sees, oldest first."""
        return tuple(
            message
            for message in self.messages.values()
            if message.channel_id == channel_id and not message.is_ephemeral
        )

    def _ruling(self, channel_id: int) -> int:
        thread = self.threads.get(channel_id)
        return channel_id if thread is None else thread.parent_id

    def in_voice(self, channel_id: int) -> tuple[int, ...]:
        """List who sits in a voice channel."""
        return tuple(state.user_id for state in self.voice_states.values() if state.channel_id == channel_id)
