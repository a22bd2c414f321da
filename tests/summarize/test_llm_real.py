"""The language-model summarizer against a real llama.cpp server with a real model that is much too small to be good.

SmolLM2-135M speaks valid JSON where the server holds it to the schema, repeats the example of the instructions or
invents, and seldom comes to an end: what the checks and fallbacks are for. Nothing here depends on what it says, but
the server takes every core and is given a time.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from standup.summarize import choose
from standup.summarize.endpoint import Choice, Endpoint
from standup.summarize.evidence import supported
from standup.summarize.parts import Script, parts
from standup.summarize.prompt import Reply, messages
from standup.transcript import Transcript
from tests.summarize import llama_server
from tests.summarize.test_llm import BY_RULES, STANDUP, long_meeting, settings, told
from tests.summarize.weights import weights

CONTEXT_TOKENS = 2048

pytestmark = [pytest.mark.integration, pytest.mark.alone]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a llama.cpp server with the small model."""
    try:
        model = weights()
    except (OSError, subprocess.TimeoutExpired) as cause:
        pytest.skip(f"the model's weights are not here: {cause}")
    command = [sys.executable, str(Path(llama_server.__file__)), str(model), str(CONTEXT_TOKENS)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        try:
            address = server.stdout.readline().strip()
            assert address.startswith("http://127.0.0.1:"), f"the server ended with {server.poll()}"
            yield f"{address}/v1"
        finally:
            server.kill()


def ask(url: str, said: Transcript, answer_tokens: int) -> Choice | None:
    """Ask the model about all of a meeting at once."""

    async def asking() -> Choice | None:
        async with Endpoint(settings(url, model="", timeout_s=100)) as endpoint:
            await endpoint.settle()
            part = parts(said, 100_000)[0]
            return await endpoint.ask(messages(Script.of(said), part, "f00d"), answer_tokens)

    return asyncio.run(asking())


def test_the_schema_holds_a_real_model(url: str) -> None:
    """An answer that ended is JSON of our schema, and one that was cut begins like it, whatever it says."""
    choice = ask(url, STANDUP, 400)
    assert choice is not None
    if choice.is_cut:
        assert re.match(
            r'\{\s*"items":\s*\[\s*\{\s*"kind":\s*"(?:done|next|blocker|decision|action)"', choice.content
        )
    else:
        assert Reply.model_validate_json(choice.content)


def test_what_a_real_model_makes_of_a_meeting(url: str) -> None:
    """Whatever it says, the notes hold only what was said, and they name the model or the rules with the reason."""
    made = choose(settings(url, model="", context_tokens=CONTEXT_TOKENS, timeout_s=20)).summarize(STANDUP)
    assert made.items == supported(made.items, STANDUP).kept
    assert re.fullmatch(r"smollm2-135m(?: \(.+\))?|rules \(the language model .+\)", made.summarizer)
    if made.summarizer.startswith("rules"):
        assert BY_RULES == told(made)


def test_a_real_answer_that_is_cut(url: str) -> None:
    """An answer that reaches its limit is known to be cut."""
    choice = ask(url, STANDUP, 12)
    assert choice is not None
    assert choice.is_cut


def test_a_question_beyond_the_real_context(url: str) -> None:
    """What llama.cpp says of a question that is too long is understood."""
    assert ask(url, long_meeting(4, 60), 100) is None


def test_a_real_model_without_time(url: str) -> None:
    """A model that needs longer than it may is left, and the rules write the notes."""
    said = long_meeting(5, 20)
    began = time.monotonic()
    made = choose(settings(url, model="", context_tokens=CONTEXT_TOKENS, timeout_s=1)).summarize(said)
    assert time.monotonic() - began < 15
    assert "rules (the language model took too long)" == made.summarizer
    assert told(choose().summarize(said)) == told(made)
