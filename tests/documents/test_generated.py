"""What the documents show of the code is what the code says."""

from __future__ import annotations

import pytest

from tests.checkout import ROOT
from tests.documents.contents import CONTENTS
from tests.documents.contents.place import NotHere
from tests.documents.document import documents
from tests.documents.renew import GENERATED, OUTPUT, made, printed

PLACES = [
    pytest.param(place, id=f"{one.name}: {place['name']}{place['arguments']}")
    for one in documents()
    for place in GENERATED.finditer(one.text)
]
OUTPUTS = [
    pytest.param(block, id=f"{one.name}: {block['command']}")
    for one in documents()
    for block in OUTPUT.finditer(one.text)
]
RENEW = "run: python -m tests.documents.renew"


@pytest.fixture(autouse=True)
def _in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    """The documents' commands are given in the checkout's folder."""
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("place", PLACES)
def test_generated_content_is_the_codes(place: dict[str, str]) -> None:
    """A table or diagram says what the code says; otherwise `python -m tests.documents.renew` writes it anew."""
    try:
        expected = made(place["name"], place["arguments"])
    except NotHere as reason:
        pytest.skip(str(reason))
    assert place["shown"] == expected, RENEW


@pytest.mark.parametrize("block", OUTPUTS)
def test_what_is_shown_is_what_is_printed(block: dict[str, str]) -> None:
    """A block of output is what its command prints; otherwise `python -m tests.documents.renew` writes it anew."""
    assert block["shown"] == printed(block["command"]), RENEW


def test_everything_generated_is_shown() -> None:
    """No content is made that no document shows, so that settings, options and codes are all in a document."""
    assert set(CONTENTS) == {place.values[0]["name"] for place in PLACES}
