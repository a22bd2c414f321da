"""A message as Discord takes it: content and cards (embeds), each within its limit.

Limits: https://discord.com/developers/docs/resources/message#embed-object-embed-limits
Lengths are counted in UTF-16 code units: Discord does not say what it counts, and no other way of counting
gives more, so what fits here fits there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

CONTENT_UNITS = 2000
TITLE_UNITS = 256
DESCRIPTION_UNITS = 4096
FIELD_NAME_UNITS = 256
FIELD_VALUE_UNITS = 1024
FOOTER_UNITS = 2048
FIELDS = 25
CARDS = 10
TOTAL_UNITS = 6000
"""Over all cards of a message: titles, descriptions, field names and values, footers."""

ELLIPSIS = "…"


def units(text: str) -> int:
    """Return the length of *text* in UTF-16 code units; raise ValueError for an unpaired surrogate."""
    return len(text.encode("utf-16-le")) // 2


def cut(text: str, limit: int) -> str:
    """Return *text* when it has at most *limit* units, else its first whole words and an ellipsis.

    A first word that does not fit leaves the ellipsis alone, so an escape is never torn from its character.
    """
    if units(text) <= limit:
        return text
    kept = ""
    for word in text.split():
        longer = f"{kept} {word}" if kept else word
        if units(f"{longer} {ELLIPSIS}") > limit:
            break
        kept = longer
    return f"{kept} {ELLIPSIS}" if kept else ELLIPSIS


@dataclass(frozen=True, slots=True)
class Field:
    """One headed block of a card."""

    name: str
    value: str

    def __post_init__(self) -> None:
        _check("a field's name", self.name, 1, FIELD_NAME_UNITS)
        _check("a field's value", self.value, 1, FIELD_VALUE_UNITS)

    @property
    def length_units(self) -> int:
        """What the field takes of the message's total."""
        return units(self.name) + units(self.value)


@dataclass(frozen=True, slots=True)
class Card:
    """One embed."""

    title: str = ""
    description: str = ""
    fields: tuple[Field, ...] = ()
    footer: str = ""
    """Carries the meeting id, by which a message is found again; Discord shows it without Markdown."""
    colour: int = 0x5865F2
    """Red, green and blue, one byte each."""

    def __post_init__(self) -> None:
        _check("a title", self.title, 0, TITLE_UNITS)
        _check("a description", self.description, 0, DESCRIPTION_UNITS)
        _check("a footer", self.footer, 0, FOOTER_UNITS)
        if len(self.fields) > FIELDS:
            raise ValueError(f"a card has at most {FIELDS} fields")
        if not 0 <= self.colour <= 0xFFFFFF:
            raise ValueError("a colour has three bytes")

    @property
    def length_units(self) -> int:
        """What the card takes of the message's total."""
        own = units(self.title) + units(self.description) + units(self.footer)
        return own + sum(one.length_units for one in self.fields)


@dataclass(frozen=True, slots=True)
class Notice:
    """One message. It never notifies anybody: whoever sends it allows no mentions."""

    content: str
    cards: tuple[Card, ...] = ()

    def __post_init__(self) -> None:
        _check("the content", self.content, 0, CONTENT_UNITS)
        if len(self.cards) > CARDS:
            raise ValueError(f"a message has at most {CARDS} cards")
        if total(self.cards) > TOTAL_UNITS:
            raise ValueError(f"the cards of a message have at most {TOTAL_UNITS} units together")
        if not (self.content or total(self.cards)):
            raise ValueError("a message says something")


def total(cards: Iterable[Card]) -> int:
    """Return what *cards* take of the message's total."""
    return sum(one.length_units for one in cards)


def _check(what: str, text: str, least: int, most: int) -> None:
    if not least <= units(text) <= most:
        raise ValueError(f"{what} has {least} to {most} units")
