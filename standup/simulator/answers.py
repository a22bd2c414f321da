"""Answer REST calls the way Discord does: plain JSON, and errors with their own numbers.

https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from .content import FormError

UNKNOWN_CHANNEL, UNKNOWN_GUILD, UNKNOWN_MEMBER, UNKNOWN_MESSAGE = 10003, 10004, 10007, 10008
UNKNOWN_USER, UNKNOWN_WEBHOOK, UNKNOWN_INTERACTION = 10013, 10015, 10062
MISSING_ACCESS, CANNOT_EDIT_OTHERS, EMPTY_MESSAGE, MISSING_PERMISSIONS = 50001, 50005, 50006, 50013
WRONG_CHANNEL_TYPE, THREAD_ARCHIVED, THREAD_EXISTS = 50024, 50083, 160004
INVALID_WEBHOOK_TOKEN, INVALID_FORM, ALREADY_ACKNOWLEDGED, ENTITY_TOO_LARGE = 50027, 50035, 40060, 40005


class ApiError(Exception):
    """A call is refused with *status*, Discord's own *code* and its sentence."""

    def __init__(self, status: int, code: int, sentence: str, errors: Sequence[FormError] = ()) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.sentence = sentence
        self.errors = errors

    def body(self) -> dict[str, Any]:
        """Make the body of the answer."""
        content: dict[str, Any] = {"message": self.sentence, "code": self.code}
        if self.errors:
            content["errors"] = nest_form_errors(self.errors)
        return content


def unknown(what: str, code: int) -> ApiError:
    """Make the 404 for something that is not there."""
    return ApiError(404, code, f"Unknown {what}")


def refuse_form(errors: Sequence[FormError]) -> ApiError:
    """Make the 400 that lists what is wrong in a body."""
    return ApiError(400, INVALID_FORM, "Invalid Form Body", errors)


def nest_form_errors(errors: Sequence[FormError]) -> dict[str, Any]:
    """Nest dotted paths as Discord's ``errors`` object does."""
    root: dict[str, Any] = {}
    for error in errors:
        place = root
        for key in error.path.split("."):
            place = place.setdefault(key, {})
        place.setdefault("_errors", []).append({"code": error.code, "message": error.sentence})
    return root


def answer_json(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Make a JSON answer.

    Its Content-Type is exactly ``application/json``: discord.py reads JSON from nothing else, not even with a charset.
    """
    body = json.dumps(content).encode()
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


def answer_nothing() -> web.Response:
    """Make the 204 of calls that give nothing back."""
    return web.Response(status=204)
