"""The verdict on each utterance."""

from __future__ import annotations

from standup.transcribe import Reading, Word, guards
from standup.transcribe.findings import Findings
from standup.transcribe.windows import Span
from standup.transcript import Outcome, Utterance

UTTERANCE = Utterance("u0", "a", 0, 20_000)
FIRST, SECOND = Span(0, 9000, "a", "u0"), Span(9000, 20_000, "a", "u0")
READING = Reading((Word(" hello", 0, 1), Word(" there.", 1, 2)), avg_logprob=-0.2)


def test_the_parts_of_a_long_utterance_are_joined_in_time_order() -> None:
    """Words come in the order they were said, whichever part was read first."""
    findings = Findings()
    findings.hear(SECOND, READING.words[1:], READING)
    findings.hear(FIRST, READING.words[:1], READING)

    assert findings.verdict(UTTERANCE).text == "hello there."


def test_words_outweigh_a_failure() -> None:
    """What was understood of a half-broken utterance is not thrown away."""
    findings = Findings()
    findings.hear(FIRST, READING.words, READING)
    findings.fail(SECOND, "track-damaged")

    assert findings.verdict(UTTERANCE).outcome is Outcome.TEXT


def test_a_failure_outweighs_silence() -> None:
    """Half silent, half unreadable is not verified silence."""
    findings = Findings()
    findings.silence(FIRST, guards.NO_SPEECH)
    findings.fail(SECOND, "track-damaged")
    verdict = findings.verdict(UTTERANCE)

    assert (verdict.outcome, verdict.reason) == (Outcome.ERROR, "track-damaged")


def test_dropped_words_leave_silence_with_the_reason() -> None:
    """Marked, not deleted: the reason says which guard dropped the words."""
    findings = Findings()
    doubtful = Reading(READING.words, avg_logprob=-1.5, no_speech_prob=0.9)
    findings.hear(FIRST, doubtful.words, doubtful)
    verdict = findings.verdict(UTTERANCE)

    assert (verdict.outcome, verdict.reason) == (Outcome.SILENCE, guards.NO_SPEECH)


def test_a_loop_over_speech_is_an_error() -> None:
    """Nine seconds of speech that only gave a loop were not understood."""
    findings = Findings()
    loop = Reading(tuple(Word(" go", at, at + 1) for at in range(8)), avg_logprob=-0.2)
    findings.hear(FIRST, loop.words, loop)
    verdict = findings.verdict(UTTERANCE)

    assert (verdict.outcome, verdict.reason) == (Outcome.ERROR, guards.REPETITION)


def test_an_utterance_nobody_looked_at_is_silence() -> None:
    """Without any finding there was nothing to hear."""
    assert Findings().verdict(UTTERANCE).outcome is Outcome.SILENCE


def test_an_echo_of_the_prompt_is_owned_up_to() -> None:
    """What the engine only read off is no text, and seconds of speech are not called silence."""
    words = tuple(Word(f" {one}", 0, 1) for one in ("Ana,", "Bo,", "Grafana."))
    findings = Findings("Ana, Bo, Grafana.")
    findings.hear(FIRST, words, Reading(words, avg_logprob=-0.2, no_speech_prob=0.5))
    verdict = findings.verdict(UTTERANCE)

    assert (verdict.outcome, verdict.reason) == (Outcome.ERROR, guards.ECHO)


def test_ids_are_written_across_parts() -> None:
    """A long utterance may be cut between an id's announcement and its number."""
    findings = Findings(tickets=("#",))
    findings.hear(FIRST, (Word(" ticket", 8, 9),), READING)
    findings.hear(SECOND, (Word(" 205.", 0, 1),), READING)

    assert findings.verdict(UTTERANCE).text == "#205."
