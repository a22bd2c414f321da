"""deploy.sh on a checkout of its own, with the real supervisord, the real programs and the loopback Discord."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from standup.simulator.participant import Participant
from standup.simulator.server import LoopbackDiscord
from tests.checkout import ROOT, copy_to, git

READY_S = 60.0
DEPLOY_S = 200.0
LOOK_EVERY_S = 0.3
RESTARTED = ("worker-cpu", "beat", "monitor", "recorder")
AT_WORK = {
    "worker-cpu.out": " ready.",
    "beat.out": "beat: Starting",
    "recorder.log": "Recorder ready",
    "monitor.log": "EVENT Ready",
}
#: What a log says once its program has loaded all its code.
ILL = """
def python(version: tuple[int, int, int]) -> Check:
    return bad("Python", "not to be had", "wait")
"""
#: With it the doctor refuses.


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository of its own with this working tree as its first release, and this interpreter as its .venv."""
    folder = tmp_path / "checkout"
    copy_to(folder)
    return folder


def release(checkout: Path, name: str, path: str, line: str) -> str:
    """Commit *line* at the end of a file as a release on a branch of its own; return its commit."""
    git(checkout, "checkout", "--quiet", "-b", name)
    with (checkout / path).open("a") as file:
        file.write(f"\n{line}\n")
    git(checkout, "commit", "--quiet", "--all", "-m", name)
    commit = git(checkout, "rev-parse", "HEAD")
    git(checkout, "checkout", "--quiet", "main")
    return commit


def configuration(text: str, sockets: str) -> str:
    """Return supervisord.conf with the programs that these tests look at, and a socket whose path is short enough."""
    kept = ("program:redis", *(f"program:{one}" for one in RESTARTED))
    sections = re.split(r"(?m)^(?=\[)", text.replace("%(here)s/data/supervisor.sock", f"{sockets}/s"))
    of_programs = ("[program:", "[eventlistener:")
    return "".join(
        one for one in sections if not one.startswith(of_programs) or one[1:].partition("]")[0] in kept
    )


def deploy(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run deploy.sh where nothing else runs."""
    return subprocess.run(
        ["bash", "deploy.sh", *arguments],
        cwd=checkout,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_documents_exit_statuses() -> None:
    """--help prints usage with the exit statuses."""
    done = deploy(ROOT, "--help")
    assert (0, "") == (done.returncode, done.stderr)
    assert "Usage: ./deploy.sh" in done.stdout
    assert "Exit status: 0" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("--frobnicate",), id="unknown"),
        pytest.param(("--wait", "long"), id="no number"),
        pytest.param(("a", "b"), id="two releases"),
    ],
)
def test_wrong_usage_is_refused(arguments: tuple[str, ...]) -> None:
    """What deploy.sh does not understand ends with 2 and names --help."""
    done = deploy(ROOT, *arguments)
    assert 2 == done.returncode
    assert "see ./deploy.sh --help" in done.stderr


def test_uncommitted_changes_are_refused(checkout: Path) -> None:
    """A changed file, which a way back would lose, ends with 65 before anything happens."""
    (checkout / "README.md").write_text("changed")
    done = deploy(checkout)
    assert 65 == done.returncode
    assert "uncommitted" in done.stderr


def test_without_supervisord_nothing_is_done(checkout: Path) -> None:
    """Where supervisord does not run, deploy.sh says how to start it and ends with 69."""
    done = deploy(checkout)
    assert 69 == done.returncode
    assert "supervisord -c supervisord.conf" in done.stderr


@pytest.mark.skipif(
    shutil.which("shellcheck", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}") is None,
    reason="shellcheck is not installed; ./setup.sh brings it where a build for this machine exists",
)
def test_script_is_lint_free() -> None:
    """Shellcheck finds nothing."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    checked = subprocess.run(
        [shutil.which("shellcheck", path=path) or "shellcheck", ROOT / "deploy.sh"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "" == checked.stdout + checked.stderr


@dataclass
class Installation:
    """A checkout that supervisord runs, and one person in the voice channel."""

    checkout: Path
    environment: dict[str, str]
    discord: LoopbackDiscord
    ana: Participant

    async def call(self, *argv: str, limit_s: float = 30.0) -> tuple[int, str]:
        """Run a command in the checkout; return its exit status and all it printed."""
        process = await asyncio.create_subprocess_exec(
            *argv,
            cwd=self.checkout,
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        told, _ = await asyncio.wait_for(process.communicate(), limit_s)
        return process.returncode or 0, told.decode()

    async def deploy(self, *arguments: str) -> tuple[int, str]:
        """Run deploy.sh."""
        return await self.call("bash", "deploy.sh", *arguments, limit_s=DEPLOY_S)

    async def programs(self) -> dict[str, tuple[str, str]]:
        """Return state and pid of each program."""
        _, told = await self.call(".venv/bin/supervisorctl", "-c", "supervisord.conf", "status")
        rows = [line.replace(",", "").split() for line in told.splitlines()]
        return {row[0]: (row[1], row[3] if row[2:3] == ["pid"] else "") for row in rows if len(row) > 1}

    async def ready(self) -> None:
        """Wait until the programs that a deployment restarts are at work."""
        deadline = time.monotonic() + READY_S
        while True:
            found = await self.programs()
            is_running = all(found.get(one, ("", ""))[0] == "RUNNING" for one in RESTARTED)
            if is_running and all(self._says(file, words) for file, words in AT_WORK.items()):
                return
            assert time.monotonic() < deadline, found
            await asyncio.sleep(LOOK_EVERY_S)

    def _says(self, file: str, words: str) -> bool:
        path = self.checkout / "logs" / file
        return path.exists() and words in path.read_text(errors="replace")


@asynccontextmanager
async def installed(checkout: Path, folder: Path) -> AsyncIterator[Installation]:
    """Run the checkout under its supervisord."""
    async with LoopbackDiscord(folder / "discord") as discord:
        with tempfile.TemporaryDirectory(prefix="standup-") as sockets:
            (checkout / ".env").write_text(
                f"STANDUP_DISCORD_TOKEN={discord.token}\nSTANDUP_DISCORD_API_URL={discord.api_url}\n"
                f"STANDUP_BROKER_URL=redis+socket://{sockets}/redis.sock?virtual_host=0\n"
                "STANDUP_WHISPER_MODEL=tiny.en\nSTANDUP_WHISPER_DEVICE=cpu\nSTANDUP_EMPTY_GRACE_S=600\n"
            )
            rotation = folder / "logrotate.d"
            rotation.mkdir()
            environment = {
                **os.environ,
                "PYTHONPATH": str(checkout),
                "SSL_CERT_FILE": str(discord.ca_file),
                "STANDUP_LOGROTATE_DIR": str(rotation),
            }
            (checkout / "data").mkdir()
            (checkout / "supervisord.conf").write_text(
                configuration((checkout / "supervisord.conf").read_text(), sockets)
            )
            git(checkout, "commit", "--quiet", "--all", "-m", "Fewer programs")
            ana = await discord.enter("Ana")
            await ana.join_voice()
            one = Installation(checkout, environment, discord, ana)
            supervisord = await asyncio.create_subprocess_exec(
                ".venv/bin/supervisord",
                "--nodaemon",
                "-c",
                "supervisord.conf",
                cwd=checkout,
                env=environment,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                await one.ready()
                yield one
            finally:
                supervisord.terminate()
                await asyncio.wait_for(supervisord.wait(), READY_S)


@pytest.mark.integration
@pytest.mark.timeout(400)
@pytest.mark.usefixtures("unmeasured")
async def test_releases_come_and_go(checkout: Path, tmp_path: Path) -> None:
    """A broken release is rolled back, one that the doctor refuses never comes; a good one waits for the meeting's end.

    A second run of the good one changes nothing.
    """
    async with installed(checkout, tmp_path) as house:
        broken = release(checkout, "broken", "standup/worker.py", 'raise RuntimeError("broken")')
        better = release(checkout, "better", "standup/__init__.py", "IS_BETTER = True")
        release(checkout, "ill", "standup/health/verdicts.py", ILL)
        first = git(checkout, "rev-parse", "HEAD")
        at_first = await house.programs()

        status, told = await house.deploy("broken")
        assert status == 1, told
        assert "worker-cpu does not run with the new release; going back" in told
        assert git(checkout, "rev-parse", "HEAD") == first != broken
        after = await house.programs()
        assert all(after[one][0] == "RUNNING" for one in RESTARTED), told
        changed = [one for one in RESTARTED if after[one] != at_first[one]]
        assert changed == ["worker-cpu"], told

        status, told = await house.deploy("ill")
        assert status == 78, told
        assert "✗ Python" in told
        assert after == await house.programs()

        await house.discord.invoke(house.ana, "standup", "start")
        await house.discord.wait_for_bot_voice(READY_S)
        status, told = await house.deploy("better", "--wait", "1")
        assert status == 75, told
        assert "being recorded" in told
        during = await house.programs()
        assert during["recorder"] == at_first["recorder"]
        assert all(during[one] != after[one] for one in RESTARTED if one != "recorder"), told

        await house.discord.invoke(house.ana, "standup", "stop")
        status, told = await house.deploy("better", "--wait", "30")
        assert status == 0, told
        at_last = await house.programs()
        assert git(checkout, "rev-parse", "HEAD") == better
        assert "in service: " + first[:7] in told
        assert [one for one in RESTARTED if at_last[one] != during[one]] == ["recorder"], told
        assert at_last["redis"] == at_first["redis"]
        assert "logs/recorder.log" in (tmp_path / "logrotate.d/standupbot").read_text()

        status, told = await house.deploy()
        assert status == 0, told
        again = await house.programs()
        assert [one for one in RESTARTED if at_last[one] != again[one]] == [], told
        assert house.discord.violations == []
