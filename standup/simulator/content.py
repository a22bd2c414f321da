"""What Discord accepts in a message, and whom it pings.

No clock and no I/O here. Limits:
https://discord.com/developers/docs/resources/message#embed-object-embed-limits, mentions:
https://discord.com/developers/docs/resources/message#allowed-mentions-object
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CONTENT_CHARACTERS = 2000
EMBEDS = 10
EMBED_CHARACTERS = 6000
FIELDS = 25
ATTACHMENTS = 10
ATTACHMENT_BYTES = 10 * 1024 * 1024
NONCE_CHARACTERS = 25
COMPONENT_ROWS = 5
#: The longest of each text in an embed, by the path within it.
EMBED_LIMITS = {
    ("title",): 256,
    ("description",): 4096,
    ("footer", "text"): 2048,
    ("author", "name"): 256,
}
FIELD_LIMITS = {"name": 256, "value": 1024}

USER_MENTION = re.compile(r"<@!?(\d{15,20})>")
ROLE_MENTION = re.compile(r"<@&(\d{15,20})>")


@dataclass(frozen=True, slots=True)
class FormError:
    """One reason why a body is refused."""

    path: str
    """Dotted, as in ``embeds.0.title``."""
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Mentions:
    """Whom a text names."""

    user_ids: frozenset[int] = frozenset()
    role_ids: frozenset[int] = frozenset()
    everyone: bool = False
    here: bool = False


def find_mentions(content: str) -> Mentions:
    """Find whom *content* names, whether or not it may ping them; code is not looked into."""
    return Mentions(
        frozenset(int(number) for number in USER_MENTION.findall(content)),
        frozenset(int(number) for number in ROLE_MENTION.findall(content)),
        everyone="@everyone" in content,
        here="@here" in content,
    )


def find_pinged(
    content: str, allowed: Mapping[str, Any] | None, *, may_mention_everyone: bool
) -> frozenset[str]:
    """Work out who is really notified: ``everyone``, ``here``, ``user:ID`` and ``role:ID``.

    *allowed* is the body's ``allowed_mentions``; without one everything in *content* counts. Embeds never
    ping.
    """
    named = find_mentions(content)
    parse = {"everyone", "users", "roles"} if allowed is None else set(allowed.get("parse") or ())
    users = named.user_ids if "users" in parse else named.user_ids & _ids(allowed, "users")
    roles = named.role_ids if "roles" in parse else named.role_ids & _ids(allowed, "roles")
    pinged = {f"user:{number}" for number in users} | {f"role:{number}" for number in roles}
    if may_mention_everyone and "everyone" in parse:
        pinged |= {
            name for name, is_named in (("everyone", named.everyone), ("here", named.here)) if is_named
        }
    return frozenset(pinged)


def find_form_errors(body: Mapping[str, Any], attachment_sizes_bytes: Sequence[int] = ()) -> list[FormError]:
    """List everything that API v10 refuses in a message body; an empty list means it is accepted."""
    errors = list(_too_long("content", body.get("content"), CONTENT_CHARACTERS))
    errors += _too_long("nonce", str(body.get("nonce") or ""), NONCE_CHARACTERS)
    errors += _too_many("embeds", body.get("embeds"), EMBEDS)
    errors += _too_many("components", body.get("components"), COMPONENT_ROWS)
    errors += _too_many("attachments", attachment_sizes_bytes, ATTACHMENTS)
    for position, embed in enumerate(body.get("embeds") or ()):
        errors += _embed_errors(f"embeds.{position}", embed)
    if sum(_embed_characters(embed) for embed in body.get("embeds") or ()) > EMBED_CHARACTERS:
        sentence = f"Embed size exceeds maximum size of {EMBED_CHARACTERS}"
        errors.append(FormError("embeds", "MAX_EMBED_SIZE_EXCEEDED", sentence))
    errors += _allowed_mentions_errors(body.get("allowed_mentions") or {})
    return errors


def is_empty(body: Mapping[str, Any], attachments: int) -> bool:
    """Say whether a message of this body would show nothing."""
    return not (
        str(body.get("content") or "").strip() or body.get("embeds") or body.get("components") or attachments
    )


def _ids(allowed: Mapping[str, Any] | None, key: str) -> frozenset[int]:
    return frozenset(int(number) for number in (allowed or {}).get(key) or ())


def _too_long(path: str, text: object, limit: int) -> Iterator[FormError]:
    if isinstance(text, str) and len(text) > limit:
        yield FormError(path, "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length.")


def _too_many(path: str, items: Sequence[object] | None, limit: int) -> Iterator[FormError]:
    if items and len(items) > limit:
        yield FormError(path, "BASE_TYPE_BAD_LENGTH", f"Must be {limit} or fewer in length.")


def _embed_errors(path: str, embed: Mapping[str, Any]) -> Iterator[FormError]:
    for keys, limit in EMBED_LIMITS.items():
        yield from _too_long(f"{path}.{'.'.join(keys)}", _text_at(embed, keys), limit)
    fields = embed.get("fields") or ()
    yield from _too_many(f"{path}.fields", fields, FIELDS)
    for position, each in enumerate(fields):
        for key, limit in FIELD_LIMITS.items():
            field_path = f"{path}.fields.{position}.{key}"
            if not each.get(key):
                yield FormError(field_path, "BASE_TYPE_REQUIRED", "This field is required")
            yield from _too_long(field_path, each.get(key), limit)


def _embed_characters(embed: Mapping[str, Any]) -> int:
    texts = [_text_at(embed, keys) for keys in EMBED_LIMITS]
    texts += [str(each.get(key) or "") for each in embed.get("fields") or () for key in FIELD_LIMITS]
    return sum(len(text) for text in texts)


def _text_at(embed: Mapping[str, Any], keys: Sequence[str]) -> str:
    found: Any = embed
    for key in keys:
        found = (found or {}).get(key)
    return str(found or "")


def _allowed_mentions_errors(allowed: Mapping[str, Any]) -> Iterator[FormError]:
    parse = set(allowed.get("parse") or ())
    for key in ("users", "roles"):
        if key in parse and allowed.get(key):
            sentence = f'parse:["{key}"] and {key}: [ids...] are mutually exclusive.'
            yield FormError("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", sentence)
        yield from _too_many(f"allowed_mentions.{key}", allowed.get(key), 100)
