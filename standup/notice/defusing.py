"""Making text harmless for Discord: nothing in it mentions, formats, links or embeds, and it still reads the same.

Two means, each where the other does not reach: a backslash before a character that formats
(https://support.discord.com/hc/en-us/articles/210298617), and a zero-width space inside a mention or a link,
because the server looks for those without regard to backslashes
(https://discord.com/developers/docs/reference#message-formatting).
"""

from __future__ import annotations

import re

from standup.transcript import plain

BREAK = "\u200b"
"""Zero-width space: unseen, and no part of any mention or address."""

_FORMATTING = re.compile(r"[\\`*_~|\[\]]")
_MENTION = re.compile(r"[@<](?=\S)")
_ADDRESS = re.compile(r"(?<=:)(?=//)|(?i:(?<=discord)(?=(?:app)?\.[a-z]))")
_BLOCK_START = re.compile(r"^(?:[#>+-]|\d+(?=[.)]))")


def defuse(text: str) -> str:
    """Return *text* on one line as Discord shows it letter for letter, wherever it stands in a message.

    Guarantees: no user, role, channel, command or everyone mention, no timestamp, no custom emoji, no bold,
    italic, underline, strike-out, spoiler, code, quote, heading, list or masked link, no address that Discord
    turns into a link or a preview. Escapes contain no white space, so the result may be cut between words.
    """
    shown = _FORMATTING.sub(r"\\\g<0>", plain(text))
    shown = _MENTION.sub(rf"\g<0>{BREAK}", shown)
    shown = _ADDRESS.sub(BREAK, shown)
    start = _BLOCK_START.match(shown)
    if start is None:
        return shown
    # A digit cannot be escaped: the mark after it is.
    place = start.end() if start[0][0].isdigit() else 0
    return f"{shown[:place]}\\{shown[place:]}"
