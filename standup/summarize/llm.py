"""The language-model summarizer: asked in parts, checked by evidence, backed by the rules.

One meeting, in order: the model's name is settled (asked for when it is not set); the transcript is cut into parts
that fit the context; each part is asked about, an answer that is no JSON once more, one that was cut off in halves;
what comes back is checked against what was said. Whatever has no usable answer is read by the rules, and the notes
say so: a model that is away, slow or inventive never fails the stage and never loses what somebody said.

Logged are counts, times and costs. What was said, prompts, answers and the key never are.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Sequence

from standup.settings import LanguageModelSettings
from standup.summarize.endpoint import Endpoint, NoAnswer
from standup.summarize.evidence import supported
from standup.summarize.merging import merged
from standup.summarize.parts import LEAST_TOKENS, Part, Script, halves, parts
from standup.summarize.prompt import answer_tokens, messages, part_tokens, read
from standup.summary import RULES, Item, Summarizer, Summary
from standup.transcript import Transcript, plain

log = logging.getLogger(__name__)

SPLITS = 2
"""How often a part is halved before the rules read it."""
NAME_CHARACTERS = 60


def random_fence() -> str:
    """Return a word that nobody in a meeting can guess."""
    return secrets.token_hex(8)


class LanguageModel:
    """Asks a language model. Holds nothing between calls; must not be called from an event loop."""

    def __init__(
        self, settings: LanguageModelSettings, rules: Summarizer, *, fence: Callable[[], str] = random_fence
    ) -> None:
        """*rules* read what the model does not; *fence* makes the word around each transcript."""
        self._settings = settings
        self._rules = rules
        self._fence = fence

    @property
    def name(self) -> str:
        """What the notes call it."""
        return label(self._settings.model)

    def summarize(self, transcript: Transcript) -> Summary:
        """Return the summary; an empty transcript gives no items and asks nobody.

        Whatever the endpoint does, it returns within the time that the settings allow, and a little for the rules.
        """
        if not transcript.spoken:
            return Summary((), self.name)
        reading = _Reading(self._settings, transcript, self._fence)
        asyncio.run(reading.run())
        unread = reading.unread
        log.info(
            "Language model: %s; %d items left out, %d of %d utterances left to the rules",
            reading.endpoint.bill,
            reading.unsaid,
            len(unread),
            len(transcript.spoken),
        )
        by_rules = self._rules.summarize(transcript).items if unread else ()
        if reading.is_in_vain:
            return Summary(by_rules, reading.signature())
        missing = [one for one in by_rules if not unread.isdisjoint(one.evidence)]
        return Summary(merged([*reading.items, *missing], transcript), reading.signature())


class _Reading:
    """One meeting being asked about. Owned by one call of `summarize`."""

    def __init__(
        self, settings: LanguageModelSettings, transcript: Transcript, fence: Callable[[], str]
    ) -> None:
        self._settings = settings
        self._transcript = transcript
        self._fence = fence
        self._script = Script.of(transcript)
        self._left = Counter(range(1, len(self._script.utterances) + 1))  # lines by number
        self._remark = ""
        self.endpoint = Endpoint(settings)
        self.items: list[Item] = []
        self.unsaid = 0

    @property
    def unread(self) -> frozenset[str]:
        """The utterances that the model has not read to their end."""
        return frozenset(self._script.utterances[number - 1] for number in +self._left)

    @property
    def is_in_vain(self) -> bool:
        """Whether nothing of the notes is the model's."""
        return not self.items and len(self.unread) == len(self._script.utterances)

    def signature(self) -> str:
        """Return who wrote the items and what a reader should know of it."""
        unread, spoken = len(self.unread), len(self._script.utterances)
        if self.is_in_vain:
            return f"{RULES} (the language model {self._remark})"
        remarks = []
        if unread:
            remarks.append(f"{unread} of {spoken} utterances read by rules: the model {self._remark}")
        if self.unsaid:
            remarks.append(f"left out {self.unsaid} that nobody said")
        name = label(self.endpoint.model)
        return f"{name} ({'; '.join(remarks)})" if remarks else name

    async def run(self) -> None:
        """Ask about every part, as long as there is time and use in it."""
        try:
            await asyncio.wait_for(self._run(), self._settings.timeout_s)
        except asyncio.TimeoutError:
            self._give_up("took too long")
        except NoAnswer as problem:
            self._give_up(problem.remark)

    async def _run(self) -> None:
        async with self.endpoint:
            await self.endpoint.settle()
            budget_tokens = part_tokens(self._script, self._settings.context_tokens)
            if budget_tokens < LEAST_TOKENS:
                raise NoAnswer("has too small a context for this meeting", is_final=True)
            found = parts(self._transcript, budget_tokens)
            self._left = Counter(line.number for part in found for line in part.lines)
            for part in found:
                await self._take(part, SPLITS)

    async def _take(self, part: Part, splits: int) -> None:
        """Ask about *part*, in halves when its answer does not end; what has no usable answer stays unread."""
        try:
            found = await self._items(part)
            if found is None:
                smaller = halves(part) if splits else None
                if smaller is None:
                    raise NoAnswer("did not come to an end")
                for one in smaller:
                    await self._take(one, splits - 1)
            else:
                self._keep(part, found)
        except NoAnswer as problem:
            if problem.is_final:
                raise
            self._give_up(problem.remark)

    async def _items(self, part: Part) -> tuple[Item, ...] | None:
        """Return the unchecked items of *part*, None when the answer was cut off; no JSON is asked for once more.

        Raises NoAnswer.
        """
        for is_repeated in (False, True):
            asked = messages(self._script, part, self._fence(), is_repeated=is_repeated)
            choice = await self.endpoint.ask(asked, answer_tokens(asked, self._settings.context_tokens))
            if choice is None or choice.is_cut:
                return None
            try:
                answer = read(choice.content, self._script)
            except ValueError:  # its text quotes the answer
                log.info("The language model's answer has not the form that was asked for")
                continue
            self.unsaid += answer.bare
            return answer.items
        raise NoAnswer("gave no usable answer")

    def _keep(self, part: Part, found: Sequence[Item]) -> None:
        """Keep what the part shows. Raises NoAnswer when most of it was invented: the rest is not to be trusted."""
        own, before = (frozenset(map(self._id, one)) for one in (part.numbers, part.numbers_before))
        # What only the lines before show has been asked about with them.
        new = [one for one in found if not before.issuperset(one.evidence)]
        findings = supported(
            (one for one in new if (own | before).issuperset(one.evidence)), self._transcript
        )
        unsaid = len(new) - len(findings.kept)
        if unsaid:
            faults = {**findings.faults, "lines it was not shown": unsaid - len(findings.dropped)}
            told = ", ".join(f"{fault} {count}" for fault, count in sorted(faults.items()) if count)
            log.info("%d of %d items are not shown by what was said: %s", unsaid, len(new), told)
        if unsaid > len(findings.kept):
            raise NoAnswer("made up more than was said")
        self.unsaid += unsaid
        self.items.extend(findings.kept)
        self._left.subtract(line.number for line in part.lines)

    def _id(self, number: int) -> str:
        return self._script.utterances[number - 1]

    def _give_up(self, remark: str) -> None:
        """Leave what is unread to the rules, because the model did what the first *remark* says."""
        log.warning("The language model %s; the rules read what it did not", remark)
        self._remark = self._remark or remark


def label(model: str) -> str:
    """Return how the notes call a model: its name without folders, on one line, not too long."""
    return plain(model).rstrip("/").rsplit("/", 1)[-1][:NAME_CHARACTERS] or "language model"
