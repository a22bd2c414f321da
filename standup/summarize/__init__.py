"""Turning a transcript into a summary. The contract is `standup.summary.Summarizer`.

`rules` needs neither a model nor a network; `llm` asks a language model and falls back to the rules. Whoever writes
it, every item is checked against what was said (`evidence`).
"""

from __future__ import annotations

from standup.settings import LanguageModelSettings
from standup.summarize.grounded import Grounded
from standup.summarize.rules import RulesSummarizer
from standup.summary import Summarizer


def choose(model: LanguageModelSettings | None = None) -> Summarizer:
    """Return the summarizer that asks *model*; without one, the rules."""
    rules = Grounded(RulesSummarizer())
    if model is None:
        return rules
    # The client takes half a second to import; who has no model need not wait for it.
    from standup.summarize.llm import LanguageModel

    return LanguageModel(model, rules)
