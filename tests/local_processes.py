"""pytest-celery's containers as processes of this machine: redis-server and Celery workers without Docker.

pytest-celery asks of a container only what `CeleryTestContainer` names; these answer it with a child process.
"""

from __future__ import annotations

import os
import signal as signals
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import IO, Any

from pytest_celery import CeleryTestContainer, CeleryWorkerContainer, RedisContainer

READY_S = 60.0
LOOK_EVERY_S = 0.05


class LocalProcess(CeleryTestContainer):  # type: ignore[misc]
    """A child process behind the interface of a container."""

    def __init__(
        self,
        argv: list[str],
        name: str,
        folder: Path,
        environment: dict[str, str] | None = None,
        ident: str = "",
    ) -> None:
        # The parent class would ask for a Docker object.
        self._argv, self._name, self._folder = argv, name, folder
        self._environment = {**os.environ, **(environment or {})}
        self._log = folder / f"{name}.log"
        self._id = ident or uuid.uuid4().hex
        self.start()

    @property
    def id(self) -> str:
        return self._id

    @property
    def name(self) -> str:
        return self._name

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    @property
    def status(self) -> str:
        return "running" if self._process.poll() is None else "exited"

    def start(self) -> None:
        self._seen = self._log.stat().st_size if self._log.exists() else 0
        output: IO[bytes] = self._log.open("ab")
        with output:
            self._process = subprocess.Popen(
                self._argv,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def logs(self) -> str:
        return self._log.read_text(errors="replace")

    def reload(self) -> None:
        self._process.poll()

    def ready(self) -> bool:
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            if self.status == "exited":
                raise RuntimeError(f"{self.name} exited with {self.exit_code}\n{self.logs()[-2000:]}")
            if self.ready_prompt in self.logs()[self._seen :]:
                return True
            time.sleep(LOOK_EVERY_S)
        raise TimeoutError(self.name)

    def kill(self, signal: str | int = "SIGKILL") -> None:
        """Kill the main process only, as `docker kill` does."""
        os.kill(self.pid, getattr(signals, signal) if isinstance(signal, str) else signal)
        self._process.wait(60)

    def restart(self, timeout: int = 10) -> None:
        self.teardown(timeout)
        self.start()
        self.ready()

    def teardown(self, timeout: int = 20) -> None:
        if self.status == "exited":
            return
        self._process.terminate()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signals.SIGKILL)
            self._process.wait()


class LocalRedis(LocalProcess, RedisContainer):  # type: ignore[misc]
    """A redis-server with an append-only file."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        options = [
            "--port",
            str(self._port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(folder),
            "--appendonly",
            "yes",
        ]
        super().__init__([*RedisContainer.command(), *options], "redis", folder)

    @property
    def hostname(self) -> str:
        return "127.0.0.1"

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    host_url = url


class LocalWorker(LocalProcess, CeleryWorkerContainer):  # type: ignore[misc]
    """A worker of our own app, with pytest-celery's ping task beside ours."""

    def __init__(self, queues: str, folder: Path, environment: dict[str, str], *options: str) -> None:
        ident = uuid.uuid4().hex
        node = f"{self.worker_name()}@{ident[:12]}"  # what the plugin asks for by remote control
        argv = [sys.executable, "-m", "celery", "-A", "standup.celery", "worker", "-l", "INFO", "-Q", queues]
        plugin = ["-I", "pytest_celery.vendors.worker.tasks", "--without-gossip", "--without-mingle"]
        super().__init__([*argv, "-n", node, *plugin, *options], node, folder, environment, ident)

    @classmethod
    def worker_queue(cls) -> str:
        """Where the plugin's own tasks go; our app has no queue called ``celery``."""
        return "capture"

    @property
    def ready_prompt(self) -> str:
        return " ready."

    def children(self) -> list[int]:
        """Return the pids of the pool's children (not of the semaphore tracker beside them)."""
        table = subprocess.run(
            ["ps", "--ppid", str(self.pid), "-o", "pid=,args="], capture_output=True, text=True, check=False
        )
        rows: list[Any] = [line.split(None, 1) for line in table.stdout.splitlines()]
        return [int(pid) for pid, args in rows if "semaphore_tracker" not in args]
