"""The stage from tracks to utterances, with real audio and an engine that plays by a script."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from standup.errors import TranscribeError, TranscriptionTimeout
from standup.transcribe import Hints, LanguageGuess, Reading, Word, guards
from standup.transcribe.clips import TRACK_DAMAGED
from standup.transcribe.stage import Terms, transcribe
from standup.transcript import Outcome, Utterance

Tracks = dict[str, Path]
Utterances = tuple[Utterance, ...]


def test_every_utterance_comes_back_with_its_words(
    tracks: Tracks, pending: Utterances, scripted: Any
) -> None:
    """Same ids, same times, same order; each with what was heard in its own place."""
    done = transcribe(tracks, pending, scripted())

    assert [(one.id, one.start_ms, one.end_ms) for one in done.utterances] == [
        (one.id, one.start_ms, one.end_ms) for one in pending
    ]
    assert {one.id: one.text.split()[0] for one in done.utterances} == {
        "u0000": "sound0",
        "u0001": "sound0",
        "u0002": "sound0",
        "u0003": "sound0",
        "u0004": "sound1",
    }


def test_the_transcription_tells_what_it_was_made_with(
    tracks: Tracks, pending: Utterances, scripted: Any
) -> None:
    """Model, languages and lengths stay with the result."""
    done = transcribe(tracks, pending, scripted(label="tiny.en", sole_language="en"))

    assert (done.model_label, dict(done.languages)) == ("tiny.en", {name: "en" for name in sorted(tracks)})
    assert done.audio_s == sum(one.end_ms - one.start_ms for one in pending) / 1000


def test_twice_the_same_is_the_same(tracks: Tracks, pending: Utterances, scripted: Any) -> None:
    """Transcription is deterministic."""
    once, again = (transcribe(tracks, pending, scripted()).utterances for _ in range(2))

    assert once == again


def test_small_rounds_change_nothing(
    tracks: Tracks, pending: Utterances, scripted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A meeting longer than a round is worked off piece by piece, with the same speakers and ids."""
    monkeypatch.setattr("standup.transcribe.stage.round_ms", lambda engine: 1)
    done = transcribe(tracks, pending, scripted())

    assert [one.outcome for one in done.utterances] == [Outcome.TEXT] * len(pending)


def test_each_round_is_told_once(
    tracks: Tracks, pending: Utterances, scripted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two rounds the finished utterances are told, each once and as they come out in the end."""
    monkeypatch.setattr("standup.transcribe.stage.round_ms", lambda engine: 1)
    told: list[Utterances] = []
    done = transcribe(tracks, pending, scripted(), on_round=told.append)

    flat = [one for round_ in told for one in round_]
    assert len(flat) == len({one.id for one in flat}) == len(pending) - 1
    assert set(flat) < set(done.utterances)


def test_an_utterance_across_two_rounds_waits_for_the_second(
    tracks: Tracks, pending: Utterances, scripted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A verdict is told when all of an utterance has been read."""
    monkeypatch.setattr("standup.transcribe.stage.round_ms", lambda engine: 1)
    monkeypatch.setattr("standup.transcribe.clips.WINDOW_MS", 1_500)
    engine, told = scripted(), list[Utterances]()
    long, last = (one for one in pending if one.speaker == "rms")
    done = transcribe(tracks, (long, last), engine, on_round=told.append)

    assert len(engine.asked) > 2
    assert [one for round_ in told for one in round_] == [done.utterances[0]]


def test_what_a_round_raises_ends_the_stage_and_the_rest_is_read_later(
    tracks: Tracks, pending: Utterances, scripted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kept rounds and a second run give what one undisturbed run gives, and nothing is read twice."""
    monkeypatch.setattr("standup.transcribe.stage.round_ms", lambda engine: 1)
    whole = transcribe(tracks, pending, scripted()).utterances
    kept: dict[str, Utterance] = {}

    def stop(finished: Utterances) -> None:
        kept.update({one.id: one for one in finished})
        if len(kept) >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        transcribe(tracks, pending, scripted(), on_round=stop)
    rest = scripted()
    done = transcribe(tracks, [kept.get(one.id, one) for one in pending], rest).utterances

    assert done == whole
    assert len(rest.asked) <= len(pending) - len(kept)


def test_what_is_already_known_stays(tracks: Tracks, spoken: Utterances, scripted: Any) -> None:
    """A second run asks the engine nothing about utterances that have text or are verified silence."""
    known = (*spoken[:-1], spoken[-1].silent(guards.NO_SPEECH))
    engine = scripted()

    assert transcribe(tracks, known, engine).utterances == known
    assert engine.asked == []


def test_a_failed_utterance_is_tried_again(tracks: Tracks, spoken: Utterances, scripted: Any) -> None:
    """An error is not final: the next run reads that utterance."""
    known = (*spoken[:-1], spoken[-1].failed("track-missing"))
    done = transcribe(tracks, known, scripted())

    assert done.utterances[-1].outcome is Outcome.TEXT


def test_no_utterances_need_no_engine(scripted: Any) -> None:
    """A silent meeting has an empty transcription."""
    engine = scripted()
    done = transcribe({}, (), engine)

    assert (done.utterances, done.audio_s, engine.asked) == ((), 0.0, [])


def test_one_broken_track_fails_its_own_utterances_only(
    data: Path, tracks: Tracks, pending: Utterances, scripted: Any
) -> None:
    """The rest of the meeting is transcribed."""
    done = transcribe(tracks | {"rms": data / "truncated.ogg"}, pending, scripted())
    failed = {one.id: one.reason for one in done.utterances if one.outcome is Outcome.ERROR}

    assert failed == {"u0004": TRACK_DAMAGED}
    assert sum(one.outcome is Outcome.TEXT for one in done.utterances) == len(pending) - 1


def test_when_every_track_is_broken_the_stage_fails(data: Path, pending: Utterances, scripted: Any) -> None:
    """A transcript of nothing but errors is no transcript; the message names a file and the next step."""
    with pytest.raises(TranscribeError, match=r"make\.py .*standup retry"):
        transcribe({one.speaker: data / "make.py" for one in pending}, pending, scripted())


def test_a_hallucination_is_silence_not_text(tracks: Tracks, pending: Utterances, scripted: Any) -> None:
    """What the engine itself doubts twice over is dropped with the reason."""
    doubtful = Reading((Word(" Hello.", 0, 1),), avg_logprob=-1.5, no_speech_prob=0.9)
    done = transcribe(tracks, pending, scripted(script=lambda pcm, hints: doubtful))

    assert {(one.outcome, one.reason) for one in done.utterances} <= {
        (Outcome.SILENCE, guards.NO_SPEECH),
        (Outcome.SILENCE, guards.NO_WORDS),
    }


@pytest.mark.parametrize(
    ("terms", "sole_language", "expected"),
    [
        pytest.param(Terms(), None, {"fr"}, id="detected"),
        pytest.param(Terms(language="de"), None, {"de"}, id="set by the operator"),
        pytest.param(Terms(language="de"), "en", {"en"}, id="a model that knows one language"),
    ],
)
def test_the_language_is_the_models_the_operators_or_detected(
    tracks: Tracks,
    pending: Utterances,
    scripted: Any,
    terms: Terms,
    sole_language: str | None,
    expected: set[str],
) -> None:
    """The engine is told one language per speaker, and so is the result."""
    engine = scripted(sole_language=sole_language, guess=LanguageGuess("fr", 0.9))
    done = transcribe(tracks, pending, engine, terms)

    assert {hints.language for _, hints in engine.asked} == set(done.languages.values()) == expected


def test_names_and_terms_reach_the_engine(tracks: Tracks, pending: Utterances, scripted: Any) -> None:
    """The prompt is handed on with every batch."""
    engine = scripted()
    transcribe(tracks, pending, engine, Terms(prompt="Grafana"))

    assert {hints.prompt for _, hints in engine.asked} == {"Grafana"}


def test_ids_are_written_in_every_round_and_at_the_end(
    tracks: Tracks, pending: Utterances, scripted: Any
) -> None:
    """What is kept between rounds reads as what is returned."""
    said = Reading((Word(" ticket", 0, 0.5), Word(" 205", 0.5, 1)), avg_logprob=-0.2)
    kept: list[str] = []
    done = transcribe(
        tracks,
        pending,
        scripted(script=lambda pcm, hints: said, lanes=1, batch_windows=1),
        Terms(tickets=("#",)),
        on_round=lambda read: kept.extend(one.text for one in read if one.text),
    )

    assert {*kept, *(one.text for one in done.utterances if one.text)} == {"#205"}


def test_the_prompt_is_in_no_repr() -> None:
    """Whoever logs terms or hints logs no names."""
    assert "Ana" not in f"{Terms(prompt='Ana')} {Hints('en', prompt='Ana')}"


def test_progress_rises_to_the_whole(tracks: Tracks, pending: Utterances, scripted: Any) -> None:
    """Progress never falls, and ends with everything done."""
    told: list[tuple[int, int]] = []
    transcribe(tracks, pending, scripted(), None, lambda done, total: told.append((done, total)))
    total = sum(one.end_ms - one.start_ms for one in pending)

    assert told == sorted(told)
    assert told[-1] == (total, total)


def test_a_used_up_budget_is_a_timeout(tracks: Tracks, pending: Utterances, scripted: Any) -> None:
    """The stage gives up when its time is over, so that it is tried again."""
    with pytest.raises(TranscriptionTimeout):
        transcribe(tracks, pending, scripted(), Terms(budget_s=0.0))


def test_a_hung_engine_cannot_hold_the_stage(tracks: Tracks, pending: Utterances, scripted: Any) -> None:
    """A call of the engine that does not come back ends with the budget, too."""
    release = threading.Event()

    def hang(pcm: Any, hints: Hints) -> Reading:
        release.wait(20)
        return Reading(())

    try:
        with pytest.raises(TranscriptionTimeout):
            transcribe(tracks, pending, scripted(script=hang), Terms(budget_s=0.5))
    finally:
        release.set()


@pytest.mark.integration
def test_the_contract_imports_nothing_heavy() -> None:
    """Programs that only know the contract stay light."""
    code = (
        "import sys, standup.transcribe, standup.transcribe.windows, standup.transcribe.guards;"
        "print(sorted({'numpy', 'av', 'faster_whisper', 'ctranslate2', 'torch'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(root)},
    )

    assert (ran.stdout.strip(), ran.stderr) == ("[]", "")
