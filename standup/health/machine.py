"""Measure this machine: interpreter, libraries, disk, memory, processor. `verdicts` judges."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from standup.health import graphics, verdicts
from standup.health.check import Check

PROGRAM_S = 5.0
LIBOPUS = ("libopus.so.0", "libopus.0.dylib")
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
FFMPEG_VERSION = re.compile(r"ffmpeg version (\S+)")


def python() -> Check:
    """Look at the interpreter that runs this."""
    major, minor, micro = sys.version_info[:3]
    return verdicts.python((major, minor, micro))


def ffmpeg() -> Check:
    """Ask ffmpeg for its version."""
    try:
        told = subprocess.run(
            ["ffmpeg", "-version"], capture_output=True, text=True, timeout=PROGRAM_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return verdicts.ffmpeg(None)
    found = FFMPEG_VERSION.match(told.stdout)
    return verdicts.ffmpeg(found[1] if found else None)


def libopus() -> Check:
    """Load libopus."""
    return verdicts.libopus(any(_loads(name) for name in LIBOPUS))


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def disk(folder: Path) -> Check:
    """Look at the disk that *folder* lies on, or will lie on once it is made."""
    place = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    is_writable = place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    return verdicts.disk(str(folder), shutil.disk_usage(place).free, is_writable)


def memory(model_bytes: int) -> Check:
    """Look at the memory that this machine, or the container it is, may use."""
    page_bytes = os.sysconf("SC_PAGE_SIZE")
    total_bytes = os.sysconf("SC_PHYS_PAGES") * page_bytes
    limit = CGROUP_LIMIT.read_text().strip() if CGROUP_LIMIT.exists() else "max"
    if limit.isdigit():
        total_bytes = min(total_bytes, int(limit))
    return verdicts.memory(total_bytes, min(total_bytes, _available_bytes(page_bytes)), model_bytes)


def _available_bytes(page_bytes: int) -> int:
    """Return what programs can still get; the caches that Linux would give up count as free."""
    table = Path("/proc/meminfo")
    found = (
        re.search(r"^MemAvailable:\s+(\d+) kB", table.read_text(), re.MULTILINE) if table.exists() else None
    )
    return int(found[1]) * 1024 if found else os.sysconf("SC_PHYS_PAGES") * page_bytes


def device(wanted: str) -> Check:
    """Look at the GPU and the CPU; *wanted* is STANDUP_WHISPER_DEVICE."""
    gpu = None if wanted == "cpu" else graphics.first_gpu()
    return verdicts.device(wanted, gpu, platform.machine(), _cpu_features())


def _cpu_features() -> frozenset[str]:
    table = Path("/proc/cpuinfo")
    found = re.search(r"^flags\s*:(.*)$", table.read_text(), re.MULTILINE) if table.exists() else None
    return frozenset(found[1].split()) if found else frozenset()


def dave() -> Check:
    """Load the library that discord.py and the recorder take for end-to-end encryption."""
    try:
        import davey

        return verdicts.dave(metadata.version("davey"), int(davey.DAVE_PROTOCOL_VERSION))
    except ImportError:
        return verdicts.dave(None, 0)
