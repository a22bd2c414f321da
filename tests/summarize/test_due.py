"""Due words."""

from __future__ import annotations

import pytest

from standup.summarize.due import find_due, without_due


@pytest.mark.parametrize(
    ("text", "due", "rest"),
    [
        pytest.param("send the logs by Friday", "by Friday", "send the logs", id="by a day"),
        pytest.param("by next Monday send the logs", "by next Monday", "send the logs", id="first"),
        pytest.param(
            "review it before the end of the week", "before the end of the week", "review it", id="before"
        ),
        pytest.param("call them tomorrow morning", "tomorrow morning", "call them", id="tomorrow"),
        pytest.param("deploy by 5 pm", "by 5 pm", "deploy", id="hour"),
        pytest.param("deploy by five pm", "by five pm", "deploy", id="hour in words"),
        pytest.param("ship it by March 3rd", "by March 3rd", "ship it", id="date"),
        pytest.param("fix it within two days", "within two days", "fix it", id="span"),
        pytest.param("answer as soon as possible", "as soon as possible", "answer", id="soon"),
        pytest.param("by Friday or so send it", "by Friday", "or so send it", id="edge only"),
        pytest.param("send it by Friday to Ana", "by Friday", "send it by Friday to Ana", id="inside stays"),
        pytest.param("finish the report", None, "finish the report", id="none"),
        pytest.param("written by Ana", None, "written by Ana", id="by a person"),
    ],
)
def test_due(text: str, due: str | None, rest: str) -> None:
    """Due words are found as they were said and taken off the edges of the task."""
    assert (due, rest) == (find_due(text), without_due(text, due))


def test_a_deadline_is_more_than_a_time() -> None:
    """Asked for a deadline, "tomorrow" is none and "by tomorrow" is one."""
    found = [find_due(text, deadline_only=True) for text in ("do it tomorrow", "do it by tomorrow")]
    assert [None, "by tomorrow"] == found
