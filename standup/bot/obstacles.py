"""What stands in the way of recording a voice channel into a text channel, as the sentence that says what to do."""

from __future__ import annotations

from typing import TypeAlias

import discord

from standup.bot import permissions
from standup.bot.voice_line import people_in

FULL = "The voice channel is full; raise its user limit, or let me in with the permission **Move Members**."
PRIVATE_THREAD = (
    "I cannot tell whether everybody in the voice channel can see this private thread, and the recording notice has to "
    "be seen; use the command in a channel or a public thread."
)
DEAFENED = (
    "I have been deafened, so nothing is recorded; whoever may deafen members undoes **Server Deafen** on me in the "
    "voice channel."
)

Text: TypeAlias = discord.TextChannel | discord.Thread | discord.VoiceChannel
#: Where a command may be used, and the notice posted.


def lasting(channel: discord.VoiceChannel, text: Text) -> str:
    """Return what stands in the way whoever is in *channel*: permissions, a private thread; empty when nothing does."""
    me = channel.guild.me
    needed = permissions.TO_POST_IN_THREAD if isinstance(text, discord.Thread) else permissions.TO_POST
    for place, granted, wanted in (
        (channel, channel.permissions_for(me), permissions.TO_LISTEN),
        (text, text.permissions_for(me), needed),
    ):
        labels = permissions.missing({name for name, is_granted in granted if is_granted}, wanted)
        if labels:
            return permissions.sentence(labels, place.id)
    return PRIVATE_THREAD if isinstance(text, discord.Thread) and text.is_private() else ""


def present(channel: discord.VoiceChannel, text: Text) -> str:
    """Return what stands in the way of recording *channel* now; empty when nothing does."""
    me = channel.guild.me
    if me.voice is not None and me.voice.deaf:
        return DEAFENED
    return lasting(channel, text) or _full(channel) or _hidden(channel, text)


def may_read(text: Text, guild: discord.Guild, member: discord.Member | None) -> bool:
    """Return whether *member* can read *text*, what was posted before they came too; for None, somebody whose roles are
    not known, whether everyone can.

    False of a thread whose channel is gone.
    https://discord.com/developers/docs/resources/message#get-channel-messages
    """
    try:
        granted = text.permissions_for(member or guild.default_role)
    except discord.ClientException:
        return False
    # Whoever was moved into a voice channel that they may not connect to is there without its chat.
    may_enter = granted.connect or not isinstance(text, discord.VoiceChannel)
    return granted.read_messages and granted.read_message_history and may_enter


def _full(channel: discord.VoiceChannel) -> str:
    is_full = channel.user_limit and len(channel.voice_states) >= channel.user_limit
    return FULL if is_full and not channel.permissions_for(channel.guild.me).move_members else ""


def _hidden(channel: discord.VoiceChannel, text: Text) -> str:
    """Return why the notice in *text* would be hidden from somebody in *channel*, or an empty string.

    Of somebody whose roles are not known, only what everyone may see is certain.
    """
    guild = channel.guild
    for user_id in people_in(channel):
        if not may_read(text, guild, guild.get_member(user_id)):
            return (
                f"I record nothing, because not everybody in <#{channel.id}> can see <#{text.id}> and its history, "
                "where the recording notice would be posted; use the command in a channel that all of them can see."
            )
    return ""
