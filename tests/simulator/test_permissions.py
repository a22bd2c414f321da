"""What a member may do in a channel."""

from __future__ import annotations

import pytest

from standup.simulator.permissions import (
    EVERYONE,
    EVERYTHING,
    NOTHING,
    Overwrite,
    Permission,
    permissions_in_channel,
)

GUILD, TEAM, ANA = 1, 2, 3
SEND, VIEW = Permission.SEND_MESSAGES, Permission.VIEW_CHANNEL


@pytest.mark.parametrize(
    ("overwrites", "may_send"),
    [
        pytest.param([], True, id="no overwrite"),
        pytest.param([Overwrite(GUILD, False, deny=SEND)], False, id="everyone denied"),
        pytest.param([Overwrite(TEAM, False, deny=SEND)], False, id="role denied"),
        pytest.param([Overwrite(99, False, deny=SEND)], True, id="another role denied"),
        pytest.param([Overwrite(99, True, deny=SEND)], True, id="another member denied"),
        pytest.param(
            [Overwrite(GUILD, False, deny=SEND), Overwrite(TEAM, False, allow=SEND)],
            True,
            id="role over everyone",
        ),
        pytest.param(
            [Overwrite(TEAM, False, allow=SEND), Overwrite(ANA, True, deny=SEND)],
            False,
            id="member over role",
        ),
        pytest.param([Overwrite(ANA, True, deny=VIEW)], False, id="channel hidden"),
    ],
)
def test_overwrites(overwrites: list[Overwrite], may_send: bool) -> None:
    """The member's overwrite goes over the roles', and theirs over everyone's."""
    granted = permissions_in_channel(EVERYONE, overwrites, everyone_id=GUILD, role_ids=[TEAM], member_id=ANA)

    assert bool(granted & SEND) is may_send


def test_hidden_channel_grants_nothing() -> None:
    """Whoever may not view a channel may do nothing in it."""
    hidden = [Overwrite(GUILD, False, deny=VIEW)]

    assert permissions_in_channel(EVERYONE, hidden, everyone_id=GUILD, role_ids=[], member_id=ANA) == NOTHING


def test_administrator() -> None:
    """No overwrite binds an administrator."""
    hidden = [Overwrite(ANA, True, deny=VIEW)]
    granted = Permission.ADMINISTRATOR

    assert (
        permissions_in_channel(granted, hidden, everyone_id=GUILD, role_ids=[], member_id=ANA) == EVERYTHING
    )


def test_contradiction() -> None:
    """An overwrite cannot allow and deny the same."""
    with pytest.raises(ValueError, match="allow and deny"):
        Overwrite(GUILD, False, allow=SEND, deny=SEND)
