"""Targets: figures that a benchmark must reach. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """One figure that must be reached."""

    name: str
    bound: str
    """``≥`` or ``≤``."""
    wanted: float
    value: float | None
    """None where it could not be measured."""
    is_met: bool
    """Also where it could not be measured."""


def least(name: str, value: float | None, wanted: float) -> Target:
    """Return the target that *value* is at least *wanted*."""
    return Target(name, "≥", wanted, value, value is None or value >= wanted)


def most(name: str, value: float | None, wanted: float) -> Target:
    """Return the target that *value* is at most *wanted*."""
    return Target(name, "≤", wanted, value, value is None or value <= wanted)
