"""One finding of the doctor."""

from __future__ import annotations

import pytest

from standup.health.check import Check, Grade, bad, doubtful, good, is_go


@pytest.mark.parametrize(
    ("check", "line"),
    [
        pytest.param(good("disk", "9 GiB free"), "✓ disk         9 GiB free", id="good"),
        pytest.param(
            doubtful("Redis", "is away", "start it"), "! Redis        is away. Next: start it", id="doubtful"
        ),
        pytest.param(bad("token", "refused", "copy it"), "✗ token        refused. Next: copy it", id="bad"),
    ],
)
def test_line(check: Check, line: str) -> None:
    """A check is one line: mark, name, finding, and the next step where there is one."""
    assert line == check.line()


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(("disk", Grade.GOOD, "fine", "do this"), id="a step where all is well"),
        pytest.param(("disk", Grade.BAD, "full", ""), id="no step where it is not"),
        pytest.param(("", Grade.GOOD, "fine", ""), id="no name"),
        pytest.param(("disk", Grade.GOOD, "", ""), id="no finding"),
    ],
)
def test_half_a_check_cannot_be(values: tuple[str, Grade, str, str]) -> None:
    """A check that leaves the operator without name, finding or next step is refused."""
    with pytest.raises(ValueError, match="check"):
        Check(*values)


def test_only_bad_stops_a_meeting() -> None:
    """Doubts do not stop a meeting; one failed check does."""
    well = [good("a", "fine"), doubtful("b", "so so", "look")]
    assert (True, False) == (is_go(well), is_go([*well, bad("c", "gone", "act")]))


def test_json_names_result_and_step() -> None:
    """A script gets all four values."""
    expected = {"name": "a", "result": "warning", "finding": "so so", "next_step": "look"}
    assert expected == doubtful("a", "so so", "look").serialize()
