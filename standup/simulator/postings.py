"""Read message bodies and carry them out: post, edit, delete.

Limits and nonces are checked here, permissions by whoever calls.
https://discord.com/developers/docs/resources/message, https://discord.com/developers/docs/reference#uploading-files
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from aiohttp import BodyPartReader, web

from .answers import EMPTY_MESSAGE, ENTITY_TOO_LARGE, ApiError, refuse_form
from .content import ATTACHMENT_BYTES, FormError, find_form_errors, is_empty
from .world import EPHEMERAL, LOADING, Attachment, Message, World

#: The flags that a bot may set itself: suppress embeds, ephemeral, suppress notifications, components v2.
SETTABLE_FLAGS = 1 << 2 | EPHEMERAL | 1 << 12 | 1 << 15


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a multipart body."""

    filename: str
    content: bytes = field(repr=False)
    content_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Form:
    """One body: its JSON, and the files that came with it in their order."""

    body: Mapping[str, Any]
    uploads: tuple[Upload, ...] = ()


async def read_form(request: web.Request) -> Form:
    """Read a JSON or multipart body.

    Raises ApiError 400 when it is neither and 413 when a file is too large.
    """
    if request.content_type != "multipart/form-data":
        return Form(_parse_json(await request.text()))
    body: Mapping[str, Any] = {}
    uploads = []
    reader = await request.multipart()
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader):
            raise refuse_form([FormError("files", "BASE_TYPE_BAD_TYPE", "A part is itself multipart.")])
        content = bytes(await part.read(decode=True))
        if part.name == "payload_json":
            body = _parse_json(content.decode())
        else:
            uploads.append(_upload(part, content))
    return Form(body, tuple(uploads))


def _upload(part: BodyPartReader, content: bytes) -> Upload:
    if len(content) > ATTACHMENT_BYTES:
        raise ApiError(413, ENTITY_TOO_LARGE, "Request entity too large")
    kind = part.headers.get("Content-Type", "application/octet-stream")
    return Upload(part.filename or "unknown", content, kind)


def _parse_json(text: str) -> Mapping[str, Any]:
    try:
        body = json.loads(text or "{}")
    except ValueError as cause:
        raise ApiError(400, 50109, "The request body contains invalid JSON.") from cause
    if not isinstance(body, dict):
        raise refuse_form([FormError("_", "MODEL_TYPE_CONVERT", "Only dictionaries may be used here.")])
    return body


class Postings:
    """Carry out what bodies say, and have every change published.

    *publish* is called with ``MESSAGE_CREATE``, ``MESSAGE_UPDATE`` or ``MESSAGE_DELETE`` and the message.
    """

    def __init__(self, world: World, publish: Callable[[str, Message], None]) -> None:
        self.world = world
        self._publish = publish

    def create(
        self,
        channel_id: int,
        author_id: int,
        form: Form,
        *,
        interaction_id: int | None = None,
        flags: int = 0,
    ) -> Message:
        """Post a message, or return the one that its enforced nonce already posted.

        Raises ApiError when the body is refused. A LOADING message may be empty.
        """
        body = form.body
        nonce = None if body.get("nonce") is None else str(body["nonce"])
        self._check(form, kept=0)
        former = self.world.find_nonce(channel_id, author_id, nonce) if nonce else None
        if former and body.get("enforce_nonce"):
            return former
        if is_empty(body, len(form.uploads)) and not flags & LOADING:
            raise ApiError(400, EMPTY_MESSAGE, "Cannot send an empty message")
        now = datetime.now(timezone.utc)
        message = Message(
            self.world.snowflakes.next(now),
            channel_id,
            author_id,
            now,
            content=str(body.get("content") or ""),
            embeds=tuple(body.get("embeds") or ()),
            attachments=self._attach(form.uploads, now),
            components=tuple(body.get("components") or ()),
            allowed_mentions=body.get("allowed_mentions"),
            nonce=nonce,
            flags=flags | int(body.get("flags") or 0) & SETTABLE_FLAGS,
            interaction_id=interaction_id,
        )
        posted = self.world.post(message)
        self._publish("MESSAGE_CREATE", posted)
        return posted

    def edit(self, message: Message, form: Form) -> Message:
        """Change what the body names and leave the rest; listed attachments stay, the others go.

        Raises ApiError when the body is refused or the message would be empty.
        """
        body, now = form.body, datetime.now(timezone.utc)
        kept = _kept(message, body.get("attachments"))
        self._check(form, kept=len(kept))
        changes: dict[str, Any] = {"flags": message.flags & ~LOADING}
        if "content" in body:
            changes["content"] = str(body["content"] or "")
        for name in ("embeds", "components"):
            if name in body:
                changes[name] = tuple(body[name] or ())
        if "allowed_mentions" in body:
            changes["allowed_mentions"] = body["allowed_mentions"]
        changes["attachments"] = kept + self._attach(form.uploads, now)
        _check_not_emptied(message, changes)
        edited = self.world.edit(message.id, changes, now)
        self._publish("MESSAGE_UPDATE", edited)
        return edited

    def delete(self, message: Message) -> None:
        """Take a message away."""
        del self.world.messages[message.id]
        self._publish("MESSAGE_DELETE", message)

    def _check(self, form: Form, *, kept: int) -> None:
        sizes = [0] * kept + [len(upload.content) for upload in form.uploads]
        errors = find_form_errors(form.body, sizes)
        if errors:
            raise refuse_form(errors)

    def _attach(self, uploads: Sequence[Upload], now: datetime) -> tuple[Attachment, ...]:
        return tuple(
            Attachment(self.world.snowflakes.next(now), one.filename, one.content, one.content_type)
            for one in uploads
        )


def _kept(message: Message, listed: Sequence[Mapping[str, Any]] | None) -> tuple[Attachment, ...]:
    if listed is None:
        return message.attachments
    ids = {int(one["id"]) for one in listed if "id" in one}
    return tuple(one for one in message.attachments if one.id in ids)


def _check_not_emptied(message: Message, changes: Mapping[str, Any]) -> None:
    after = {name: changes.get(name, getattr(message, name)) for name in ("content", "embeds", "components")}
    if is_empty(after, len(changes["attachments"])):
        raise ApiError(400, EMPTY_MESSAGE, "Cannot send an empty message")
