"""Cut the stream of clips into rounds, fetched from the tracks by a thread of their own while others are read.

A round is what one call of the engine in each of its lanes takes. Decoding tracks and looking for speech costs about
an eighth of the whole work on a CPU; fetched ahead, it fills the moments in which a lane would wait.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from standup.transcribe import Engine
from standup.transcribe.clips import Clip, Skipped
from standup.transcribe.windows import Span

if TYPE_CHECKING:
    from standup.transcribe import Pcm

_FILLED_MS = 10_000  # what windows hold where several people talk
_LOOK_S = 0.1  # how soon the thread sees that nobody wants any more


@dataclass(slots=True)
class Round:
    """A stretch of the meeting: what is to be read, and what need not or cannot be."""

    clips: dict[Span, Pcm] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    finished: set[str] = field(default_factory=set)
    """The utterances that end in this round; their verdict is known when it has been read."""

    @property
    def speech_ms(self) -> int:
        """Milliseconds of clips."""
        return sum(span.duration_ms for span in self.clips)


def round_ms(engine: Engine) -> int:
    """Return how much speech makes a round: a batch, or about half a batch for each of several lanes.

    Half a batch is read as fast, and waited for half as long: by the lanes when they begin, by who wants the end.
    """
    batches = engine.lanes / 2 if engine.lanes > 1 else 1
    return round(batches * engine.batch_windows * _FILLED_MS)


def rounds(stream: Iterable[Clip | Skipped], limit_ms: int) -> Iterator[Round]:
    """Yield the clips of the stream in rounds of about *limit_ms* of speech; a long utterance may span several.

    The first is half as long, so that the engine begins early.
    """
    present = Round()
    wanted_ms = limit_ms // 2
    for one in stream:
        if present.finished and present.speech_ms >= wanted_ms:
            present.finished.discard(one.span.utterance)
            yield present
            present, wanted_ms = Round(), limit_ms
        present.finished.add(one.span.utterance)
        if isinstance(one, Skipped):
            present.skipped.append(one)
        else:
            present.clips[one.span] = one.pcm
    if present.finished:
        yield present


@contextmanager
def ahead(source: Iterator[Round]) -> Iterator[Iterator[Round]]:
    """Give the rounds of *source*, the next one fetched by a thread while the last is worked on.

    What *source* raises is raised where its next round would have come. The thread has ended when the context does.
    """
    fetched: queue.Queue[Round | BaseException | None] = queue.Queue(maxsize=1)
    unwanted = threading.Event()

    def put(one: Round | BaseException | None) -> None:
        while not unwanted.is_set():
            try:
                return fetched.put(one, timeout=_LOOK_S)
            except queue.Full:
                continue

    def fetch() -> None:
        try:
            for one in source:
                put(one)
                if unwanted.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            put(error)
        else:
            put(None)

    thread = threading.Thread(target=fetch, name="rounds", daemon=True)
    thread.start()
    try:
        yield _taken(fetched)
    finally:
        unwanted.set()
        thread.join()


def _taken(fetched: queue.Queue[Round | BaseException | None]) -> Iterator[Round]:
    while (one := fetched.get()) is not None:
        if isinstance(one, BaseException):
            raise one
        yield one
