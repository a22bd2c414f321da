"""A scratch copy of the checkout in which the documents' commands run, beside a loopback Discord."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from standup.demo import settings_for
from standup.settings import environment
from standup.simulator.server import LoopbackDiscord
from tests.checkout import SOMEBODY, copy_to
from tests.documents.document import Block

BLOCK_LIMIT_S = 120
STOP_LIMIT_S = 60


@dataclass
class Scratch:
    """A checkout of one's own: a git repository with `.venv` and a `.env` that speaks to the loopback Discord."""

    folder: Path
    variables: Mapping[str, str]

    async def run(self, block: Block) -> tuple[int, str]:
        """Return the exit status of a block and what it printed; one that takes over two minutes is killed."""
        command = {
            "sh": ["bash", "-euo", "pipefail", "-c", block.text],
            "python": ["python", "-c", block.text],
        }
        with tempfile.TemporaryFile() as printed:
            process = await asyncio.create_subprocess_exec(
                *command[block.language],
                cwd=self.folder,
                env=self.variables,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                start_new_session=True,
            )
            try:
                status = await asyncio.wait_for(process.wait(), BLOCK_LIMIT_S)
            except asyncio.TimeoutError:
                status = 124
            finally:
                # What a block left in the background ends with it; a daemon is in a session of its own.
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            printed.seek(0)
            return status, printed.read().decode(errors="replace")

    async def stop(self) -> None:
        """Stop the supervisord that a block started, if one runs."""
        pid_file = self.folder / "data" / "supervisord.pid"
        with suppress(FileNotFoundError, ValueError, ProcessLookupError):
            pid = int(pid_file.read_text())
            os.kill(pid, signal.SIGTERM)
            for _ in range(STOP_LIMIT_S * 10):
                os.kill(pid, 0)
                await asyncio.sleep(0.1)
            os.kill(pid, signal.SIGKILL)


@asynccontextmanager
async def scratch() -> AsyncIterator[Scratch]:
    """Make a scratch copy and its Discord, and take both away afterwards."""
    # A socket's address has room for about a hundred characters.
    with tempfile.TemporaryDirectory(prefix="standup-", ignore_cleanup_errors=True) as short:
        folder = Path(short) / "checkout"
        async with LoopbackDiscord(Path(short) / "discord") as discord:
            await asyncio.to_thread(copy_to, folder)
            settings = settings_for(discord, folder, Path(short), flower_password="a-password-of-this-test")
            lines = [f"{name}={value}\n" for name, value in environment(settings).items()]
            (folder / ".env").write_text("".join(lines))
            made = Scratch(folder, variables(folder, discord))
            try:
                yield made
            finally:
                await made.stop()


def variables(folder: Path, discord: LoopbackDiscord) -> dict[str, str]:
    """Return the environment of a reader's shell: `.venv` is activated, nothing is set for another installation."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("STANDUP_", "COV", "PYTEST"))
    }
    path = f"{folder / '.venv/bin'}{os.pathsep}{kept['PATH']}"
    return {
        **kept,
        **SOMEBODY,
        "PATH": path,
        "PYTHONPATH": str(folder),
        "SSL_CERT_FILE": str(discord.ca_file),
    }
