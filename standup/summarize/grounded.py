"""A summarizer whose items are checked against what was said. Pure."""

from __future__ import annotations

import logging
from dataclasses import replace

from standup.summarize.evidence import supported
from standup.summary import Summarizer, Summary
from standup.transcript import Transcript

log = logging.getLogger(__name__)


class Grounded:
    """Another summarizer without the items that its evidence does not show."""

    def __init__(self, inner: Summarizer) -> None:
        """Wrap *inner*."""
        self._inner = inner

    @property
    def name(self) -> str:
        """What the notes call it."""
        return self._inner.name

    def summarize(self, transcript: Transcript) -> Summary:
        """Return the summary; every item of it is shown by *transcript*."""
        made = self._inner.summarize(transcript)
        findings = supported(made.items, transcript)
        if findings.dropped:
            told = ", ".join(f"{fault} {count}" for fault, count in sorted(findings.faults.items()))
            log.info(
                "Left out %d items that are not shown by what was said (%s)", len(findings.dropped), told
            )
        return replace(made, items=findings.kept)
