"""A running loopback Discord, and an unmodified discord.py bot in a process of its own."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import ssl
import sys
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from standup.simulator.server import LoopbackDiscord

ORDER_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0


class BotProcess:
    """The bot of bot_process.py, told what to do and listened to over pipes."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self._news = asyncio.Event()

    async def start(self, discord: LoopbackDiscord, token: str) -> None:
        """Start the process; it logs in by itself."""
        environment = {
            **os.environ,
            "SSL_CERT_FILE": str(discord.ca_file),
            "LOOPBACK_API_URL": discord.api_url,
            "LOOPBACK_GATEWAY_URL": discord.gateway_url,
            "LOOPBACK_TOKEN": token,
        }
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(__file__).with_name("bot_process.py")),
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self._reader = asyncio.create_task(self._read())

    async def stop(self) -> None:
        """Ask the bot to log out; kill it when it does not."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            await asyncio.wait_for(self.process.wait(), STOP_TIMEOUT_S)
        except asyncio.TimeoutError:
            self.process.kill()
            await self.process.wait()
        await self._reader

    async def wait_for(
        self, found: Callable[[dict[str, Any]], bool], timeout_s: float = ORDER_TIMEOUT_S
    ) -> dict[str, Any]:
        """Wait for a line of the bot's, one already seen included."""

        async def find() -> dict[str, Any]:
            while True:
                for event in self.seen:
                    if found(event):
                        return event
                self._news.clear()
                await self._news.wait()

        return await asyncio.wait_for(find(), timeout_s)

    async def order(self, order: str, **content: Any) -> Any:
        """Have the bot do something and return what came of it; a Discord error comes back as its event."""
        self.send(order, **content)
        return await self.result()

    def send(self, order: str, **content: Any) -> None:
        """Tell the bot to do something; ``result`` waits for it."""
        assert self.process.stdin is not None
        self.process.stdin.write((json.dumps({"order": order, **content}) + "\n").encode())

    async def result(self) -> Any:
        """Return what came of the last order."""
        done = await self.wait_for(lambda event: event["event"] in ("done", "failed"))
        self.seen.remove(done)
        return done["result"] if done["event"] == "done" else done

    def heard(self, user_id: int) -> list[bytes]:
        """List the frames decrypted from one speaker, in the order of arrival, without silence."""
        frames = [
            base64.b64decode(one["frame"])
            for one in self.seen
            if one.get("user") == user_id and "frame" in one
        ]
        return [frame for frame in frames if frame != b"\xf8\xff\xfe"]

    async def wait_until_heard(self, user_id: int, count: int) -> list[bytes]:
        """Wait until that many frames of a speaker were decrypted."""
        await self.wait_for(lambda _: len(self.heard(user_id)) >= count)
        return self.heard(user_id)

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self.seen.append(json.loads(line))
            self._news.set()


@pytest.fixture
async def discord(tmp_path: Path) -> AsyncIterator[LoopbackDiscord]:
    """Run a loopback Discord whose relay is kind."""
    async with LoopbackDiscord(tmp_path) as running:
        yield running


@pytest.fixture
async def start_bot(discord: LoopbackDiscord) -> AsyncIterator[Callable[..., Awaitable[BotProcess]]]:
    """Start bots against ``discord`` that are stopped after the test."""
    started: list[BotProcess] = []

    async def start(token: str | None = None) -> BotProcess:
        process = BotProcess()
        started.append(process)
        await process.start(discord, token or discord.token)
        return process

    yield start
    for process in started:
        await process.stop()


@pytest.fixture
async def bot(start_bot: Callable[..., Awaitable[BotProcess]]) -> BotProcess:
    """Start the bot and wait until it is ready."""
    process = await start_bot()
    await process.wait_for(lambda event: event["event"] == "ready")
    return process


class Wire:
    """A bot's bare wire: REST calls and gateway frames, with no library between."""

    def __init__(self, discord: LoopbackDiscord, web: aiohttp.ClientSession) -> None:
        self.discord = discord
        self.web = web
        self.tls = ssl.create_default_context(cafile=str(discord.ca_file))
        self.events: list[dict[str, Any]] = []
        self.socket: aiohttp.ClientWebSocketResponse[bool] | None = None
        self._zlib = zlib.decompressobj()

    async def call(self, method: str, path: str, body: Any = None, **extra: Any) -> tuple[int, Any]:
        """Call REST as the bot, and return status and parsed body."""
        headers = extra.pop("headers", {"Authorization": f"Bot {self.discord.token}"})
        url = path if path.startswith("https") else self.discord.api_url + path
        async with self.web.request(
            method, url, json=body, ssl=self.tls, headers=headers, **extra
        ) as response:
            self.headers = response.headers
            text = await response.text()
            return response.status, json.loads(text) if response.content_type == "application/json" else text

    async def open(self, query: str = "v=10&encoding=json&compress=zlib-stream") -> dict[str, Any]:
        """Open the gateway and return its HELLO."""
        url = f"{self.discord.gateway_url}?{query}"
        self.socket = await self.web.ws_connect(url, ssl=self.tls, autoclose=False)
        self._zlib = zlib.decompressobj()
        return await self.receive()

    async def identify(self, intents: int = 0xFFFF, token: str | None = None) -> None:
        """Open the gateway and identify."""
        await self.open()
        await self.send(2, {"token": token or self.discord.token, "intents": intents, "properties": {}})

    async def send(self, op: int, content: Any) -> None:
        """Send one gateway message."""
        assert self.socket is not None
        await self.socket.send_str(json.dumps({"op": op, "d": content}))

    async def receive(self) -> dict[str, Any]:
        """Return the next gateway message; a close comes back as op -1 with its code."""
        assert self.socket is not None
        message = await self.socket.receive(timeout=5)
        if message.type is aiohttp.WSMsgType.BINARY:
            parsed: dict[str, Any] = json.loads(self._zlib.decompress(message.data))
        elif message.type is aiohttp.WSMsgType.TEXT:
            parsed = json.loads(message.data)
        else:
            parsed = {"op": -1, "d": message.data}
        return parsed

    async def event(self, name: str) -> dict[str, Any]:
        """Return the next event of that name; earlier ones of other names are dropped."""
        while True:
            message = await self.receive()
            assert message["op"] != -1, f"the gateway closed with {message['d']}"
            if message.get("t") == name:
                self.sequence = message["s"]
                content: dict[str, Any] = message["d"]
                return content

    async def close(self) -> None:
        """Close the gateway as a bot that logs out."""
        if self.socket is not None:
            await self.socket.close(code=1000)


@pytest.fixture
async def wire_to() -> AsyncIterator[Callable[[LoopbackDiscord], Awaitable[Wire]]]:
    """Speak to any loopback Discord with no library between."""
    opened: list[Wire] = []
    async with aiohttp.ClientSession() as web:

        async def speak_to(discord: LoopbackDiscord) -> Wire:
            opened.append(Wire(discord, web))
            return opened[-1]

        yield speak_to
        for bare in opened:
            await bare.close()


@pytest.fixture
async def wire(discord: LoopbackDiscord, wire_to: Callable[[LoopbackDiscord], Awaitable[Wire]]) -> Wire:
    """Speak to ``discord`` with no library between."""
    return await wire_to(discord)
