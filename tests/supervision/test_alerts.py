"""Alerts: posted by a thread of their own, bounded, never fatal."""

from __future__ import annotations

import pytest

from standup.errors import ChannelForbidden
from standup.settings import load
from standup.supervision.alerts import WAITING, Alert, Alerts, poster

STOP_S = 10.0


def alert(number: int = 1) -> Alert:
    return Alert(f"worker-gpu died, {number}", f"worker-gpu 139 {number}")


def test_alerts_are_posted_in_order() -> None:
    """What is given is posted before the thread ends."""
    posted: list[Alert] = []
    alerts = Alerts(posted.append)
    alerts.start()
    for number in range(3):
        alerts.give(alert(number))
    alerts.stop(STOP_S)
    assert posted == [alert(0), alert(1), alert(2)]


@pytest.mark.parametrize(
    "error", [ChannelForbidden("no"), ValueError("I said pizza")], ids=lambda one: type(one).__name__
)
def test_a_failing_alert_is_logged_and_the_next_is_posted(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever posting raises, the thread goes on; the log names the class, of foreign errors nothing else."""
    posted: list[Alert] = []

    def post(given: Alert) -> None:
        if given == alert(1):
            raise error
        posted.append(given)

    alerts = Alerts(post)
    alerts.start()
    alerts.give(alert(1))
    alerts.give(alert(2))
    alerts.stop(STOP_S)
    assert posted == [alert(2)]
    assert type(error).__name__ in caplog.text
    assert "pizza" not in "".join(record.getMessage() for record in caplog.records)


def test_alerts_that_nobody_takes_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """With Discord away for long, later alerts are dropped with a line in the log, and giving never blocks."""
    posted: list[Alert] = []
    alerts = Alerts(posted.append)
    for number in range(WAITING + 3):
        alerts.give(alert(number))
    alerts.start()
    alerts.stop(STOP_S)
    assert sum("was dropped" in record.getMessage() for record in caplog.records) == 3
    assert posted == [alert(number) for number in range(WAITING)]


def test_the_nonce_names_the_alert() -> None:
    """The same event has the same nonce, another has another, and Discord takes it."""
    assert alert(1).nonce == Alert("worded otherwise", alert(1).name).nonce != alert(2).nonce
    assert len(alert(1).nonce) <= 25


def test_without_a_channel_nothing_is_posted() -> None:
    """An operator who set no channel has the log alone; not even a token is asked for."""
    poster(load(None))(alert())
