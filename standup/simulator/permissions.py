"""What a member may do in a channel.

No clock and no I/O here. The order of rules is Discord's own:
https://discord.com/developers/docs/topics/permissions#permission-overwrites
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntFlag


class Permission(IntFlag):
    """The permission bits that a recorder bot meets."""

    ADMINISTRATOR = 1 << 3
    MANAGE_GUILD = 1 << 5
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    CONNECT = 1 << 20
    SPEAK = 1 << 21
    USE_VAD = 1 << 25
    CHANGE_NICKNAME = 1 << 26
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    SEND_MESSAGES_IN_THREADS = 1 << 38


NOTHING = Permission(0)
EVERYTHING = Permission(sum(Permission))
#: What everybody has in a new guild; the bot has no more than that.
EVERYONE = EVERYTHING & ~(
    Permission.ADMINISTRATOR
    | Permission.MANAGE_GUILD
    | Permission.MANAGE_MESSAGES
    | Permission.MANAGE_THREADS
)


@dataclass(frozen=True, slots=True)
class Overwrite:
    """What a channel grants or takes from one role or one member."""

    target_id: int
    is_member: bool
    """The target is a member, not a role."""
    allow: Permission = NOTHING
    deny: Permission = NOTHING

    def __post_init__(self) -> None:
        if self.allow & self.deny:
            raise ValueError("An overwrite cannot allow and deny the same permission.")


def permissions_in_channel(
    granted: Permission,
    overwrites: Iterable[Overwrite],
    *,
    everyone_id: int,
    role_ids: Iterable[int],
    member_id: int,
) -> Permission:
    """Work out what a member may do in a channel.

    *granted* is what the member's roles give in the whole guild. Whoever may not view the channel may do nothing in it;
    an administrator may do everything.
    """
    if granted & Permission.ADMINISTRATOR:
        return EVERYTHING
    roles = set(role_ids) - {everyone_id}
    listed = list(overwrites)
    everyone = [one for one in listed if not one.is_member and one.target_id == everyone_id]
    by_role = [one for one in listed if not one.is_member and one.target_id in roles]
    by_member = [one for one in listed if one.is_member and one.target_id == member_id]
    for layer in (everyone, by_role, by_member):
        for overwrite in layer:
            granted &= ~overwrite.deny
        for overwrite in layer:
            granted |= overwrite.allow
    return granted if granted & Permission.VIEW_CHANNEL else NOTHING
