"""REST as the bot meets it, call by call."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from standup.simulator import postings
from standup.simulator.permissions import Permission
from standup.simulator.server import LoopbackDiscord

POST = "POST /channels/{channel_id}/messages"


def messages(discord: LoopbackDiscord) -> str:
    """Give the path of the text channel's messages."""
    return f"/channels/{discord.text_channel_id}/messages"


@pytest.mark.parametrize(
    "path",
    [
        "/users/@me",
        "/oauth2/applications/@me",
        "/applications/@me",
        "/gateway/bot",
        "/guilds/{guild}",
        "/guilds/{guild}/channels",
        "/guilds/{guild}/members/{bot}",
        "/users/{bot}",
        "/channels/{text}",
        "/channels/{text}/messages",
    ],
)
async def test_reads(discord: LoopbackDiscord, wire: Any, path: str) -> None:
    """Each object that a bot reads is there for the token and not without it."""
    path = path.format(guild=discord.guild_id, bot=discord.bot_id, text=discord.text_channel_id)

    assert (await wire.call("GET", path))[0] == 200
    assert (await wire.call("GET", path, headers={"Authorization": "Bot x"}))[0] == 401


async def test_content_type(discord: LoopbackDiscord, wire: Any) -> None:
    """The Content-Type has no charset, without which discord.py reads no JSON."""
    await wire.call("GET", "/users/@me")

    assert wire.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        pytest.param("/users/1", 10013, id="user"),
        pytest.param("/guilds/1", 10004, id="guild"),
        pytest.param("/guilds/{guild}/members/1", 10007, id="member"),
        pytest.param("/channels/1", 10003, id="channel"),
        pytest.param("/channels/nonsense", 10003, id="no number"),
        pytest.param("/channels/{text}/messages/1", 10008, id="message"),
    ],
)
async def test_unknown(discord: LoopbackDiscord, wire: Any, path: str, code: int) -> None:
    """What does not exist answers 404 with Discord's number for it."""
    path = path.format(guild=discord.guild_id, text=discord.text_channel_id)

    status, body = await wire.call("GET", path)

    assert (status, body["code"]) == (404, code)


async def test_unknown_route(discord: LoopbackDiscord, wire: Any) -> None:
    """A route that is not there answers 404 and is noted."""
    assert await wire.call("GET", "/sticker-packs") == (404, {"message": "404: Not Found", "code": 0})
    assert discord.violations == ["The bot called GET on a route that the loopback does not have."]


async def test_history_pages(discord: LoopbackDiscord, wire: Any) -> None:
    """The history comes newest first and pages by *before* and *after*."""
    ana = await discord.enter("Ana")
    ids = [ana.write(f"message {number}").id for number in range(4)]

    newest = (await wire.call("GET", messages(discord), params={"limit": 2}))[1]
    older = (await wire.call("GET", messages(discord), params={"before": ids[2]}))[1]
    later = (await wire.call("GET", messages(discord), params={"after": ids[0], "limit": 2}))[1]

    assert [int(one["id"]) for one in newest] == [ids[3], ids[2]]
    assert [int(one["id"]) for one in older] == [ids[1], ids[0]]
    assert [int(one["id"]) for one in later] == [ids[2], ids[1]]


async def test_form_errors_are_nested(discord: LoopbackDiscord, wire: Any) -> None:
    """A refused body names each field that is wrong."""
    body = {"content": "x" * 2001, "embeds": [{"fields": [{"name": "n", "value": ""}]}]}

    status, answer = await wire.call("POST", messages(discord), body)

    assert (status, answer["code"]) == (400, 50035)
    assert answer["errors"]["content"]["_errors"][0]["code"] == "BASE_TYPE_MAX_LENGTH"
    assert "_errors" in answer["errors"]["embeds"]["0"]["fields"]["0"]["value"]


@pytest.mark.parametrize("data", [pytest.param("{", id="broken"), pytest.param("[1]", id="a list")])
async def test_bad_json(discord: LoopbackDiscord, wire: Any, data: str) -> None:
    """A body that is no JSON object is refused."""
    url = discord.api_url + messages(discord)
    headers = {"Authorization": f"Bot {discord.token}", "Content-Type": "application/json"}
    async with wire.web.post(url, data=data, headers=headers, ssl=wire.tls) as response:
        assert response.status == 400


async def test_nonce_without_enforcing(discord: LoopbackDiscord, wire: Any) -> None:
    """A nonce that is not enforced keeps nobody from posting twice."""
    for _ in range(2):
        await wire.call("POST", messages(discord), {"content": "same", "nonce": "7"})

    assert len(discord.messages(discord.text_channel_id)) == 2


async def test_large_attachment(discord: LoopbackDiscord, wire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file over the limit is refused as too large."""
    monkeypatch.setattr(postings, "ATTACHMENT_BYTES", 1000)
    form = aiohttp.FormData()
    form.add_field("payload_json", "{}")
    form.add_field("files[0]", bytes(1001), filename="big.bin", content_type="text/plain")
    headers = {"Authorization": f"Bot {discord.token}"}
    async with wire.web.post(
        discord.api_url + messages(discord), data=form, headers=headers, ssl=wire.tls
    ) as answer:
        assert (answer.status, (await answer.json())["code"]) == (413, 40005)


async def test_edit_keeps_listed_attachments(discord: LoopbackDiscord, wire: Any) -> None:
    """An edit keeps the attachments it lists and drops the others."""
    form = aiohttp.FormData()
    form.add_field("payload_json", '{"content": "notes"}')
    for number in range(2):
        form.add_field(f"files[{number}]", b"text", filename=f"{number}.md")
    headers = {"Authorization": f"Bot {discord.token}"}
    async with wire.web.post(
        discord.api_url + messages(discord), data=form, headers=headers, ssl=wire.tls
    ) as answer:
        posted = await answer.json()
    path = f"{messages(discord)}/{posted['id']}"

    status, edited = await wire.call("PATCH", path, {"attachments": [{"id": posted["attachments"][1]["id"]}]})

    assert (status, [one["filename"] for one in edited["attachments"]]) == (200, ["1.md"])
    assert await wire.call("GET", edited["attachments"][0]["url"]) == (200, "text")


async def test_edit_may_not_empty(discord: LoopbackDiscord, wire: Any) -> None:
    """An edit that leaves nothing to show is refused."""
    _, posted = await wire.call("POST", messages(discord), {"content": "notes"})

    status, body = await wire.call("PATCH", f"{messages(discord)}/{posted['id']}", {"content": ""})

    assert (status, body["code"]) == (400, 50006)


async def test_others_messages(discord: LoopbackDiscord, wire: Any) -> None:
    """Other people's messages can be neither edited nor, without MANAGE_MESSAGES, deleted."""
    path = f"{messages(discord)}/{(await discord.enter('Ana')).write('mine').id}"

    assert (await wire.call("PATCH", path, {"content": "not yours"}))[1]["code"] == 50005
    assert (await wire.call("DELETE", path))[1]["code"] == 50013


async def test_delete(discord: LoopbackDiscord, wire: Any) -> None:
    """A deleted message is gone."""
    _, posted = await wire.call("POST", messages(discord), {"content": "notes"})

    assert (await wire.call("DELETE", f"{messages(discord)}/{posted['id']}"))[0] == 204
    assert discord.messages(discord.text_channel_id) == ()


async def test_restored_permission(discord: LoopbackDiscord, wire: Any) -> None:
    """A permission given back works again."""
    discord.deny(discord.text_channel_id, Permission.SEND_MESSAGES)
    assert (await wire.call("POST", messages(discord), {"content": "notes"}))[0] == 403
    discord.restore(discord.text_channel_id)

    assert (await wire.call("POST", messages(discord), {"content": "notes"}))[0] == 200


async def test_embeds_and_files_need_permissions(discord: LoopbackDiscord, wire: Any) -> None:
    """Embeds need EMBED_LINKS."""
    discord.deny(discord.text_channel_id, Permission.EMBED_LINKS)

    status, body = await wire.call("POST", messages(discord), {"embeds": [{"title": "t"}]})

    assert (status, body["code"]) == (403, 50013)


async def test_planned_failure(discord: LoopbackDiscord, wire: Any) -> None:
    """A planned 429 carries what a client needs to wait, and the call after it is done."""
    discord.fail(POST, status=429, retry_after_s=0.25)

    status, body = await wire.call("POST", messages(discord), {"content": "notes"})

    assert (status, body["retry_after"], body["global"]) == (429, 0.25, False)
    assert {"Retry-After", "Via"} <= set(wire.headers)
    assert (await wire.call("POST", messages(discord), {"content": "notes"}))[0] == 200


async def test_rate_limit(discord: LoopbackDiscord, wire: Any) -> None:
    """The sixth message within five seconds is limited, and the headers told so before."""
    for _ in range(5):
        await wire.call("POST", messages(discord), {"content": "notes"})
    assert wire.headers["X-RateLimit-Remaining"] == "0"

    assert (await wire.call("POST", messages(discord), {"content": "notes"}))[0] == 429


async def test_pings(discord: LoopbackDiscord, wire: Any) -> None:
    """Who is notified follows from text and allowed mentions."""
    ana = await discord.enter("Ana")
    text = f"<@{ana.user_id}> <@&{discord.team_role_id}> @everyone"

    await wire.call("POST", messages(discord), {"content": text})
    await wire.call("POST", messages(discord), {"content": text, "allowed_mentions": {"parse": []}})

    loud, quiet = discord.messages(discord.text_channel_id)
    assert loud.pinged == {f"user:{ana.user_id}", f"role:{discord.team_role_id}", "everyone"}
    assert quiet.pinged == frozenset()


async def test_typing(discord: LoopbackDiscord, wire: Any) -> None:
    """Typing needs the permission to send."""
    path = f"/channels/{discord.text_channel_id}/typing"
    assert (await wire.call("POST", path))[0] == 204
    discord.deny(discord.text_channel_id, Permission.SEND_MESSAGES)

    assert (await wire.call("POST", path))[0] == 403


async def test_missing_attachment(discord: LoopbackDiscord, wire: Any) -> None:
    """An attachment that is not there answers 404."""
    assert (await wire.call("GET", f"{discord.base_url()}/attachments/1/2/x.md"))[0] == 404
