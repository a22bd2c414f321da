"""The JSON Schemas in the package: every document we write obeys them, and what we cannot read does not."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from standup import summary as summaries
from standup import transcript as transcripts
from standup.continuity import Became, Relation
from standup.meeting import Participant
from standup.schemas import Document, schema
from standup.summarize import choose
from standup.summary import Item, Kind, Summary
from standup.transcript import Transcript, Utterance

STANDUPS = sorted((Path(__file__).parent / "data" / "standups").glob("*/*.json"))
VALIDATORS = {one: Draft202012Validator(json.loads(schema(one))) for one in Document}

TRANSCRIPT: dict[str, Any] = {
    "meeting": {"id": "m"},
    "participants": [{"id": "p1", "name": "Ann"}],
    "utterances": [{"id": "u1", "speaker": "p1", "start_ms": 0, "end_ms": 900, "text": "I fixed it."}],
}
SUMMARY: dict[str, Any] = {
    "summarizer": "rules",
    "items": [{"person": "p1", "kind": "done", "text": "Fixed it", "evidence": ["u1"], "due": None}],
    "continuity": [{"relation": "finished", "person": "p1", "yesterday": "Fix it", "today": "Fixed it"}],
}


def is_valid(document: Document, value: object) -> bool:
    return bool(VALIDATORS[document].is_valid(value))


@pytest.mark.parametrize("document", list(Document))
def test_schemas_are_schemas(document: Document) -> None:
    """Each is a valid schema of the draft that it names."""
    Draft202012Validator.check_schema(json.loads(schema(document)))


@pytest.mark.parametrize("path", STANDUPS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_standup_is_a_transcript(path: Path) -> None:
    """Every data file obeys the transcript schema."""
    assert is_valid(Document.transcript, json.loads(path.read_bytes()))


@pytest.mark.integration
@pytest.mark.parametrize("path", STANDUPS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_notes_are_a_summary(path: Path) -> None:
    """What is made of a data file obeys the summary schema."""
    notes = summaries.serialize(choose().summarize(transcripts.parse(path.read_bytes())))
    assert is_valid(Document.summary, notes)


TEXTS = st.text(min_size=1).filter(lambda text: bool(text.strip()))


@given(st.lists(TEXTS), st.text())
def test_every_export_is_a_transcript(texts: list[str], name: str) -> None:
    """Whatever was said, the JSON form obeys its schema."""
    said = tuple(Utterance(f"u{place}", "p1", place, place).heard(text) for place, text in enumerate(texts))
    silent = Utterance("u", "p1", 0, 0).silent("no-speech")
    value = transcripts.serialize(Transcript("", (Participant("p1", name),), (*said, silent)))
    assert is_valid(Document.transcript, value)


@given(st.sampled_from(Kind), TEXTS, st.none() | st.just("p1"), st.none() | st.text())
def test_every_summary_obeys_its_schema(kind: Kind, text: str, person: str | None, due: str | None) -> None:
    """Whatever the items, the JSON form obeys its schema."""
    value = summaries.serialize(Summary((Item(kind, text, ("u1",), person, due),), "rules"))
    assert is_valid(Document.summary, value)


@given(
    st.sampled_from(Became),
    TEXTS,
    st.none() | st.just("p1"),
    st.none() | st.text(),
    st.lists(st.just("u1"), max_size=1),
    st.none() | st.datetimes(timezones=st.just(timezone.utc)),
)
def test_every_relation_obeys_the_schema(
    became: Became,
    text: str,
    person: str | None,
    today: str | None,
    evidence: list[str],
    since: datetime | None,
) -> None:
    """Whatever became of an item, the JSON form obeys its schema and is read back."""
    summary = Summary((), "rules", (Relation(became, text, person, today, tuple(evidence), since),))
    value = summaries.serialize(summary)
    assert is_valid(Document.summary, value)
    assert summaries.parse(json.dumps(value)) == summary


def changed(document: dict[str, Any], place: str, **fields: Any) -> dict[str, Any]:
    """The document with fields of its first utterance or item changed; None takes a field out."""
    first = {name: value for name, value in (document[place][0] | fields).items() if value != "(out)"}
    return document | {place: [first]}


@pytest.mark.parametrize(
    "value",
    [
        pytest.param([], id="a list"),
        pytest.param({}, id="nothing"),
        pytest.param(TRANSCRIPT | {"meeting": "m"}, id="meeting no object"),
        pytest.param(TRANSCRIPT | {"participants": ["Ann"]}, id="participant no object"),
        pytest.param(changed(TRANSCRIPT, "participants", name="(out)"), id="participant without a name"),
        pytest.param(changed(TRANSCRIPT, "utterances", text="(out)"), id="utterance without text"),
        pytest.param(changed(TRANSCRIPT, "utterances", id="(out)"), id="utterance without id"),
        pytest.param(changed(TRANSCRIPT, "utterances", start_ms=-1), id="before the meeting"),
        pytest.param(changed(TRANSCRIPT, "utterances", start_ms="soon"), id="time no number"),
    ],
)
def test_what_is_no_transcript_is_refused_by_schema_and_reader(value: object) -> None:
    """The schema and `standup.transcript.parse` refuse the same."""
    assert not is_valid(Document.transcript, value)
    with pytest.raises(ValueError, match="transcript"):
        transcripts.parse(json.dumps(value))


@pytest.mark.parametrize(
    "value",
    [
        pytest.param([], id="a list"),
        pytest.param({"summarizer": "rules"}, id="no items"),
        pytest.param(changed(SUMMARY, "items", kind="idea"), id="unknown kind"),
        pytest.param(changed(SUMMARY, "items", text=" "), id="no text"),
        pytest.param(changed(SUMMARY, "items", evidence=[]), id="no evidence"),
        pytest.param(changed(SUMMARY, "items", person="(out)"), id="no person"),
        pytest.param(changed(SUMMARY, "continuity", relation="forgotten"), id="unknown relation"),
        pytest.param(changed(SUMMARY, "continuity", yesterday=" "), id="relation to nothing"),
    ],
)
def test_what_is_no_summary_is_refused_by_schema_and_reader(value: object) -> None:
    """The schema and `standup.summary.parse` refuse the same."""
    assert not is_valid(Document.summary, value)
    with pytest.raises(ValueError, match="summary"):
        summaries.parse(json.dumps(value))


@pytest.mark.parametrize(("document", "value"), [("transcript", TRANSCRIPT), ("summary", SUMMARY)])
def test_more_fields_are_left_alone(document: str, value: dict[str, Any]) -> None:
    """Both forms are open."""
    assert is_valid(Document(document), value | {"more": 1})


def test_the_reader_of_transcripts_leaves_more_fields_alone() -> None:
    """A standup of the benchmark is a transcript although it holds more."""
    more = changed(TRANSCRIPT, "utterances", said="I fixed it") | {"gold": [], "style": "plain"}
    assert transcripts.parse(json.dumps(more)) == transcripts.parse(json.dumps(TRANSCRIPT))


def test_the_kinds_are_those_of_the_code() -> None:
    """The schema lists every kind and no other."""
    items = json.loads(schema(Document.summary))["properties"]["items"]["items"]
    assert items["properties"]["kind"]["enum"] == [kind.value for kind in Kind]


def test_the_relations_are_those_of_the_code() -> None:
    """The schema lists all that can become of an item and nothing else."""
    relations = json.loads(schema(Document.summary))["properties"]["continuity"]["items"]
    assert relations["properties"]["relation"]["enum"] == [one.value for one in Became]


def test_a_summary_of_an_older_release_is_read() -> None:
    """Without the list of relations it is a summary all the same."""
    older = {name: value for name, value in SUMMARY.items() if name != "continuity"}
    assert is_valid(Document.summary, older)
    assert summaries.parse(json.dumps(older)).continuity == ()
