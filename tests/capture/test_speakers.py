"""Who speaks on which SSRC, and what waits for an answer."""

from __future__ import annotations

from standup.capture.speakers import (
    DEPARTED_NS,
    HELD_SSRCS,
    HOLD_NS,
    HOLD_PACKETS,
    KNOWN_SSRCS,
    TRIES,
    Frame,
    HeldFrames,
    SsrcTable,
)

ANA, BEN = 11, 22


def _frame(ssrc: int, number: int, now_ns: int = 0) -> Frame:
    return Frame(ssrc, number, 960 * number, now_ns, now_ns, b"opus")


def test_ssrc_belongs_to_who_was_named_last() -> None:
    """An SSRC given to somebody else is theirs."""
    table = SsrcTable()
    table.assign(1, ANA)
    table.assign(1, BEN)

    assert table.user_of(1, 0) == BEN


def test_a_user_may_have_several() -> None:
    """Coming back with a new SSRC leaves the old one theirs too."""
    table = SsrcTable()
    table.assign(1, ANA)
    table.assign(2, ANA)

    assert [table.user_of(ssrc, 0) for ssrc in (1, 2, 3)] == [ANA, ANA, None]


def test_last_packets_of_a_leaver_are_theirs() -> None:
    """Packets that come shortly after the news of leaving still belong to the leaver."""
    table = SsrcTable()
    table.assign(1, ANA)
    table.depart(ANA, 1000)

    assert table.user_of(1, 1000 + DEPARTED_NS) == ANA


def test_a_leavers_ssrc_becomes_nobodys() -> None:
    """Later the SSRC may be anybody's, so its packets wait for a name again."""
    table = SsrcTable()
    table.assign(1, ANA)
    table.depart(ANA, 1000)

    assert table.user_of(1, 1001 + DEPARTED_NS) is None
    assert table.user_of(1, 1000) is None


def test_who_returns_keeps_the_ssrc() -> None:
    """A leaver who is back within the grace keeps what was theirs."""
    table = SsrcTable()
    table.assign(1, ANA)
    table.depart(ANA, 1000)
    table.arrive(ANA)

    assert table.user_of(1, 10 * DEPARTED_NS) == ANA


def test_unwanted_until_named() -> None:
    """An SSRC known as video is unwanted, until somebody speaks on it."""
    table = SsrcTable()
    table.refuse(1)
    refused = table.is_unwanted(1)
    table.assign(1, ANA)

    assert [refused, table.is_unwanted(1)] == [True, False]


def test_the_table_is_bounded() -> None:
    """However many SSRCs are named, the table keeps the newest."""
    table = SsrcTable()
    for ssrc in range(KNOWN_SSRCS + 1):
        table.assign(ssrc, ANA)
        table.refuse(-ssrc - 1)

    assert [table.user_of(0, 0), table.user_of(1, 0)] == [None, ANA]
    assert [table.is_unwanted(-1), table.is_unwanted(-2)] == [False, True]


def test_held_frames_come_back_in_order() -> None:
    """What waited for an SSRC comes back once, in order of arrival, and nobody else's."""
    held = HeldFrames()
    frames = [_frame(1, number) for number in range(3)]
    for frame in [*frames, _frame(2, 0)]:
        held.hold(frame)

    assert (held.release(1), held.release(1), len(held)) == (frames, [], 1)


def test_a_hundred_are_held() -> None:
    """The newest hundred packets of an SSRC are held, the rest is counted as dropped."""
    held = HeldFrames()
    for number in range(HOLD_PACKETS + 7):
        held.hold(_frame(1, number))

    assert held.dropped == 7
    assert [frame.sequence for frame in held.release(1)] == list(range(7, HOLD_PACKETS + 7))


def test_two_seconds_are_held() -> None:
    """Packets over 2 s older than the newest of their SSRC are dropped and counted."""
    held = HeldFrames()
    for number, now_ns in enumerate((0, 1, HOLD_NS, HOLD_NS + 1)):
        held.hold(_frame(1, number, now_ns))

    assert held.dropped == 1
    assert [frame.sequence for frame in held.release(1)] == [1, 2, 3]


def test_the_longest_silent_ssrc_makes_room() -> None:
    """A flood of SSRCs cannot take all memory: the one silent longest goes, counted."""
    held = HeldFrames()
    held.hold(_frame(0, 0))
    held.hold(_frame(0, 1))
    for ssrc in range(1, HELD_SSRCS + 1):
        held.hold(_frame(ssrc, 0))

    assert (held.release(0), held.dropped, len(held)) == ([], 2, HELD_SSRCS)


def test_letting_go_is_no_loss() -> None:
    """What waited for an SSRC that turned out to be video is forgotten and not counted."""
    held = HeldFrames()
    held.hold(_frame(1, 0))
    held.drop(1)

    assert (len(held), held.dropped) == (0, 0)


def test_who_has_an_ssrc() -> None:
    """Named is who has an SSRC, and nobody whose last one was given away."""
    table = SsrcTable()
    table.assign(1, ANA)
    table.assign(2, ANA)
    table.assign(2, BEN)
    table.assign(1, BEN)

    assert table.named == {BEN}


def _tries(held: HeldFrames, users: tuple[int, ...]) -> list[tuple[int, int]]:
    return [(frame.sequence, user) for frame, user in held.tries(1, users)]


def test_the_oldest_frame_is_tried_first_and_all_once() -> None:
    """Each frame is tried once with each user, the oldest first; later calls go on where the last one ended."""
    held, users = HeldFrames(), (ANA, BEN, 33)
    for number in range(4):
        held.hold(_frame(1, number))

    pairs = [*_tries(held, users), *_tries(held, users)]

    assert pairs == [(number, user) for number in range(4) for user in users]
    assert len(pairs) > TRIES
    assert _tries(held, users) == []


def test_new_users_begin_the_search_anew() -> None:
    """When the group changes, what nobody's key opened is tried again."""
    held = HeldFrames()
    held.hold(_frame(1, 0))
    before = [_tries(held, (ANA,)), _tries(held, (ANA,))]

    assert before == [[(0, ANA)], []]
    assert _tries(held, (ANA, BEN)) == [(0, ANA), (0, BEN)]


def test_nobody_to_try() -> None:
    """Without users, or of an SSRC for which nothing waits, there is nothing to try."""
    held = HeldFrames()
    held.hold(_frame(2, 0))

    assert (_tries(held, (ANA,)), list(held.tries(2, ()))) == ([], [])


def test_every_turn_comes_while_frames_make_room() -> None:
    """In a big group and a full hold each packet takes the frame in question away; still everybody is tried."""
    held, users = HeldFrames(), tuple(range(5 * TRIES))
    for number in range(HOLD_PACKETS):
        held.hold(_frame(1, number))
    tried = set()
    for number in range(HOLD_PACKETS, HOLD_PACKETS + 5):
        held.hold(_frame(1, number))
        tried |= {user for _, user in _tries(held, users)}

    assert tried == set(users)


def test_what_is_left_at_the_end() -> None:
    """All that waits comes back at once and is counted as dropped."""
    held = HeldFrames()
    frames = [_frame(ssrc, number) for ssrc in (1, 2) for number in range(2)]
    for frame in frames:
        held.hold(frame)

    assert (held.drop_all(), held.drop_all(), len(held), held.dropped) == (frames, [], 0, 4)
