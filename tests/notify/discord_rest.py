"""A small REST server on loopback that answers as Discord does, as far as messages need it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TOKEN, BOT_ID, CHANNEL_ID = "the-right-token", 99, 30
USER = {"id": str(BOT_ID), "username": "standup", "discriminator": "0", "avatar": None, "bot": True}
APPLICATION = {
    "id": "98", "name": "standup", "icon": None, "description": "", "bot_public": True, "bot_require_code_grant": False,
    "owner": USER, "verify_key": "", "summary": "", "flags": 0, "rpc_origins": [],
}  # fmt: skip


@dataclass
class Rest:
    """Discord's REST interface, as far as the notes need it. Answers in *script* come before real ones."""

    messages: dict[int, dict[str, Any]] = field(default_factory=dict)
    script: dict[str, list[web.Response]] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    forgotten_answers: int = 0
    url: str = ""

    def made(self, method: str) -> list[dict[str, Any]]:
        return [body for called, body in self.calls if called == method]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await self._body(request)
        path = request.path.removeprefix("/api/v10")
        self.calls.append((request.method, body))
        if request.headers["Authorization"] != f"Bot {TOKEN}":
            return reply(401, {"code": 0, "message": "401: Unauthorized"})
        if path == "/users/@me":
            scripted = self._scripted("LOGIN")
            return reply(200, USER) if scripted is None else scripted
        if path == "/oauth2/applications/@me":
            return reply(200, APPLICATION)
        scripted = self._scripted(request.method)
        if scripted is not None:
            return scripted
        if not path.startswith(f"/channels/{CHANNEL_ID}/messages"):
            return reply(404, {"code": 10003, "message": "Unknown Channel"})
        if request.method == "GET":
            return reply(200, sorted(self.messages.values(), key=lambda one: -int(one["id"])))
        if request.method == "DELETE":
            self.messages.pop(int(path.rpartition("/")[2]), None)
            return web.Response(status=204)
        return self._store(path, body)

    def _scripted(self, method: str) -> web.Response | None:
        waiting = self.script.get(method, [])
        return waiting.pop(0) if waiting else None

    def _store(self, path: str, body: dict[str, Any]) -> web.StreamResponse:
        name = path.rpartition("/")[2]
        if name.isdigit() and int(name) not in self.messages:
            return reply(404, {"code": 10008, "message": "Unknown Message"})
        number = int(name) if name.isdigit() else 1000 + len(self.calls)
        before = self.messages.get(number) or message(number)
        self.messages[number] = {
            **before,
            **{key: body[key] for key in ("content", "embeds", "attachments") if key in body},
        }
        for place, attachment in enumerate(self.messages[number]["attachments"]):
            attachment |= {"id": str(place), "size": 1, "url": "http://x", "proxy_url": "http://x"}
        if self.forgotten_answers:
            self.forgotten_answers -= 1
            return web.Response(status=503)
        return reply(200, self.messages[number])

    @staticmethod
    async def _body(request: web.Request) -> dict[str, Any]:
        if request.content_type == "application/json":
            return dict(await request.json())
        if request.content_type != "multipart/form-data":
            return {}
        form = await request.post()
        sent = {name: part.file.read() for name, part in form.items() if isinstance(part, web.FileField)}
        return {**json.loads(str(form["payload_json"])), "sent": sent}


def message(number: int, author: int = BOT_ID, **fields: Any) -> dict[str, Any]:
    """Return a message as Discord shows it."""
    return {
        "id": str(number), "channel_id": str(CHANNEL_ID), "author": {**USER, "id": str(author)}, "content": "",
        "timestamp": "2026-11-23T09:58:00+00:00", "edited_timestamp": None, "tts": False, "mention_everyone": False,
        "mentions": [], "mention_roles": [], "attachments": [], "embeds": [], "pinned": False, "type": 0, **fields,
    }  # fmt: skip


def reply(status: int, body: Any, **headers: str) -> web.Response:
    # discord.py reads a body as JSON only under exactly this content type.
    content = {"Content-Type": "application/json"}
    return web.Response(status=status, body=json.dumps(body).encode(), headers={**content, **headers})


@contextmanager
def serve() -> Iterator[Rest]:
    """Serve a Rest on a free loopback port, from a thread with its own loop."""
    served, loop = Rest(), asyncio.new_event_loop()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", served.answer)
    runner = web.AppRunner(application)

    async def begin() -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        served.url = f"http://{host}:{port}/api/v10"

    loop.run_until_complete(begin())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield served
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(timeout=10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(timeout=10)
    loop.close()
