"""What the bot must be allowed to do, and the sentence that says what is missing.

No discord and no I/O here: permissions are the names that discord.py's flags yield (View Channel is ``read_messages``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

TO_LISTEN = ("read_messages", "connect")
#: In the voice channel; the bot is always muted and needs no right to speak.
TO_POST = ("read_messages", "send_messages", "embed_links", "attach_files", "read_message_history")
#: In the text channel, for the notice and the notes with their files; the history for finding the own message again
#: after a lost answer, without which the notes could be posted twice.
TO_POST_IN_THREAD = ("read_messages", "send_messages_in_threads", *TO_POST[2:])
#: The same in a thread.
TO_SHOW_LIVE = ("create_public_threads", "send_messages_in_threads", "read_message_history")
#: In the text channel, for the thread of what is read while people talk; without these there is none.

LABELS: Mapping[str, str] = {
    "read_messages": "View Channel",
    "connect": "Connect",
    "send_messages": "Send Messages",
    "send_messages_in_threads": "Send Messages in Threads",
    "embed_links": "Embed Links",
    "attach_files": "Attach Files",
    "read_message_history": "Read Message History",
    "create_public_threads": "Create Public Threads",
}
#: What Discord's settings call them.


def missing(granted: Collection[str], needed: Collection[str]) -> tuple[str, ...]:
    """Return the permissions of *needed* that are not in *granted*, as Discord's settings call them."""
    return tuple(LABELS[name] for name in needed if name not in granted)


def sentence(labels: Collection[str], channel_id: int | str) -> str:
    """Return what to tell whoever asked: the permissions, the channel, the next step."""
    if not labels:
        raise ValueError("there is nothing to say when no permission is missing")
    listed = " and ".join(f"**{label}**" for label in labels)
    word = "permission" if len(labels) == 1 else "permissions"
    return (
        f"I lack the {word} {listed} in <#{channel_id}>, so nothing is recorded. "
        "Grant it in the channel's settings and try again."
    )
