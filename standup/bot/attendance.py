"""Who was and is at one recording: participants by name, people without sight of the notice by number, nobody at all.

Owner: the event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from standup.bot.audience import Audience
from standup.bot.listener import Listener
from standup.bot.voice_line import VoiceLine
from standup.meeting import Participant

log = logging.getLogger(__name__)

NAMES_AT_ONCE = 10
#: People whose names are looked up side by side at one time; the others follow at the next.

NameOf = Callable[[int], Awaitable[str]]


class Attendance:
    """The people of one recording, since this recorder began or resumed it."""

    def __init__(self, line: VoiceLine, audience: Audience, listener: Listener, name_of: NameOf) -> None:
        self._line = line
        self._audience = audience
        self._listener = listener
        self._name_of = name_of
        self._unsighted: set[int] = set()
        self._empty_since_ms: int | None = None

    @property
    def unsighted_people(self) -> int:
        """How many have been there so far without sight of the notice, each counted once."""
        return len(self._unsighted)

    def look(self) -> bool:
        """See anew who may be kept because they can see the notice; return whether the number of others has changed.

        Of those others no speech is expected.
        """
        told = len(self._audience.unsighted)
        self._audience.look()
        unsighted = self._audience.unsighted
        for one in unsighted:
            self._listener.muted(one)
        self._unsighted |= unsighted
        if len(unsighted) == told:
            return False
        log.info("People who cannot see the notice and are not recorded: %d", len(unsighted))
        return True

    def empty_ms(self, now_ms: int) -> int:
        """Return for how long nobody has been in the channel who may be kept; 0 while somebody is, or nobody can
        tell."""
        if any(map(self._audience.keeps, self._line.people)) or not self._line.sees_people:
            self._empty_since_ms = None
            return 0
        if self._empty_since_ms is None:
            self._empty_since_ms = now_ms
        return now_ms - self._empty_since_ms

    async def newcomers(self, known: Iterable[Participant]) -> tuple[Participant, ...]:
        """Return those besides *known* who are there or were heard, with the names they have now; a few at a time.

        Who cannot see the notice, which tells that people are recorded by name, is not among them.
        """
        ids = {one.id for one in known}
        sighted = filter(self._audience.keeps, self._line.people)
        present = self._listener.heard.union(sighted)
        new = [one for one in sorted(present) if str(one) not in ids][:NAMES_AT_ONCE]
        names = await asyncio.gather(*(self._name_of(one) for one in new))
        return tuple(Participant(str(one), name) for one, name in zip(new, names, strict=True))
