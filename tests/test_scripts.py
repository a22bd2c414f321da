"""The shell scripts at the root: what they install, refuse, report and leave alone.

The scripts run for real in a copy of the checkout; the programs that they call (Python, apt, the gates) are small
recording stand-ins on PATH, except in the integration tests.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]
STAGES = ("setup.sh", "build.sh", "test.sh")
WITH_HELP = (*STAGES, ".ci/run")
SCRIPTS = (*WITH_HELP, ".ci/packages", ".ci/tool", ".ci/branch-name", ".ci/commit-msg")

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
# Passes for timeout: records the limit and the command, and stops what it is told to stop.
FAKE_TIMEOUT = """#!/bin/sh
shift
echo "$*" >>calls
limit_s=$1
shift
case " $* " in *" $STOPPED "*) exit 124 ;; esac
exec "$@"
"""
FAKE_NPM = RECORDER + "mkdir -p tests/documents/node_modules\n"
# What setup.sh itself needs of a system, and apt's fakes.
SYSTEM = ("bash", "cat", "dirname", "mktemp", "rm", "stat", "env", "getent", "cut")
SETUP_TOOLS = (
    *SYSTEM,
    "chmod",
    "cp",
    "git",
    "grep",
    "head",
    "mkdir",
    "sed",
    "sh",
    "sha256sum",
    "tail",
    "tee",
    "timeout",
)


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


def only(checkout: Path, *tools: str) -> str:
    """Return a folder for PATH that has these programs of this machine and no others."""
    folder = checkout / "only"
    folder.mkdir()
    for tool in tools:
        (folder / tool).symlink_to(shutil.which(tool) or "/missing")
    return str(folder)


def asked_of_apt(checkout: Path) -> list[str]:
    """What apt was asked since the last call, without the options that are always there."""
    return [re.sub(r"-o \S+ |-q ", "", call) for call in calls(checkout) if call.startswith("apt-get")]


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
    assert f"Usage: {as_called(script)}" in done.stdout
    assert "Exit status: 0" in done.stdout


@pytest.mark.parametrize("script", WITH_HELP)
def test_unknown_argument_is_refused(script: str, checkout: Path) -> None:
    """An argument that no script knows ends with status 2 and names --help."""
    done = run_script(checkout, script, "--frobnicate")
    assert (2, f"{script}: unknown argument --frobnicate; see {as_called(script)} --help.\n") == (
        done.returncode,
        done.stderr,
    )


def as_called(script: str) -> str:
    """How a script is called in the root of the checkout."""
    return script if "/" in script else f"./{script}"


@pytest.mark.parametrize("script", [*WITH_HELP, "deploy.sh"])
def test_help_and_script_know_the_same_options(script: str) -> None:
    """The options in a script's help are those that it takes."""
    text = (ROOT / script).read_text()
    taken = set(re.findall(r"^ +(?:-h \| )?(--[a-z-]+)\)", text, re.MULTILINE))
    told = set(re.findall(r"^  (--[a-z-]+)", text[: text.index("\nEOF")], re.MULTILINE))
    if script == "test.sh":  # its help is about words; --help stands in its first line
        told |= set(re.findall(r"\[(--[a-z-]+)\]", text))
    assert taken == told != set()


def test_setup_installs_in_order(checkout: Path) -> None:
    """A first run upgrades pip, installs the pinned requirements, then the standup command."""
    done = run_script(checkout, "setup.sh")
    assert (0, "") == (done.returncode, done.stderr)
    assert ["--upgrade pip", "-r requirements.txt -c constraints.txt", "--no-deps -e ."] == calls(checkout)
    assert "Ready: .venv/bin/standup" in done.stdout


@pytest.mark.parametrize("arguments", [(), ("--dev",)], ids=["plain", "dev"])
@pytest.mark.parametrize("status", ["0", "1"], ids=["all installed", "all missing"])
def test_every_step_is_named_once(status: str, arguments: tuple[str, ...], checkout: Path) -> None:
    """Setup names each of its steps once, in order, whether it is done or skipped."""
    write_program(checkout / "fakes/dpkg-query", f"#!/bin/sh\nprintf installed\nexit {status}\n")
    for _ in range(2):
        lines = run_script(checkout, "setup.sh", *arguments).stdout
        named = re.findall(r"^\[(\d)(?:-(\d))?/(\d)\] ", lines, re.MULTILINE)
        steps = [step for first, last, _ in named for step in range(int(first), int(last or first) + 1)]
        assert list(range(1, 9 if arguments else 8)) == steps
        assert {str(len(steps))} == {total for _, _, total in named}


def test_setup_closes_the_log_folder(checkout: Path) -> None:
    """Whatever mode supervisord gives its files, nobody else may look into their folder."""
    (checkout / "logs").mkdir(mode=0o755)
    assert 0 == run_script(checkout, "setup.sh").returncode
    assert 0o700 == stat.S_IMODE((checkout / "logs").stat().st_mode)


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
    asked = asked_of_apt(checkout)
    assert (0, "apt-get update") == (done.returncode, asked[0])
    assert re.fullmatch(r"apt-get install -y --no-install-recommends python3-venv .*redis-server.*", asked[1])


def test_no_apt_leaves_packages_alone(checkout: Path) -> None:
    """--no-apt never asks apt, whatever is missing."""
    write_program(checkout / "fakes/dpkg-query", "#!/bin/sh\nexit 1\n")
    done = run_script(checkout, "setup.sh", "--no-apt")
    assert (0, []) == (done.returncode, asked_of_apt(checkout))


DPKG_WITHOUT_THEM = "#!/bin/sh\ncase $* in *chromium* | *npm*) exit 1 ;; *) printf installed ;; esac\n"


@pytest.mark.parametrize(
    ("arguments", "here", "installed"),
    [
        pytest.param(("--dev",), (), "chromium npm", id="none"),
        pytest.param(("--dev",), ("npm",), "chromium", id="npm"),
        pytest.param(("--dev",), ("google-chrome",), "npm", id="another browser"),
        pytest.param(("--dev",), ("chromium", "npm"), "", id="both"),
        pytest.param((), (), "", id="operator"),
    ],
)
def test_developing_needs_browser_and_npm(
    arguments: tuple[str, ...], here: tuple[str, ...], installed: str, checkout: Path
) -> None:
    """--dev installs Chromium and npm where no such program is there; without it neither is asked for."""
    write_program(checkout / "fakes/dpkg-query", DPKG_WITHOUT_THEM)
    write_program(checkout / "fakes/apt-cache", "#!/bin/sh\n")
    path = f"{checkout / 'fakes'}{os.pathsep}{only(checkout, *SETUP_TOOLS)}"
    for name in here:
        write_program(checkout / "fakes" / name, "#!/bin/sh\n")
    done = run_script(checkout, "setup.sh", *arguments, PATH=path)
    wanted = (
        ["apt-get update", f"apt-get install -y --no-install-recommends {installed}"] if installed else []
    )
    assert (0, wanted) == (done.returncode, asked_of_apt(checkout))


def test_system_without_a_chromium_package_goes_on(checkout: Path) -> None:
    """Where apt knows no chromium, --dev says so and installs the rest."""
    write_program(checkout / "fakes/dpkg-query", DPKG_WITHOUT_THEM)
    write_program(checkout / "fakes/apt-cache", "#!/bin/sh\nexit 100\n")
    path = f"{checkout / 'fakes'}{os.pathsep}{only(checkout, *SETUP_TOOLS)}"
    done = run_script(checkout, "setup.sh", "--dev", PATH=path)
    assert (0, "apt-get install -y --no-install-recommends npm") == (
        done.returncode,
        asked_of_apt(checkout)[-1],
    )
    assert "apt has no chromium here" in done.stdout


@pytest.fixture
def lock(checkout: Path) -> Path:
    """Put a lock of web packages into the checkout, and an npm that records what it is asked."""
    write_program(checkout / "fakes/npm", FAKE_NPM)
    path = checkout / "tests/documents/package-lock.json"
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    return path


def asked_of_npm(checkout: Path, *arguments: str) -> list[str]:
    """What npm is asked by one run of setup."""
    run_script(checkout, "setup.sh", *arguments)
    return [call for call in calls(checkout) if call.startswith("npm")]


NPM_CI = "npm ci --prefix tests/documents --ignore-scripts --no-audit --no-fund"


def test_web_packages_are_those_of_the_lock(checkout: Path, lock: Path) -> None:
    """--dev installs what the lock names, runs no script of a package, and does so again only for another lock."""
    assert [NPM_CI] == asked_of_npm(checkout, "--dev")
    assert [] == asked_of_npm(checkout, "--dev")
    lock.write_text('{"name": "another"}')
    assert [NPM_CI] == asked_of_npm(checkout, "--dev")


def test_operators_get_no_web_packages(checkout: Path, lock: Path) -> None:
    """Without --dev npm is asked for nothing."""
    assert (True, []) == (lock.exists(), asked_of_npm(checkout))


@pytest.mark.parametrize(
    ("says", "status", "sentence"),
    [
        pytest.param("npm error code ENOTFOUND", 69, "npm could not reach its registry", id="no network"),
        pytest.param("npm error code EUSAGE", 1, "npm could not install what", id="anything else"),
    ],
)
def test_npm_failure_is_one_sentence(
    says: str, status: int, sentence: str, checkout: Path, lock: Path
) -> None:
    """A failing npm ends setup with the cause, and another try next time."""
    write_program(checkout / "fakes/npm", f"#!/bin/sh\necho '{says}'\nexit 1\n")
    done = run_script(checkout, "setup.sh", "--dev")
    assert (status, 1) == (done.returncode, done.stderr.count("setup.sh: "))
    assert sentence in done.stderr
    write_program(checkout / "fakes/npm", FAKE_NPM)
    assert [NPM_CI] == asked_of_npm(checkout, "--dev")


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
    done = run_script(checkout, "setup.sh", PATH=only(checkout, *SYSTEM))
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


@pytest.mark.parametrize(
    ("failing", "results", "called"),
    [
        pytest.param("", ["passed"] * 3, ["setup.sh --dev", "build.sh --fast", "test.sh"], id="none"),
        pytest.param("setup.sh", ["FAILED (7)", "not run", "not run"], ["setup.sh --dev"], id="setup"),
        pytest.param(
            "build.sh", ["passed", "FAILED (7)", "not run"], ["setup.sh --dev", "build.sh --fast"], id="build"
        ),
        pytest.param(
            "test.sh",
            ["passed", "passed", "FAILED (7)"],
            ["setup.sh --dev", "build.sh --fast", "test.sh"],
            id="test",
        ),
    ],
)
def test_continuous_integration_runs_the_three_scripts(
    failing: str, results: list[str], called: list[str], checkout: Path
) -> None:
    """.ci/run calls setup, build and test in this order, stops at the first failure, and says so in its table.

    Its status is that of the stage that failed. The unit tests run once: build leaves them to test.
    """
    for name in STAGES:
        write_program(checkout / name, RECORDER + ("exit 7\n" if name == failing else ""))
    done = run_script(checkout, ".ci/run")
    table = re.findall(r"^\./\S+.*? {2,}(\S.*?) {2,}\d+ s +\d+ s$", done.stdout, re.MULTILINE)
    assert (7 if failing else 0, results) == (done.returncode, table)
    assert called == [call.strip() for call in calls(checkout)]


def test_stage_that_takes_too_long_fails(checkout: Path) -> None:
    """A stage of .ci/run over its limit is stopped and told as too slow, with timeout's status."""
    for name in STAGES:
        write_program(checkout / name, RECORDER)
    write_program(checkout / "fakes/timeout", FAKE_TIMEOUT)
    done = run_script(checkout, ".ci/run", STOPPED="./build.sh")
    assert 124 == done.returncode
    assert re.search(r"^\./build\.sh --fast +TOO SLOW +\d+ s +3600 s$", done.stdout, re.MULTILINE)


@pytest.fixture
def gates(checkout: Path) -> Path:
    """Put recording fakes of every gate's program into the checkout."""
    for name in ("standup", "python", "mypy", "lint-imports", "interrogate", "ruff"):
        write_program(checkout / ".venv/bin" / name, RECORDER)
    write_program(checkout / ".ci/packages", RECORDER)
    return checkout


GATES = (
    "dependencies",
    "byte-compilation",
    "lint",
    "format",
    "types",
    "import contracts",
    "docstrings",
    "unit tests",
)
GATE = re.compile(
    r"^(?P<name>[a-z -]+?) {2,}(?P<result>passed|FAILED \(\d+\)|TOO SLOW) +\d+ s +(?P<limit_s>\d+) s$"
)


def gate_lines(output: str) -> list[re.Match[str]]:
    """The lines of build.sh's table."""
    return list(filter(None, map(GATE.match, output.splitlines())))


@pytest.mark.parametrize(("lint_status", "status"), [(0, 0), (1, 1)], ids=["all pass", "lint fails"])
def test_build_runs_every_gate(lint_status: int, status: int, gates: Path) -> None:
    """Every gate runs and has its line in the table, also after one has failed."""
    write_program(gates / ".venv/bin/ruff", f'{RECORDER}[ "$1" = format ] || exit {lint_status}\n')
    done = run_script(gates, "build.sh")
    lines = gate_lines(done.stdout)
    assert (status, list(GATES)) == (done.returncode, [line["name"] for line in lines])
    assert ["lint"] * status == [line["name"] for line in lines if line["result"] == "FAILED (1)"]


def test_slow_gate_fails(gates: Path) -> None:
    """A gate over its limit is stopped, told as too slow, and fails the build; the others run all the same."""
    write_program(gates / "fakes/timeout", FAKE_TIMEOUT)
    done = run_script(gates, "build.sh", STOPPED="compileall")
    slow = [line["name"] for line in gate_lines(done.stdout) if line["result"] == "TOO SLOW"]
    assert (1, ["byte-compilation"], len(GATES)) == (done.returncode, slow, len(gate_lines(done.stdout)))


def test_gates_have_their_limits(gates: Path) -> None:
    """Dependencies may take two minutes, byte-compilation three, the unit tests five, each other gate ten."""
    write_program(gates / "fakes/timeout", FAKE_TIMEOUT)
    run_script(gates, "build.sh")
    given = [int(call.split()[0]) for call in calls(gates) if call[0].isdigit()]
    assert [120, 180, 600, 600, 600, 600, 600, 300] == given


@pytest.mark.parametrize(
    ("check", "pins_say", "status"),
    [
        pytest.param("exit 0", "exit 0", 0, id="all as pinned"),
        pytest.param("echo 'a 1 has requirement b>2'; exit 1", "exit 0", 1, id="incompatible"),
        pytest.param("echo 'WARNING: Ignoring invalid distribution'", "exit 0", 1, id="warning"),
        pytest.param("exit 0", "echo 'Would install b-2'", 1, id="another version than pinned"),
        pytest.param("exit 0", "echo 'ERROR: No matching distribution'; exit 1", 1, id="not as pinned"),
    ],
)
def test_packages_are_as_pinned(check: str, pins_say: str, status: int, checkout: Path) -> None:
    """.ci/packages fails for a broken requirement, for a warning, and for what is not as constraints.txt pins it."""
    pip = f"#!/bin/sh\ncase $* in *' check'*) {check} ;; *' constraints.txt'*) {pins_say} ;; *) exit 9 ;; esac\n"
    write_program(checkout / ".venv/bin/python", pip)
    done = run_script(checkout, ".ci/packages")
    assert (status, status) == (done.returncode, done.stderr.count("pip names it above"))


def test_packages_are_not_fetched(checkout: Path) -> None:
    """.ci/packages asks pip with no index and none of the settings that this machine has for it."""
    write_program(checkout / ".venv/bin/python", '#!/bin/sh\necho "$PIP_CONFIG_FILE $*" >>calls\n')
    run_script(checkout, ".ci/packages")
    assert [
        "/dev/null -m pip --isolated --disable-pip-version-check check",
        "/dev/null -m pip --isolated --disable-pip-version-check "
        "install --dry-run --no-index --no-deps --quiet -r constraints.txt",
    ] == calls(checkout)


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
    """test.sh fails below its floors and for what fell, for no torn data; it shows htmlcov, and what took how long."""
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
    assert ["unit", "integration", "integration, alone"] == [re.split(" {2,}", line)[0] for line in closing]
    shape = r"passed +\d+ s +\d+ s  1 passed.* in [\d.]+s"
    assert all(re.search(shape, line) for line in closing), closing
    assert (checkout / "htmlcov/index.html").exists()
