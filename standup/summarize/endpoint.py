"""One OpenAI-compatible endpoint during one meeting: questions go out, choices come back, everything is counted.

Retries of one request are the client's own (no connection, 408, 409, 429, 5xx; ``Retry-After`` is kept). Fields that
the endpoint refuses are left away from then on. Nothing of a question, an answer or a refusal is logged or kept in
an error. https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import openai

from standup.errors import SummarizeError
from standup.settings import LanguageModelSettings
from standup.summarize.dialect import Dialect, is_too_long

log = logging.getLogger(__name__)

RETRIES = 2
CALL_SHARE = 0.5
"""Of the time for a meeting that one request may take, so that one that hangs leaves time for another."""
CONNECT_S = 10.0
NO_KEY = "none"
#: The client wants a key; an endpoint without keys ignores it.


class NoAnswer(SummarizeError):
    """The language model gave no usable answer; the rules take over."""

    def __init__(self, remark: str, *, is_final: bool = False) -> None:
        """*remark*: a clause about the model. *is_final*: asking it about anything else is no use either."""
        super().__init__(f"The language model {remark}; the rules take over.")
        self.remark = remark
        self.is_final = is_final


@dataclass(frozen=True, slots=True)
class Choice:
    """What a model said."""

    content: str
    is_cut: bool
    """It was not finished when the limit came."""

    @classmethod
    def of(cls, completion: object) -> Choice:
        """Read an answer; what is no chat completion has said nothing."""
        try:
            said: Any = completion.choices[0]  # type: ignore[attr-defined]
            content, reason = said.message.content, said.finish_reason
        except (AttributeError, IndexError, TypeError, KeyError):
            return cls("", False)
        return cls(content if isinstance(content, str) else "", reason == "length")


@dataclass(slots=True)
class Bill:
    """What one meeting took. Owned by its endpoint."""

    calls: int = 0
    asked_tokens: int = 0
    answered_tokens: int = 0
    took_s: float = 0.0
    cost: float | None = None
    """In the endpoint's own currency, where it tells."""

    def add(self, completion: object, took_s: float) -> None:
        """Count one answer."""
        self.took_s += took_s
        usage = getattr(completion, "usage", None)
        self.asked_tokens += int(_number(usage, "prompt_tokens"))
        self.answered_tokens += int(_number(usage, "completion_tokens"))
        if cost := _number(usage, "cost"):
            self.cost = (self.cost or 0.0) + cost

    def __str__(self) -> str:
        """Return the numbers, fit for a log."""
        cost = "unknown" if self.cost is None else f"{self.cost:.6f}"
        return (
            f"{self.calls} calls, {self.took_s:.1f} s, {self.asked_tokens} tokens asked, "
            f"{self.answered_tokens} answered, cost {cost}"
        )


def _number(usage: object, name: str) -> float:
    """Return a number of a usage report, 0 where it is not given."""
    value = getattr(usage, name, None)
    return value if isinstance(value, int | float) else 0


class Endpoint:
    """A connection to a language model; an asynchronous context that closes it."""

    def __init__(self, settings: LanguageModelSettings) -> None:
        """Prepare the client; nothing is sent yet."""
        self.model = settings.model
        """Its name there; empty until `settle` has asked."""
        self.bill = Bill()
        self._dialect = Dialect()
        self._client = openai.AsyncOpenAI(
            base_url=settings.url,
            api_key=settings.api_key.get_secret_value() or NO_KEY,
            max_retries=RETRIES,
            timeout=openai.Timeout(settings.timeout_s * CALL_SHARE, connect=CONNECT_S),
        )

    async def __aenter__(self) -> Endpoint:
        """Return the endpoint."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self._client.close()

    async def models(self) -> list[str]:
        """Return the names of the models there. Raises NoAnswer."""
        try:
            return [one.id async for one in self._client.models.list()]
        except (ValueError, AttributeError, TypeError):  # a page that is no list of models
            return []
        except openai.OpenAIError as problem:
            raise _no_answer(problem) from None

    async def settle(self) -> None:
        """Find the model's name when the settings leave it open. Raises NoAnswer unless there is exactly one."""
        if self.model:
            return
        found = await self.models()
        if len(found) != 1:
            log.warning("The endpoint has %d models; set STANDUP_LLM_MODEL to one of them", len(found))
            raise NoAnswer("is not named in the settings", is_final=True)
        self.model = found[0]

    async def ask(self, messages: Sequence[Mapping[str, str]], answer_tokens: int) -> Choice | None:
        """Return the answer of at most *answer_tokens*, None when the endpoint finds the question too long.

        Raises NoAnswer.
        """
        while True:
            try:
                return Choice.of(await self._create(messages=messages, **self._dialect.fields(answer_tokens)))
            except (openai.BadRequestError, openai.UnprocessableEntityError) as refusal:
                if is_too_long(refusal.body):
                    return None
                other = self._dialect.without(f"{refusal.param} {refusal.body}")
                if other is None:
                    raise NoAnswer("refused the question") from None
                log.info("The endpoint refuses a field (HTTP %d); asking in another way", refusal.status_code)
                self._dialect = other

    async def _create(self, **fields: Any) -> object:
        """Return whatever the endpoint answers. Raises NoAnswer, and the client's errors about a refused field."""
        self.bill.calls += 1
        began = time.monotonic()
        create: Callable[..., Any] = self._client.chat.completions.create
        completion: object = None
        try:
            completion = await create(model=self.model, **fields)
        except (ValueError, RecursionError):  # what came is no JSON, and the text of the error would quote it
            log.warning("The language model's endpoint answers something else than JSON")
        except (openai.BadRequestError, openai.UnprocessableEntityError):
            raise
        except openai.OpenAIError as problem:
            raise _no_answer(problem) from None
        took_s = time.monotonic() - began
        self.bill.add(completion, took_s)
        log.debug("The language model answered in %d ms", took_s * 1000)
        return completion


def _no_answer(problem: openai.OpenAIError) -> NoAnswer:
    """Return what a failure means, without its text, which may quote the question."""
    status = getattr(problem, "status_code", None)
    log.warning("The language model's endpoint failed: %s, HTTP %s", type(problem).__name__, status or "none")
    if isinstance(problem, openai.APITimeoutError):
        return NoAnswer("took too long", is_final=True)
    if isinstance(problem, openai.AuthenticationError | openai.PermissionDeniedError):
        return NoAnswer("refused the key", is_final=True)
    if isinstance(problem, openai.NotFoundError):
        return NoAnswer("was not found", is_final=True)
    return NoAnswer("did not answer", is_final=True)
