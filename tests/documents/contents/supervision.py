"""The programs under supervisord, and the files that they and supervisord write."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from configparser import RawConfigParser
from pathlib import Path

from standup.settings import load
from standup.supervision import exits
from standup.supervision.programs import PROGRAMS, command
from tests.checkout import ROOT
from tests.documents.contents.table import table

CONFIG = ROOT / "supervisord.conf"
LOGROTATE = ROOT / "deploy/logrotate.standupbot"
#: supervisord's own defaults: http://supervisord.org/configuration.html
DEFAULTS = {"stopwaitsecs": "10", "startretries": "3", "autorestart": "unexpected", "backups": "10"}
OWN_FILES = {
    "recorder.log": ("recorder", "what it did, by meeting"),
    "monitor.log": ("monitor", "what it did, and the EVENT lines: one for every event in the channels"),
    "errors.log": (
        "every program but redis",
        "every ERROR and CRITICAL line, frames below those of an exception",
    ),
}


def programs_table() -> str:
    """Return every program of supervisord.conf: what it runs, order, restarts, time to stop and log file."""
    return table(
        ("program", "runs", "priority", "counts as started after", "restarted", "time to stop", "prints to"),
        (
            (
                f"`{name}`",
                f"`{_runs(name)}`",
                section["priority"],
                f"{section['startsecs']} s",
                _restarts(section),
                f"{_value(section, 'stopwaitsecs')} s",
                f"`logs/{_output(section).name}`",
            )
            for name, section in _by_priority()
        ),
    )


def log_files_table() -> str:
    """Return every file that a running system logs to: who writes it, what, and who rotates it when."""
    return table(("file", "written by", "holds", "rotated by", "kept"), _log_files())


def _log_files() -> Iterator[Sequence[str]]:
    words = dict(line.split(maxsplit=1) for line in _logrotate_lines() if " " in line)
    for name in re.findall(r'"@LOG_DIR@/([^"]+)"', LOGROTATE.read_text()):
        kept = f"{words['rotate']} {'compressed' if 'compress' in _logrotate_lines() else 'plain'}"
        yield (
            f"`logs/{name}`",
            *_own(name),
            "logrotate, daily" if "daily" in _logrotate_lines() else "?",
            kept,
        )
    for name, section in _by_priority():
        stream = "stderr" if "stderr_logfile" in section else "stdout"
        what = "its errors; its output is the event protocol" if stream == "stderr" else "what it prints"
        size, kept = section[f"{stream}_logfile_maxbytes"], DEFAULTS["backups"]
        yield f"`logs/{_output(section).name}`", f"`{name}`", what, f"supervisord, at {size}", kept
    daemon = _sections()["supervisord"]
    yield (
        f"`logs/{Path(daemon['logfile']).name}`",
        "supervisord",
        "starts, ends and exit statuses of programs",
        f"supervisord, at {daemon['logfile_maxbytes']}",
        daemon["logfile_backups"],
    )
    yield (
        f"`data/{exits.FILE_NAME}`",
        "the launcher of each program",
        "how each run of a program ended, as JSON lines",
        f"the launcher, at {exits.FULL_BYTES // 1024}KB",
        "1",
    )


def _own(name: str) -> tuple[str, str]:
    writer, what = OWN_FILES[name]
    return f"`{writer}`" if writer in PROGRAMS else writer, what


def _logrotate_lines() -> list[str]:
    return [line.strip() for line in LOGROTATE.read_text().splitlines()]


def _sections() -> Mapping[str, Mapping[str, str]]:
    parser = RawConfigParser()
    parser.read(CONFIG)
    return {name: dict(parser[name]) for name in parser.sections()}


def _by_priority() -> list[tuple[str, Mapping[str, str]]]:
    found = [
        (name.partition(":")[2], section)
        for name, section in _sections().items()
        if name.startswith(("program:", "eventlistener:"))
    ]
    assert sorted(PROGRAMS) == sorted(name for name, _ in found), (
        "supervisord and `standup run` know the same"
    )
    return sorted(found, key=lambda one: int(one[1]["priority"]))


def _runs(program: str) -> str:
    """Return the command of a program up to its long options, which may name folders of this machine."""
    argv = command(program, load(None, flower_password="any"))
    if argv[0] == sys.executable:
        argv = argv[2:]
    return " ".join(itertools.takewhile(lambda word: not word.startswith("--"), argv))


def _restarts(section: Mapping[str, str]) -> str:
    always = "always" if _value(section, "autorestart") == "true" else f"not after {section['exitcodes']}"
    return f"{always}; given up after {_value(section, 'startretries')} starts that fail"


def _value(section: Mapping[str, str], name: str) -> str:
    return section.get(name, DEFAULTS[name])


def _output(section: Mapping[str, str]) -> Path:
    return Path(section.get("stderr_logfile") or section["stdout_logfile"])
