"""The programs and the commands they are."""

from __future__ import annotations

import socket
from configparser import RawConfigParser
from pathlib import Path

import pytest

from standup.errors import ServiceMissing, SettingsError
from standup.pipeline import QUEUES, Stage
from standup.settings import Settings, load
from standup.supervision.programs import (
    CPU_QUEUES,
    GPU_QUEUE,
    PROGRAMS,
    check_port,
    command,
    environment,
    folder,
)

PASSWORD = "a-password-for-flower"
CONFIG = Path(__file__).parents[2] / "supervisord.conf"


def sections() -> dict[str, dict[str, str]]:
    """Return the options of each program in the real configuration."""
    parser = RawConfigParser(inline_comment_prefixes=(";",))
    parser.read(CONFIG)
    kinds = ("program:", "eventlistener:")
    return {
        name.partition(":")[2]: dict(parser[name]) for name in parser.sections() if name.startswith(kinds)
    }


def test_supervisord_leaves_its_terminal() -> None:
    """In the foreground it would die with the terminal that it was started from."""
    parser = RawConfigParser(inline_comment_prefixes=(";",))
    parser.read(CONFIG)
    assert not parser["supervisord"].getboolean("nodaemon")


def settings(tmp_path: Path, broker_url: str = "redis://127.0.0.1:6379/0") -> Settings:
    return load(None, data_dir=tmp_path, broker_url=broker_url, flower_password=PASSWORD)


def test_a_taken_port_is_told_before_flower_starts() -> None:
    """The sentence names the port and the next step; a port that is free again is no obstacle."""
    with socket.socket() as taker:
        taker.bind(("127.0.0.1", 0))
        port = taker.getsockname()[1]
        taker.listen()
        with pytest.raises(
            ServiceMissing, match=rf"Port {port} .*Address already in use.* stop flower"
        ) as told:
            check_port("flower", port)
        assert 69 == told.value.exit_status
        check_port("beat", port)
    check_port("flower", port)


def test_every_queue_has_a_worker() -> None:
    """The two workers together consume every queue that a stage is routed to."""
    assert set(CPU_QUEUES.split(",")) | {GPU_QUEUE} == set(QUEUES.values())


def test_only_the_gpu_worker_transcribes() -> None:
    """Transcription is routed to the queue of the worker that owns the model."""
    assert QUEUES[Stage.TRANSCRIBE] == GPU_QUEUE


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_is_a_command(program: str, tmp_path: Path) -> None:
    """Each program of the table gives an argument vector."""
    assert all(isinstance(word, str) and word for word in command(program, settings(tmp_path)) if word != "")


@pytest.mark.parametrize(
    ("broker_url", "expected"),
    [
        pytest.param("redis://127.0.0.1:6400/0", ["--bind", "127.0.0.1", "--port", "6400"], id="a port"),
        pytest.param(
            "redis+socket:///run/s/redis.sock?virtual_host=0",
            ["--port", "0", "--unixsocket", "/run/s/redis.sock", "--unixsocketperm", "700"],
            id="a private socket",
        ),
    ],
)
def test_redis_listens_where_the_broker_is_expected(
    broker_url: str, expected: list[str], tmp_path: Path
) -> None:
    """redis-server is told to listen on this machine only, where the settings look for it."""
    argv = command("redis", settings(tmp_path, broker_url))
    assert argv[1 : 1 + len(expected)] == expected


@pytest.mark.parametrize("broker_url", ["redis://broker.example/0", "amqp://localhost//"])
def test_somebody_elses_broker_is_not_started(broker_url: str, tmp_path: Path) -> None:
    """A broker on another machine, or of another kind, is not ours to start."""
    with pytest.raises(SettingsError, match="not on this machine"):
        command("redis", settings(tmp_path, broker_url))


def test_an_unknown_program_lists_the_known(tmp_path: Path) -> None:
    """A misspelt program is answered with the table."""
    with pytest.raises(SettingsError, match="worker-gpu"):
        command("worker", settings(tmp_path))


def test_flower_is_for_this_machine_and_for_looking(tmp_path: Path) -> None:
    """Flower listens on 127.0.0.1, lets nobody act, and keeps what it has seen."""
    argv = command("flower", settings(tmp_path))
    assert {"--address=127.0.0.1", "--read_only=True", "--persistent=True"} <= set(argv)
    assert f"--db={tmp_path}/flower/tasks" in argv
    assert tmp_path / "flower" == folder("flower", settings(tmp_path))


def test_no_argument_of_flower_is_a_secret(tmp_path: Path) -> None:
    """User and password go by the environment; the cookie secret is another, and the same at every start."""
    variables = environment("flower", settings(tmp_path))
    assert f"standup:{PASSWORD}" == variables["FLOWER_BASIC_AUTH"]
    assert PASSWORD not in " ".join(command("flower", settings(tmp_path)))
    assert PASSWORD not in variables["FLOWER_COOKIE_SECRET"]
    assert variables == environment("flower", settings(tmp_path))


@pytest.mark.parametrize("program", [one for one in PROGRAMS if one != "flower"])
def test_only_flower_gets_flowers_secrets(program: str, tmp_path: Path) -> None:
    """No other program is given a variable."""
    assert {} == environment(program, settings(tmp_path))


@pytest.mark.parametrize(
    ("user", "password", "told"),
    [
        pytest.param("standup", "", "does not start without a password", id="no password"),
        pytest.param("standup", "one,two", "no comma", id="a comma would make two"),
        pytest.param("a:b", "password", "no colon", id="a colon would end the user"),
    ],
)
def test_flower_is_never_open(user: str, password: str, told: str, tmp_path: Path) -> None:
    """Without a usable password there is no command for Flower, and the error does not quote it."""
    wanted = load(None, data_dir=tmp_path, flower_user=user, flower_password=password)
    with pytest.raises(SettingsError, match=told) as refused:
        command("flower", wanted)
    assert not password or password not in str(refused.value)


def test_supervisord_runs_every_program() -> None:
    """The configuration and the table name the same programs."""
    assert set(sections()) == set(PROGRAMS)


@pytest.mark.parametrize("program", PROGRAMS)
def test_only_the_launcher_is_asked_and_all_are_killed(program: str) -> None:
    """A stop never reaches a pool child by itself, and a program that does not stop never outlives its launcher."""
    options = sections()[program]
    assert options.get("stopasgroup", "false") == "false"
    assert options["killasgroup"] == "true"
