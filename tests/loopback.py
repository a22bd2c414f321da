"""The loopback Discord in the test's own process."""

from __future__ import annotations

import ssl

import pytest

from standup.simulator.server import LoopbackDiscord


def trust(server: LoopbackDiscord, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this process take the server's certificate for the rest of a test; programs are given SSL_CERT_FILE."""
    trusting = ssl.create_default_context(cafile=str(server.ca_file))
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trusting)
