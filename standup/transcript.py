"""Utterances and the transcript: the JSON form that programs exchange, and the forms that people read.

No clock and no I/O here. Times are integer milliseconds on the meeting clock.
Renderings are safe whatever was said: speech and names stay text in Markdown (https://spec.commonmark.org),
WebVTT (https://www.w3.org/TR/webvtt1/) and SRT.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from standup.errors import InputRefused
from standup.meeting import Participant


class Outcome(str, Enum):
    """What transcription made of an utterance; silence is never mixed up with failure."""

    PENDING = "pending"  # not transcribed yet
    TEXT = "text"  # words were heard
    SILENCE = "silence"  # verified: nobody spoke (a breath, a keyboard, a dropped hallucination)
    ERROR = "error"  # could not be transcribed; the notes say so


@dataclass(frozen=True, slots=True)
class Utterance:
    """One stretch of speech by one person."""

    id: str
    """Unique within the meeting, e.g. ``u0007``; evidence points to it."""
    speaker: str
    """Participant id."""
    start_ms: int
    end_ms: int
    text: str = ""
    """The words; empty unless the outcome is TEXT."""
    outcome: Outcome = Outcome.PENDING
    reason: str = ""
    """Why the outcome is SILENCE or ERROR, as a short code (``no-speech``, ``repetition``, …)."""

    def __post_init__(self) -> None:
        if not 0 <= self.start_ms <= self.end_ms:
            raise ValueError(f"utterance {self.id}: times must satisfy 0 <= start <= end")
        if bool(self.text.strip()) != (self.outcome is Outcome.TEXT):
            raise ValueError(f"utterance {self.id}: text and outcome {self.outcome.value} contradict")

    def heard(self, text: str) -> Utterance:
        """Return this utterance with its words; blank *text* is verified silence."""
        if text.strip():
            return replace(self, text=text.strip(), outcome=Outcome.TEXT, reason="")
        return self.silent("empty")

    def silent(self, reason: str) -> Utterance:
        """Return this utterance as verified silence."""
        return replace(self, text="", outcome=Outcome.SILENCE, reason=reason)

    def failed(self, reason: str) -> Utterance:
        """Return this utterance as not transcribable."""
        return replace(self, text="", outcome=Outcome.ERROR, reason=reason)


@dataclass(frozen=True, slots=True)
class Transcript:
    """Who was there and what was said, utterances sorted by start time."""

    meeting_id: str
    participants: tuple[Participant, ...]
    utterances: tuple[Utterance, ...]

    def __post_init__(self) -> None:
        known = {person.id for person in self.participants}
        ids = [utterance.id for utterance in self.utterances]
        if len(set(ids)) != len(ids):
            raise ValueError("utterance ids must be unique")
        if any(utterance.speaker not in known for utterance in self.utterances):
            raise ValueError("every speaker must be among the participants")
        ordered = sorted(self.utterances, key=lambda one: (one.start_ms, one.end_ms, one.id))
        object.__setattr__(self, "utterances", tuple(ordered))

    @property
    def spoken(self) -> tuple[Utterance, ...]:
        """The utterances that have words."""
        return tuple(one for one in self.utterances if one.outcome is Outcome.TEXT)

    def name_of(self, speaker: str) -> str:
        """Return the display name of a participant id, or the id itself when it is unknown."""
        return next((person.name for person in self.participants if person.id == speaker), speaker)


def serialize(transcript: Transcript) -> dict[str, Any]:
    """Return the JSON form; it holds what was said, not what was silent or failed."""
    return {
        "meeting": {"id": transcript.meeting_id},
        "participants": [{"id": one.id, "name": one.name} for one in transcript.participants],
        "utterances": [
            {
                "id": one.id,
                "speaker": one.speaker,
                "start_ms": one.start_ms,
                "end_ms": one.end_ms,
                "text": one.text,
            }
            for one in transcript.spoken
        ],
    }


def parse(document: str | bytes) -> Transcript:
    """Read the JSON form.

    Raises InputRefused, naming the field, when the document is not a transcript.
    """
    try:
        raw = json.loads(document)
        utterances = tuple(
            Utterance(str(one["id"]), str(one["speaker"]), int(one["start_ms"]), int(one["end_ms"])).heard(
                str(one["text"])
            )
            for one in raw["utterances"]
        )
        participants = tuple(Participant(str(one["id"]), str(one["name"])) for one in raw["participants"])
        return Transcript(str(raw["meeting"].get("id", "")), participants, utterances)
    except KeyError as missing:
        raise InputRefused(
            f"The transcript lacks the field {missing}; `standup export --format json` writes the form."
        ) from missing
    except (ValueError, TypeError, AttributeError, OverflowError) as cause:
        raise InputRefused(
            "The file is not a transcript in the JSON form that `standup export --format json` writes."
        ) from cause


def clock(time_ms: int) -> str:
    """Return a meeting time as people read it: ``0:07``, ``12:34``, ``1:02:03``."""
    minutes, seconds = divmod(max(0, time_ms) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


#: What stands in place of words that are not there.
UNREAD = {Outcome.ERROR: "(could not be read)", Outcome.PENDING: "(not transcribed yet)"}

#: Invisible characters that can reorder or hide text, or that no file can hold (lone surrogates).
_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
    r"|[\U000e0000-\U000e007f]"
)
_MARKDOWN = re.compile(r"[\\`*_\[\]<>|~&#]")
_MARKDOWN_START = re.compile(r"^(?:[-+=]|\d{1,9}(?=[.)]))")


def plain(text: str) -> str:
    """Return *text* on one line, without control, direction-changing and unpaired surrogate characters."""
    return " ".join(_UNSEEN.sub("", " ".join(text.split())).split())


def escape_markdown(text: str) -> str:
    """Return *text* so that CommonMark shows it on one line, letter for letter, wherever it stands."""
    escaped = _MARKDOWN.sub(r"\\\g<0>", plain(text))
    start = _MARKDOWN_START.match(escaped)
    if start is None:
        return escaped
    # A digit cannot be escaped: the mark after it is.
    place = start.end() if start[0].isdigit() else 0
    return f"{escaped[:place]}\\{escaped[place:]}"


def transcript_markdown(transcript: Transcript) -> str:
    """Return the transcript as Markdown: one paragraph per utterance with its time and speaker.

    Verified silence is left out; an utterance that could not be read says so.
    """
    lines = [f"# Transcript of {escape_markdown(transcript.meeting_id) or 'a meeting'}"]
    for one in transcript.utterances:
        who = f"[{clock(one.start_ms)}] {escape_markdown(transcript.name_of(one.speaker))}:"
        if one.outcome is Outcome.TEXT:
            lines.append(f"**{who}** {escape_markdown(one.text)}")
        elif one.outcome is not Outcome.SILENCE:
            lines.append(f"**{who}** *{UNREAD[one.outcome]}*")
    if len(lines) == 1:
        lines.append("Nobody spoke.")
    return "\n\n".join(lines) + "\n"


def transcript_webvtt(transcript: Transcript) -> str:
    """Return the words as WebVTT, one cue per utterance with a voice span.

    The cue identifier is the utterance id where that is a plain word.
    """
    cues = ["WEBVTT"]
    for one in transcript.spoken:
        name = _escape_webvtt(transcript.name_of(one.speaker))
        heading = f"{one.id}\n" if re.fullmatch(r"\w+", one.id) else ""
        cues.append(f"{heading}{_span(one, '.')}\n<v {name}>{_escape_webvtt(one.text)}</v>")
    return "\n\n".join(cues) + "\n"


def transcript_srt(transcript: Transcript) -> str:
    """Return the words as SubRip, numbered from 1, the speaker before the text.

    SubRip has no escapes: a zero-width space after ``<`` and ``{`` keeps players from reading them as tags.
    """
    cues = []
    for number, one in enumerate(transcript.spoken, start=1):
        text = f"{plain(transcript.name_of(one.speaker))}: {plain(one.text)}"
        safe = re.sub(r"[<{]", "\\g<0>\u200b", text).replace("-->", "--\u200b>")
        cues.append(f"{number}\n{_span(one, ',')}\n{safe}\n")
    return "\n".join(cues)


def _escape_webvtt(text: str) -> str:
    """Return *text* for a cue or an annotation; escaping ``>`` also keeps ``-->`` out."""
    return plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _span(one: Utterance, mark: str) -> str:
    """Return ``00:00:07.000 --> 00:00:09.500``; a cue lasts at least 1 ms, as WebVTT asks."""
    end_ms = max(one.end_ms, one.start_ms + 1)
    return f"{_stamp(one.start_ms, mark)} --> {_stamp(end_ms, mark)}"


def _stamp(time_ms: int, mark: str) -> str:
    seconds, rest_ms = divmod(time_ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{mark}{rest_ms:03}"
