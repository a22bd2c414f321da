"""supervisord.conf under the real supervisord, with programs that end as they are told to."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from standup.supervision.daemon import CONFIG
from standup.supervision.programs import PROGRAMS

pytestmark = pytest.mark.integration

BIN = Path(sys.executable).parent
LIMIT_S = 60.0
LOOK_EVERY_S = 0.1
OTHERS = sorted(set(PROGRAMS) - {"sentinel"})
STANDUP = """#!/bin/sh
echo "$2" >>{folder}/starts
umask >{folder}/umask
code=$(cat {folder}/code)
test -z "$code" || exit "$code"
echo up >&2
exec sleep 600
"""
#: In the place of `standup run PROGRAM`: ends with what the file `code` says, or stays.


@dataclass
class Checkout:
    """A folder with the real configuration in which every program counts as started at once."""

    folder: Path

    def start(self, code: str, *options: str) -> None:
        """Start supervisord over programs that end with *code*; in the background without options."""
        (self.folder / "code").write_text(code)
        words = [BIN / "supervisord", *options, "-c", self.folder / "supervisord.conf"]
        subprocess.run(words, check=True, timeout=LIMIT_S, umask=0o022, cwd=self.folder)

    def control(self, *words: str) -> str:
        """Call supervisorctl."""
        command = [BIN / "supervisorctl", "-c", self.folder / "supervisord.conf", *words]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=LIMIT_S, check=False, cwd=self.folder
        ).stdout

    def states(self) -> dict[str, str]:
        """Return the state of each program."""
        return {words[0]: words[1] for words in map(str.split, self.control("status").splitlines())}

    def starts(self) -> Counter[str]:
        """Return how often each program was started."""
        path = self.folder / "starts"
        return Counter(path.read_text().split()) if path.exists() else Counter()

    def until_started(self, times: int, *programs: str) -> None:
        """Wait until each of *programs* was started so many times."""
        deadline_s = time.monotonic() + LIMIT_S
        while any(self.starts()[one] < times for one in programs):
            assert time.monotonic() < deadline_s, self.starts()
            time.sleep(LOOK_EVERY_S)

    def modes(self) -> dict[str, int]:
        """Return the mode of each file in logs/."""
        return {one.name: stat.S_IMODE(one.stat().st_mode) for one in (self.folder / "logs").iterdir()}


@pytest.fixture
def checkout() -> Iterator[Checkout]:
    # A Unix socket's address has room for about a hundred characters, fewer than a test's own folder may take.
    with tempfile.TemporaryDirectory(prefix="standup-") as short:
        folder = Path(short)
        for name in ("data", "logs", ".venv/bin"):
            (folder / name).mkdir(parents=True)
        program = folder / ".venv/bin/standup"
        program.write_text(STANDUP.format(folder=folder))
        program.chmod(0o700)
        text = re.sub(r"(?m)^startsecs=\d+$", "startsecs=0", CONFIG.read_text())
        (folder / "supervisord.conf").write_text(text)
        made = Checkout(folder)
        try:
            yield made
        finally:
            pidfile = folder / "data/supervisord.pid"
            daemon = pidfile.read_text().strip() if pidfile.exists() else ""
            made.control("shutdown")
            deadline_s = time.monotonic() + LIMIT_S
            while daemon and is_alive(int(daemon)) and time.monotonic() < deadline_s:
                time.sleep(LOOK_EVERY_S)


def is_alive(pid: int) -> bool:
    """Return whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("code", ["0", "1", "137", "143"])
def test_every_end_but_78_is_followed_by_a_start(checkout: Checkout, code: str) -> None:
    """Whatever a program ends with, also with 0 by itself, it is started again."""
    checkout.start(code)
    checkout.until_started(3, *PROGRAMS)


def test_wrong_settings_are_not_tried_again(checkout: Checkout) -> None:
    """After 78 a program stays EXITED until somebody starts it; the sentinel, which tells of it, comes back."""
    checkout.start("78")
    checkout.until_started(4, "sentinel")
    assert {one: 1 for one in OTHERS} == {one: checkout.starts()[one] for one in OTHERS}
    assert {"EXITED"} == {checkout.states()[one] for one in OTHERS}

    (checkout.folder / "code").write_text("")
    for one in OTHERS:
        assert f"{one}: started" in checkout.control("start", one)
    for one in OTHERS:
        assert [f"{one}: stopped", f"{one}: started"] == checkout.control("restart", one).splitlines()
    assert {"RUNNING"} == {checkout.states()[one] for one in OTHERS}


def test_what_is_written_is_for_the_owner_alone(checkout: Checkout) -> None:
    """In the background, supervisord's files for the programs and what these make themselves are closed to others.

    Its own first log file is opened before it goes there, with the umask of whoever starts it.
    """
    checkout.start("")
    checkout.until_started(1, *PROGRAMS)
    outputs = {name: mode for name, mode in checkout.modes().items() if name != "supervisord.log"}
    assert {f"{one}.out" for one in PROGRAMS} <= set(outputs)
    assert {0o600} == set(outputs.values())
    assert "0077" == (checkout.folder / "umask").read_text().strip()
