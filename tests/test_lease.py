"""The thread that keeps a claim alive."""

from __future__ import annotations

import threading

from standup.errors import ArchiveUnreachable
from standup.lease import Lease

SOON_S = 0.001
PATIENCE_S = 10.0


def test_it_renews_until_the_block_ends() -> None:
    """Inside the block renewals come again and again; after it none."""
    renewed = threading.Semaphore(0)

    def renew() -> bool:
        renewed.release()
        return True

    with Lease(renew, SOON_S) as lease:
        assert all(renewed.acquire(timeout=PATIENCE_S) for _ in range(3))
    assert not lease._thread.is_alive()


def test_it_ends_when_superseded() -> None:
    """A renewal that is refused is the last one."""
    calls: list[int] = []

    def renew() -> bool:
        calls.append(1)
        return False

    with Lease(renew, SOON_S) as lease:
        lease._thread.join(PATIENCE_S)
        assert calls == [1]


def test_a_failed_renewal_is_tried_again() -> None:
    """A database that is away for a moment does not end the lease."""
    renewed = threading.Event()
    calls: list[int] = []

    def renew() -> bool:
        calls.append(1)
        if len(calls) == 1:
            raise ArchiveUnreachable
        renewed.set()
        return True

    with Lease(renew, SOON_S):
        assert renewed.wait(PATIENCE_S)
