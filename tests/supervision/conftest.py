"""A supervisord of our own with the real sentinel, small programs that die for real, and a loopback Discord."""

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
from standup.settings import load
from standup.simulator.server import LoopbackDiscord
from standup.supervision import exits
from standup.supervision.exits import Exit

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
END_S = 20.0

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
        command = [BIN / "supervisorctl", "-c", self.folder / "s.conf", "pid", program]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=10)
        return int(done.stdout)

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
