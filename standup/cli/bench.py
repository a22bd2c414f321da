"""`standup bench …`: figures as ratios against a peer in the same run."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add these commands to *app*."""
