"""Deafness is proved by speech that was announced or sent and not decrypted, never by silence."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from standup.bot.liveness import CUT_OFF_AFTER_MS, DEAF_AFTER_MS, LOST_PACKETS, REJOINS_PER_USER, Liveness

ANA, BEN = 1, 2
NOW = 100_000
LATER = NOW + DEAF_AFTER_MS


def _announced(liveness: Liveness) -> None:
    liveness.announced(ANA, NOW)


def _undecryptable(liveness: Liveness) -> None:
    liveness.undecryptable(ANA, NOW)


def _unnamed(liveness: Liveness) -> None:
    liveness.undecryptable(None, NOW)


def _one_lost_while_others_are_heard(liveness: Liveness) -> None:
    for _ in range(LOST_PACKETS):
        liveness.undecryptable(ANA, NOW)
    liveness.decrypted(BEN, LATER - 1)


def _cut_off(liveness: Liveness) -> None:
    liveness.arrived(LATER - CUT_OFF_AFTER_MS, is_echo=True)


@pytest.mark.parametrize(
    "story",
    [
        pytest.param(_announced, id="announced, nothing came"),
        pytest.param(_undecryptable, id="came, could not be decrypted"),
        pytest.param(_unnamed, id="came from nobody known"),
        pytest.param(
            _one_lost_while_others_are_heard, id="five seconds of one person while others are heard"
        ),
        pytest.param(_cut_off, id="keepalives are no longer echoed"),
    ],
)
def test_deaf(story: Callable[[Liveness], None]) -> None:
    """Each of these proves deafness after ten seconds, and not a millisecond before."""
    liveness = Liveness()

    story(liveness)

    assert liveness.deaf_since_ms(LATER) is not None
    assert liveness.deaf_since_ms(LATER - 1) is None


def _nothing(liveness: Liveness) -> None: ...


def _heard(liveness: Liveness) -> None:
    liveness.announced(ANA, NOW)
    liveness.decrypted(ANA, NOW + 1)


def _somebody_else_heard(liveness: Liveness) -> None:
    liveness.announced(ANA, NOW)
    liveness.decrypted(BEN, NOW + 1)


def _open_microphone(liveness: Liveness) -> None:
    liveness.announced(ANA, NOW)
    liveness.silent(ANA)


def _left(liveness: Liveness) -> None:
    liveness.undecryptable(ANA, NOW)
    liveness.left(ANA)


def _edge_of_an_epoch(liveness: Liveness) -> None:
    for _ in range(10):
        liveness.undecryptable(ANA, NOW)
    liveness.decrypted(ANA, NOW + 200)


def _new_connection(liveness: Liveness) -> None:
    liveness.announced(ANA, NOW)
    liveness.arrived(0, is_echo=True)
    liveness.forget()


def _server_without_echo(liveness: Liveness) -> None:
    liveness.arrived(0, is_echo=False)


@pytest.mark.parametrize(
    "story",
    [
        pytest.param(_nothing, id="silence"),
        pytest.param(_heard, id="speech was decrypted"),
        pytest.param(_somebody_else_heard, id="an announcement without speech, others are heard"),
        pytest.param(_open_microphone, id="only silence frames were sent"),
        pytest.param(_left, id="the speaker left or is muted"),
        pytest.param(_edge_of_an_epoch, id="a few frames lost at a group change"),
        pytest.param(_new_connection, id="the connection is a new one"),
        pytest.param(_server_without_echo, id="the server never echoed"),
    ],
)
def test_not_deaf(story: Callable[[Liveness], None]) -> None:
    """None of these proves deafness, however long ago."""
    liveness = Liveness()

    story(liveness)

    assert liveness.deaf_since_ms(LATER + 3_600_000) is None


def test_silence_after_undecryptable_speech_cures_nothing() -> None:
    """Silence travels in clear, so it does not show that speech could be decrypted."""
    liveness = Liveness()
    liveness.undecryptable(ANA, NOW)

    liveness.silent(ANA)

    assert liveness.deaf_since_ms(LATER) == NOW


def test_deaf_since_the_first_unheard_speech() -> None:
    """The gap begins with the first speech that was not heard."""
    liveness = Liveness()
    liveness.announced(BEN, NOW + 5_000)
    liveness.announced(ANA, NOW)

    assert liveness.deaf_since_ms(LATER + 5_000) == NOW


def _rejoined_for_ana(liveness: Liveness, times: int) -> None:
    """Rejoin so often because Ana cannot be decrypted, while Ben is heard on every connection."""
    for _ in range(times):
        _one_lost_while_others_are_heard(liveness)
        assert liveness.deaf_since_ms(LATER) == NOW
        liveness.blame(LATER)
        liveness.forget()


def test_one_person_is_rejoined_for_a_few_times_only() -> None:
    """Somebody who stays undecryptable while others are heard is left to the count of lost packets."""
    liveness = Liveness()
    _rejoined_for_ana(liveness, REJOINS_PER_USER)

    _one_lost_while_others_are_heard(liveness)

    assert liveness.deaf_since_ms(LATER + 3_600_000) is None


def test_somebody_left_alone_never_hides_that_nobody_is_heard() -> None:
    """Whoever else is announced and not heard proves deafness as before."""
    liveness = Liveness()
    _rejoined_for_ana(liveness, REJOINS_PER_USER)
    _one_lost_while_others_are_heard(liveness)

    liveness.announced(BEN, LATER)

    assert liveness.deaf_since_ms(LATER + DEAF_AFTER_MS) == LATER


def test_without_anybody_heard_every_rejoin_is_worth_it() -> None:
    """Where nobody is heard, a single speaker proves deafness however often the bot has rejoined."""
    liveness = Liveness()
    for _ in range(REJOINS_PER_USER + 1):
        liveness.announced(ANA, NOW)
        liveness.blame(LATER)
        liveness.forget()

    liveness.announced(ANA, NOW)

    assert liveness.deaf_since_ms(LATER) == NOW


def test_somebody_heard_again_is_worth_new_rejoins() -> None:
    """A rejoin that helped is not counted against the person it helped."""
    liveness = Liveness()
    _rejoined_for_ana(liveness, REJOINS_PER_USER)

    liveness.decrypted(ANA, NOW)

    _rejoined_for_ana(liveness, REJOINS_PER_USER)


def _ben_is_heard(liveness: Liveness) -> None:
    liveness.decrypted(BEN, NOW)


def _ana_is_heard(liveness: Liveness) -> None:
    liveness.decrypted(ANA, NOW)


def _ana_leaves_and_ben_is_heard(liveness: Liveness) -> None:
    liveness.left(ANA)
    liveness.decrypted(BEN, NOW)


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        pytest.param(_nothing, False, id="nobody heard yet"),
        pytest.param(_ben_is_heard, False, id="only somebody else"),
        pytest.param(_ana_is_heard, True, id="the one it was for"),
        pytest.param(_ana_leaves_and_ben_is_heard, True, id="the one it was for has left"),
    ],
)
def test_cured(story: Callable[[Liveness], None], expected: bool) -> None:
    """A rejoin has helped once those are heard whose unheard speech was its reason."""
    liveness = Liveness()
    liveness.announced(ANA, NOW)
    liveness.blame(LATER)
    liveness.forget()

    story(liveness)

    assert liveness.is_cured is expected


def test_cured_of_nobody() -> None:
    """Where nobody's speech was the reason, any speech shows that a rejoin has helped."""
    liveness = Liveness()
    liveness.blame(NOW)
    liveness.forget()

    liveness.decrypted(BEN, NOW)

    assert liveness.is_cured


def test_when_speech_was_heard() -> None:
    """The newest speech is remembered over all connections, the first only for the present one."""
    liveness = Liveness()
    liveness.decrypted(ANA, NOW)
    liveness.decrypted(BEN, NOW + 20)
    before = (liveness.first_heard_ms, liveness.last_heard_ms)

    liveness.forget()

    assert before == (NOW, NOW + 20)
    assert (liveness.first_heard_ms, liveness.last_heard_ms) == (None, NOW + 20)
