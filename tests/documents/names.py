"""What a document names: settings, commands, scripts, programs, paths and names in the code; and what there is."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator
from configparser import RawConfigParser
from functools import cache
from typing import Any

from tests.checkout import ROOT
from tests.documents.contents.commands import commands, options
from tests.documents.document import Document, tracked

VARIABLE = re.compile(r"\bSTANDUP_[A-Z0-9_]*[A-Z0-9]\b")
SCRIPT = re.compile(r"^(?:\./)?(?P<name>(?:setup|build|test|deploy)\.sh)$")
CAMEL_CASE = re.compile(r"^(?:[A-Z][a-z0-9]+){2,}$")
PATH = re.compile(r"^(?:\./)?(?:standup|tests|docs|deploy|\.ci)/[\w./-]+$")
PLACEHOLDER = re.compile(r"[A-Z]{2,}|[<>…*$]|\.\.\.")
ENDS_OF_COMMAND = {"|", "||", "&&", ";", "&", ">", ">>", "<", "2>", "2>&1"}
SUPERVISOR_VERBS = {"start", "stop", "restart", "tail", "status", "pid", "clear", "fg", "signal", "update"}
PROGRAMS = ("standup/**/*.py", "celeryconfig.py", "*.sh", ".ci/*", "supervisord.conf")
TESTS = ("tests/**/*.py",)


def command_lines(document: Document) -> Iterator[list[str]]:
    """Yield the words of each command that a document writes, in a block of shell or as inline code."""
    lines = [line for block in document.blocks if block.language == "sh" for line in joined(block.text)]
    for line in [*lines, *document.code]:
        yield from split(line)


def joined(text: str) -> list[str]:
    """Return the lines of a block, those that end with a backslash joined with the next."""
    return text.replace("\\\n", " ").splitlines()


def split(line: str) -> Iterator[list[str]]:
    """Yield the commands of a line, each as its words."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    try:
        for word in lexer:
            if word in ENDS_OF_COMMAND or set(word) <= set("();<>|&"):
                yield words
                words = []
            else:
                words.append(word)
    except ValueError:  # a lone quotation mark: no command
        return
    yield words


def program_and_words(words: list[str]) -> tuple[str, list[str]]:
    """Return which of our programs a command calls, by its bare name, and what it is given; empty for another."""
    while words and (
        re.match(r"^\w+=", words[0]) or words[0] in ("if", "!", "timeout", "sudo", "until", "while")
    ):
        words = words[1:]
    if not words:
        return "", []
    if match := SCRIPT.match(words[0]):
        return match["name"], words[1:]
    bare = words[0].removeprefix(".venv/bin/")
    return (bare, words[1:]) if bare in ("standup", "supervisorctl") else ("", [])


def problem(program: str, words: list[str]) -> str:
    """Return what is wrong with a call of one of our programs; empty when it is as the program has it."""
    if program == "standup":
        return standup_problem(words)
    if program == "supervisorctl":
        return supervisor_problem(words)
    return script_problem(program, words) if program else ""


def script_problem(name: str, words: list[str]) -> str:
    """Return what is wrong with a call of a script; what stands behind ``--`` is another program's."""
    own = itertools.takewhile(lambda word: word != "--", words)
    return next(
        (f"{name} {one}" for one in own if one.startswith("--") and one not in script_options(name)), ""
    )


def standup_problem(words: list[str]) -> str:
    """Return what is wrong with a call of `standup`."""
    known = known_commands()
    path: tuple[str, ...] = ("standup",)
    for word in words:
        if (*path, word) in known:
            path = (*path, word)
        elif word.startswith("-"):
            if word.partition("=")[0] not in options(known[path]) | {"-", "--"}:
                return f"{' '.join(path)} {word}"
        elif getattr(known[path], "commands", None) and not PLACEHOLDER.search(word):
            return f"{' '.join(path)} {word}"
    return ""


def supervisor_problem(words: list[str]) -> str:
    """Return what is wrong with a call of `supervisorctl`: a program that there is not."""
    given = [word for word in words if not word.startswith("-") and word != "supervisord.conf"]
    if not given or given[0] not in SUPERVISOR_VERBS:
        return ""
    known = {*supervised(), "all"}
    signals = {"HUP", "USR1", "USR2", "TERM", "KILL"} if given[0] == "signal" else set()
    wrong = [one for one in given[1:] if one not in known | signals and not PLACEHOLDER.search(one)]
    return f"supervisorctl {given[0]} {wrong[0]}" if wrong else ""


@cache
def known_commands() -> dict[tuple[str, ...], Any]:
    """Return every command by its path."""
    return dict(commands())


@cache
def supervised() -> frozenset[str]:
    """Return the programs of supervisord.conf."""
    config = RawConfigParser(inline_comment_prefixes=(" ;",))
    config.read(ROOT / "supervisord.conf")
    kinds = ("program", "eventlistener")
    return frozenset(
        name for kind, _, name in map(lambda one: one.partition(":"), config.sections()) if kind in kinds
    )


@cache
def script_options(name: str) -> frozenset[str]:
    """Return the options that a script's help speaks of."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return frozenset(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text[: text.index("\nEOF")]))


@cache
def source(*patterns: str) -> str:
    """Return the text of all files of the repository that a pattern names."""
    paths = sorted(path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file())
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def missing_paths(document: Document) -> list[str]:
    """Return the paths that a document writes as code and that are not in the repository."""
    named = [one for one in document.code if PATH.match(one) and not PLACEHOLDER.search(one)]
    return [one for one in named if (ROOT / one).resolve() not in tracked()]
