"""A running loopback Discord, and an unmodified discord.py bot in a process of its own."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

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
