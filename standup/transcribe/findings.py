"""Collect what was found out about each span, and give each utterance its verdict.

The three outcomes stay apart: words, verified silence, and an error that the notes own up to. No I/O here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from standup.transcribe import Reading, Word, guards
from standup.transcribe.tickets import write_ids
from standup.transcribe.windows import Span
from standup.transcript import Utterance


@dataclass(slots=True)
class Findings:
    """Everything found out about one meeting's utterances."""

    prompt: str = field(default="", repr=False)
    """What the engine was told beforehand; private."""
    tickets: tuple[str, ...] = ()
    """How ids are written; see `standup.transcribe.tickets`."""
    _texts: dict[str, list[tuple[Span, str]]] = field(default_factory=dict)
    _silences: dict[str, str] = field(default_factory=dict)
    _failures: dict[str, str] = field(default_factory=dict)

    def hear(self, span: Span, words: Sequence[Word], reading: Reading) -> None:
        """Believe *words*, a part of *reading*, or note why not."""
        reason = guards.drop_reason(reading, words, span.duration_ms, self.prompt)
        if reason is None:
            text = "".join(word.text for word in words)
            self._texts.setdefault(span.utterance, []).append((span, text))
        elif guards.is_failure(reason, span.duration_ms):
            self.fail(span, reason)
        else:
            self.silence(span, reason)

    def silence(self, span: Span, reason: str) -> None:
        """Note that nobody speaks in *span*."""
        self._silences.setdefault(span.utterance, reason)

    def fail(self, span: Span, reason: str) -> None:
        """Note that *span* could not be read."""
        self._failures.setdefault(span.utterance, reason)

    def verdict(self, utterance: Utterance) -> Utterance:
        """Return *utterance* with its outcome: words outweigh a failure, a failure outweighs silence."""
        texts = sorted(self._texts.get(utterance.id, []))
        if texts:
            return utterance.heard(write_ids("".join(text for _, text in texts), self.tickets))
        if utterance.id in self._failures:
            return utterance.failed(self._failures[utterance.id])
        return utterance.silent(self._silences.get(utterance.id, guards.NO_SPEECH))
