"""An archive on SQLite, and one on a real PostgreSQL server that the test run starts."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from standup.archive import Archive, Manifest
from standup.meeting import Gap, Meeting, Participant
from tests.empty_archives import migrated

POSTGRES_BIN = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
START = datetime(2026, 11, 23, 9, 58, tzinfo=timezone.utc)
MEETING = "20261123T095800Z-1f0c9a2b"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of a real PostgreSQL server of our own."""
    if not POSTGRES_BIN:
        pytest.skip("no PostgreSQL server is installed (apt-get install postgresql)")
    # Not below pytest's folder: whoever starts another pytest closes that to all but its owner.
    with tempfile.TemporaryDirectory(prefix="standup-postgres-") as name:
        yield from _serve(POSTGRES_BIN[-1], Path(name))


def _serve(binaries: Path, folder: Path) -> Iterator[str]:
    # PostgreSQL refuses to run as root; its package brings a user of its own.
    owner = _unprivileged()
    if owner:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    as_owner = {"user": owner.pw_uid, "group": owner.pw_gid} if owner else {}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    init = [binaries / "initdb", "-D", folder / "db", "-A", "trust", "-U", "standup", "--no-sync"]
    subprocess.run(init, check=True, capture_output=True, timeout=60, cwd=folder, **as_owner)  # type: ignore[call-overload]
    options = ["-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-k", str(folder)]
    told = folder / "told.log"
    with told.open("wb") as log:
        server = subprocess.Popen(
            [binaries / "postgres", "-D", folder / "db", *options],
            cwd=folder,
            stdout=log,
            stderr=log,
            **as_owner,
        )
    ready = [binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    try:
        for _ in range(1000):
            if server.poll() is not None or subprocess.run(ready, check=False, timeout=10).returncode == 0:
                break
        else:
            server.kill()
            server.wait(20)
        if server.poll() is not None:
            pytest.fail(f"the PostgreSQL server of the tests did not get ready: {told.read_text()}")
        yield f"postgresql://standup@127.0.0.1:{port}/postgres"
    finally:
        server.send_signal(signal.SIGQUIT)  # immediate shutdown; nothing where it has ended
        server.wait(20)


def _unprivileged() -> pwd.struct_passwd | None:
    if os.getuid() != 0:
        return None
    names = {one.pw_name: one for one in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    """An empty archive, once on each database."""
    if request.param == "sqlite":
        made = migrated(Archive(f"sqlite:///{tmp_path / 'standup.sqlite3'}", str(tmp_path)))
    else:
        made = Archive(request.getfixturevalue("postgres_url"), str(tmp_path))
        made.migrate()
    yield made
    if request.param == "postgresql":
        _empty(made)
    made.close()


def _empty(archive: Archive) -> None:
    with archive._engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")


def ended(minutes: float = 1, **changes: object) -> Manifest:
    """Return the manifest of a meeting that has ended, with two people."""
    meeting = Meeting(
        MEETING,
        "1",
        "2",
        "3",
        START,
        START + timedelta(minutes=minutes),
        gaps=(Gap(1_000, 3_000),),
        unsighted_people=2,
        **changes,  # type: ignore[arg-type]
    )
    return Manifest(meeting, (Participant("11", "Ana"), Participant("12", "Ben")), "777")


def running() -> Manifest:
    """Return the manifest of a meeting that goes on, with one person so far."""
    return Manifest(
        Meeting(MEETING, "1", "2", "3", START, voice_channel_name="daily"), (Participant("11", "Ana"),)
    )
