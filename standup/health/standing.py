"""How the bot stands with Discord: what its answers mean for the next meeting.

No clock and no I/O here: `account` asks, these functions judge.
"""

from __future__ import annotations

from collections.abc import Collection

from standup.health.check import Check, bad, doubtful, good

SKEW_DOUBTFUL_S, SKEW_STOPS_S = 5.0, 300.0
STARTS_DOUBTFUL = 20


def token(status: int) -> Check:
    """Judge the token by the HTTP status of Discord's answer."""
    if status == 200:
        return good("token", "accepted by Discord")
    if status == 401:
        return bad(
            "token", "refused by Discord", "copy it from the developer portal into STANDUP_DISCORD_TOKEN"
        )
    if status == 429:
        return doubtful("token", "not checked, Discord limits our calls", "run `standup doctor` in a minute")
    return bad(
        "token", f"Discord answers with HTTP {status}", "check STANDUP_DISCORD_API_URL and discordstatus.com"
    )


def session_starts(remaining: int, total: int) -> Check:
    """Judge how often the programs may still log in at the gateway before Discord's daily limit."""
    shown = f"{remaining} of {total} session starts left today"
    if remaining == 0:
        return bad(
            "gateway", shown, "wait for the next day; find in logs/errors.log why the bot starts so often"
        )
    if remaining < STARTS_DOUBTFUL:
        return doubtful("gateway", shown, "find in logs/errors.log why the bot starts so often")
    return good("gateway", shown)


def clock(skew_s: float) -> Check:
    """Judge how far this machine's clock is from Discord's; the answer tells whole seconds."""
    shown = f"{abs(skew_s):.0f} s {'ahead of' if skew_s > 0 else 'behind'} Discord's"
    step = "run `timedatectl set-ntp true`"
    if abs(skew_s) > SKEW_STOPS_S:
        return bad("clock", shown, step)
    if abs(skew_s) > SKEW_DOUBTFUL_S:
        return doubtful("clock", shown, step)
    return good("clock", "agrees with Discord's")


def intents(needed: Collection[str], granted: Collection[str]) -> Check:
    """Judge the privileged intents; without a needed one Discord's gateway refuses the bot (4014)."""
    lacking = sorted(set(needed) - set(granted))
    if lacking:
        return bad(
            "intents", f"{' and '.join(lacking)} not granted", "switch it on at the application's Bot page"
        )
    return good("intents", "all granted" if needed else "no privileged one is needed")


def permissions(channel_id: int, missing: Collection[str], *, stops: bool = True) -> Check:
    """Judge a channel by the permissions that are missing in it; *stops*: no meeting goes on without them."""
    name = f"channel {channel_id}"
    if not missing:
        return good(name, "every permission is granted")
    judge = bad if stops else doubtful
    return judge(name, f"{' and '.join(missing)} not granted", "grant it in the channel's settings")


def live_thread(channel_id: int, missing: Collection[str]) -> Check:
    """Judge a channel by what the thread of the words read ahead needs; meetings go on without it."""
    name = f"live thread in {channel_id}"
    if not missing:
        return good(name, "every permission is granted")
    return doubtful(
        name,
        f"{' and '.join(missing)} not granted",
        "grant it in the channel's settings, or set STANDUP_LIVE_THREAD=false",
    )
