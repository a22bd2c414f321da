"""One speaker's packets on the meeting clock: table of defects, and any network at all."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.capture.arrival import Arrival
from standup.capture.timeline import Timeline, build, number_utterances
from standup.meeting import PacketCounts

MS = 48  # samples


@dataclass
class Client:
    """A Discord client that talks: numbers and stamps its packets, and notes when each was sent."""

    ssrc: int = 1
    sequence: int = 65_500
    timestamp: int = 2**32 - 9_600
    frame_samples: int = 960
    sent: list[Arrival] = field(default_factory=list)

    def talk(
        self, start_ms: int, count: int, *, pause_ticks: int = 0, delay_ms: int = 0, is_silence: bool = False
    ) -> list[Arrival]:
        """Send *count* packets from *start_ms* on; *pause_ticks* is how far the timestamp went on before."""
        self.timestamp += pause_ticks
        talked = []
        for number in range(count):
            at_ns = (start_ms + delay_ms) * 1_000_000 + number * self.frame_samples * 1_000_000 // MS
            talked.append(
                Arrival(
                    self.ssrc,
                    self.sequence & 0xFFFF,
                    self.timestamp & 0xFFFFFFFF,
                    at_ns,
                    self.frame_samples,
                    is_silence,
                    0,
                    len(self.sent) + number,
                )
            )
            self.sequence += 1
            self.timestamp += self.frame_samples
        self.sent += talked
        return talked

    def hang_up_politely(self, start_ms: int) -> None:
        """Send the five silence frames that end a spurt."""
        self.talk(start_ms, 5, is_silence=True)


def _starts_ms(timeline: Timeline) -> list[float]:
    return [packet.start_samples / MS for packet in timeline.packets]


def _speech_ms(timeline: Timeline) -> list[tuple[float, float]]:
    return [(start / MS, end / MS) for start, end in timeline.speech()]


def _delayed(arrivals: list[Arrival], delays_ms: list[int]) -> list[Arrival]:
    return [
        one._replace(arrival_ns=one.arrival_ns + delay * 1_000_000)
        for one, delay in zip(arrivals, delays_ms, strict=True)
    ]


def test_nothing_said() -> None:
    """No packets make an empty timeline."""
    timeline = build([])

    assert (timeline.packets, timeline.counts, timeline.end_samples) == ((), PacketCounts(), 0)


def test_packets_lie_on_the_grid() -> None:
    """A spurt starts at the 20 ms step nearest to its arrival, and its packets follow without gaps."""
    timeline = build(Client().talk(1009, 4))

    assert _starts_ms(timeline) == [1000, 1020, 1040, 1060]


@pytest.mark.parametrize("frame_samples", [120, 240, 480, 960, 1920, 2880])
def test_frame_durations(frame_samples: int) -> None:
    """Packets of any Opus duration, 2.5 to 60 ms, lie end to end."""
    timeline = build(Client(frame_samples=frame_samples).talk(1000, 30))

    assert timeline.packets[0].start_samples == 1000 * MS
    assert {after.start_samples - before.start_samples for before, after in pairwise(timeline.packets)} == {
        frame_samples
    }
    assert timeline.end_samples == 1000 * MS + 30 * frame_samples


def test_the_least_delayed_packet_anchors() -> None:
    """Jitter inside a spurt moves nothing: the packet that waited least says when the spurt began."""
    arrivals = _delayed(Client().talk(1000, 5), [80, 120, 0, 60, 90])

    assert _starts_ms(build(arrivals)) == [1000, 1020, 1040, 1060, 1080]


@pytest.mark.parametrize("pause_ticks", [0, 2000 * MS], ids=["timestamp stands still", "timestamp goes on"])
def test_silence_between_spurts(pause_ticks: int) -> None:
    """A pause is as long as the arrivals say, whatever the timestamp does meanwhile."""
    client = Client()
    client.talk(1000, 2)
    client.talk(3040, 2, pause_ticks=pause_ticks)

    assert _starts_ms(build(client.sent)) == [1000, 1020, 3040, 3060]


def test_short_pauses_do_not_add_up() -> None:
    """Pauses too short to see one by one are noticed when they have added up to 200 ms."""
    client = Client()
    for number in range(10):
        client.talk(1000 + 120 * number, 1)
    starts = _starts_ms(build(client.sent))

    assert all(0 <= 1000 + 120 * number - start <= 200 for number, start in enumerate(starts))


def test_a_short_pause_after_silence_frames_counts() -> None:
    """After silence frames even a pause of 100 ms is kept, with a timestamp that stood still."""
    client = Client()
    client.talk(1000, 2)
    client.hang_up_politely(1040)
    client.talk(1240, 2)

    assert _starts_ms(build(client.sent))[-2:] == [1240, 1260]


def test_a_stalled_network_moves_nothing() -> None:
    """Packets that pile up for half a second and then come at once are where they were sent."""
    client = Client()
    arrivals = _delayed(client.talk(1000, 60), [0] * 20 + [500 - 20 * n for n in range(25)] + [0] * 15)

    assert _starts_ms(build(arrivals)) == [1000 + 20 * number for number in range(60)]


def test_a_packet_delayed_beyond_measure_moves_nothing() -> None:
    """One packet that comes 400 ms late is put back to its place, and counted as late."""
    arrivals = _delayed(Client().talk(1000, 40), [0] * 10 + [400] + [0] * 29)
    timeline = build(arrivals)

    assert _starts_ms(timeline) == [1000 + 20 * number for number in range(40)]
    assert timeline.counts == PacketCounts(received=40, late=1)


def test_growing_delays_change_no_order() -> None:
    """Packets that wait longer and longer stay before the punctual ones that were sent after them."""
    arrivals = _delayed(Client().talk(1000, 40), [0] * 10 + [250, 500] + [0] * 28)

    assert _starts_ms(build(arrivals)) == [1000 + 20 * number for number in range(40)]


def test_a_spurt_never_overtakes_another() -> None:
    """A lone packet that waits for seconds stays before the spurt that was sent after it."""
    client = Client()
    client.talk(1000, 1, delay_ms=3000)
    client.talk(2000, 2, pause_ticks=980 * MS)
    timeline = build(client.sent)

    assert [packet.position for packet in timeline.packets] == [0, 1, 2]


def test_a_slow_beginning_moves_nothing() -> None:
    """A spurt whose first packets wait 400 ms begins when it was sent."""
    arrivals = _delayed(Client().talk(1000, 40), [400] * 3 + [0] * 37)

    assert _starts_ms(build(arrivals)) == [1000 + 20 * number for number in range(40)]


def test_a_bogus_timestamp_moves_nothing_else() -> None:
    """A timestamp that leaps by hours is placed by arrival, and so is what follows."""
    client = Client()
    client.talk(1000, 2)
    client.talk(1040, 2, pause_ticks=2**30)

    assert _starts_ms(build(client.sent)) == [1000, 1020, 1040, 1060]


def test_loss_leaves_a_gap() -> None:
    """Lost packets leave their time empty and are counted."""
    sent = Client().talk(1000, 6)
    timeline = build([sent[0], sent[3], sent[5]])

    assert _starts_ms(timeline) == [1000, 1060, 1100]
    assert timeline.counts == PacketCounts(received=3, lost=3)


def test_loss_at_the_edges_of_a_pause_is_counted() -> None:
    """Silence takes no sequence numbers, so what is missing around a pause was lost."""
    client = Client()
    client.talk(1000, 5)
    client.talk(3000, 5, pause_ticks=1900 * MS)
    timeline = build(client.sent[:4] + client.sent[6:])

    assert timeline.counts == PacketCounts(received=8, lost=2)


def test_unreadable_packets_are_not_lost() -> None:
    """A packet that came and could not be decrypted counts as that, and leaves its time empty."""
    sent = Client().talk(1000, 5)
    timeline = build([sent[0], sent[1]._replace(samples=0), sent[4]])

    assert _starts_ms(timeline) == [1000, 1080]
    assert timeline.counts == PacketCounts(received=2, lost=2, undecryptable=1)


def test_only_unreadable_packets() -> None:
    """Somebody of whom nothing could be decrypted is counted and silent."""
    timeline = build([one._replace(samples=0) for one in Client().talk(1000, 3)])

    assert (timeline.packets, timeline.counts) == ((), PacketCounts(undecryptable=3))


def test_copies_and_late_packets() -> None:
    """Copies are dropped, overtaken packets put back; both are counted."""
    sent = Client().talk(1000, 4)
    order = [sent[0], sent[2], sent[1], sent[1], sent[3], sent[0]]
    came = [one._replace(arrival_ns=1_060_000_000 + n) for n, one in enumerate(order)]
    timeline = build(came)

    assert [packet.position for packet in timeline.packets] == [0, 1, 2, 3]
    assert timeline.counts == PacketCounts(received=4, late=1, duplicated=2)


def test_several_ssrcs_are_one_track() -> None:
    """Somebody who came back with a new SSRC goes on in the same timeline."""
    first, second = Client(ssrc=1), Client(ssrc=2, sequence=7, timestamp=99)
    timeline = build([*second.talk(2000, 2), *first.talk(1000, 2)])

    assert _starts_ms(timeline) == [1000, 1020, 2000, 2020]


def test_spurts_never_overlap() -> None:
    """Two SSRCs of one user that claim the same time come one behind the other."""
    timeline = build([*Client(ssrc=1).talk(1000, 3), *Client(ssrc=2).talk(1020, 2)])

    assert _starts_ms(timeline) == [1000, 1020, 1040, 1060, 1080]


def test_before_the_meeting() -> None:
    """What came before the meeting's start is moved to it."""
    assert _starts_ms(build(Client().talk(-130, 2))) == [0, 20]


@pytest.mark.parametrize("drift", [300, -300], ids=["slow", "fast"])
def test_a_drifting_clock_is_followed(drift: int) -> None:
    """A sender whose clock is off by 300 ppm is where it arrives, within 60 ms, after four minutes of talk."""
    arrivals = [
        one._replace(arrival_ns=one.arrival_ns + one.position * 20_000_000 * drift // 1_000_000)
        for one in Client(frame_samples=960).talk(1000, 12_000)
    ]
    last = build(arrivals).packets[-1]

    truth_ms = arrivals[-1].arrival_ns / 1e6
    late_ms = last.start_samples / MS - truth_ms
    assert -60 <= late_ms <= (60 if drift > 0 else 240_000 * 300 / 1e6 + 60)


def test_steady_speech_has_no_seams() -> None:
    """Three minutes without a pause stay without a gap, though spurts are cut after 60 s and delays change."""
    chance = random.Random(5)
    arrivals = [
        one._replace(
            arrival_ns=one.arrival_ns + chance.randrange(25_000_000) + one.position // 3000 * 8_000_000
        )
        for one in Client().talk(1005, 9_000)
    ]

    steps = {
        after.start_samples - before.start_samples for before, after in pairwise(build(arrivals).packets)
    }

    assert steps == {960}


def test_speech_ends_before_its_silence_frames() -> None:
    """Silence frames at the end of a spurt are in the track and are no speech."""
    client = Client()
    client.talk(1000, 3)
    client.hang_up_politely(1060)
    timeline = build(client.sent)

    assert _speech_ms(timeline) == [(1000, 1060)]
    assert (timeline.end_samples, timeline.speech_samples) == (1160 * MS, 60 * MS)


@pytest.mark.parametrize(
    ("pause_ms", "speech"),
    [(280, [(1000, 1340)]), (300, [(1000, 1040), (1340, 1360)])],
    ids=["bridged", "a pause"],
)
def test_pauses_between_utterances(pause_ms: int, speech: list[tuple[int, int]]) -> None:
    """A pause of 300 ms ends a stretch of speech, a shorter one does not."""
    client = Client()
    client.talk(1000, 2)
    client.talk(1040 + pause_ms, 1, pause_ticks=pause_ms * MS)

    assert _speech_ms(build(client.sent)) == speech


def test_utterances_are_numbered_by_time() -> None:
    """Ids run over all speakers by start, then by speaker, whatever order the speakers are given in."""
    ana, ben = Client(), Client()
    ana.talk(1000, 2)
    ana.talk(5000, 2)
    ben.talk(3000, 3)
    speech = {"22": build(ben.sent).speech(), "11": build(ana.sent).speech()}

    numbered = [(one.id, one.speaker, one.start_ms, one.end_ms) for one in number_utterances(speech)]

    assert numbered == [("u0001", "11", 1000, 1040), ("u0002", "22", 3000, 3060), ("u0003", "11", 5000, 5040)]


def test_utterance_times_cover_their_packets() -> None:
    """Times in whole milliseconds begin no later and end no earlier than the speech."""
    speech = build(Client(frame_samples=120).talk(1000, 3)).speech()

    assert [(one.start_ms, one.end_ms) for one in number_utterances({"1": speech})] == [(1000, 1008)]


spurts = st.lists(
    st.tuples(
        st.integers(320, 3000), st.integers(1, 40), st.booleans()
    ),  # pause before in ms, packets, does RTP go on
    min_size=1,
    max_size=6,
)


@given(
    spurts=spurts, seed=st.integers(0, 2**32), jitter_ms=st.integers(0, 100), shift=st.integers(0, 2**32 - 1)
)
def test_what_was_sent_is_rebuilt(
    spurts: list[tuple[int, int, bool]], seed: int, jitter_ms: int, shift: int
) -> None:
    """Over a network that delays, reorders, copies and loses, the timeline is what was sent.

    Nothing is invented or kept twice; packets of one spurt lie exactly as far apart as they were sent; each
    spurt lies within its least delay, plus 40 ms for grid and agreement, of when it was sent.
    """
    chance = random.Random(seed)
    client = Client(sequence=shift & 0xFFFF, timestamp=shift)
    truth: dict[int, tuple[int, int]] = {}  # position -> (spurt, sent in ms)
    now_ms = 0
    for number, (pause_ms, count, goes_on) in enumerate(spurts):
        now_ms += pause_ms
        for at, one in enumerate(client.talk(now_ms, count, pause_ticks=pause_ms * MS if goes_on else 0)):
            truth[one.position] = (number, now_ms + 20 * at)
        now_ms += 20 * count
    came = _delayed(client.sent, [chance.randint(0, jitter_ms) for _ in client.sent])
    least_ms = {
        number: min(
            one.arrival_ns // 1_000_000 - truth[one.position][1]
            for one in came
            if truth[one.position][0] == number
        )
        for number in range(len(spurts))
    }
    lost = {
        one.position
        for one in came
        if chance.random() < 0.1
        and one.arrival_ns // 1_000_000 - truth[one.position][1] > least_ms[truth[one.position][0]]
    }
    kept = [one for one in came if one.position not in lost]
    copies = [one._replace(arrival_ns=one.arrival_ns + 30_000_000) for one in kept if chance.random() < 0.1]

    timeline = build(chance.sample([*kept, *copies], len(kept) + len(copies)))

    assert [packet.position for packet in timeline.packets] == sorted(one.position for one in kept)
    assert timeline.counts.duplicated == len(copies)
    kept_numbers = {one.position for one in kept}
    assert timeline.counts.lost == sum(min(kept_numbers) < one < max(kept_numbers) for one in lost)
    for before, after in pairwise(timeline.packets):
        assert after.start_samples >= before.start_samples + before.samples
        (spurt, sent_ms), (next_spurt, next_ms) = truth[before.position], truth[after.position]
        if spurt == next_spurt:
            assert after.start_samples - before.start_samples == (next_ms - sent_ms) * MS
    for packet in timeline.packets:
        spurt, sent_ms = truth[packet.position]
        assert -40 <= packet.start_samples / MS - sent_ms <= least_ms[spurt] + 40
