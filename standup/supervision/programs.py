"""The programs of a running StandupBot and the command each one is.

No process is started here. supervisord, `standup run` and the demo all take the commands from this table.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import parse_qs, urlsplit

from standup.errors import SettingsError
from standup.settings import Settings

CPU_QUEUES = "capture,summarize,notify"
GPU_QUEUE = "gpu"
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")


def command(program: str, settings: Settings) -> list[str]:
    """Return the argument vector of *program*.

    Raises SettingsError for an unknown program, and for ``redis`` when the broker is somebody else's.
    """
    try:
        return list(PROGRAMS[program](settings))
    except KeyError:
        known = ", ".join(PROGRAMS)
        raise SettingsError(f"There is no program {program!r}; the programs are {known}.") from None


def _redis(settings: Settings) -> Sequence[str]:
    """Redis as a queue: an append-only file, nothing evicted, reachable from this machine only."""
    listen = _redis_listens(settings.broker_url)
    folder = settings.data_dir.absolute() / "redis"
    return (
        *("redis-server", *listen, "--dir", str(folder)),
        *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
        *("--maxmemory-policy", "noeviction", "--daemonize", "no"),
    )


def _redis_listens(url: str) -> Sequence[str]:
    parts = urlsplit(url)
    if parts.scheme == "redis+socket":
        return ("--port", "0", "--unixsocket", parts.path, "--unixsocketperm", "700")
    if parts.scheme == "redis" and parts.hostname in LOCAL_HOSTS and not parse_qs(parts.query):
        return ("--bind", "127.0.0.1", "--port", str(parts.port or 6379))
    raise SettingsError(
        "STANDUP_BROKER_URL names a broker that is not on this machine; it is started there, not here."
    )


def _worker(name: str, queues: str) -> Callable[[Settings], Sequence[str]]:
    return lambda _settings: (
        *(sys.executable, "-m", "celery", "-A", "standup.celery", "worker"),
        *("-n", f"{name}@%h", "-Q", queues, "--concurrency", "1"),
        # Gossip and mingle are for clusters that elect leaders; here they only add traffic and crashes.
        *("--without-gossip", "--without-mingle", "--loglevel", "INFO"),
    )


def _beat(_settings: Settings) -> Sequence[str]:
    return (sys.executable, "-m", "celery", "-A", "standup.celery", "beat", "--loglevel", "INFO")


def _bot(name: str) -> Callable[[Settings], Sequence[str]]:
    return lambda _settings: (sys.executable, "-m", "standup.bot", name)


PROGRAMS: Mapping[str, Callable[[Settings], Sequence[str]]] = {
    "redis": _redis,
    "recorder": _bot("recorder"),
    "monitor": _bot("monitor"),
    "worker-cpu": _worker("worker-cpu", CPU_QUEUES),
    "worker-gpu": _worker("worker-gpu", GPU_QUEUE),
    "beat": _beat,
}
