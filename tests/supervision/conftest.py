"""A supervisord of our own beside a loopback Discord: with the real sentinel and small programs that die for real
(`system`), or with every program of the real configuration (`installation`)."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from standup.archive import Archive
from standup.demo import settings_for
from standup.settings import load
from standup.simulator.server import LoopbackDiscord
from standup.supervision import exits
from standup.supervision.daemon import Daemon
from standup.supervision.exits import Exit

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
END_S = 60.0
#: A crash loop is held back for seconds, and this machine may be busy.
READY_S = 90.0

DAEMON = """
[supervisord]
nodaemon=true
logfile={folder}/supervisord.log
pidfile={folder}/s.pid
[unix_http_server]
file={socket}
chmod=0700
[supervisorctl]
serverurl=unix://{socket}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[eventlistener:sentinel]
command={python} -m standup.supervision.launch --record {record} sentinel -- {python} -m standup.supervision.sentinel
events=PROCESS_STATE_EXITED,PROCESS_STATE_FATAL,TICK_60
buffer_size=1000
stderr_logfile={folder}/sentinel.out
"""
PROGRAM = """
[program:{name}]
command={python} -m standup.supervision.launch --record {record} {name} -- {python} -m {module}
startsecs=0
stopwaitsecs=2
killasgroup=true
autorestart=true
redirect_stderr=true
stdout_logfile={folder}/{name}.out
"""


@dataclass
class System:
    """A running supervisord with programs, and what they leave behind."""

    folder: Path
    discord: LoopbackDiscord
    archive: Archive
    socket: str
    programs: dict[str, str] = field(default_factory=dict)
    daemon: subprocess.Popen[bytes] | None = None

    @property
    def record(self) -> Path:
        return self.folder / "data" / exits.FILE_NAME

    def start(self, **programs: str) -> None:
        """Start supervisord with programs of these names (`_` for `-`) that are Python code."""
        names = {
            "python": sys.executable,
            "record": self.record,
            "folder": self.folder,
            "socket": self.socket,
        }
        config = DAEMON.format(**names)
        for name, code in programs.items():
            module = f"program_{name}"
            (self.folder / f"{module}.py").write_text(code)
            config += PROGRAM.format(name=name.replace("_", "-"), module=module, **names)
        (self.folder / "s.conf").write_text(config)
        with (self.folder / "daemon.out").open("wb") as output:
            self.daemon = subprocess.Popen(
                [BIN / "supervisord", "-c", self.folder / "s.conf"],
                env=self.environment(),
                cwd=self.folder,
                stdout=output,
                stderr=output,
            )

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": f"{self.folder}{os.pathsep}{ROOT}",
            "SSL_CERT_FILE": str(self.discord.ca_file),
            "STANDUP_DATA_DIR": str(self.folder / "data"),
            "STANDUP_LOG_DIR": str(self.folder / "logs"),
            "STANDUP_DISCORD_API_URL": self.discord.api_url,
            "STANDUP_DISCORD_TOKEN": self.discord.token,
            "STANDUP_ALERT_CHANNEL_ID": str(self.discord.text_channel_id),
        }

    def stop(self) -> None:
        if self.daemon is not None:
            self.daemon.send_signal(signal.SIGTERM)
            try:
                self.daemon.wait(END_S)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                self.daemon.wait(END_S)

    async def pid(self, program: str) -> int:
        """Return the process that supervisord shows for a program."""
        return int(await self.control("pid", program))

    async def control(self, *words: str) -> str:
        """Call supervisorctl."""
        command = [BIN / "supervisorctl", "-c", self.folder / "s.conf", *words]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=END_S)
        return done.stdout

    async def until(self, reached: Callable[[], bool], what: str) -> None:
        await self.discord.wait_until(reached, timeout_s=END_S, what=what)

    def ends(self, program: str) -> list[Exit]:
        return [one for one in exits.read(self.record) if one.program == program]

    def errors(self) -> list[str]:
        path = self.folder / "logs" / "errors.log"
        return path.read_text().splitlines() if path.exists() else []

    def alerts(self) -> list[str]:
        return [one.content for one in self.discord.messages(self.discord.text_channel_id)]


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[System]:
    """A supervisord that is not started yet, and an archive, beside a loopback Discord."""
    # A socket's address has room for about a hundred characters, fewer than a test's own folder may take.
    with tempfile.TemporaryDirectory(prefix="standup-") as short:
        settings = load(None, data_dir=tmp_path / "data")
        archive = Archive.of(settings)
        archive.migrate()
        async with LoopbackDiscord(tmp_path / "discord") as discord:
            made = System(tmp_path, discord, archive, f"{short}/s.sock")
            try:
                yield made
            finally:
                await asyncio.to_thread(made.stop)
                archive.close()


@dataclass
class Installation:
    """All programs under the real supervisord with the real configuration."""

    daemon: Daemon
    discord: LoopbackDiscord
    archive: Archive

    @property
    def data_dir(self) -> Path:
        return self.daemon.settings.data_dir

    async def restart(self, program: str) -> None:
        """Call `supervisorctl restart`."""
        said = await asyncio.to_thread(self.daemon.control, "restart", program)
        assert said.splitlines() == [f"{program}: stopped", f"{program}: started"]

    async def until(self, reached: Callable[[], bool], timeout_s: float, what: str) -> None:
        await self.discord.wait_until(reached, timeout_s, what)

    def ends(self, program: str) -> list[int]:
        """Return the codes with which a program has ended so far."""
        found = exits.read(self.data_dir / exits.FILE_NAME)
        return [one.code for one in found if one.program == program]

    def log(self, name: str) -> str:
        path = self.daemon.settings.log_dir / name
        return path.read_text() if path.exists() else ""


@pytest.fixture
async def installation(tmp_path: Path) -> AsyncIterator[Installation]:
    """Everything is RUNNING, and the recorder takes commands."""
    with tempfile.TemporaryDirectory(prefix="standup-") as short:
        async with LoopbackDiscord(tmp_path) as discord:
            folder = Path(short)
            settings = settings_for(discord, folder, folder, flower_password="a-password-of-this-test")
            daemon = Daemon(folder, settings, {"SSL_CERT_FILE": str(discord.ca_file)})
            archive = Archive.of(settings)
            daemon.start()
            try:
                await discord.wait_until(daemon.is_running, READY_S, "every program to be RUNNING")
                made = Installation(daemon, discord, archive)
                await made.until(
                    lambda: "Recorder ready" in made.log("recorder.log"), READY_S, "the recorder"
                )
                yield made
            finally:
                await asyncio.to_thread(daemon.stop)
                archive.close()
