"""A recorder that is not where it says it records is reported once, when that has lasted."""

from __future__ import annotations

from standup.bot.presence import ABSENT_AFTER_MS, Presence

MEETING = "20261123T095800Z-1f0c9a2b"


def test_reported_once() -> None:
    """A lasting breach is one report, not one per look."""
    presence = Presence()

    looks = [presence.check({MEETING}, now_ms) for now_ms in (0, ABSENT_AFTER_MS - 1, ABSENT_AFTER_MS, 10**9)]

    assert looks == [((), ()), ((), ()), ((MEETING,), ()), ((), ())]


def test_a_short_absence_is_no_breach() -> None:
    """A rejoin is neither reported nor cured."""
    presence = Presence()
    presence.check({MEETING}, 0)

    assert presence.check(set(), 5_000) == ((), ())
    assert presence.check({MEETING}, ABSENT_AFTER_MS) == ((), ())


def test_cured() -> None:
    """A reported breach that is over is told once, and may be reported again."""
    presence = Presence()
    presence.check({MEETING}, 0)
    presence.check({MEETING}, ABSENT_AFTER_MS)

    assert presence.check(set(), ABSENT_AFTER_MS + 1) == ((), (MEETING,))
    assert presence.check(set(), ABSENT_AFTER_MS + 2) == ((), ())
    presence.check({MEETING}, 0)
    assert presence.check({MEETING}, ABSENT_AFTER_MS) == ((MEETING,), ())
