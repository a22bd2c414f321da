"""The channel's edge, against a small REST server on loopback that answers as Discord does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from standup.errors import (
    ChannelForbidden,
    ChannelUnreachable,
    NotifyError,
    SettingsError,
    StandupError,
    Transient,
)
from standup.notice import Card, Field, Notice
from standup.notify.discord_channel import Attachment, DiscordChannel, Posted, arguments
from standup.settings import DiscordSettings

from .discord_rest import CHANNEL_ID, TOKEN, Rest, message, reply, serve

MEETING_ID = "20261123T095800Z-1f0c9a2b"
NOTICE = Notice(
    "Standup notes: @everyone", (Card("Notes", "Words", (Field("Ana", "• Done"),), f"meeting {MEETING_ID}"),)
)
FILES = (Attachment("summary.md", b"# Standup\n"), Attachment("transcript.md", b"# Transcript\n"))


@pytest.fixture
def rest() -> Iterator[Rest]:
    """Discord's REST interface on loopback."""
    with serve() as served:
        yield served


def publish(
    rest: Rest, *, message_id: int | None = None, files: tuple[Attachment, ...] = FILES, token: str = TOKEN,
    timeout_s: float = 10, channel_id: int = CHANNEL_ID,
) -> Posted:  # fmt: skip
    channel = DiscordChannel(DiscordSettings(token=SecretStr(token), api_url=rest.url))
    return channel.publish(
        channel_id, NOTICE, message_id=message_id, nonce=MEETING_ID, files=files, timeout_s=timeout_s
    )


def test_a_first_notice_is_sent_with_nonce_and_files(rest: Rest) -> None:
    """The message carries the enforced nonce, allows no mention, and has both files."""
    posted = publish(rest)
    sent = rest.made("POST")[0]
    assert Posted(next(iter(rest.messages)), created=True) == posted
    assert (MEETING_ID, True, []) == (sent["nonce"], sent["enforce_nonce"], sent["allowed_mentions"]["parse"])
    assert [one.content for one in FILES] == list(sent["sent"].values())
    assert ["summary.md", "transcript.md"] == [one["filename"] for one in sent["attachments"]]


def test_a_known_message_is_edited_and_its_files_replaced(rest: Rest) -> None:
    """An edit makes no second message, and the attachments do not pile up."""
    first = publish(rest)
    assert Posted(first.message_id, created=False) == publish(rest, message_id=first.message_id)
    edit = rest.made("PATCH")[0]
    assert ["summary.md", "transcript.md"] == [one["filename"] for one in edit["attachments"]]
    assert (1, 2) == (len(rest.messages), len(rest.messages[first.message_id]["attachments"]))
    assert [] == edit["allowed_mentions"]["parse"]


def test_an_edit_without_files_takes_them_away(rest: Rest) -> None:
    """The message has exactly the files of the last call."""
    first = publish(rest)
    publish(rest, message_id=first.message_id, files=())
    assert [] == rest.messages[first.message_id]["attachments"]


def test_a_deleted_message_is_made_anew_under_another_nonce(rest: Rest) -> None:
    """Under the old nonce Discord would answer with the deleted message; a repetition keeps the new one."""
    posted = [publish(rest, message_id=5), publish(rest, message_id=5)]
    first, *more = [body["nonce"] for body in rest.made("POST")]
    assert [True, False] == [one.created for one in posted]
    assert posted[0].message_id == posted[1].message_id
    assert (first != MEETING_ID, more) == (True, [])


def test_a_message_of_another_bot_account_is_replaced(rest: Rest) -> None:
    """After a change of bot the old message cannot be edited, and the notes still come."""
    rest.script["PATCH"] = [
        reply(403, {"code": 50005, "message": "Cannot edit a message authored by another user"})
    ]
    assert publish(rest, message_id=5).created


@pytest.mark.parametrize(
    "refusals",
    [
        pytest.param([(400, {"code": 50083, "message": "Thread is archived"})], id="an archived thread"),
        pytest.param(
            [
                (
                    429,
                    {
                        "code": 30046,
                        "message": "Maximum number of edits",
                        "retry_after": 0.01,
                        "global": False,
                    },
                )
            ]
            * 5,
            id="an old message that was edited too often",
        ),
    ],
)
def test_a_message_that_takes_no_edit_is_replaced(
    rest: Rest, refusals: list[tuple[int, dict[str, Any]]]
) -> None:
    """The notes come as a new message, and the old one goes: there is one per meeting."""
    rest.messages[5] = message(5)
    rest.script["PATCH"] = [reply(status, body, Via="1.1 google") for status, body in refusals]
    posted = publish(rest, message_id=5)
    assert posted.created
    assert list(rest.messages) == [posted.message_id]


def test_a_send_whose_answer_was_lost_is_found_again(rest: Rest) -> None:
    """After an unknown outcome the next attempt edits the message that did arrive."""
    rest.forgotten_answers = 1
    with pytest.raises(ChannelUnreachable):
        publish(rest)
    posted = publish(rest)
    assert (False, 1) == (posted.created, len(rest.messages))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(
            message(5, author=7, embeds=[{"type": "rich", "footer": {"text": MEETING_ID}}]),
            id="somebody else's",
        ),
        pytest.param(
            message(5, embeds=[{"type": "rich", "footer": {"text": "meeting x"}}]), id="another meeting's"
        ),
        pytest.param(message(5, content=MEETING_ID), id="only mentions it"),
    ],
)
def test_only_the_own_message_of_this_meeting_is_edited(rest: Rest, other: dict[str, Any]) -> None:
    """Looking for a lost message never takes another one."""
    rest.messages[5] = other
    assert publish(rest).created


@pytest.mark.parametrize(
    "own",
    [
        pytest.param({"nonce": MEETING_ID}, id="nonce"),
        pytest.param(
            {"embeds": [{"type": "rich", "footer": {"text": f"meeting {MEETING_ID}"}}]}, id="footer"
        ),
    ],
)
def test_a_lost_message_is_known_by_nonce_or_footer(rest: Rest, own: dict[str, Any]) -> None:
    """Either mark is enough."""
    rest.messages[5] = message(5, **own)
    assert Posted(5, created=False) == publish(rest)


def test_a_wrong_token_is_the_operators_fault(rest: Rest) -> None:
    """A refused token names the setting and not the token."""
    with pytest.raises(SettingsError, match="STANDUP_DISCORD_TOKEN") as caught:
        publish(rest, token="a-wrong-token")
    assert "a-wrong-token" not in str(caught.value)


def test_no_token_is_found_before_any_call(rest: Rest) -> None:
    """Without a token nothing is sent."""
    with pytest.raises(SettingsError, match="not set"):
        publish(rest, token="")
    assert [] == rest.calls


def test_an_address_that_is_not_discords_is_the_operators_fault(rest: Rest) -> None:
    """An answer that is no user object leads to the address setting."""
    rest.script["LOGIN"] = [web.Response(text="<html>It works!</html>")]
    with pytest.raises(SettingsError, match="STANDUP_DISCORD_API_URL"):
        publish(rest)


@pytest.mark.parametrize(
    ("method", "code", "files", "permission"),
    [
        pytest.param("POST", 50013, FILES, "Attach Files", id="send with files"),
        pytest.param("POST", 50013, (), "Send Messages and Embed Links", id="send"),
        pytest.param("GET", 50001, FILES, "View Channel and Read Message History", id="look"),
    ],
)
def test_a_missing_permission_is_named(
    rest: Rest, method: str, code: int, files: tuple[Attachment, ...], permission: str
) -> None:
    """A refusal names the permission and the channel to grant it in."""
    rest.script[method] = [reply(403, {"code": code, "message": "Missing"})]
    with pytest.raises(ChannelForbidden, match=f"channel {CHANNEL_ID}: .*{permission}"):
        publish(rest, files=files)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(web.Response(status=503), ChannelUnreachable, id="503"),
        pytest.param(web.Response(status=429), ChannelUnreachable, id="429 of a proxy"),
        pytest.param(reply(400, {"code": 50035, "message": "Invalid"}), NotifyError, id="400"),
        pytest.param(reply(404, {"code": 10003, "message": "Unknown Channel"}), NotifyError, id="404"),
    ],
)
def test_only_what_waiting_may_cure_is_transient(
    rest: Rest, answer: web.Response, expected: type[StandupError]
) -> None:
    """A server in trouble is tried again, a refusal is not."""
    rest.script["POST"] = [answer]
    with pytest.raises(NotifyError) as caught:
        publish(rest)
    assert (expected, expected is ChannelUnreachable) == (
        type(caught.value),
        isinstance(caught.value, Transient),
    )


def test_an_unknown_channel_is_named(rest: Rest) -> None:
    """A deleted channel is a lasting failure that names its id."""
    with pytest.raises(NotifyError, match="Channel 31 does not exist"):
        publish(rest, channel_id=31)


def test_the_whole_call_is_bounded(rest: Rest) -> None:
    """A rate limit longer than the time allowed ends in ChannelUnreachable, not in a hung worker."""
    rest.script["POST"] = [
        reply(429, {"retry_after": 60.0, "message": "slow", "global": False}, Via="1.1 google")
    ]
    with pytest.raises(ChannelUnreachable):
        publish(rest, timeout_s=0.5)


def test_a_short_rate_limit_is_waited_out(rest: Rest) -> None:
    """After 429 the message is sent once more, and stands once."""
    rest.script["POST"] = [
        reply(429, {"retry_after": 0.05, "message": "slow", "global": False}, Via="1.1 google")
    ]
    assert publish(rest).created
    assert (2, 1) == (len(rest.made("POST")), len(rest.messages))


def test_nobody_listening_is_transient() -> None:
    """A connection that is refused may be accepted later."""
    with pytest.raises(ChannelUnreachable):
        publish(Rest(url="http://127.0.0.1:9/api/v10"))


@pytest.mark.parametrize("nonce", ["", "x" * 26])
def test_a_nonce_that_discord_would_refuse_is_our_mistake(nonce: str) -> None:
    """Discord takes 1 to 25 characters."""
    channel = DiscordChannel(DiscordSettings(token=SecretStr(TOKEN), api_url="http://127.0.0.1:9"))
    with pytest.raises(ValueError, match="25 characters"):
        channel.publish(CHANNEL_ID, NOTICE, message_id=None, nonce=nonce)


def test_arguments_hold_the_whole_notice() -> None:
    """What the bot passes to `channel.send` shows content, title, fields and footer, and mentions nobody."""
    made = arguments(NOTICE)
    embed = made["embeds"][0].to_dict()
    assert (NOTICE.content, "Notes", "Words") == (made["content"], embed["title"], embed["description"])
    assert [("Ana", "• Done")] == [(one["name"], one["value"]) for one in embed["fields"]]
    assert f"meeting {MEETING_ID}" == embed["footer"]["text"]
    assert [] == made["allowed_mentions"].to_dict()["parse"]


def channel_of(rest: Rest, token: str = TOKEN) -> DiscordChannel:
    return DiscordChannel(DiscordSettings(token=SecretStr(token), api_url=rest.url))


def test_a_revised_message_has_new_words_and_files(rest: Rest) -> None:
    """The message is edited in place, and only the new files are left."""
    first = publish(rest)
    new = (Attachment("summary.md", b"# Less\n"),)
    notice = Notice("Less", ())
    assert channel_of(rest).revise(CHANNEL_ID, first.message_id, notice, files=new)
    said = rest.messages[first.message_id]
    assert ("Less", ["summary.md"]) == (
        said["content"],
        [one["filename"] for one in said["attachments"]],
    )
    assert rest.made("PATCH")[0]["sent"]["files[0]"] == b"# Less\n"


def test_a_message_that_somebody_deleted_stays_deleted(rest: Rest) -> None:
    """Neither revising nor deleting posts anything where the message is gone."""
    assert not channel_of(rest).revise(CHANNEL_ID, 5, NOTICE, files=FILES)
    rest.script["DELETE"] = [reply(404, {"code": 10008, "message": "Unknown Message"})]
    assert not channel_of(rest).delete(CHANNEL_ID, 5)
    assert rest.made("POST") == []


def test_a_message_is_deleted(rest: Rest) -> None:
    """It is gone from its channel."""
    first = publish(rest)
    assert channel_of(rest).delete(CHANNEL_ID, first.message_id)
    assert rest.messages == {}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        pytest.param(403, {"code": 50001, "message": "Missing Access"}, ChannelForbidden, id="no access"),
        pytest.param(400, {"code": 50083, "message": "Archived"}, NotifyError, id="an archived thread"),
    ],
)
def test_a_deletion_that_discord_refuses_is_told(
    rest: Rest, status: int, body: dict[str, Any], kind: type[StandupError]
) -> None:
    """The error has its class, as when posting."""
    rest.script["DELETE"] = [reply(status, body)]
    with pytest.raises(kind):
        channel_of(rest).delete(CHANNEL_ID, 5)


def test_a_deletion_without_the_right_token_is_told(rest: Rest) -> None:
    """A token that Discord refuses is a matter of settings."""
    with pytest.raises(SettingsError):
        channel_of(rest, token="a-wrong-one").delete(CHANNEL_ID, 5)
