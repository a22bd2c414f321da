"""What each stage does: read the archive, call the stage's package, store the product with the claim.

Nothing here decides about retries or leases; `standup.tasks` does. Each function may run twice for one meeting.
Each imports its stage's package when it runs, so that a worker loads what its own queues need and no more.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from standup import company, handover, logs
from standup.archive import Archive, Claim, Failure, manifest
from standup.errors import ArchiveError, JournalUnreadable
from standup.failures import PROFILED_PROGRAMS, QUIET_MS, Recovery
from standup.markdown import summary_markdown
from standup.meeting import Meeting, MeetingState
from standup.notice import Notice, notes
from standup.pipeline import FOLLOW, SKIM, Stage
from standup.settings import Settings
from standup.summary import Summary
from standup.transcript import Transcript, Utterance, transcript_markdown

if TYPE_CHECKING:
    from standup.transcribe.sharing import Share
    from standup.transcribe.stage import Terms

log = logging.getLogger(__name__)

NOTIFY_TIMEOUT_S = 120.0
TRANSCRIBE_BUDGET_S = 4_800.0
"""Below the task's soft time limit, so that the stage itself can say that it took too long."""
FOLLOW_BUDGET_S = 240.0
"""The same for what is read while people talk."""
NO_MEMORY = 137
"""Want of memory counts as this code, whether the process died of it or lives."""


def now_ms() -> int:
    """Return the wall clock in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def capture(archive: Archive, settings: Settings, claim: Claim) -> None:
    """Turn the packet journal into tracks and utterances. Raises AudioCaptureError, DiskFull."""
    from standup.capture.tracks import make_tracks

    if not archive.audio.has_journal(claim.meeting_id):
        # An empty capture would throw away the transcript of an imported meeting, or of one on another machine.
        raise JournalUnreadable(
            f"Meeting {claim.meeting_id} has no journal here. Retry an imported meeting from transcribe; a worker on "
            "another machine than the recorder needs STANDUP_STORAGE_URL."
        )
    with (
        archive.audio.fetched(claim.meeting_id, "journal") as journal,
        archive.audio.stored(claim.meeting_id, "tracks") as tracks,
    ):
        made = make_tracks(journal, tracks)
    archive.store_capture(
        claim, made.tracks, made.utterances, now_ms(), unattributed_packets=made.unattributed
    )
    log.info("Captured %d tracks, %d utterances", len(made.tracks), len(made.utterances))


def transcribe(
    archive: Archive, settings: Settings, claim: Claim, check: Callable[[], None] = handover.check
) -> None:
    """Read the words of every utterance that has none yet, storing them round by round.

    Raises TranscribeError and what is below it, and what *check* raises between two rounds: HandedBack when the worker
    is to stop.
    """
    from standup.transcribe.stage import transcribe as read

    utterances = archive.transcript(claim.meeting_id).utterances

    def keep(read_so_far: tuple[Utterance, ...]) -> None:
        archive.keep_utterances(claim, read_so_far, now_ms())
        check()

    with archive.audio.fetched(claim.meeting_id, "tracks") as folder:
        tracks = {
            one.speaker: folder / one.path.rpartition("/")[2] for one in archive.tracks(claim.meeting_id)
        }
        engine = _engine(archive, settings, claim.meeting_id)
        terms = _terms(archive, settings, claim.meeting_id, engine.sole_language)
        made = read(tracks, utterances, engine, terms, on_round=keep)
    archive.store_transcription(claim, made.utterances, made.model_label, now_ms())
    log.info("Transcribed %.1f s of speech in %.1f s with %s", made.audio_s, made.wall_s, made.model_label)


def guests(settings: Settings) -> int:
    """Return how many meetings may be read beside another on the device in use. Raises ModelLoadError."""
    from standup.transcribe.engines import ladder_engine

    if settings.whisper_meetings:
        return settings.whisper_meetings - 1
    is_cuda = ladder_engine(settings.whisper).device == "cuda"
    return (company.ON_A_GPU if is_cuda else company.ON_A_CPU) - 1


def follow(archive: Archive, settings: Settings, meeting_id: str) -> None:
    """Read what the closed segments of a journal hold while people still talk; nothing where the journal is not.

    Nothing either where that killed a worker process before: what is left is read after the meeting, where a stage row
    counts the deaths. Raises AudioCaptureError, TranscribeError and HandedBack; what is not stored is read again, here
    or after the meeting.
    """
    from standup.capture.early import make_early_tracks
    from standup.transcribe.stage import transcribe as read

    journal = manifest.meeting_folder(settings.data_dir, meeting_id) / "journal"
    if not journal.is_dir() or archive.meeting(meeting_id).state is not MeetingState.RECORDING:
        return
    if archive.failures.has(meeting_id, FOLLOW):
        return
    known = archive.transcript(meeting_id).utterances
    with tempfile.TemporaryDirectory(prefix="standup-live-") as scratch:
        speech = make_early_tracks(journal, Path(scratch), known)
        if not speech.utterances:
            return
        tracks = {one.speaker: Path(scratch) / f"{one.speaker}.ogg" for one in speech.utterances}
        engine = _engine(archive, settings, meeting_id)
        terms = replace(_terms(archive, settings, meeting_id, engine.sole_language), budget_s=FOLLOW_BUDGET_S)
        made = read(tracks, speech.on_tracks(), engine, terms, on_round=lambda _: handover.check())
    archive.keep_early(meeting_id, speech.on_meeting(made.utterances))
    log.info("Read %.1f s of speech ahead in %.1f s", made.audio_s, made.wall_s)


def skim(archive: Archive, settings: Settings, meeting_id: str) -> None:
    """Do for the other stages what can be done while people still talk, so that this process need not do it again.

    Reads when packets came, and what was said (unless a language model writes the notes). Nothing where that killed a
    worker process before. Raises JournalUnreadable.
    """
    from standup.capture.ahead import remember
    from standup.summarize import rules

    if archive.meeting(meeting_id).state is not MeetingState.RECORDING or archive.failures.has(
        meeting_id, SKIM
    ):
        return
    began_s = time.monotonic()
    journal = manifest.meeting_folder(settings.data_dir, meeting_id) / "journal"
    segments = remember(journal) if journal.is_dir() else 0
    spoken = archive.transcript(meeting_id)
    if not settings.language_model:
        rules.skim(spoken)
    log.info(
        "Skimmed %d segments, %d utterances in %.2f s",
        segments,
        len(spoken.spoken),
        time.monotonic() - began_s,
    )


def _engine(archive: Archive, settings: Settings, meeting_id: str) -> Share:
    """Return a meeting's share in this process' speech engine, on the rung of the ladder that the archive knows of."""
    from standup.transcribe.engines import whisper_engine

    program = os.environ.get(logs.PROGRAM_VARIABLE, "")

    def remember(level: int) -> None:
        _note_out_of_memory(archive, program, meeting_id, level)

    return whisper_engine(settings.whisper, _memory_level(archive, program), remember)


def _terms(archive: Archive, settings: Settings, meeting_id: str, sole_language: str | None) -> Terms:
    """Return under which terms a meeting is read: whose names, words and tickets it may speak of, in which language.

    What its server chose goes before the operator's setting; *sole_language* is the only one that the model knows.
    """
    from standup.transcribe import glossary
    from standup.transcribe.stage import Terms

    meeting = archive.meeting(meeting_id)
    vocabulary = archive.guilds.vocabulary(meeting.guild_id)
    language = vocabulary.language or settings.language
    prompt = glossary.prompt(
        [one.name for one in archive.transcript(meeting_id).participants],
        (*vocabulary.words, *vocabulary.tickets),
        meeting.voice_channel_name,
        [item.text for notes in archive.recent_notes(meeting_id) for item in notes.items],
        sole_language or language,
    )
    return Terms(language, prompt, vocabulary.tickets, TRANSCRIBE_BUDGET_S)


def _memory_level(archive: Archive, program: str) -> int:
    """Return the memory profile for *program*: the archive's, and a rung for each failure it has yet to answer."""
    since_ms = now_ms() - QUIET_MS
    waiting = sum(
        one.program == program and one.code == NO_MEMORY and one.at_ms > since_ms
        for _, one in archive.failures.unanswered()
    )
    level = archive.failures.level(program, Recovery.SMALLER_PROFILE)
    return level + waiting if program in PROFILED_PROGRAMS else level


def _note_out_of_memory(archive: Archive, program: str, meeting_id: str, level: int) -> None:
    """Have the sentinel keep and count a step that the transcription took by itself."""
    if program not in PROFILED_PROGRAMS:
        return
    said = f"Memory ran out while a meeting was transcribed; {program} goes on with memory profile {level}."
    try:
        archive.failures.note(Failure(now_ms(), program, NO_MEMORY, meeting_id, Stage.TRANSCRIBE.value, said))
    except ArchiveError as problem:
        log.warning("The memory profile is not remembered: %s", problem)


def summarize(archive: Archive, settings: Settings, claim: Claim) -> None:
    """Find what each person did, will do and is blocked by, and what became of the plans of the meeting before.

    By rules where no language model is set or answers. Raises SummarizeError.
    """
    from standup.summarize import choose
    from standup.summarize.continuity import connect

    transcript = archive.transcript(claim.meeting_id)
    summary = choose(settings.language_model).summarize(transcript)
    before = archive.before(claim.meeting_id)
    if before is not None:
        related = connect(before.summary, summary, transcript, began_at=before.began_at)
        summary = replace(summary, continuity=related)
    archive.store_summary(claim, summary, now_ms())
    log.info(
        "Summarized into %d items by %s, %d of the meeting before taken up",
        len(summary.items),
        summary.summarizer,
        len(summary.continuity),
    )


def notify(archive: Archive, settings: Settings, claim: Claim) -> None:
    """Put the notes into the meeting's one message.

    A meeting without a text channel (an imported recording) has its notes in the archive only. Raises NotifyError,
    ChannelForbidden, SettingsError.
    """
    meeting = archive.meeting(claim.meeting_id)
    if not meeting.text_channel_id:
        archive.store_notice(claim, "", now_ms())
        return
    from standup.notify.discord_channel import Attachment, DiscordChannel

    notice, documents = rendered(archive, meeting)
    posted = DiscordChannel(settings.discord).publish(
        int(meeting.text_channel_id),
        notice,
        message_id=int(archive.posted(meeting.id).message_id or 0) or None,
        nonce=meeting.id,
        files=tuple(Attachment(name, text.encode()) for name, text in documents.items()),
        timeout_s=NOTIFY_TIMEOUT_S,
    )
    archive.store_notice(claim, str(posted.message_id), now_ms())
    log.info("Posted the notes as message %d", posted.message_id)


def rendered(archive: Archive, meeting: Meeting) -> tuple[Notice, dict[str, str]]:
    """Return the message of a meeting and the files beside it, in the template that its server chose."""
    summary, transcript = _notes_of(archive, meeting.id)
    model, template = archive.model_label(meeting.id), archive.guilds.template(meeting.guild_id)
    tracks = archive.tracks(meeting.id)
    document = summary_markdown(
        summary, transcript, started_at=meeting.started_at, speech_model=model, template=template
    )
    return (
        notes(meeting, summary, transcript, tracks, speech_model=model, template=template),
        {"summary.md": document, "transcript.md": transcript_markdown(transcript)},
    )


def _notes_of(archive: Archive, meeting_id: str) -> tuple[Summary, Transcript]:
    summary = archive.summary(meeting_id)
    if summary is None:
        raise ArchiveError(
            f"Meeting {meeting_id} has no summary; run `standup retry {meeting_id} --from summarize`."
        )
    return summary, archive.transcript(meeting_id)
