"""What can be told on some machines only."""

from __future__ import annotations


class NotHere(Exception):
    """This machine cannot tell it: what the document holds stands as it is, and the test is skipped with the reason."""
