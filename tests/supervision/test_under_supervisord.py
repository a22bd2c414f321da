"""Real deaths under the real supervisord: the code, what is done, the count, and the alert in Discord.

The kernel's out-of-memory killer cannot be called up without a memory cgroup of our own. What stands for it is
`kill -9`, which a process cannot tell from it, and a real limit of memory (RLIMIT_AS), under which Python raises
MemoryError.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from standup.failures import Recovery

from .conftest import System

pytestmark = pytest.mark.integration

SEGFAULT = "import ctypes; ctypes.string_at(0)"
ABORT = "import os; os.abort()"
SLEEP = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{SLEEP}"
UNCAUGHT = "words = ' '.join(('we', 'fired', 'Ben')); raise ValueError(words)"
HUNGRY = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (400 * 2**20, 400 * 2**20))
held = [bytearray(2**20) for _ in range(4096)]
"""


def measures(system: System) -> dict[tuple[str, Recovery], int]:
    return {(one.program, one.recovery): one.level for one in system.archive.failures.measures()}


async def test_a_segfault_restarts_and_is_told_at_the_third(system: System) -> None:
    """139 is recorded at each death, counted in the archive, and told once, with the third."""
    system.start(worker_gpu=SEGFAULT)
    await system.until(lambda: len(system.ends("worker-gpu")) >= 4, "four deaths, so three restarts")
    await system.until(
        lambda: len(system.archive.failures.times_ms("worker-gpu", 139)) >= 4, "four in the archive"
    )
    await system.until(lambda: bool(system.alerts()), "the alert")
    await system.until(
        lambda: sum("code 139" in line for line in system.errors()) >= 4, "a line for each death"
    )

    assert {one.code for one in system.ends("worker-gpu")} == {139}
    (alert,) = system.alerts()
    assert "worker-gpu died with code 139 (SIGSEGV" in alert
    assert "3 times in the last hour" in alert
    assert measures(system) == {}
    assert "Fatal Python error: Segmentation fault" in (system.folder / "worker-gpu.out").read_text()


async def test_an_abort_is_its_own_code(system: System) -> None:
    """134 is what SIGABRT leaves."""
    system.start(worker_cpu=ABORT)
    await system.until(lambda: bool(system.archive.failures.times_ms("worker-cpu", 134)), "the death")
    await system.until(lambda: any("code 134 (SIGABRT" in line for line in system.errors()), "the line")


@pytest.mark.parametrize("target", ["program", "launcher"])
async def test_kill_9_lowers_the_profile_and_is_told_at_the_second(system: System, target: str) -> None:
    """137 takes the memory profile one rung down at each death, whichever of the two processes was killed."""
    system.start(worker_gpu=SLEEP)
    for deaths in (1, 2):
        await has_come_up(system, "worker-gpu", deaths)
        launcher = await system.pid("worker-gpu")
        os.kill(launcher if target == "launcher" else child_of(launcher), signal.SIGKILL)
        await is_at_level(system, deaths)
    await system.until(lambda: bool(system.alerts()), "the alert")

    assert [one.code for one in system.ends("worker-gpu")] == [137, 137]
    (alert,) = system.alerts()
    assert "code 137 (SIGKILL" in alert
    assert "2 times in the last hour. It goes on with memory profile 2." in alert


async def test_a_memory_limit_counts_as_killed(system: System) -> None:
    """A program that reaches its limit of memory ends with 137 too, and needs less at the next start."""
    system.start(worker_gpu=HUNGRY)
    await system.until(
        lambda: measures(system).get(("worker-gpu", Recovery.SMALLER_PROFILE), 0) > 0, "a rung down"
    )
    assert system.ends("worker-gpu")[0].code == 137
    assert any("MemoryError" in line for line in system.errors())


async def test_an_uncaught_exception_is_told_at_once_and_debugged(system: System) -> None:
    """255 is told immediately and once; the next start is in debug mode; nothing quotes what was said."""
    system.start(recorder=UNCAUGHT)
    await system.until(lambda: bool(system.alerts()), "the alert")
    out = system.folder / "recorder.out"
    await system.until(
        lambda: "recorder runs in debug mode" in out.read_text(), "the next start is in debug mode"
    )
    await system.until(lambda: len(system.ends("recorder")) >= 2, "it died again")

    assert {one.code for one in system.ends("recorder")} == {255}
    assert system.archive.failures.measures()[0].recovery is Recovery.DEBUG
    (alert,) = system.alerts()
    assert "recorder died with code 255" in alert
    log = "\n".join(system.errors())
    assert 'program_recorder.py", line 1' in log
    assert "ValueError" in log
    assert "we fired Ben" not in log + alert + out.read_text()


async def test_the_sentinel_answers_a_death(system: System) -> None:
    """A death is followed by the measure and the line in the log without anybody asking."""
    system.start(worker_gpu=SLEEP)
    await has_come_up(system, "worker-gpu", 1)
    launcher = await system.pid("worker-gpu")
    os.kill(child_of(launcher), signal.SIGKILL)
    await system.until(lambda: bool(measures(system)) and bool(system.errors()), "the answer")
    assert "code 137" in system.errors()[0]


async def test_the_count_survives_a_restart_of_the_sentinel(system: System) -> None:
    """A sentinel that is killed comes back, answers what happened meanwhile, and goes on counting."""
    system.start(worker_gpu=SLEEP)
    await has_come_up(system, "worker-gpu", 1)
    os.kill(child_of(await system.pid("worker-gpu")), signal.SIGKILL)
    await is_at_level(system, 1)

    await has_come_up(system, "worker-gpu", 2)
    os.kill(child_of(await system.pid("sentinel")), signal.SIGKILL)
    os.kill(child_of(await system.pid("worker-gpu")), signal.SIGKILL)
    await is_at_level(system, 2)
    await system.until(lambda: any("worker-gpu died" in one for one in system.alerts()), "the alert")
    assert sum("worker-gpu died" in one for one in system.alerts()) == 1


async def test_a_wish_to_stop_is_no_failure(system: System) -> None:
    """What supervisord stops leaves its record and nothing else."""
    system.start(monitor=SLEEP)
    await has_come_up(system, "monitor", 1)
    system.stop()
    assert [one.code for one in system.ends("monitor")] == [143]
    assert system.archive.failures.unanswered() == ()
    assert [line for line in system.errors() if "died" in line] == []


async def test_a_program_that_does_not_stop_dies_with_its_launcher(system: System) -> None:
    """Killing the group, as the real configuration says, leaves no second one beside the next start."""
    system.start(monitor=STUBBORN)
    await has_come_up(system, "monitor", 1)
    stubborn = child_of(await system.pid("monitor"))

    await system.control("restart", "monitor")

    assert not is_alive(stubborn)
    await has_come_up(system, "monitor", 2)


def is_alive(pid: int) -> bool:
    """Return whether a process is there, and no zombie that nobody has asked for."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def child_of(pid: int) -> int:
    """Return the one child of a process."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        (child,) = map(int, file.read().split())
    return child


async def has_come_up(system: System, program: str, times: int) -> None:
    """Wait until a program has started so many times."""
    out = system.folder / f"{program}.out"
    await system.until(
        lambda: out.exists() and out.read_text().count("up\n") == times, "the program has started"
    )


async def is_at_level(system: System, level: int) -> None:
    """Wait until the memory profile is so many rungs down, and nothing else is changed."""
    expected = {("worker-gpu", Recovery.SMALLER_PROFILE): level}
    await system.until(lambda: measures(system) == expected, f"memory profile {level}")
