"""The documents' commands run."""

from __future__ import annotations

import pytest

from tests.documents.document import Document, documents
from tests.documents.scratch import scratch

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

RUNNABLE = [
    pytest.param(one, id=one.name) for one in documents() if any(block.is_executable for block in one.blocks)
]
SHOWN_CHARACTERS = 4_000


@pytest.mark.parametrize("document", RUNNABLE)
async def test_commands_run(document: Document) -> None:
    """The blocks of a document that are marked as executable end with 0, one after the other in one checkout."""
    async with scratch() as checkout:
        for block in document.blocks:
            if block.is_executable:
                status, printed = await checkout.run(block)
                assert status == 0, f"{document.name}:{block.line}\n{printed[-SHOWN_CHARACTERS:]}"
