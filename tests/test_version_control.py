"""What git checks before a commit, and who installs it: messages, names of branches, hooks.

Everything runs in a repository of the test's own, with the settings of no user.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.checkout import SOMEBODY
from tests.test_scripts import FAKE_PYTHON, ROOT, write_program

PREFIXES = ("System", "Bot", "Test", "Docs", "Experiment")
COPIED = (
    ".ci/commit-msg",
    ".ci/branch-name",
    ".ci/tool",
    ".pre-commit-config.yaml",
    ".gitignore",
    "setup.sh",
)
COPIED_TOO = ("requirements.txt", "constraints.txt", "pyproject.toml")
WELL = "[Test] Say it well"


def run(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in *folder* with git's settings of nobody and no coverage of its own."""
    kept = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("GIT_", "COV", "PYTHON", "SUDO_", "PRE_COMMIT"))
    }
    environment = {
        **kept,
        **SOMEBODY,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "PRE_COMMIT_HOME": str(folder.parent / "pre-commit"),
        **variables,
    }
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def git(folder: Path, *words: str) -> str:
    """Return what git says, which has to succeed."""
    done = run(folder, "git", *words)
    assert 0 == done.returncode, done.stderr
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Make a repository with the hooks' files and one commit on main; nothing is installed in it."""
    folder = tmp_path / "checkout"
    for name in (*COPIED, *COPIED_TOO):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "[System] Begin")
    return folder


def judged(repository: Path, message: str) -> subprocess.CompletedProcess[str]:
    """Let .ci/commit-msg judge a message."""
    (repository / ".git/COMMIT_EDITMSG").write_text(message)
    return run(repository, ".ci/commit-msg", ".git/COMMIT_EDITMSG")


@pytest.mark.parametrize(
    "message",
    [
        *[pytest.param(f"[{one}] Do it", id=one) for one in PREFIXES],
        pytest.param("[Bot] Do it\n\nwip: because\n", id="body is free"),
        pytest.param("# On branch main\n\n[Docs] Say it\n", id="comments before it"),
        pytest.param("Merge branch 'feat/it'", id="merge"),
        pytest.param('Revert "[Bot] Do it"', id="revert"),
        pytest.param("fixup! [Bot] Do it", id="fixup"),
        pytest.param("squash! [Bot] Do it", id="squash"),
        pytest.param("amend! [Bot] Do it", id="amend"),
        pytest.param("# nothing but comments\n", id="empty, which git refuses"),
    ],
)
def test_message_is_accepted(message: str, repository: Path) -> None:
    """A message whose first line says its kind, one of git's own, and an empty one pass without a word."""
    done = judged(repository, message)
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("Do it", id="no prefix"),
        pytest.param("[Feature] Do it", id="another prefix"),
        pytest.param("[bot] Do it", id="lower case"),
        pytest.param("[Bot]Do it", id="no blank"),
        pytest.param("[Bot] ", id="no text"),
        pytest.param("Do it [Bot] now", id="not at the beginning"),
        pytest.param("Merged it", id="not git's merge"),
        pytest.param("wip\n\n[Bot] Do it\n", id="second line"),
    ],
)
def test_message_is_refused(message: str, repository: Path) -> None:
    """A message whose first line does not say its kind is refused, with that line."""
    done = judged(repository, message)
    first = message.splitlines()[0].strip()
    assert (1, f'commit-msg: "{first}" does not say') == (
        done.returncode,
        done.stderr[: len(f'commit-msg: "{first}" does not say')],
    )


def test_refusal_explains_every_prefix(repository: Path) -> None:
    """A refusal names the five prefixes with what each is for, and an example that would pass."""
    said = judged(repository, "wip").stderr
    assert list(PREFIXES) == [
        line.split("]")[0].strip(" [") for line in said.splitlines() if line.startswith("  [")
    ]
    example = said.split("For example: ")[1].splitlines()[0]
    assert 0 == judged(repository, example).returncode


def test_message_without_file_is_wrong_usage(repository: Path) -> None:
    """Called without the file of a message, commit-msg names its help."""
    done = run(repository, ".ci/commit-msg")
    assert (2, True) == (done.returncode, done.stderr.endswith("see .ci/commit-msg --help.\n"))


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("main", 0),
        ("experimental", 0),
        ("feat/rooms", 0),
        ("fix/rooms/again", 0),
        ("feature/rooms", 1),
        ("wip", 1),
        ("experimental/rooms", 1),
    ],
)
def test_branch_is_judged_by_its_name(name: str, status: int, repository: Path) -> None:
    """Commits go to main, experimental, feat/NAME and fix/NAME; another branch is refused with how to rename it."""
    git(repository, "checkout", "--quiet", "-B", name)
    done = run(repository, ".ci/branch-name")
    assert (status, bool(status)) == (done.returncode, "git branch -m feat/" in done.stderr)


def test_no_branch_is_fine(repository: Path) -> None:
    """With no branch checked out, as in a rebase, nothing is refused."""
    git(repository, "checkout", "--quiet", "--detach")
    assert 0 == run(repository, ".ci/branch-name").returncode


def test_tool_is_that_of_the_checkout(repository: Path) -> None:
    """A tool is taken from .venv and given its arguments."""
    write_program(repository / ".venv/bin/ruff", '#!/bin/sh\necho "own $*"\n')
    assert "own check a.py\n" == run(repository, ".ci/tool", "ruff", "check", "a.py").stdout


def test_worktree_uses_the_tool_of_its_checkout(repository: Path) -> None:
    """A worktree without a .venv takes the tool of the checkout that it belongs to."""
    write_program(repository / ".venv/bin/ruff", '#!/bin/sh\necho "shared $*"\n')
    git(repository, "worktree", "add", "--quiet", "-b", "feat/it", "../worktree")
    assert "shared check\n" == run(repository.parent / "worktree", ".ci/tool", "ruff", "check").stdout


def test_missing_tool_is_one_sentence(repository: Path) -> None:
    """Where no .venv has the tool, the next step is named."""
    done = run(repository, ".ci/tool", "ruff")
    sentence = "There is no .venv/bin/ruff here to check this commit with; run ./setup.sh and commit again.\n"
    assert (1, sentence) == (done.returncode, done.stderr)


def hooks() -> list[dict[str, object]]:
    """The hooks of .pre-commit-config.yaml."""
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert ["local"] == [one["repo"] for one in config["repos"]]
    return list(config["repos"][0]["hooks"])


@pytest.mark.parametrize("hook", [pytest.param(one, id=str(one["id"])) for one in hooks()])
def test_hook_is_a_program_of_the_repository(hook: dict[str, object]) -> None:
    """A hook fetches nothing: it is a script that lies in the repository and may be run."""
    program = str(hook["entry"]).split()[0]
    assert ("script", True) == (hook["language"], os.access(ROOT / program, os.X_OK))


FAKE_PRE_COMMIT = '#!/bin/sh\necho "pre-commit $*" >>calls\n'


def hooks_asked_for(folder: Path, pre_commit: str = FAKE_PRE_COMMIT) -> tuple[int, list[str], str]:
    """Run setup.sh with a fake Python and pre-commit; return its status, what pre-commit was asked, the step's line."""
    write_program(folder / ".venv/bin/pre-commit", pre_commit)
    write_program(folder / ".venv/bin/python", FAKE_PYTHON)
    (folder / ".venv/pyvenv.cfg").touch()
    path = f"{folder / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
    done = run(folder, "./setup.sh", "--no-apt", "--python", ".venv/bin/python", PATH=path)
    asked = (folder / "calls").read_text().splitlines()
    line = next((one for one in done.stdout.splitlines() if "Git hooks" in one), "")
    return done.returncode, [one for one in asked if one.startswith("pre-commit")], line.partition(": ")[2]


def test_setup_installs_the_hooks(repository: Path) -> None:
    """In a git checkout, setup has pre-commit install its hooks."""
    assert (
        0,
        ["pre-commit install --allow-missing-config"],
        "installed by pre-commit, for commits and their messages",
    ) == hooks_asked_for(repository)


def test_hooks_that_are_there_are_kept(repository: Path) -> None:
    """Hooks that lead to this checkout's .venv are not installed again."""
    for name in ("pre-commit", "commit-msg"):
        write_program(repository / ".git/hooks" / name, f"INSTALL_PYTHON={repository}/.venv/bin/python\n")
    assert (0, [], "kept") == hooks_asked_for(repository)


def test_hooks_of_a_moved_checkout_are_installed_again(repository: Path) -> None:
    """Hooks that lead to another place are installed anew."""
    for name in ("pre-commit", "commit-msg"):
        write_program(repository / ".git/hooks" / name, "INSTALL_PYTHON=/elsewhere/.venv/bin/python\n")
    assert 1 == len(hooks_asked_for(repository)[1])


def test_folder_without_git_gets_no_hooks(repository: Path) -> None:
    """Setup in a folder that is no git checkout asks for no hooks and succeeds."""
    shutil.rmtree(repository / ".git")
    assert (0, [], "left alone, this is no git checkout of its own") == hooks_asked_for(repository)


def test_folder_inside_another_checkout_gets_no_hooks(repository: Path) -> None:
    """Setup in a folder of somebody else's repository leaves that repository's hooks alone."""
    shutil.rmtree(repository / ".git")
    git(repository.parent, "init", "--quiet")
    assert (0, [], "left alone, this is no git checkout of its own") == hooks_asked_for(repository)


def test_hooks_kept_elsewhere_are_left_alone(repository: Path) -> None:
    """Where core.hooksPath is set, which pre-commit refuses, setup says so and goes on."""
    git(repository, "config", "core.hooksPath", "elsewhere")
    assert (0, [], "left alone, core.hooksPath leads to others") == hooks_asked_for(repository)


def test_worktree_keeps_the_hooks_of_its_checkout(repository: Path) -> None:
    """Setup in a git worktree leaves the hooks alone, which it shares with the checkout that it belongs to."""
    git(repository, "worktree", "add", "--quiet", "-b", "feat/it", "../worktree")
    assert (0, [], f"left alone, this worktree has those of {repository}") == hooks_asked_for(
        repository.parent / "worktree"
    )


def test_failing_hooks_hinder_no_setup(repository: Path) -> None:
    """When pre-commit fails, setup says that commits go unchecked, with its reason, and succeeds."""
    status, _, line = hooks_asked_for(repository, FAKE_PRE_COMMIT + "echo 'no space left'\nexit 3\n")
    assert (0, "not installed, commits go unchecked; pre-commit says: no space left") == (status, line)


@pytest.fixture
def hooked(repository: Path) -> Path:
    """Install the real hooks in the repository."""
    (repository / ".venv").symlink_to(sys.prefix)
    done = run(repository, ".venv/bin/pre-commit", "install", "--allow-missing-config")
    assert 0 == done.returncode, done.stdout + done.stderr
    return repository


def commit(
    repository: Path, message: str, text: str = "x = 1\n", name: str = "it.py"
) -> subprocess.CompletedProcess[str]:
    """Commit one file through git's hooks."""
    (repository / name).write_text(text)
    git(repository, "add", name)
    return run(repository, "git", "commit", "-m", message)


@pytest.mark.integration
def test_good_commit_passes_every_hook(hooked: Path) -> None:
    """A commit of sound Python on main with a message of the convention goes through."""
    assert 0 == commit(hooked, WELL).returncode
    assert WELL == git(hooked, "log", "-1", "--format=%s")


@pytest.mark.integration
@pytest.mark.parametrize(
    ("text", "name", "hook"),
    [
        pytest.param("import os\n", "it.py", "lint", id="unused import"),
        pytest.param("x = {  'a':1 }\n", "it.py", "format", id="not formatted"),
        pytest.param("def it(:\n", "it.py", "byte-compilation", id="no Python"),
        pytest.param("#!/bin/bash\necho $1\n", "it.sh", "shell scripts", id="unquoted"),
    ],
)
def test_faulty_file_is_refused(text: str, name: str, hook: str, hooked: Path) -> None:
    """A staged file that a tool finds fault with is not committed, and the hook is named."""
    done = commit(hooked, WELL, text, name)
    failed = [line.split("...")[0] for line in done.stderr.splitlines() if line.endswith("Failed")]
    assert (1, True) == (done.returncode, hook in failed), done.stderr
    assert "[System] Begin" == git(hooked, "log", "-1", "--format=%s")


@pytest.mark.integration
def test_wrong_branch_is_refused(hooked: Path) -> None:
    """A commit on a branch whose name is not one of ours is refused."""
    git(hooked, "checkout", "--quiet", "-b", "wip")
    done = commit(hooked, WELL)
    assert (1, True) == (done.returncode, 'branch-name: "wip" is none of main' in done.stderr), done.stderr


@pytest.mark.integration
def test_refused_message_can_be_taken_up_again(hooked: Path) -> None:
    """The command that a refusal ends with opens the message again; mended, it is committed."""
    done = commit(hooked, "Say it well\n\nBecause.")
    assert 1 == done.returncode
    advised = next(line for line in done.stderr.splitlines() if line.startswith("  git commit -e")).split()
    again = run(hooked, *advised, GIT_EDITOR="sed -i '1s/^/[Docs] /'")
    assert 0 == again.returncode, again.stderr
    assert "[Docs] Say it well\n\nBecause." == git(hooked, "log", "-1", "--format=%B")
