"""How a program that runs a gateway client ends: its exit status and its one sentence."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any, cast

import aiohttp
import discord
import pytest
from discord.http import Route

from standup.bot import client as client_module
from standup.bot.client import StandupBot, run
from standup.settings import Settings, load
from tests.bot.doubles import refusal


class BotDouble:
    """A client whose login or connection goes as the test says."""

    def __init__(self, *, login: Any = None, connect: Any = None, suspend_s: float = 0.0) -> None:
        self._login = login
        self._connect = connect
        self._suspend_s = suspend_s
        self.is_suspended = False

    async def __aenter__(self) -> BotDouble:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def login(self, token: str) -> None:
        if self._login is not None:
            raise self._login

    async def connect(self, *, reconnect: bool) -> None:
        if self._connect is not None:
            raise self._connect
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(60)

    async def suspend(self) -> None:
        await asyncio.sleep(self._suspend_s)
        self.is_suspended = True


class WebsocketDouble:
    """What discord.py's ConnectionClosed looks at."""

    close_code = None


def closed(code: int) -> discord.ConnectionClosed:
    return discord.ConnectionClosed(cast(Any, WebsocketDouble()), shard_id=0, code=code)


NO_GATEWAY = discord.GatewayNotFound()  # type: ignore[no-untyped-call]


@pytest.fixture(autouse=True)
def _own_route(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Route, "BASE", Route.BASE)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(None, discord_token="a.real.token", discord_api_url="https://127.0.0.1:9/api/v10")


def ended(bot: BotDouble, settings: Settings) -> int:
    return run(cast(StandupBot, bot), settings)


@pytest.mark.parametrize(
    ("bot", "status", "word"),
    [
        pytest.param(
            BotDouble(login=discord.LoginFailure()), 78, "STANDUP_DISCORD_TOKEN", id="REST: wrong token"
        ),
        pytest.param(BotDouble(connect=closed(4004)), 78, "STANDUP_DISCORD_TOKEN", id="gateway: wrong token"),
        pytest.param(BotDouble(connect=closed(4012)), 69, "code 4012", id="gateway: closed for good"),
        pytest.param(
            BotDouble(login=refusal(discord.HTTPException, 404)), 69, "status 404", id="not Discord"
        ),
        pytest.param(BotDouble(connect=NO_GATEWAY), 69, "127.0.0.1:9", id="no gateway"),
        pytest.param(BotDouble(login=aiohttp.ClientConnectionError()), 69, "127.0.0.1:9", id="no connection"),
        pytest.param(BotDouble(login=OSError()), 69, "127.0.0.1:9", id="no network"),
        pytest.param(BotDouble(login=asyncio.TimeoutError()), 69, "127.0.0.1:9", id="no answer"),
    ],
)
def test_exit_statuses(
    bot: BotDouble, status: int, word: str, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Each failure has its documented status and one sentence with the next step, without the token."""
    assert ended(bot, settings) == status

    (record,) = caplog.records
    assert word in record.getMessage()
    assert "a.real.token" not in caplog.text


def test_no_token(caplog: pytest.LogCaptureFixture) -> None:
    """Without a token nothing is tried."""
    assert ended(BotDouble(), load(None)) == 78
    assert "STANDUP_DISCORD_TOKEN" in caplog.text


def test_asked_to_stop(settings: Settings) -> None:
    """SIGTERM suspends what goes on and ends with 0."""
    bot = BotDouble()

    assert ended(bot, settings) == 0
    assert bot.is_suspended


def test_rest_goes_where_the_settings_say(settings: Settings) -> None:
    """discord.py's REST address is the operator's."""
    ended(BotDouble(), settings)

    assert settings.discord_api_url == Route.BASE


def test_closing_is_bounded(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that cannot close in time is left; everything is on disk."""
    monkeypatch.setattr(client_module, "CLOSE_S", 0.01)

    assert ended(BotDouble(suspend_s=60), settings) == 0
    assert "resumed at the next start" in caplog.text


def test_defects_are_not_hidden(settings: Settings) -> None:
    """An unforeseen exception leaves `run`, so that the launcher can report it."""
    with pytest.raises(KeyError):
        ended(BotDouble(login=KeyError("defect")), settings)
