"""What Discord accepts in a message, and whom it pings."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.simulator.content import find_form_errors, find_pinged, is_empty

ANA, BEN, TEAM = 100000000000000001, 100000000000000002, 100000000000000003
ALL = f"<@{ANA}> <@!{BEN}> <@&{TEAM}> @everyone @here"


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        pytest.param({"content": "x" * 2000}, [], id="content at its limit"),
        pytest.param({"content": "x" * 2001}, ["content"], id="content over"),
        pytest.param({"embeds": [{"title": "x" * 256}]}, [], id="title at its limit"),
        pytest.param({"embeds": [{"title": "x" * 257}]}, ["embeds.0.title"], id="title over"),
        pytest.param({"embeds": [{"description": "x" * 4096}]}, [], id="description at its limit"),
        pytest.param(
            {"embeds": [{"description": "x" * 4097}]}, ["embeds.0.description"], id="description over"
        ),
        pytest.param(
            {"embeds": [{"footer": {"text": "x" * 2049}}]}, ["embeds.0.footer.text"], id="footer over"
        ),
        pytest.param(
            {"embeds": [{"author": {"name": "x" * 257}}]}, ["embeds.0.author.name"], id="author over"
        ),
        pytest.param({"embeds": [{"fields": [{"name": "n", "value": "v"}] * 25}]}, [], id="25 fields"),
        pytest.param(
            {"embeds": [{"fields": [{"name": "n", "value": "v"}] * 26}]}, ["embeds.0.fields"], id="26 fields"
        ),
        pytest.param(
            {"embeds": [{"fields": [{"name": "n", "value": "x" * 1025}]}]},
            ["embeds.0.fields.0.value"],
            id="field over",
        ),
        pytest.param(
            {"embeds": [{"fields": [{"name": "", "value": "v"}]}]},
            ["embeds.0.fields.0.name"],
            id="field unnamed",
        ),
        pytest.param({"embeds": [{"title": "t"}] * 10}, [], id="10 embeds"),
        pytest.param({"embeds": [{"title": "t"}] * 11}, ["embeds"], id="11 embeds"),
        pytest.param({"embeds": [{"description": "x" * 3000}] * 2}, [], id="6000 in all"),
        pytest.param({"embeds": [{"description": "x" * 3001}] * 2}, ["embeds"], id="6002 in all"),
        pytest.param({"nonce": "x" * 26}, ["nonce"], id="nonce over"),
        pytest.param({"components": [{}] * 6}, ["components"], id="6 rows"),
        pytest.param(
            {"allowed_mentions": {"parse": ["users"], "users": ["1"]}}, ["allowed_mentions"], id="users twice"
        ),
        pytest.param(
            {"allowed_mentions": {"users": ["1"] * 101}}, ["allowed_mentions.users"], id="101 users"
        ),
    ],
)
def test_limits(body: dict[str, Any], paths: list[str]) -> None:
    """Each limit holds up to its last character and refuses the next."""
    assert [error.path for error in find_form_errors(body)] == paths


def test_attachments() -> None:
    """Ten files are accepted and eleven are not."""
    assert find_form_errors({}, [1] * 10) == []
    assert [error.path for error in find_form_errors({}, [1] * 11)] == ["attachments"]


@pytest.mark.parametrize(
    ("allowed", "may", "pinged"),
    [
        pytest.param(
            None, True, {f"user:{ANA}", f"user:{BEN}", f"role:{TEAM}", "everyone", "here"}, id="all"
        ),
        pytest.param(
            None, False, {f"user:{ANA}", f"user:{BEN}", f"role:{TEAM}"}, id="without the permission"
        ),
        pytest.param({"parse": []}, True, set(), id="none"),
        pytest.param({}, True, set(), id="an empty object"),
        pytest.param({"parse": ["users"]}, True, {f"user:{ANA}", f"user:{BEN}"}, id="users"),
        pytest.param({"parse": ["roles"]}, True, {f"role:{TEAM}"}, id="roles"),
        pytest.param({"parse": ["everyone"]}, True, {"everyone", "here"}, id="everyone"),
        pytest.param({"parse": [], "users": [str(ANA)]}, True, {f"user:{ANA}"}, id="one user"),
        pytest.param(
            {"parse": [], "users": ["9"], "roles": [str(TEAM)]}, True, {f"role:{TEAM}"}, id="one role"
        ),
    ],
)
def test_pinged(allowed: dict[str, Any] | None, may: bool, pinged: set[str]) -> None:
    """Only who is named and allowed is notified."""
    assert find_pinged(ALL, allowed, may_mention_everyone=may) == pinged


@given(st.text())
def test_nobody_with_none_allowed(content: str) -> None:
    """Whatever a text says, an empty *parse* pings nobody."""
    assert find_pinged(content + ALL, {"parse": []}, may_mention_everyone=True) == frozenset()


@pytest.mark.parametrize(
    ("body", "attachments", "empty"),
    [
        pytest.param({}, 0, True, id="nothing"),
        pytest.param({"content": " \n"}, 0, True, id="blank"),
        pytest.param({"content": "x"}, 0, False, id="words"),
        pytest.param({"embeds": [{"title": "t"}]}, 0, False, id="embed"),
        pytest.param({}, 1, False, id="file"),
    ],
)
def test_empty(body: dict[str, Any], attachments: int, empty: bool) -> None:
    """A message needs something to show."""
    assert is_empty(body, attachments) is empty
