"""Turning a transcript into a summary. The contract is `standup.summary.Summarizer`.

Every sibling that is one can be chosen here by name; `rules` needs neither a model nor a network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from standup.errors import SettingsError
from standup.summarize.rules import RulesSummarizer
from standup.summary import Summarizer

SUMMARIZERS: Mapping[str, Callable[[], Summarizer]] = {"rules": RulesSummarizer}


def choose(name: str = "rules") -> Summarizer:
    """Return the summarizer called *name*; raise SettingsError, listing the known ones, when there is none."""
    try:
        return SUMMARIZERS[name]()
    except KeyError:
        known = ", ".join(sorted(SUMMARIZERS))
        raise SettingsError(f"There is no summarizer of that name; the known ones are: {known}.") from None
