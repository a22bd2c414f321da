"""Alerts: sentences that reach the operator in a Discord channel.

A thread of its own posts them, so that a slow Discord holds nobody up. An alert that cannot be posted is logged and
dropped: its sentence is in ``errors.log`` already.
"""

from __future__ import annotations

import hashlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from standup.errors import StandupError
from standup.settings import Settings

log = logging.getLogger(__name__)

WAITING = 50
#: Alerts beyond so many are dropped; by then Discord has been away for a while.
POST_S = 30.0


@dataclass(frozen=True, slots=True)
class Alert:
    """Something a person must know of."""

    sentence: str
    name: str
    """Names what happened: the same alert is posted once."""

    @property
    def nonce(self) -> str:
        """The name in the form Discord takes."""
        return hashlib.blake2s(self.name.encode(), digest_size=12).hexdigest()


Post = Callable[[Alert], None]


class Alerts:
    """The thread that posts. All methods may be called from any thread; none blocks but `stop`."""

    def __init__(self, post: Post) -> None:
        """Prepare the thread; `start` begins it. *post* raises StandupError when it fails."""
        self._post = post
        self._waiting: queue.Queue[Alert | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)

    def start(self) -> None:
        """Begin posting."""
        self._thread.start()

    def give(self, alert: Alert) -> None:
        """Have an alert posted."""
        try:
            self._waiting.put_nowait(alert)
        except queue.Full:
            log.error("An alert was dropped, %d others wait for Discord; read errors.log instead.", WAITING)

    def stop(self, timeout_s: float) -> None:
        """Post what waits, for at most *timeout_s*, and end."""
        deadline_s = time.monotonic() + timeout_s
        try:
            self._waiting.put(None, timeout=timeout_s)
        except queue.Full:
            log.error("Discord did not take the alerts that waited; read errors.log instead.")
            return
        self._thread.join(max(0.0, deadline_s - time.monotonic()))

    def _run(self) -> None:
        while (alert := self._waiting.get()) is not None:
            try:
                self._post(alert)
            except StandupError as problem:
                log.error(
                    "An alert could not be posted (%s); check STANDUP_ALERT_CHANNEL_ID and that the bot may send "
                    "messages there.",
                    type(problem).__name__,
                )
            except Exception as problem:
                # The thread must outlive whatever a library raises, or the next alert is lost too.
                log.exception("An alert could not be posted (%s)", type(problem).__name__)


def poster(settings: Settings) -> Post:
    """Return what posts into the alert channel of *settings*, or does nothing when none is set."""

    def post(alert: Alert) -> None:
        if not settings.alert_channel_id:
            return
        # discord.py takes 25 MB, which a sentinel without anything to tell does without.
        from standup.notice import Notice, cut
        from standup.notice.card import CONTENT_UNITS
        from standup.notify.discord_channel import DiscordChannel

        DiscordChannel(settings.discord).publish(
            int(settings.alert_channel_id),
            Notice(cut(f"⚠️ {alert.sentence}", CONTENT_UNITS), ()),
            message_id=None,
            nonce=alert.nonce,
            timeout_s=POST_S,
        )

    return post
