"""What an OpenAI-compatible endpoint was found to accept: endpoints differ, and refuse what they do not know.

Pure: a refusal goes in, the next thing to try comes out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from standup.summarize.prompt import SCHEMA_NAME, schema

FORMATS = ("json_schema", "json_object", "")
"""How JSON is asked for, the strictest first; the last leaves it to the instructions alone."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """The optional fields of a request that an endpoint takes."""

    form: str = FORMATS[0]
    limit: str = "max_tokens"
    """The field that limits the answer; newer hosted models want ``max_completion_tokens``."""
    is_cool: bool = True
    """Whether the temperature may be set (to 0)."""

    def fields(self, answer_tokens: int) -> dict[str, Any]:
        """Return the fields of a request whose answer has at most *answer_tokens*."""
        found: dict[str, Any] = {self.limit: answer_tokens}
        if self.is_cool:
            found["temperature"] = 0
        if self.form == "json_schema":
            named = {"name": SCHEMA_NAME, "strict": True, "schema": schema()}
            found["response_format"] = {"type": "json_schema", "json_schema": named}
        elif self.form:
            found["response_format"] = {"type": self.form}
        return found

    def without(self, refused: str) -> Dialect | None:
        """Return what to try after a refusal that speaks of *refused*, its text or the name of a field.

        None when nothing is left to try.
        """
        if self.limit == "max_tokens" and "max_completion_tokens" in refused:
            return replace(self, limit="max_completion_tokens")
        if self.is_cool and "temperature" in refused:
            return replace(self, is_cool=False)
        weaker = FORMATS[FORMATS.index(self.form) + 1 :]
        return replace(self, form=weaker[0]) if weaker else None


def is_too_long(refusal: object) -> bool:
    """Return whether a refusal says that question and answer do not fit the model's context."""
    told = str(refusal or "").casefold()
    return "context" in told and any(
        one in told for one in ("length", "exceed", "size", "window", "too long")
    )
