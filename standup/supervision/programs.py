"""The programs of a running StandupBot and the command each one is.

No process is started here. supervisord, `standup run` and the demo all take the commands from this table.
"""

from __future__ import annotations

import hashlib
import hmac
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from standup.errors import ServiceMissing, SettingsError
from standup.settings import Settings

CPU_QUEUES = "capture,summarize,notify"
GPU_QUEUE = "gpu"
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
FLOWER_HOST, FLOWER_PORT = "127.0.0.1", 5555
RUNTIME_BUCKETS_S = "0.1,0.5,1,2.5,5,10,30,60,120,300,600,1800,inf"


def command(program: str, settings: Settings) -> list[str]:
    """Return the argument vector of *program*.

    Raises SettingsError for an unknown program, and for ``redis`` when the broker is somebody else's.
    """
    try:
        return list(PROGRAMS[program](settings))
    except KeyError:
        known = ", ".join(PROGRAMS)
        raise SettingsError(f"There is no program {program!r}; the programs are {known}.") from None


def environment(program: str, settings: Settings) -> Mapping[str, str]:
    """Return the variables that *program* needs beside the inherited ones: secrets, which no argument may show.

    Raises SettingsError for ``flower`` without a password, or with a name and password that it cannot take.
    """
    if program != "flower":
        return {}
    password = settings.flower_password.get_secret_value()
    if not password:
        raise SettingsError(
            "Flower does not start without a password; put STANDUP_FLOWER_PASSWORD into .env "
            "(`standup init --force` makes one)."
        )
    if "," in settings.flower_user + password or ":" in settings.flower_user:
        raise SettingsError(
            "Flower takes no comma in STANDUP_FLOWER_USER and STANDUP_FLOWER_PASSWORD, and no colon in the user; "
            "choose others in .env."
        )
    # Derived, so that a restart ends nobody's session; from it the password cannot be told.
    cookies = hmac.new(password.encode(), b"flower's cookies", hashlib.sha256).hexdigest()
    return {
        "FLOWER_BASIC_AUTH": f"{settings.flower_user}:{password}",
        "FLOWER_COOKIE_SECRET": cookies,
        "FLOWER_UNAUTHENTICATED_API": "false",
    }


def check_port(program: str, port: int = FLOWER_PORT) -> None:
    """Raise ServiceMissing when the port of ``flower`` is taken: Flower itself would die of an exception."""
    if program != "flower":
        return
    with socket.socket() as probe:
        # As Flower does: connections of its last run that are still being closed are in nobody's way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((FLOWER_HOST, port))
        except OSError as cause:
            raise ServiceMissing(
                f"Port {port} on {FLOWER_HOST}, where Flower is to listen, cannot be had ({cause.strerror}); see who "
                f"has it with `ss -ltnp 'sport = :{port}'` and end that, or leave this Flower stopped with "
                "`supervisorctl -c supervisord.conf stop flower`."
            ) from cause


def folder(program: str, settings: Settings) -> Path | None:
    """Return the folder that *program* expects to find, None when it makes its own."""
    return settings.data_dir / program if program in ("redis", "flower") else None


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


def _flower(settings: Settings) -> Sequence[str]:
    """Flower for this machine alone, for looking only; who may look is in `environment`."""
    environment("flower", settings)
    return (
        *(sys.executable, "-m", "celery", "-A", "standup.celery", "flower"),
        *(f"--address={FLOWER_HOST}", f"--port={FLOWER_PORT}"),
        # Whoever may look may not shut workers down or run tasks.
        "--read_only=True",
        # Task names are the stages, the only argument is the meeting.
        "--tasks_columns=name,args,state,received,started,runtime,worker",
        # Tasks are there again after a restart: kept every minute, by default only at a clean end.
        *("--persistent=True", f"--db={settings.data_dir.absolute() / 'flower' / 'tasks'}"),
        *("--state_save_interval=60000", "--max_tasks=5000"),
        # A transcription takes minutes; Flower's own steps end at ten seconds.
        f"--task_runtime_metric_buckets={RUNTIME_BUCKETS_S}",
        # A worker that was restarted elsewhere leaves the list after ten minutes.
        "--purge_offline_workers=600",
    )


def _sentinel(_settings: Settings) -> Sequence[str]:
    return (sys.executable, "-m", "standup.supervision.sentinel")


def _bot(name: str) -> Callable[[Settings], Sequence[str]]:
    return lambda _settings: (sys.executable, "-m", "standup.bot", name)


PROGRAMS: Mapping[str, Callable[[Settings], Sequence[str]]] = {
    "redis": _redis,
    "recorder": _bot("recorder"),
    "monitor": _bot("monitor"),
    "worker-cpu": _worker("worker-cpu", CPU_QUEUES),
    "worker-gpu": _worker("worker-gpu", GPU_QUEUE),
    "beat": _beat,
    "flower": _flower,
    "sentinel": _sentinel,
}
