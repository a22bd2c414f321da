"""What the stages do with what the archive holds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from standup import work
from standup.archive import Archive, Claim, Failure, Manifest, manifest
from standup.capture import ahead, ogg
from standup.capture.record import JournalRecord, serialize
from standup.capture.segments import Clock, SegmentedLog
from standup.capture.tracks import make_tracks
from standup.continuity import Became, Relation
from standup.early import early
from standup.errors import ArchiveError, JournalUnreadable, OutOfMemory
from standup.failures import QUIET_MS, Recovery
from standup.meeting import Meeting, MeetingState, Participant, Track, meeting_id
from standup.pipeline import FOLLOW, SKIM, STAGES, Stage
from standup.settings import Settings, load
from standup.summarize import tagger
from standup.template import RETROSPECTIVE
from standup.transcribe import Hints, Reading
from standup.transcribe.whisper import WhisperEngine
from standup.transcript import Outcome, Utterance
from tests.empty_archives import migrated
from tests.summarize.scripted_endpoint import MODEL, Answer, Script, endpoint, well_behaved

START = datetime(2026, 11, 23, 9, 58, tzinfo=timezone.utc)
MEETING = "20261123T095800Z-1f0c9a2b"
LATER = "20261124T095800Z-1f0c9a2b"
SETTINGS = load(None, whisper_model="tiny.en")
SPEECH = Path(__file__).parent / "transcribe" / "data" / "slt.ogg"


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """An archive with one meeting that has ended and has no text channel."""
    made = migrated(Archive(f"sqlite:///{tmp_path / 'standup.sqlite3'}", str(tmp_path)))
    meeting = Meeting(MEETING, "", "", "", START, START + timedelta(minutes=1))
    made.adopt(Manifest(meeting, (Participant("11", "Ana"),)))
    return made


def claim(archive: Archive, stage: Stage) -> Claim:
    for earlier in STAGES[: STAGES.index(stage)]:
        found = archive.claim(MEETING, earlier, work.now_ms())
        archive.store_capture(found, [], [], work.now_ms())  # type: ignore[arg-type]
    found = archive.claim(MEETING, stage, work.now_ms())
    assert isinstance(found, Claim)
    return found


def test_capture_without_a_journal_is_refused(archive: Archive) -> None:
    """A meeting whose journal is not here (imported, or on another machine) is not captured as silence."""
    with pytest.raises(JournalUnreadable, match="STANDUP_STORAGE_URL"):
        work.capture(archive, SETTINGS, claim(archive, Stage.CAPTURE))


def test_capture_of_a_recorded_meeting_of_silence(archive: Archive, tmp_path: Path) -> None:
    """A recorded meeting in which nobody spoke has no tracks and no utterances."""
    manifest.write(tmp_path, Manifest(archive.meeting(MEETING)))
    (manifest.meeting_folder(tmp_path, MEETING) / "journal").mkdir()
    work.capture(archive, SETTINGS, claim(archive, Stage.CAPTURE))
    assert archive.tracks(MEETING) == ()


def test_summarize_of_silence(archive: Archive) -> None:
    """A meeting without words has a summary without items."""
    work.summarize(archive, SETTINGS, claim(archive, Stage.SUMMARIZE))
    found = archive.summary(MEETING)
    assert found is not None
    assert found.items == ()


@pytest.mark.parametrize(
    ("script", "author", "items"),
    [
        pytest.param(well_behaved, MODEL, ["the login page."], id="it answers"),
        pytest.param(
            lambda _: Answer(status=401),
            "rules (the language model refused the key)",
            ["Finished the login page"],
            id="it refuses",
        ),
    ],
)
def test_summarize_by_a_language_model(
    archive: Archive, script: Script, author: str, items: list[str]
) -> None:
    """With an endpoint in the settings it writes the notes; when it fails the stage is done all the same."""
    said = Utterance("u1", "11", 0, 900)
    taken = archive.claim(MEETING, Stage.CAPTURE, work.now_ms())
    assert isinstance(taken, Claim)
    archive.store_capture(taken, [], [said], work.now_ms())
    taken = archive.claim(MEETING, Stage.TRANSCRIBE, work.now_ms())
    assert isinstance(taken, Claim)
    archive.store_transcription(taken, [said.heard("I finished the login page.")], "tiny.en", work.now_ms())
    taken = archive.claim(MEETING, Stage.SUMMARIZE, work.now_ms())
    assert isinstance(taken, Claim)
    with endpoint(script) as running:
        work.summarize(archive, load(None, llm_url=running.url, llm_model=MODEL), taken)
    found = archive.summary(MEETING)
    assert found is not None
    assert (author, items) == (found.summarizer, [one.text for one in found.items])


def spoken_so_far(archive: Archive) -> None:
    """A meeting that goes on, with more words than are read at once."""
    meeting = Meeting(LATER, "1", "2", "3", START, None, MeetingState.RECORDING)
    archive.adopt(Manifest(meeting, (Participant("11", "Ana"),)))
    said = [
        early("11", at_ms, at_ms + 900).heard(f"I closed ticket {at_ms}.") for at_ms in range(0, 60_000, 1000)
    ]
    assert archive.keep_early(LATER, said)


@pytest.mark.parametrize(
    ("settings", "is_remembered"),
    [
        pytest.param(SETTINGS, True, id="rules"),
        pytest.param(load(None, llm_url="http://127.0.0.1:1", llm_model=MODEL), False, id="language model"),
    ],
)
def test_words_so_far_are_read_for_the_notes(
    archive: Archive, settings: Settings, *, is_remembered: bool
) -> None:
    """While people talk, this process reads for the rules what was said; a language model is asked at the end only."""
    spoken_so_far(archive)
    remembered = tagger.load()._remembered
    remembered.clear()
    work.skim(archive, settings, LATER)

    assert is_remembered == bool(remembered)


def test_words_are_not_read_ahead_where_that_killed_a_worker(archive: Archive) -> None:
    """Once it cost a process, nor when the meeting is over."""
    spoken_so_far(archive)
    archive.failures.note(Failure(work.now_ms(), "worker-cpu", 139, LATER, SKIM))
    tagger.load()._remembered.clear()
    for meeting in (LATER, MEETING):
        work.skim(archive, SETTINGS, meeting)

    assert not tagger.load()._remembered


def spoken_on(archive: Archive, day: int, name: str, text: str) -> str:
    """A meeting of one sentence, transcribed and waiting for its notes; *day* counts from the first."""
    began_at = START + timedelta(days=day)
    made = meeting_id(began_at, f"{day:08x}")
    meeting = Meeting(made, "1", "2", "3", began_at, began_at + timedelta(minutes=1))
    archive.adopt(Manifest(meeting, (Participant("11", name),)))
    said = Utterance("u1", "11", 0, 900)
    taken = archive.claim(made, Stage.CAPTURE, work.now_ms())
    assert isinstance(taken, Claim)
    archive.store_capture(taken, [], [said], work.now_ms())
    taken = archive.claim(made, Stage.TRANSCRIBE, work.now_ms())
    assert isinstance(taken, Claim)
    archive.store_transcription(taken, [said.heard(text)], "tiny.en", work.now_ms())
    return made


def summarized(archive: Archive, meeting: str) -> tuple[Relation, ...]:
    """Run the stage; return what it found became of earlier items."""
    taken = archive.claim(meeting, Stage.SUMMARIZE, work.now_ms())
    assert isinstance(taken, Claim)
    work.summarize(archive, SETTINGS, taken)
    found = archive.summary(meeting)
    assert found is not None
    return found.continuity


def test_summarize_takes_up_the_meeting_before(archive: Archive) -> None:
    """Plans and blockers of yesterday are found again, of a person who has another name today."""
    blocked = "I am blocked by the staging keys."
    summarized(archive, spoken_on(archive, 0, "Ana", blocked))
    summarized(archive, spoken_on(archive, 1, "Ana (she)", blocked))
    (relation,) = summarized(archive, spoken_on(archive, 2, "Zoe", blocked))
    assert (Became.STILL_BLOCKED, "11", START) == (relation.became, relation.person, relation.since)


def test_summarize_again_finds_the_same(archive: Archive) -> None:
    """A stage that runs twice, also after later meetings, leaves what it left."""
    blocked = "I am blocked by the staging keys."
    days = [spoken_on(archive, day, "Ana", blocked) for day in range(3)]
    first = [summarized(archive, one) for one in days]
    archive.retry(days[1], Stage.SUMMARIZE)
    assert first[1] == summarized(archive, days[1])


def test_notify_without_a_channel_ends_the_meeting(archive: Archive) -> None:
    """An imported meeting is done without a post."""
    work.notify(archive, SETTINGS, claim(archive, Stage.NOTIFY))
    assert archive.meeting(MEETING).state is MeetingState.DONE


def test_the_notes_are_in_the_servers_template(archive: Archive) -> None:
    """The message and summary.md are laid out as the server of the meeting chose."""
    meeting = spoken_on(archive, 0, "Ana", "I finished the login page.")
    summarized(archive, meeting)
    archive.guilds.keep_template("1", RETROSPECTIVE)
    notice, files = work.rendered(archive, archive.meeting(meeting))
    assert [one.name for one in notice.cards[0].fields] == ["What was done"]
    assert files["summary.md"].startswith("# Retrospective 2026-11-23 09:58 UTC")
    assert "login page" in files["transcript.md"]


def test_notes_need_a_summary(archive: Archive) -> None:
    """A meeting that lost its summary is told with the next step."""
    with pytest.raises(ArchiveError, match="--from summarize"):
        work._notes_of(archive, MEETING)


@pytest.fixture
def spoken(archive: Archive) -> Claim:
    """The meeting with one track of speech, to be transcribed by worker-gpu."""
    captured = archive.claim(MEETING, Stage.CAPTURE, work.now_ms())
    assert isinstance(captured, Claim)
    with archive.audio.stored(MEETING, "tracks") as folder:
        shutil.copy(SPEECH, folder / "11.ogg")
    track, said = Track("11", "tracks/11.ogg", 2_280, 1_980), Utterance("u1", "11", 300, 2_280)
    archive.store_capture(captured, [track], [said], work.now_ms())
    found = archive.claim(MEETING, Stage.TRANSCRIBE, work.now_ms())
    assert isinstance(found, Claim)
    return found


def test_terms_of_a_meeting_without_a_server(archive: Archive) -> None:
    """An imported meeting is read with its people's names in the operator's language, and no id is rewritten."""
    terms = work._terms(archive, load(None, language="de"), MEETING, None)
    assert (terms.language, terms.prompt, terms.tickets) == ("de", "Ana.", ())


def test_terms_of_a_servers_meeting(archive: Archive) -> None:
    """People, the server's words and keys, its channel and what its last notes spoke of; its language goes first."""
    for day, said in enumerate(("I finished the move to Jaeger.", "Today I will remove Jaeger.")):
        summarized(archive, spoken_on(archive, day, "Ana", said))
    archive.guilds.keep_vocabulary("1", words=("Grafana",), language="en", tickets=("#", "OPS"))
    began_at = START + timedelta(days=3)
    made = Meeting(
        meeting_id(began_at, "0" * 8), "1", "2", "3", began_at, voice_channel_name="checkout-daily"
    )
    archive.adopt(Manifest(made, (Participant("11", "Ana 🚀"), Participant("12", "Bo"))))
    terms = work._terms(archive, load(None, language="de"), made.id, None)
    assert (terms.language, terms.tickets) == ("en", ("#", "OPS"))
    assert terms.prompt == "Names and terms: Ana, Bo, Grafana, OPS, checkout, Jaeger."


def test_the_only_language_of_a_model_heads_the_terms(archive: Archive) -> None:
    """An English model is told in English, whatever is set."""
    assert work._terms(archive, SETTINGS, MEETING, "en").prompt == "Names and terms: Ana."


@pytest.mark.parametrize(("chosen", "expected"), [(0, 1), (1, 0), (4, 3)])
def test_guests_of_a_meeting_on_a_cpu(chosen: int, expected: int) -> None:
    """As many as the operator says, the meeting itself counted; one unless they say so."""
    settings = load(None, whisper_model="tiny.en", whisper_device="cpu", whisper_meetings=chosen)
    assert work.guests(settings) == expected


def short_of_memory(monkeypatch: pytest.MonkeyPatch, room_windows: int) -> None:
    """Let an engine run out of memory whose batches may be larger than *room_windows*."""
    real = WhisperEngine._read

    def read(engine: WhisperEngine, windows: Sequence[Any], hints: Sequence[Hints]) -> list[Reading]:
        if engine.batch_windows > room_windows:
            raise OutOfMemory
        return real(engine, windows, hints)

    monkeypatch.setattr(WhisperEngine, "_read", read)


@pytest.mark.integration
def test_want_of_memory_is_counted_and_told(
    archive: Archive, spoken: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The words are there, the notes name the profile, and the sentinel finds one failure to answer."""
    monkeypatch.setenv("STANDUP_PROGRAM", "worker-gpu")
    short_of_memory(monkeypatch, 2)
    work.transcribe(archive, SETTINGS, spoken)

    assert "page" in archive.transcript(MEETING).utterances[0].text
    assert archive.model_label(MEETING) == "tiny.en (int8, CPU; memory was short)"
    ((number, failure),) = archive.failures.unanswered()
    assert (failure.program, failure.code, failure.meeting_id) == ("worker-gpu", 137, MEETING)
    archive.failures.answer(number)
    assert archive.failures.level("worker-gpu", Recovery.SMALLER_PROFILE) == 1


@pytest.mark.integration
def test_the_next_meeting_starts_a_rung_lower(
    archive: Archive, spoken: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the archive remembers is in force from the first window, and nothing runs out of memory again."""
    monkeypatch.setenv("STANDUP_PROGRAM", "worker-gpu")
    short_of_memory(monkeypatch, 2)
    work._note_out_of_memory(archive, "worker-gpu", MEETING, 1)
    work.transcribe(archive, SETTINGS, spoken)

    assert len(archive.failures.unanswered()) == 1


def test_a_step_counts_before_and_after_its_answer(archive: Archive) -> None:
    """Each step is a rung, whether or not the sentinel has taken its measure yet."""
    levels = []
    for _ in range(2):
        work._note_out_of_memory(archive, "worker-gpu", MEETING, 1)
        levels.append(work._memory_level(archive, "worker-gpu"))
    for number, _ in archive.failures.unanswered():
        archive.failures.answer(number)
    levels.append(work._memory_level(archive, "worker-gpu"))

    assert levels == [1, 2, 2]


def test_a_step_that_nobody_answers_ends_after_a_day(archive: Archive) -> None:
    """Without a sentinel the full profile comes back too."""
    archive.failures.note(Failure(work.now_ms() - QUIET_MS, "worker-gpu", 137))
    assert work._memory_level(archive, "worker-gpu") == 0


@pytest.mark.parametrize("program", ["", "worker-cpu"])
def test_a_program_without_profiles_is_not_counted(archive: Archive, program: str) -> None:
    """Nobody would answer for it."""
    work._note_out_of_memory(archive, program, MEETING, 1)
    assert (archive.failures.unanswered(), work._memory_level(archive, program)) == ((), 0)


def test_an_archive_that_is_away_costs_only_the_memory_of_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The meeting is read on although the step cannot be kept."""
    away = Archive(f"sqlite:///{tmp_path / 'nowhere' / 'standup.sqlite3'}", str(tmp_path))
    work._note_out_of_memory(away, "worker-gpu", MEETING, 1)
    away.close()

    assert "The memory profile is not remembered" in caplog.text


@dataclass(frozen=True)
class Talk:
    """A meeting that is being recorded, two sentences of Ana's in its closed segments."""

    archive: Archive
    settings: Settings
    meeting: Meeting
    people: tuple[Participant, ...]


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Talk]:
    archive = migrated(Archive(f"sqlite:///{tmp_path / 'standup.sqlite3'}", str(tmp_path)))
    meeting = Meeting(MEETING, "1", "2", "", START, None, MeetingState.RECORDING)
    people = (Participant("11", "Ana"),)
    archive.adopt(Manifest(meeting, people))
    settings = load(None, whisper_model="tiny.en", whisper_device="cpu", language="en", data_dir=tmp_path)
    sounds = ogg.parse(SPEECH.with_name("rms.ogg").read_bytes())
    spans = ((2_580, 5_535), (8_639, 10_554))
    spoken = [one for one in sounds if any(begin <= one.start_samples // 48 < end for begin, end in spans)]
    write_journal(manifest.meeting_folder(tmp_path, MEETING) / "journal", spoken, segments=6)
    yield Talk(archive, settings, meeting, people)
    archive.close()


@pytest.mark.integration
def test_what_was_skimmed_is_not_read_again(talk: Talk) -> None:
    """After the meeting, capturing takes what was remembered of its closed segments, and the tracks are the same."""
    work.skim(talk.archive, talk.settings, MEETING)
    assert len(ahead._remembered) == 5
    ended = replace(talk.meeting, ended_at=START + timedelta(minutes=2), state=MeetingState.PROCESSING)
    talk.archive.adopt(Manifest(ended, talk.people))
    work.capture(talk.archive, talk.settings, claim_only(talk.archive, Stage.CAPTURE))
    assert not ahead._remembered

    folder = manifest.meeting_folder(talk.settings.data_dir, MEETING)
    made = make_tracks(folder / "journal", folder / "again")
    assert made.utterances == talk.archive.transcript(MEETING).utterances
    assert (folder / "again" / "11.ogg").read_bytes() == (folder / "tracks" / "11.ogg").read_bytes()


@pytest.mark.integration
def test_reading_ahead_that_killed_a_worker_is_left_for_later(talk: Talk) -> None:
    """Once it cost a process, the rest of the meeting is read after its end."""
    talk.archive.failures.note(Failure(work.now_ms(), "worker-gpu", 139, MEETING, FOLLOW))
    work.follow(talk.archive, talk.settings, MEETING)

    assert talk.archive.transcript(MEETING).utterances == ()


@pytest.mark.integration
def test_what_is_read_while_people_talk_is_not_read_again(talk: Talk, tmp_path: Path) -> None:
    """Closed segments are read ahead; the stages after the meeting keep those words and read only the rest."""
    archive, settings, people = talk.archive, talk.settings, talk.people

    work.follow(archive, settings, MEETING)
    early = archive.transcript(MEETING).spoken
    ended = replace(talk.meeting, ended_at=START + timedelta(minutes=2), state=MeetingState.PROCESSING)
    manifest.write(tmp_path, Manifest(ended, people))
    archive.adopt(Manifest(ended, people))
    assert not archive.keep_early(MEETING, early)
    work.capture(archive, settings, claim_only(archive, Stage.CAPTURE))
    taken = archive.transcript(MEETING)
    work.transcribe(archive, settings, claim_only(archive, Stage.TRANSCRIBE))
    final = archive.transcript(MEETING)

    assert early
    assert [one.text for one in taken.spoken] == [one.text for one in early]
    assert any(one.outcome is Outcome.PENDING for one in taken.utterances)
    assert set(taken.spoken) < set(final.spoken)
    assert all(one.outcome is not Outcome.PENDING for one in final.utterances)


def claim_only(archive: Archive, stage: Stage) -> Claim:
    """Take a stage without touching those before it."""
    found = archive.claim(MEETING, stage, work.now_ms())
    assert isinstance(found, Claim)
    return found


def write_journal(folder: Path, packets: Sequence[ogg.TimedPacket], segments: int) -> None:
    """Write one speaker's packets to a journal of so many segments of equal length."""
    start_ns = int(START.timestamp()) * 1_000_000_000
    for part in range(segments):
        log = SegmentedLog(folder, start_ns, clock=Clock(lambda: start_ns, lambda: 0))
        begin, end = (len(packets) * place // segments for place in (part, part + 1))
        for number, packet in enumerate(packets[begin:end], begin):
            at_ns = packet.start_samples * 1_000_000 // 48
            record = JournalRecord(
                11, 1011, number, packet.start_samples, at_ns, start_ns + at_ns, 0, packet.payload
            )
            log.write(serialize(record))
        log.end_segment()
