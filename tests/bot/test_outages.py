"""A lost gateway is one sentence in the log, a defect keeps its frames."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import discord
import pytest

from standup.bot.client import StandupBot
from standup.bot.outages import AGAIN_S, LOGGERS, Outages
from standup.simulator.server import LoopbackDiscord
from tests.bot.programs import WAIT_S, MakeProgram

ATTEMPT = "Attempting a reconnect for shard ID %s in %.2fs"
LOOK_EVERY_S = 0.1
shard = logging.getLogger("discord.shard")


class Clock:
    """A clock that goes when the test says so."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def outages(clock: Clock) -> Iterator[Outages]:
    made = Outages(clock)
    made.begin()
    yield made
    made.end()


def fail(error: Exception, message: str = ATTEMPT) -> None:
    """Log a failed attempt as discord.py does."""
    shard.error(message, 0, 0.34, exc_info=error)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        pytest.param(ConnectionResetError(104, "Connection reset by peer"), "reset by peer", id="network"),
        pytest.param(aiohttp.ClientPayloadError("said"), "ClientPayloadError", id="HTTP"),
        pytest.param(asyncio.TimeoutError(), "TimeoutError", id="no answer"),
        pytest.param(discord.GatewayNotFound(), "GatewayNotFound", id="no gateway"),  # type: ignore[no-untyped-call]
    ],
)
@pytest.mark.usefixtures("outages")
def test_a_failed_attempt_is_a_warning(error: Exception, told: str, caplog: pytest.LogCaptureFixture) -> None:
    """It names the class and the next step, and has no frames."""
    fail(error)
    (record,) = caplog.records
    assert (logging.WARNING, "WARNING", None) == (record.levelno, record.levelname, record.exc_info)
    assert told in record.getMessage()
    assert "check the network" in record.getMessage()
    assert "said" not in record.getMessage()


@pytest.mark.usefixtures("outages")
def test_a_lasting_outage_is_told_once_a_minute(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """However many attempts fail in between."""
    for second in range(int(2 * AGAIN_S)):
        clock.now_s = float(second)
        fail(OSError())
    assert 2 == len(caplog.records)


def test_the_next_outage_is_told_at_once(outages: Outages, caplog: pytest.LogCaptureFixture) -> None:
    """Also within the minute, once the gateway had been back."""
    fail(OSError())
    outages.over()
    fail(OSError())
    assert 2 == len(caplog.records)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        pytest.param(KeyError("defect"), "Failed to connect for shard_id: %s. Retrying... %s", id="a defect"),
        pytest.param(OSError(), "Something else went wrong with %s, %s", id="another line"),
    ],
)
@pytest.mark.usefixtures("outages")
def test_whatever_else_is_logged_stays(
    error: Exception, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Level, words and frames are discord.py's, each time."""
    for _ in range(2):
        fail(error, message)
    assert [(logging.ERROR, message, error)] * 2 == [
        (one.levelno, one.msg, one.exc_info and one.exc_info[1]) for one in caplog.records
    ]


@pytest.mark.parametrize("event", ["shard_connect", "shard_resumed"])
async def test_a_client_knows_when_an_outage_is_over(event: str, caplog: pytest.LogCaptureFixture) -> None:
    """A gateway that is there again, with its session or a new one, ends the outage."""
    async with StandupBot(discord.Intents.none()) as bot:
        bot._outages.begin()
        fail(OSError())
        bot.dispatch(event, 0)
        fail(OSError())
    assert 2 == sum("is lost" in one.getMessage() for one in caplog.records)


async def test_a_closed_client_leaves_the_log_alone() -> None:
    """The lines of whatever runs next in this process are its own."""
    before = {name: list(logging.getLogger(name).filters) for name in LOGGERS}
    async with StandupBot(discord.Intents.none()) as bot:
        bot._outages.begin()
    assert before == {name: logging.getLogger(name).filters for name in LOGGERS}


@pytest.mark.integration
async def test_a_program_whose_discord_is_gone(tmp_path: Path, program: MakeProgram) -> None:
    """Attempt after attempt fails, and the log has one sentence about it, `errors.log` none."""
    async with LoopbackDiscord(tmp_path) as discord:
        monitor = program("event_monitor", discord)
        monitor.start()
        await discord.wait_until(lambda: "EVENT Ready" in monitor.log("monitor"), WAIT_S, "the monitor")

    deadline_s = time.monotonic() + WAIT_S
    while monitor.log("monitor").count("EVENT Gateway disconnected") < 3:
        assert time.monotonic() < deadline_s, monitor.log("monitor")
        await asyncio.sleep(LOOK_EVERY_S)
    assert 0 == await monitor.end()
    assert 1 == monitor.log("monitor").count("WARNING The gateway of Discord is lost")
    assert "" == monitor.log("errors")
