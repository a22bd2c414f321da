"""One SSRC's packets put back into the order they were sent in."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.capture.arrival import Arrival, ArrivalLog
from standup.capture.stream import MAX_JUMP, sort_streams


def _arrival(
    number: int, *, ssrc: int = 1, at: int | None = None, samples: int = 960, shift: int = 0
) -> Arrival:
    """Packet *number* of a continuous sender, arriving as packet *at* would."""
    arrival_ns = 20_000_000 * (number if at is None else at)
    return Arrival(
        ssrc,
        (number + shift) & 0xFFFF,
        (960 * number + shift) & 0xFFFFFFFF,
        arrival_ns,
        samples,
        False,
        0,
        number,
    )


def _positions(arrivals: list[Arrival]) -> list[list[int]]:
    streams, _ = sort_streams(arrivals)
    return [[sent.arrival.position for sent in stream.in_order()] for stream in streams]


def test_arrival_log_keeps_everything() -> None:
    """The packed log gives back what was put in, in order."""
    arrivals = [_arrival(number, shift=65530) for number in range(20)]
    log = ArrivalLog()
    for arrival in arrivals:
        log.add(arrival)

    assert (list(log), len(log)) == (arrivals, 20)


@pytest.mark.parametrize(
    "shift",
    [
        pytest.param(65530, id="16-bit wrap"),
        pytest.param(2**32 - 960 * 5, id="32-bit wrap"),
        pytest.param(0, id="none"),
    ],
)
def test_wraps(shift: int) -> None:
    """Numbers that wrap go on growing."""
    streams, _ = sort_streams([_arrival(number, shift=shift) for number in range(20)])
    (stream,) = streams
    sent = stream.in_order()

    assert [one.sequence - sent[0].sequence for one in sent] == list(range(20))
    assert [one.timestamp - sent[0].timestamp for one in sent] == [960 * number for number in range(20)]


def test_order_is_restored_and_lateness_counted() -> None:
    """A packet overtaken by two others is put back and counted as late once."""
    arrivals = [_arrival(number, at=at) for at, number in enumerate([0, 2, 3, 1, 4])]
    streams, _ = sort_streams(arrivals)

    assert [one.arrival.position for one in streams[0].in_order()] == [0, 1, 2, 3, 4]
    assert streams[0].late == 1


def test_the_first_packet_may_be_late() -> None:
    """A packet sent before the first that came is part of the stream."""
    assert _positions([_arrival(5, at=0), _arrival(4, at=1)]) == [[4, 5]]


def test_copies_are_dropped_and_counted() -> None:
    """The first copy is kept, wherever the others come."""
    arrivals = [_arrival(number, at=at) for at, number in enumerate([0, 0, 1, 2, 0, 2])]
    streams, _ = sort_streams(arrivals)

    assert [one.arrival.position for one in streams[0].in_order()] == [0, 1, 2]
    assert (streams[0].duplicated, streams[0].late) == (3, 0)


def test_each_ssrc_is_a_stream() -> None:
    """Two SSRCs do not mix, however their numbers agree."""
    arrivals = [_arrival(number, ssrc=ssrc) for number in range(3) for ssrc in (1, 2)]

    assert _positions(arrivals) == [[0, 1, 2], [0, 1, 2]]


def test_a_restart_is_another_stream() -> None:
    """A sender that starts over with other numbers begins another stream; stragglers still find theirs."""
    restart = [_arrival(number, at=10 + number, shift=40_000) for number in range(3)]
    arrivals = [_arrival(0), _arrival(2), *restart[:1], _arrival(1, at=11), *restart[1:]]

    assert _positions(arrivals) == [[0, 1, 2], [0, 1, 2]]


def test_a_restart_near_the_old_numbers() -> None:
    """The same sequence number with another timestamp is not a copy."""
    other = _arrival(1, at=5)._replace(timestamp=123_456, position=99)

    assert _positions([_arrival(0), _arrival(1), other]) == [[0, 1], [99]]


@pytest.mark.parametrize(("jump", "streams"), [(MAX_JUMP, 1), (MAX_JUMP + 1, 2)])
def test_how_far_a_stream_reaches(jump: int, streams: int) -> None:
    """Ten seconds of loss are one stream, more are two."""
    assert len(_positions([_arrival(0), _arrival(jump)])) == streams


def test_undecryptable_packets_are_noted() -> None:
    """An unreadable packet takes its sequence number and no place."""
    streams, stray = sort_streams([_arrival(0), _arrival(1, samples=0), _arrival(2)])

    assert [one.arrival.position for one in streams[0].in_order()] == [0, 2]
    assert (streams[0].undecryptable, stray) == ({1}, 0)


def test_copies_that_dave_refused_are_copies() -> None:
    """DAVE refuses replays, so an unreadable packet with a known number is a duplicate."""
    arrivals = [
        _arrival(0),
        _arrival(0, at=1, samples=0),
        _arrival(1, samples=0),
        _arrival(1, at=2, samples=0),
    ]
    streams, _ = sort_streams(arrivals)

    assert (streams[0].duplicated, streams[0].undecryptable) == (2, {1})


def test_unreadable_packets_alone_make_no_stream() -> None:
    """A speaker of whom nothing could be decrypted has no stream, and the packets are counted."""
    assert sort_streams([_arrival(number, samples=0) for number in range(3)]) == ([], 3)


def _losses(arrivals: list[Arrival]) -> list[int]:
    streams, _ = sort_streams(arrivals)
    return [one.lost for one in streams]


@pytest.mark.parametrize("jump", [MAX_JUMP, MAX_JUMP + 1, 3_000, 40_000, 70_000, 65_536 * 2 + 600])
@pytest.mark.parametrize("shift", [0, 65_000])
def test_long_losses_are_counted(jump: int, shift: int) -> None:
    """However long nothing came while somebody talked on, all of it is lost, over the wrap of 16 bits too."""
    before = [_arrival(number, shift=shift) for number in range(3)]
    after = [_arrival(2 + jump + number, shift=shift) for number in range(3)]

    assert sum(_losses([*before, *after])) == jump - 1


@pytest.mark.parametrize("has_timestamp_gone_on", [False, True], ids=["stands still", "goes on"])
def test_long_losses_around_a_pause_are_counted(has_timestamp_gone_on: bool) -> None:
    """Half a minute lost and half a minute of silence are half a minute of packets."""
    after = _arrival(1_501, at=3_000)
    if has_timestamp_gone_on:
        after = after._replace(timestamp=960 * 3_000)

    assert _losses([_arrival(0), after]) == [0, 1_500]


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(_arrival(3_000, at=1_000), id="too soon for so many packets"),
        pytest.param(_arrival(3_000)._replace(timestamp=5), id="another timestamp"),
        pytest.param(_arrival(3_000)._replace(timestamp=960 * 100_000), id="a timestamp ahead of the clock"),
        pytest.param(_arrival(3_000)._replace(sequence=40_000), id="another sequence number"),
        pytest.param(_arrival(3_000, ssrc=2), id="another SSRC"),
        pytest.param(_arrival(3_000, shift=40_000), id="other numbers altogether"),
    ],
)
def test_a_restart_is_no_loss(after: Arrival) -> None:
    """Numbers that do not go on as the clock did belong to a sender that started over: nothing is known lost."""
    assert _losses([_arrival(0), _arrival(1), after]) == [0, 0]


def test_unreadable_packets_of_a_long_gap_are_not_lost() -> None:
    """Of a minute in which some packets came and could not be decrypted, the others are lost."""
    unreadable = [_arrival(number, samples=0) for number in (5, 300, 1_000, 1_000, 2_900)]
    streams, stray = sort_streams([_arrival(0), *unreadable, _arrival(3_000)])

    assert (sum(one.lost for one in streams), stray + sum(len(one.undecryptable) for one in streams)) == (
        2_995,
        5,
    )


def test_jitter_and_drift_hide_no_loss() -> None:
    """Half a second of jitter on either side of a long loss changes nothing of the count."""
    late = _arrival(1)._replace(arrival_ns=520_000_000)
    early = _arrival(600)._replace(arrival_ns=11_700_000_000)

    assert sum(_losses([_arrival(0), late, early])) == 598


@given(
    count=st.integers(1, 120),
    shift=st.integers(0, 2**32 - 1),
    seed=st.integers(0, 2**32),
    late_by=st.integers(0, 20),
)
def test_any_order_any_loss_any_copies(count: int, shift: int, seed: int, late_by: int) -> None:
    """Whatever the network does to a stream, what came is in the order it was sent in, once."""
    chance = random.Random(seed)
    sent = [_arrival(number, shift=shift) for number in range(count)]
    kept = [one for one in sent if chance.random() > 0.2] or sent[:1]
    came = kept + [one for one in kept if chance.random() < 0.2]
    came.sort(key=lambda one: one.position + chance.random() * late_by)

    streams, _ = sort_streams(came)

    assert [[one.arrival.position for one in stream.in_order()] for stream in streams] == [
        [one.position for one in kept]
    ]
    assert streams[0].duplicated == len(came) - len(kept)
