"""A supervisord with all programs, in a folder of its own: what the benchmark and the tests start.

The configuration is the checkout's own ``supervisord.conf``, word for word but for Flower's port. Everything that the
programs make stays in the folder; settings come by environment.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import xmlrpc.client
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from standup.errors import ServiceMissing
from standup.settings import Settings, environment
from standup.supervision import exits, programs

CONFIG = Path(__file__).parents[2] / "supervisord.conf"
CONTROL_S = 180.0
#: Longer than any program's stopwaitsecs.
STOP_S = 150.0
RUNNING = "RUNNING"


@dataclass(frozen=True, slots=True)
class Process:
    """One program as supervisord sees it."""

    name: str
    state: str
    pid: int
    """The launcher's; 0 while there is none."""


@dataclass(slots=True)
class Daemon:
    """One supervisord. Owner: one thread; `start` and `stop` once each."""

    folder: Path
    """Empty, with a short path: a Unix socket's address has room for about a hundred characters."""
    settings: Settings
    """With DATA_DIR and LOG_DIR in *folder*, and a password for Flower."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """For all programs, beside the settings."""
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start supervisord, which starts every program; raise ServiceMissing outside a checkout."""
        if not CONFIG.exists():
            raise ServiceMissing(f"{CONFIG} is missing; run this from a checkout, with its ./setup.sh done.")
        for place in (self.settings.data_dir, self.settings.data_dir / "flower", self.settings.log_dir):
            place.mkdir(exist_ok=True)
        (self.folder / ".venv").symlink_to(sys.prefix)
        self._config.write_text(configuration(self.settings))
        self._config.chmod(0o600)
        with (self.folder / "logs" / "supervisord.out").open("wb") as output:
            self._process = subprocess.Popen(
                [Path(sys.executable).parent / "supervisord", "-c", self._config],
                env=self.environment,
                cwd=self.folder,
                stdout=output,
                stderr=output,
            )

    def stop(self) -> None:
        """Stop every program and supervisord; kill it when that takes longer than any program may."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()  # each program asks its own to stop when its parent dies
            self._process.wait(STOP_S)

    @property
    def pid(self) -> int:
        """The process of supervisord; 0 before the start."""
        return self._process.pid if self._process else 0

    @property
    def environment(self) -> dict[str, str]:
        """What the programs and `supervisorctl` find in their environment."""
        flower = programs.environment("flower", self.settings)
        return {**os.environ, **environment(self.settings), **flower, **self.variables}

    def processes(self) -> tuple[Process, ...]:
        """Return every program, by name; empty while supervisord does not answer yet."""
        address = f"unix://{self.folder / 'data' / 'supervisor.sock'}"
        with xmlrpc.client.ServerProxy("http://127.0.0.1", SupervisorTransport(None, None, address)) as proxy:
            try:
                found: Any = proxy.supervisor.getAllProcessInfo()
            except (OSError, xmlrpc.client.Error):
                return ()
        return tuple(Process(one["name"], one["statename"], int(one["pid"])) for one in found)

    def process(self, name: str) -> Process:
        """Return one program; raise LookupError while supervisord does not know it."""
        return next(one for one in self.processes() if one.name == name)

    def is_running(self) -> bool:
        """Whether every program is RUNNING."""
        found = self.processes()
        return bool(found) and all(one.state == RUNNING for one in found)

    def control(self, *words: str) -> str:
        """Call supervisorctl with *words* and return what it said."""
        command = [str(Path(sys.executable).parent / "supervisorctl"), "-c", str(self._config), *words]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=CONTROL_S, check=False
        )
        return done.stdout

    @property
    def _config(self) -> Path:
        return self.folder / "supervisord.conf"


def configuration(settings: Settings) -> str:
    """Return the checkout's configuration, with Flower on a free port: its own may be taken on this machine."""
    fixed, free = f"--port={programs.FLOWER_PORT}", f"--port={_free_port()}"
    argv = [free if word == fixed else word for word in programs.command("flower", settings)]
    record = str(settings.data_dir / exits.FILE_NAME)
    launcher = (sys.executable, "-m", "standup.supervision.launch", "--record", record, "flower")
    command = shlex.join((*launcher, "--", *argv)).replace("%", "%%")
    return re.sub(r"(?<=^command=).* run flower$", lambda _: command, CONFIG.read_text(), flags=re.MULTILINE)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
