"""The shell scripts at the root: what they install, refuse, report and leave alone.

The scripts run for real in a copy of the checkout; the programs that they call (Python, apt, the gates) are small
recording stand-ins on PATH, except in the integration tests.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]
SCRIPTS = ("setup.sh", "build.sh", "test.sh", ".ci/run")
WITH_HELP = SCRIPTS[:3]

# Passes for the Python that setup.sh looks for: makes a .venv of itself and records what pip is asked.
FAKE_PYTHON = """#!/bin/sh
case "$1 $2" in
"-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && : >"$3/pyvenv.cfg" ;;
"-m pip")
    shift 3
    echo "$*" | sed 's/.*pip.log //' >>calls
    [ -z "$PIP_SAYS" ] || { echo "$PIP_SAYS" >.venv/pip.log; exit 1; }
    printf '#!/bin/sh\\necho "standup $*"\\n' >.venv/bin/standup
    chmod +x .venv/bin/standup ;;
*) echo "Python 3.12.0" ;;
esac
"""
OLD_PYTHON = """#!/bin/sh
[ "$1" = --version ] && echo "Python 3.9.2"
exit 1
"""
RECORDER = '#!/bin/sh\necho "${0##*/} $*" >>calls\n'


def write_program(path: Path, text: str) -> Path:
    """Write an executable file and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def run_script(directory: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script of *directory* with its fake programs first on PATH, no terminal and no coverage of its own."""
    clean = {
        k: v for k, v in os.environ.items() if not k.startswith(("COV", "PYTEST", "PYTHON", "PIP_", "SUDO_"))
    }
    clean["PATH"] = f"{directory / 'fakes'}{os.pathsep}{clean['PATH']}"
    return subprocess.run(
        ["bash", *arguments],
        cwd=directory,
        env={**clean, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def calls(checkout: Path) -> list[str]:
    """What the fake programs were asked to do since the last call, in order."""
    path = checkout / "calls"
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return lines


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Copy the scripts into an empty checkout where every Debian package is installed and Python is a fake."""
    for name in (*SCRIPTS, "requirements.txt", "constraints.txt", "pyproject.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy2(ROOT / name, tmp_path / name)
    write_program(tmp_path / "fakes/python3", FAKE_PYTHON)
    write_program(tmp_path / "fakes/dpkg-query", "#!/bin/sh\nprintf installed\n")
    write_program(tmp_path / "fakes/apt-get", RECORDER)
    write_program(tmp_path / "fakes/sudo", '#!/bin/sh\nexec "$@"\n')
    return tmp_path


@pytest.mark.parametrize("script", SCRIPTS)
def test_script_parses(script: str) -> None:
    """Every script is valid bash and may be run."""
    checked = subprocess.run(["bash", "-n", ROOT / script], capture_output=True, text=True, check=False)
    assert (0, "", True) == (checked.returncode, checked.stderr, os.access(ROOT / script, os.X_OK))


@pytest.mark.parametrize("script", SCRIPTS)
def test_script_is_lint_free(script: str) -> None:
    """Shellcheck finds nothing in any script."""
    shellcheck = shutil.which(
        "shellcheck", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )
    if shellcheck is None:
        pytest.skip("shellcheck is not installed; ./setup.sh brings it where a build for this machine exists")
    checked = subprocess.run([shellcheck, ROOT / script], capture_output=True, text=True, check=False)
    assert "" == checked.stdout + checked.stderr


@pytest.mark.parametrize("script", WITH_HELP)
def test_help_documents_exit_statuses(script: str, checkout: Path) -> None:
    """--help prints usage with the exit statuses, and does nothing else."""
    done = run_script(checkout, script, "--help")
    assert (0, "", []) == (done.returncode, done.stderr, calls(checkout))
    assert f"Usage: ./{script}" in done.stdout
    assert "Exit status: 0" in done.stdout


@pytest.mark.parametrize("script", WITH_HELP)
def test_unknown_argument_is_refused(script: str, checkout: Path) -> None:
    """An argument that no script knows ends with status 2 and names --help."""
    done = run_script(checkout, script, "--frobnicate")
    assert (2, f"{script}: unknown argument --frobnicate; see ./{script} --help.\n") == (
        done.returncode,
        done.stderr,
    )


def test_setup_installs_in_order(checkout: Path) -> None:
    """A first run upgrades pip, installs the pinned requirements, then the standup command."""
    done = run_script(checkout, "setup.sh")
    assert (0, "") == (done.returncode, done.stderr)
    assert ["--upgrade pip", "-r requirements.txt -c constraints.txt", "--no-deps -e ."] == calls(checkout)
    assert "Ready: .venv/bin/standup" in done.stdout


def test_second_setup_leaves_pip_alone(checkout: Path) -> None:
    """A second run asks neither apt nor pip for anything."""
    run_script(checkout, "setup.sh")
    calls(checkout)
    done = run_script(checkout, "setup.sh")
    assert (0, []) == (done.returncode, calls(checkout))


@pytest.mark.parametrize("changed", ["requirements.txt", "constraints.txt", "pyproject.toml"])
def test_changed_requirements_are_installed(changed: str, checkout: Path) -> None:
    """A change to what the packages were installed from installs them again."""
    run_script(checkout, "setup.sh")
    calls(checkout)
    with (checkout / changed).open("a") as file:
        file.write("# changed\n")
    run_script(checkout, "setup.sh")
    assert "-r requirements.txt -c constraints.txt" in calls(checkout)


def test_moved_checkout_gets_a_new_environment(checkout: Path) -> None:
    """A .venv that was made elsewhere, whose scripts point there, is made anew."""
    run_script(checkout, "setup.sh")
    (checkout / ".venv/old").touch()
    moved = checkout / "moved"
    moved.mkdir()
    for name in (".venv", "setup.sh", "requirements.txt", "constraints.txt", "pyproject.toml", "fakes"):
        shutil.move(checkout / name, moved / name)
    done = run_script(moved, "setup.sh")
    assert (0, False) == (done.returncode, (moved / ".venv/old").exists())


def test_demo_follows_setup(checkout: Path) -> None:
    """--demo ends by running the demo of the installed command."""
    done = run_script(checkout, "setup.sh", "--demo")
    assert "standup demo" == done.stdout.splitlines()[-1]


def test_missing_packages_are_installed_by_apt(checkout: Path) -> None:
    """Missing Debian packages lead to apt update and one apt install."""
    write_program(checkout / "fakes/dpkg-query", "#!/bin/sh\nexit 1\n")
    done = run_script(checkout, "setup.sh")
    asked = [re.sub(r"-o \S+ |-q ", "", call) for call in calls(checkout) if call.startswith("apt-get")]
    assert (0, "apt-get update") == (done.returncode, asked[0])
    assert re.fullmatch(r"apt-get install -y --no-install-recommends python3-venv .*redis-server.*", asked[1])


def test_no_apt_leaves_packages_alone(checkout: Path) -> None:
    """--no-apt never asks apt, whatever is missing."""
    write_program(checkout / "fakes/dpkg-query", "#!/bin/sh\nexit 1\n")
    done = run_script(checkout, "setup.sh", "--no-apt")
    assert (0, []) == (done.returncode, [call for call in calls(checkout) if call.startswith("apt-get")])


def test_old_python_is_refused(checkout: Path) -> None:
    """A Python before 3.10 is refused with the version found and the next step, and no .venv is made."""
    write_program(checkout / "fakes/python3", OLD_PYTHON)
    done = run_script(checkout, "setup.sh")
    assert (78, False) == (done.returncode, (checkout / ".venv").exists())
    assert "python3 is Python 3.9.2, StandupBot needs Python 3.10 or newer" in done.stderr
    assert "--python PATH" in done.stderr


def test_missing_python_is_refused(checkout: Path) -> None:
    """A Python that is not there is refused by name."""
    done = run_script(checkout, "setup.sh", "--python", "/nowhere/python")
    assert 78 == done.returncode
    assert done.stderr.startswith("setup.sh: no Python at /nowhere/python; install")


def test_system_without_apt_is_refused(checkout: Path) -> None:
    """A system without apt is told what to install by hand and how to go on."""
    only = checkout / "only"
    only.mkdir()
    for tool in ("bash", "cat", "dirname", "mktemp", "rm", "stat", "env", "getent", "cut"):
        (only / tool).symlink_to(shutil.which(tool) or "/missing")
    done = run_script(checkout, "setup.sh", PATH=str(only))
    assert 78 == done.returncode
    assert re.fullmatch(r"setup.sh: this system has no apt; .* run ./setup.sh --no-apt\.\n", done.stderr)


@pytest.mark.parametrize(
    ("says", "status", "sentence"),
    [
        pytest.param("NewConnectionError: x", 69, "pip could not reach its package index", id="no network"),
        pytest.param("ResolutionImpossible", 1, '"pip install --upgrade pip" failed', id="anything else"),
    ],
)
def test_pip_failure_is_one_sentence(says: str, status: int, sentence: str, checkout: Path) -> None:
    """A failing pip ends setup with the cause, the next step, and another try next time."""
    done = run_script(checkout, "setup.sh", PIP_SAYS=says)
    assert (status, 1, False) == (
        done.returncode,
        done.stderr.count("setup.sh: "),
        (checkout / ".venv/.standup-ready").exists(),
    )
    assert sentence in done.stderr


def test_apt_without_network_is_one_sentence(checkout: Path) -> None:
    """An apt that reaches nothing ends setup with status 69 and the next step."""
    write_program(checkout / "fakes/dpkg-query", "#!/bin/sh\nexit 1\n")
    write_program(checkout / "fakes/apt-get", "#!/bin/sh\necho 'E: Temporary failure resolving'\nexit 100\n")
    done = run_script(checkout, "setup.sh")
    assert 69 == done.returncode
    assert "setup.sh: apt could not reach its package sources; check the network" in done.stderr


def test_unforeseen_failure_names_step_and_line(checkout: Path) -> None:
    """A command that fails unforeseen ends setup with the step, the line and the status on stderr."""
    write_program(checkout / "fakes/sha256sum", "#!/bin/sh\nexit 7\n")
    done = run_script(checkout, "setup.sh")
    assert 1 == done.returncode
    assert re.search(
        r'^setup.sh: the step ".+" failed in line \d+ with status 7; .+\.$', done.stderr, re.MULTILINE
    )


def test_continuous_integration_runs_the_three_scripts(checkout: Path) -> None:
    """.ci/run calls setup, build and test in this order and nothing else, and stops at the first failure.

    The unit tests run once: build leaves them to test.
    """
    for name in WITH_HELP:
        write_program(checkout / name, RECORDER)
    assert 0 == run_script(checkout, ".ci/run").returncode
    assert ["setup.sh", "build.sh --fast", "test.sh"] == [call.strip() for call in calls(checkout)]
    write_program(checkout / "build.sh", RECORDER + "exit 1\n")
    assert 1 == run_script(checkout, ".ci/run").returncode
    assert ["setup.sh", "build.sh --fast"] == [call.strip() for call in calls(checkout)]


@pytest.mark.parametrize(("lint_status", "status"), [(0, 0), (1, 1)], ids=["all pass", "lint fails"])
def test_build_runs_every_gate(lint_status: int, status: int, checkout: Path) -> None:
    """Every gate runs and has its line in the table, also after one has failed."""
    for name in ("standup", "python", "mypy", "lint-imports", "interrogate"):
        write_program(checkout / ".venv/bin" / name, RECORDER)
    write_program(checkout / ".venv/bin/ruff", f'{RECORDER}[ "$1" = format ] || exit {lint_status}\n')
    done = run_script(checkout, "build.sh")
    table = done.stdout.split("gate ")[-1]
    gates = [
        "pip check",
        "byte-compilation",
        "lint",
        "format",
        "types",
        "import contracts",
        "docstrings",
        "unit tests",
    ]
    assert (status, gates) == (
        done.returncode,
        re.findall(r"^([a-z -]+?) {2,}(?:passed|FAILED)", table, re.MULTILINE),
    )
    assert (lint_status == 1) == bool(re.search(r"^lint +FAILED \(1\)", table, re.MULTILINE))


def pins(python: str) -> dict[str, list[str]]:
    """What constraints.txt pins for one Python version, by lower-case name."""
    environment = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    found: dict[str, list[str]] = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            pin = Requirement(line)
            if pin.marker is None or pin.marker.evaluate(environment):
                found.setdefault(pin.name.lower().replace("_", "-"), []).append(str(pin.specifier))
    return found


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13"])
def test_each_requirement_has_one_pin(python: str) -> None:
    """On every supported Python each requirement is pinned exactly once, at a version that it allows."""
    pinned = pins(python)
    assert [] == [name for name, versions in pinned.items() if len(versions) != 1]
    lines = [
        re.sub(r"#.*", "", line).strip() for line in (ROOT / "requirements.txt").read_text().splitlines()
    ]
    wanted = [Requirement(line) for line in lines if line]
    assert len(wanted) > 30
    for requirement in wanted:
        if requirement.marker is None or requirement.marker.evaluate({"python_version": python}):
            version = pinned[requirement.name.lower().replace("_", "-")][0].removeprefix("==")
            assert requirement.specifier.contains(version, prereleases=True), requirement


def test_discord_is_pinned_exactly() -> None:
    """discord.py is the one requirement with an exact version, because capture reads its internals."""
    exact = re.findall(r"^([\w.-]+)\S*==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert [("discord.py", "2.7.1")] == exact
    assert SpecifierSet("==2.13.0") == SpecifierSet(pins("3.11")["torch"][0])


@pytest.mark.integration
@pytest.mark.alone
def test_setup_run_again_is_quick_and_changes_nothing() -> None:
    """Setup in an installed checkout takes seconds and touches no file of .venv."""
    venv = ROOT / ".venv"
    if not (venv / ".standup-ready").exists():
        pytest.skip("this checkout was not installed by ./setup.sh")
    watched = [
        venv / ".standup-ready",
        venv / "pyvenv.cfg",
        venv / "bin",
        *venv.glob("lib/python*/site-packages"),
    ]
    before = [path.stat().st_mtime_ns for path in watched]
    begin_s = time.monotonic()
    done = run_script(ROOT, "setup.sh", "--no-apt")
    assert (0, "") == (done.returncode, done.stderr)
    assert before == [path.stat().st_mtime_ns for path in watched]
    assert time.monotonic() - begin_s < 10


COVERAGE_PROJECT = """
[tool.pytest.ini_options]
markers = ["integration: slow", "alone: afterwards"]
[tool.coverage.run]
source = ["standup"]
branch = true
parallel = true
"""
COVERED_TEST = """
import os, pytest, standup
def test_unit():
    assert standup.double(2) == 4 and "STANDUP_LANGUAGE" not in os.environ
@pytest.mark.integration
def test_integration():
    with open(".coverage.integration.torn", "wb") as file:  # as left by a process that is killed while it writes
        file.write(b"torn")
@pytest.mark.integration
@pytest.mark.alone
def test_alone():
    assert standup.double(3) == 6 and "PYTEST_XDIST_WORKER" not in os.environ
"""


@pytest.mark.integration
@pytest.mark.parametrize(
    ("untested", "status"),
    [
        pytest.param("", 0, id="covered"),
        pytest.param("def untested(x):\n" + "    x = x\n" * 50, 1, id="below the floor"),
    ],
)
def test_coverage_floors_are_enforced(untested: str, status: int, checkout: Path) -> None:
    """test.sh fails below its floors and for what fell, for no torn data; it shows htmlcov and pytest's summaries."""
    write_program(checkout / "setup.sh", "#!/bin/sh\n")
    (checkout / ".venv").symlink_to(Path(sys.prefix), target_is_directory=True)
    (checkout / "pyproject.toml").write_text(COVERAGE_PROJECT)
    (checkout / "standup").mkdir()
    (checkout / "standup/__init__.py").write_text("def double(x):\n    return x * 2\n" + untested)
    (checkout / "tests/documents").mkdir(parents=True)
    (checkout / "tests/test_it.py").write_text(COVERED_TEST)
    shutil.copy2(ROOT / "tests/documents/coverage.py", checkout / "tests/documents")
    (checkout / "docs").mkdir()
    (checkout / "docs/coverage.json").write_text(
        '{"percent": {"standup": {"unit": 100, "integration": 100}}}'
    )
    outside = {"STANDUP_LANGUAGE": "de", "PYTHONPATH": str(checkout)}
    # One worker shows what more would, and starts sooner.
    done = run_script(checkout, "test.sh", **outside, PYTEST_XDIST_AUTO_NUM_WORKERS="1")
    assert status == done.returncode, done.stdout + done.stderr
    assert status * 2 == done.stderr.count("coverage is below its floor")
    assert status * 2 == done.stderr.count("% of standup, and 100.0 % when it was last kept")
    closing = done.stdout.splitlines()[-3:]
    assert all(re.search(r"1 passed.* in [\d.]+s", line) for line in closing), closing
    assert (checkout / "htmlcov/index.html").exists()
