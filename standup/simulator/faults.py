"""What goes wrong between the relay and a receiver, decided from a seed.

No clock and no I/O here: time and randomness are arguments, and the same seed gives the same faults.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random


@dataclass(frozen=True, slots=True)
class Faults:
    """How unkind the relay is; the default is what the real one always does, and nothing lost.

    Raises ValueError when a probability is outside 0 to 1 or a time is negative.
    """

    loss: float = 0.0
    """Probability that a voice packet never arrives."""
    duplication: float = 0.0
    """Probability that it arrives twice."""
    reordering: float = 0.0
    """Probability that it is held back for *reorder_ms* and overtaken."""
    reorder_ms: float = 45.0
    delay_ms: float = 0.0
    """What every packet waits."""
    jitter_ms: float = 0.0
    """What a packet waits beyond that, at most; jitter alone changes no order."""
    padding: float = 0.0
    """Probability of RTP padding."""
    has_extension: bool = True
    """Put the 0xBEDE header extension on relayed packets, as the real relay does."""
    rtcp_interval_s: float = 5.0
    """Time between RTCP sender reports to each receiver; 0 sends none."""

    def __post_init__(self) -> None:
        for name in ("loss", "duplication", "reordering", "padding"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} is a probability from 0 to 1, not {getattr(self, name)}.")
        for name in ("reorder_ms", "delay_ms", "jitter_ms", "rtcp_interval_s"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} cannot be negative, but is {getattr(self, name)}.")


@dataclass(slots=True)
class Impairment:
    """The fate of one speaker's packets on their way to one receiver."""

    faults: Faults
    random: Random
    _last_due_ms: float = field(default=0.0, init=False)

    def plan(self, now_ms: float) -> tuple[float, ...]:
        """Return when each copy of the next packet is due: none for a lost one, two for a duplicate.

        Every due time is at or after *now_ms*; packets that are not reordered keep their order.
        """
        faults = self.faults
        # Every packet draws the same five numbers, so that one kind of fault does not move the others.
        is_lost, is_doubled, is_late, jitter, echo = (self.random.random() for _ in range(5))
        due_ms = max(self._last_due_ms, now_ms + faults.delay_ms + jitter * faults.jitter_ms)
        if is_lost < faults.loss:
            return ()
        if is_late < faults.reordering:
            due_ms += faults.reorder_ms
        else:
            self._last_due_ms = due_ms
        if is_doubled < faults.duplication:
            return (due_ms, due_ms + echo * 20.0)
        return (due_ms,)

    def padding_bytes(self) -> int:
        """Draw the next packet's padding, counted with its length byte; 0 for none."""
        if self.random.random() >= self.faults.padding:
            return 0
        return self.random.randint(1, 32)


def make_impairment(faults: Faults, seed: int, *, receiver_ssrc: int, ssrc: int) -> Impairment:
    """Make the impairment of one stream; the same arguments always give the same fates.

    SSRCs are given in the order of entry, so that a run whose people enter in the same order is impaired alike.
    """
    return Impairment(faults, Random(f"{seed}:{receiver_ssrc}:{ssrc}"))


@dataclass(slots=True)
class PlannedFailure:
    """One answer that REST gives instead of doing what was asked."""

    route: str
    """Method and path as Discord writes them: ``POST /channels/{channel_id}/messages``."""
    status: int
    """429, or 500 to 599."""
    times: int
    """How many more calls fail."""
    retry_after_s: float = 0.2

    def __post_init__(self) -> None:
        if self.status != 429 and not 500 <= self.status <= 599:
            raise ValueError(f"REST fails with 429 or 5xx, not {self.status}.")
        if self.times < 1 or self.retry_after_s < 0:
            raise ValueError("A failure happens at least once and retry_after_s is not negative.")
