"""What is left away when an endpoint refuses it."""

from __future__ import annotations

import pytest

from standup.summarize.dialect import Dialect, is_too_long


def test_refusals_end() -> None:
    """After every optional field has been refused nothing is left to try, and each step asks for less."""
    tried = [Dialect()]
    for refused in ("temperature", "use max_completion_tokens", "response_format", "response_format"):
        weaker = tried[-1].without(refused)
        assert weaker is not None
        tried.append(weaker)
    assert tried[-1].without("response_format") is None
    assert {"max_completion_tokens": 7} == tried[-1].fields(7)
    assert len(set(tried)) == len(tried)


def test_the_strictest_request() -> None:
    """At first JSON of our schema is asked for, strictly, at temperature 0 and with a limit."""
    fields = Dialect().fields(99)
    assert (0, 99) == (fields["temperature"], fields["max_tokens"])
    assert fields["response_format"]["json_schema"]["strict"] is True


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({"code": "context_length_exceeded"}, True, id="OpenAI"),
        pytest.param({"type": "exceed_context_size_error", "n_ctx": 2048}, True, id="llama.cpp"),
        pytest.param({"message": "maximum context length is 4096 tokens"}, True, id="vLLM"),
        pytest.param({"message": "response_format is not supported"}, False, id="another"),
        pytest.param(None, False, id="nothing"),
    ],
)
def test_a_question_that_is_too_long(body: object, expected: bool) -> None:
    """The ways in which endpoints say that the context is exceeded are known."""
    assert expected is is_too_long(body)
