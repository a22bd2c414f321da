"""Write the world as the JSON objects of Discord's API v10.

No clock and no I/O here. Field lists: https://discord.com/developers/docs/reference
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from .content import find_mentions
from .permissions import Overwrite
from .world import (
    PUBLIC_THREAD,
    VOICE_CHANNEL,
    Attachment,
    Channel,
    Message,
    Role,
    Thread,
    User,
    VoiceState,
    World,
)

Json = dict[str, Any]
APPLICATION_COMMAND_REPLY = 20
CHANNEL_OPTION = 7
GUILD_LOCALE = "en-US"


def serialize_time(moment: datetime) -> str:
    """Write a time as Discord does: ISO 8601 with its offset."""
    return moment.isoformat()


def serialize_user(user: User) -> Json:
    """Make a user object."""
    return {
        "id": str(user.id),
        "username": user.name.lower(),
        "global_name": None if user.is_bot else user.name,
        "discriminator": "0",
        "avatar": None,
        "bot": user.is_bot,
        "flags": 0,
        "public_flags": 0,
    }


def serialize_member(world: World, user: User) -> Json:
    """Make a guild member object with its user."""
    return {
        "user": serialize_user(user),
        "nick": None,
        "avatar": None,
        "roles": [str(role_id) for role_id in user.role_ids],
        "joined_at": serialize_time(world.now),
        "deaf": False,
        "mute": False,
        "flags": 0,
        "pending": False,
    }


def serialize_role(role: Role, position: int) -> Json:
    """Make a role object."""
    return {
        "id": str(role.id),
        "name": role.name,
        "permissions": str(int(role.permissions)),
        "position": position,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": False,
        "mentionable": True,
        "flags": 0,
    }


def serialize_overwrite(overwrite: Overwrite) -> Json:
    """Make a permission overwrite object."""
    return {
        "id": str(overwrite.target_id),
        "type": int(overwrite.is_member),
        "allow": str(int(overwrite.allow)),
        "deny": str(int(overwrite.deny)),
    }


def serialize_channel(world: World, channel: Channel) -> Json:
    """Make a guild channel object."""
    content: Json = {
        "id": str(channel.id),
        "type": channel.kind,
        "guild_id": str(world.guild_id),
        "name": channel.name,
        "position": list(world.channels).index(channel.id),
        "parent_id": None,
        "nsfw": False,
        "topic": None,
        "last_message_id": None,
        "rate_limit_per_user": 0,
        "flags": 0,
        "permission_overwrites": [serialize_overwrite(one) for one in channel.overwrites],
    }
    if channel.kind == VOICE_CHANNEL:
        content.update(bitrate=64_000, user_limit=0, rtc_region=None)
    return content


def serialize_thread(world: World, thread: Thread) -> Json:
    """Make a channel object of a thread, with the bot as its one member."""
    count = len(world.channel_messages(thread.id))
    return {
        "id": str(thread.id),
        "type": PUBLIC_THREAD,
        "guild_id": str(world.guild_id),
        "parent_id": str(thread.parent_id),
        "owner_id": str(thread.owner_id),
        "name": thread.name,
        "last_message_id": None,
        "rate_limit_per_user": 0,
        "flags": 0,
        "message_count": count,
        "total_message_sent": count,
        "member_count": 1,
        "thread_metadata": {
            "archived": thread.is_archived,
            "archive_timestamp": serialize_time(thread.archived_at or thread.created_at),
            "auto_archive_duration": thread.archive_minutes,
            "locked": False,
            "create_timestamp": serialize_time(thread.created_at),
        },
        "member": {
            "id": str(thread.id),
            "user_id": str(world.bot_id),
            "join_timestamp": serialize_time(thread.created_at),
            "flags": 0,
        },
    }


def serialize_resolved(world: World, member_id: int, options: Iterable[Json]) -> Json:
    """Make the ``resolved`` object of a command: the channels that its options name, as *member_id* knows them."""
    own = ("id", "type", "name", "parent_id", "nsfw", "flags", "last_message_id")
    chosen = [world.channels[int(one["value"])] for one in options if one["type"] == CHANNEL_OPTION]
    channels = {
        str(one.id): {
            **{name: value for name, value in serialize_channel(world, one).items() if name in own},
            "permissions": str(int(world.permissions(member_id, one.id))),
        }
        for one in chosen
    }
    return {"channels": channels} if channels else {}


def serialize_guild(world: World) -> Json:
    """Make a guild object without people, as REST gives it."""
    return {
        "id": str(world.guild_id),
        "name": "Loopback",
        "icon": None,
        "splash": None,
        "discovery_splash": None,
        "owner_id": str(world.owner_id),
        "afk_channel_id": None,
        "afk_timeout": 300,
        "verification_level": 0,
        "default_message_notifications": 1,
        "explicit_content_filter": 0,
        "roles": [serialize_role(role, position) for position, role in enumerate(world.roles.values())],
        "emojis": [],
        "stickers": [],
        "features": [],
        "mfa_level": 0,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "public_updates_channel_id": None,
        "safety_alerts_channel_id": None,
        "vanity_url_code": None,
        "description": None,
        "banner": None,
        "premium_tier": 0,
        "preferred_locale": GUILD_LOCALE,
        "nsfw_level": 0,
        "premium_progress_bar_enabled": False,
    }


def serialize_guild_create(world: World) -> Json:
    """Make what GUILD_CREATE carries.

    Without the presence intent that is the bot and whoever sits in a voice channel; the others are asked for by op 8.
    """
    states = [state for state in world.voice_states.values() if state.channel_id]
    shown = {world.bot_id} | {state.user_id for state in states}
    return serialize_guild(world) | {
        "joined_at": serialize_time(world.now),
        "large": False,
        "unavailable": False,
        "member_count": len(world.users),
        "voice_states": [serialize_voice_state(world, state) for state in states],
        "members": [serialize_member(world, world.users[user_id]) for user_id in sorted(shown)],
        "channels": [serialize_channel(world, channel) for channel in world.channels.values()],
        "threads": [serialize_thread(world, one) for one in world.threads.values() if not one.is_archived],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def serialize_voice_state(world: World, state: VoiceState) -> Json:
    """Make a voice state object with its member."""
    return {
        "guild_id": str(world.guild_id),
        "channel_id": str(state.channel_id) if state.channel_id else None,
        "user_id": str(state.user_id),
        "member": serialize_member(world, world.users[state.user_id]),
        "session_id": state.session_id,
        "deaf": False,
        "mute": False,
        "self_deaf": state.self_deaf,
        "self_mute": state.self_mute,
        "self_video": False,
        "suppress": False,
        "request_to_speak_timestamp": None,
    }


def serialize_attachment(attachment: Attachment, channel_id: int, base_url: str) -> Json:
    """Make an attachment object whose url can be read here."""
    url = f"{base_url}/attachments/{channel_id}/{attachment.id}/{attachment.filename}"
    return {
        "id": str(attachment.id),
        "filename": attachment.filename,
        "size": len(attachment.content),
        "content_type": attachment.content_type,
        "url": url,
        "proxy_url": url,
    }


def serialize_message(world: World, message: Message, base_url: str) -> Json:
    """Make a message object; *base_url* is where attachments are read."""
    named = find_mentions(message.content)
    content: Json = {
        "id": str(message.id),
        "type": APPLICATION_COMMAND_REPLY if message.interaction_id else 0,
        "channel_id": str(message.channel_id),
        "author": serialize_user(world.users[message.author_id]),
        "content": message.content,
        "timestamp": serialize_time(message.created_at),
        "edited_timestamp": serialize_time(message.edited_at) if message.edited_at else None,
        "tts": False,
        "mention_everyone": bool(message.pinged & {"everyone", "here"}),
        "mentions": _mentioned(world, named.user_ids),
        "mention_roles": [str(role_id) for role_id in named.role_ids],
        "attachments": [
            serialize_attachment(one, message.channel_id, base_url) for one in message.attachments
        ],
        "embeds": [{"type": "rich", **embed} for embed in message.embeds],
        "components": list(message.components),
        "pinned": False,
        "flags": message.flags,
    }
    if message.nonce is not None:
        content["nonce"] = message.nonce
    if message.interaction_id:
        content.update(webhook_id=str(world.bot_id), application_id=str(world.bot_id))
    return content


def redact_message(payload: Json) -> Json:
    """Blank what a bot without the message content intent is not shown of other people's messages."""
    return payload | {"content": "", "embeds": [], "attachments": [], "components": []}


def serialize_application(world: World) -> Json:
    """Make the bot's own application object."""
    return {
        "id": str(world.bot_id),
        "name": "StandupBot",
        "icon": None,
        "description": "",
        "bot_public": True,
        "bot_require_code_grant": False,
        "owner": serialize_user(world.users[world.owner_id]),
        "verify_key": "0" * 64,
        "team": None,
        "flags": 1 << 13 | 1 << 15 | 1 << 19,
        "hook": True,
        "rpc_origins": [],
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "tags": [],
    }


def _mentioned(world: World, user_ids: Iterable[int]) -> list[Json]:
    return [serialize_user(world.users[user_id]) for user_id in user_ids if user_id in world.users]
