"""Turn every second written standup into one that was spoken and recognised.

    python -m standup.bench.recognised tests/data/standups/dev

A tool of those who add standups. Each utterance is spoken (flite), laid on its speaker's Ogg Opus track, and the
meeting transcribed as an imported one is (tiny.en). What was recognised becomes `text`, what was spoken `said`, times
are those of the sound, and the gold phrases become the words that stand in their place. What was not recognised at
all is gone: the utterance, evidence in it, a gold item without evidence or phrases. Standups that are recognised
already stay as they are, so the tool may run again after one was added.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jiwer

from standup.bench.accuracy import word_error_rate
from standup.capture import ogg
from standup.capture.opus import FRAME_SAMPLES, SAMPLES_PER_MS
from standup.settings import load
from standup.simulator.speech import synthesize
from standup.transcribe import Engine
from standup.transcribe.engines import whisper_engine
from standup.transcribe.stage import Terms, transcribe
from standup.transcript import Utterance

VOICES = ("slt", "rms", "awb", "kal16")
"""By the speaker's place among the participants."""
BREATH_MS = 200
"""The least between two utterances of one speaker."""
FRAME_MS = FRAME_SAMPLES // SAMPLES_PER_MS

# As `standup.bench.words` parts them, so that a phrase never begins within a number.
_WORD = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*")

Document = dict[str, Any]
"""A standup in the form of tests/data/standups/README.md."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """A standup after its speech was recognised."""

    document: Document
    kept: Mapping[int, int]
    """Place among the gold before -> place after, for the items that are left."""


def is_chosen(name: str) -> bool:
    """Return whether the standup ``NN-style`` is to be recognised: every even one is.

    Unpunctuated ones are not: the engine would punctuate them.
    """
    number, style = name.split("-", 1)
    return int(number) % 2 == 0 and style != "unpunctuated"


def retell(document: Document, heard: Mapping[str, Utterance]) -> Recognised:
    """Return *document* with the words that were *heard* (utterance id -> what was recognised and when).

    An utterance that is not among them, or has no words, is dropped. Relations to the day before stay as they are.
    """
    said = {one["id"]: one["text"] for one in document["utterances"]}
    texts = {name: one.text for name, one in heard.items() if one.text}
    utterances = [
        one
        | {
            "start_ms": heard[one["id"]].start_ms,
            "end_ms": heard[one["id"]].end_ms,
            "text": texts[one["id"]],
            "said": said[one["id"]],
        }
        for one in document["utterances"]
        if one["id"] in texts
    ]
    gold = {place: _retold(one, said, texts) for place, one in enumerate(document["gold"])}
    left = {place: one for place, one in gold.items() if one["phrases"] and one["evidence"]}
    return Recognised(
        document | {"source": "recognised", "utterances": utterances, "gold": list(left.values())},
        {before: after for after, before in enumerate(left)},
    )


def relate(document: Document, today: Mapping[int, int] | None, yesterday: Mapping[int, int] | None) -> None:
    """Let the relations of *document* point to where its gold, and that of the day before, is.

    A mapping is `Recognised.kept`, or None where that gold has not moved. Relations of a lost item are dropped.
    """
    moved = [
        one | {"yesterday": _moved(one["yesterday"], yesterday), "today": _moved(one["today"], today)}
        for one in document.get("continuity", ())
        if _is_left(one["yesterday"], yesterday) and _is_left(one["today"], today)
    ]
    if "continuity" in document:
        document["continuity"] = moved


def counterpart(phrase: str, said: str, heard: str) -> str:
    """Return what stands in *heard* where *phrase* stands in *said*, letter for letter; empty where nothing does.

    The two are aligned word by word; the words inserted beside a misheard word are taken as part of it.
    """
    begin = said.lower().find(phrase.lower())
    spoken, recognised = list(_WORD.finditer(said)), list(_WORD.finditer(heard))
    inside = [place for place, one in enumerate(spoken) if begin <= one.start() < begin + len(phrase)]
    if begin < 0 or not inside or not recognised:
        return ""
    places = _aligned(inside[0], inside[-1] + 1, spoken, recognised)
    return heard[recognised[min(places)].start() : recognised[max(places)].end()] if places else ""


def recognise(document: Document, engine: Engine) -> Recognised:
    """Speak and transcribe a standup. Raises SpeechUnavailable without flite or ffmpeg, TranscribeError."""
    voices = {one["id"]: VOICES[place % len(VOICES)] for place, one in enumerate(document["participants"])}
    frames = {
        one["id"]: synthesize(_speakable(one["text"]), voices[one["speaker"]])
        for one in document["utterances"]
    }
    placed = schedule(document["utterances"], {name: FRAME_MS * len(one) for name, one in frames.items()})
    with tempfile.TemporaryDirectory(prefix="standup-recognised-") as folder:
        tracks = {}
        for serial, speaker in enumerate(voices):
            own = [one for one in placed if one.speaker == speaker]
            tracks[speaker] = Path(folder) / f"{serial}.ogg"
            tracks[speaker].write_bytes(b"".join(ogg.serialize(_packets(own, frames), serial)))
        made = transcribe(tracks, placed, engine, Terms("en"))
    return retell(document, {one.id: one for one in made.utterances})


def schedule(utterances: Sequence[Mapping[str, Any]], lengths_ms: Mapping[str, int]) -> list[Utterance]:
    """Return when each utterance is said, given how long it sounds; pauses and overlaps stay as written.

    Nobody talks over themselves.
    """
    placed: list[Utterance] = []
    free_ms: dict[str, int] = {}
    before: Mapping[str, Any] | None = None
    for one in sorted(utterances, key=lambda one: (one["start_ms"], one["end_ms"])):
        pause_ms = one["start_ms"] - (before["end_ms"] if before else 0)
        begun_ms, ended_ms = (placed[-1].start_ms, placed[-1].end_ms) if placed else (0, 0)
        wanted_ms = max(ended_ms + pause_ms, begun_ms, free_ms.get(one["speaker"], 0))
        start_ms = -(-wanted_ms // FRAME_MS) * FRAME_MS
        end_ms = start_ms + lengths_ms[one["id"]]
        placed.append(Utterance(one["id"], one["speaker"], start_ms, end_ms))
        free_ms[one["speaker"]] = end_ms + BREATH_MS
        before = one
    return placed


def main(argv: Sequence[str]) -> int:
    """Recognise the chosen standups of each folder in *argv* that are still written, and tell what was lost."""
    engine = whisper_engine(load(whisper_model="tiny.en", whisper_device="cpu", language="en").whisper)
    for folder in map(Path, argv):
        documents = {path.stem: json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))}
        chosen = [one for one, it in documents.items() if is_chosen(one) and it["source"] == "written"]
        kept: dict[str, Mapping[int, int]] = {}
        for name in chosen:
            made = recognise(documents[name], engine)
            print(f"{folder / name}: {_losses(documents[name], made)}", flush=True)
            documents[name], kept[name] = made.document, made.kept
        for name, document in documents.items():
            relate(document, kept.get(name), kept.get(document.get("previous", "")))
            # All files of the folder together: a relation may point into another file.
            text = json.dumps(document, indent=1, ensure_ascii=False)
            (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    return 0


def _retold(gold: Document, said: Mapping[str, str], heard: Mapping[str, str]) -> Document:
    evidence = [one for one in gold["evidence"] if one in heard]
    found = [(_first_counterpart(one, evidence, said, heard), one) for one in gold["phrases"]]
    return gold | {
        "phrases": [phrase for phrase, _ in found if phrase],
        "spoken": [spoken for phrase, spoken in found if phrase],
        "evidence": evidence,
    }


def _first_counterpart(
    phrase: str, evidence: Sequence[str], said: Mapping[str, str], heard: Mapping[str, str]
) -> str:
    found = (counterpart(phrase, said[one], heard[one]) for one in evidence)
    return next((one for one in found if one), "")


def _aligned(
    begin: int, end: int, spoken: Sequence[re.Match[str]], recognised: Sequence[re.Match[str]]
) -> list[int]:
    """Return the places in *recognised* of the words ``spoken[begin:end]``."""
    reference, hypothesis = (" ".join(one[0].lower() for one in words) for words in (spoken, recognised))
    chunks = jiwer.process_words(reference, hypothesis).alignments[0]
    misheard = {
        place
        for one in chunks
        if one.type == "substitute"
        for place in range(max(one.ref_start_idx, begin), min(one.ref_end_idx, end))
    }
    places: list[int] = []
    for one in chunks:
        if one.type == "insert":
            at = one.ref_start_idx
            if begin < at < end or at in misheard or at - 1 in misheard:
                places.extend(range(one.hyp_start_idx, one.hyp_end_idx))
        elif one.type != "delete":
            shift = one.hyp_start_idx - one.ref_start_idx
            inside = range(max(one.ref_start_idx, begin), min(one.ref_end_idx, end))
            places.extend(place + shift for place in inside)
    return places


def _packets(own: Sequence[Utterance], frames: Mapping[str, Sequence[bytes]]) -> list[ogg.TimedPacket]:
    return [
        ogg.TimedPacket(one.start_ms * SAMPLES_PER_MS + place * FRAME_SAMPLES, frame)
        for one in own
        for place, frame in enumerate(frames[one.id])
    ]


def _speakable(text: str) -> str:
    """Return *text* in ASCII, which is all that flite reads."""
    straight = text.replace("’", "'").replace("–", ", ").replace("—", ", ").replace("ß", "ss")
    return unicodedata.normalize("NFKD", straight).encode("ascii", "ignore").decode() or "."


def _moved(place: int | None, kept: Mapping[int, int] | None) -> int | None:
    return place if place is None or kept is None else kept[place]


def _is_left(place: int | None, kept: Mapping[int, int] | None) -> bool:
    return place is None or kept is None or place in kept


def _losses(written: Document, made: Recognised) -> str:
    spoken = {one["id"]: one["said"] for one in made.document["utterances"]}
    heard = {one["id"]: one["text"] for one in made.document["utterances"]}
    return (
        f"{len(heard)} of {len(written['utterances'])} utterances and {len(made.kept)} of {len(written['gold'])} "
        f"gold items left, word error rate {100 * word_error_rate(spoken, heard):.1f} %"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
