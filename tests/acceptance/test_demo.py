"""The whole thing as its user runs it: `standup demo`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

FRAME_MS = 20


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:  # type: ignore[type-arg]
    """What one demo printed, and the folder it worked in; it must have ended with 0."""
    folder = tmp_path_factory.mktemp("demo")
    argv = [sys.executable, "-m", "standup", "demo", "--json", "--folder", str(folder)]
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=220, check=False, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads(done.stdout), folder


def test_everything_said_is_in_the_notes(demo: tuple[dict, Path]) -> None:  # type: ignore[type-arg]
    """Every expected item stands under the right person, with evidence that exists."""
    told, _ = demo
    assert told["missing"] == []
    known = {one["id"] for one in told["transcript"]["utterances"]}
    assert all(set(one["evidence"]) <= known for one in told["summary"]["items"])


def test_four_people_spoke_in_turn(demo: tuple[dict, Path]) -> None:  # type: ignore[type-arg]
    """The transcript has four speakers, and nobody's words at another's time."""
    spoken = demo[0]["transcript"]["utterances"]
    assert len({one["speaker"] for one in spoken}) == 4
    ends = [one["end_ms"] for one in spoken]
    starts = [one["start_ms"] for one in spoken]
    assert all(start >= end - 2 * FRAME_MS for end, start in zip(ends, starts[1:], strict=False))


def test_tracks_play_and_line_up(demo: tuple[dict, Path]) -> None:  # type: ignore[type-arg]
    """ffprobe reads every track as Opus; each lasts until its speaker's last word."""
    told, _ = demo
    last_ms = {
        person["name"]: max(
            one["end_ms"] for one in told["transcript"]["utterances"] if one["speaker"] == person["id"]
        )
        for person in told["transcript"]["participants"]
        if any(one["speaker"] == person["id"] for one in told["transcript"]["utterances"])
    }
    for name, end_ms in last_ms.items():
        probe = [
            "ffprobe",
            "-v",
            "error",
            "-show_entries",
            "stream=codec_name:format=duration",
            "-of",
            "json",
        ]
        found = json.loads(
            subprocess.run([*probe, told["files"][name]], capture_output=True, check=True).stdout
        )
        assert found["streams"][0]["codec_name"] == "opus"
        assert float(found["format"]["duration"]) * 1000 == pytest.approx(end_ms, abs=500)


def test_logs_have_their_form_and_no_speech(demo: tuple[dict, Path]) -> None:  # type: ignore[type-arg]
    """The recorder's log says that recording started; no log holds a word of what was said, a name or the token."""
    told, folder = demo
    logs = {file.name: file.read_text(errors="replace") for file in (folder / "logs").iterdir()}
    assert "] INFO Recording started" in logs["recorder.log"]
    everything = "\n".join(logs.values()).lower()
    assert all(one["text"].lower() not in everything for one in told["transcript"]["utterances"])
    assert all(person["name"].lower() not in everything for person in told["transcript"]["participants"])
    assert "loopback." not in everything
