"""The archive: rows in and out, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import dataclasses
import multiprocessing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from standup.archive import Archive, Claim, Posted, Refusal, Superseded
from standup.archive.models import Row
from standup.errors import (
    ArchiveError,
    ArchiveUnreachable,
    MeetingNotFound,
    SettingsError,
    StandupError,
    WorkerCrashed,
    WorkerKilled,
)
from standup.failures import LOWEST_PROFILE
from standup.meeting import MeetingState, PacketCounts, Participant, Track
from standup.pipeline import (
    LEASE_MS,
    MAX_STRIKES,
    STAGES,
    Count,
    Park,
    Retry,
    Stage,
    StageState,
    Tally,
)
from standup.summary import Item, Kind, Summary
from standup.transcript import Outcome, Utterance

from .conftest import MEETING, ended, running

NOW = 1_800_000_000_000
HOUR_MS = 3_600_000
TRACK = Track("11", "tracks/11.ogg", 60_000, 4_200, PacketCounts(210, 1, 2, 3, 4))
HEARD = (Utterance("u0001", "11", 100, 2_000), Utterance("u0002", "12", 2_100, 3_000))


def claimed(archive: Archive, stage: Stage, now_ms: int = NOW) -> Claim:
    claim = archive.claim(MEETING, stage, now_ms)
    assert isinstance(claim, Claim), claim
    return claim


def refused(archive: Archive, stage: Stage, now_ms: int = NOW) -> Refusal:
    refusal = archive.claim(MEETING, stage, now_ms)
    assert isinstance(refusal, Refusal), refusal
    return refusal


def captured(archive: Archive) -> None:
    archive.adopt(ended())
    archive.store_capture(claimed(archive, Stage.CAPTURE), [TRACK], HEARD[:1], NOW)


def state_of(archive: Archive, stage: Stage) -> StageState:
    return next(one.state for one in archive.statuses(MEETING) if one.stage is stage)


def test_migrations_make_the_models(archive: Archive) -> None:
    """The schema that the migrations build is the one the models describe."""
    with archive._engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Row.metadata) == []


def test_migrating_twice_changes_nothing(archive: Archive) -> None:
    """A second migration keeps what is there."""
    archive.adopt(ended())
    archive.migrate()
    assert archive.meeting(MEETING).id == MEETING


def test_unattributed_packets_stay_with_the_meeting(archive: Archive) -> None:
    """What capture could give to nobody is kept as a number."""
    archive.adopt(ended())
    archive.store_capture(claimed(archive, Stage.CAPTURE), [], [], NOW, unattributed_packets=7)
    assert archive.meeting(MEETING).unattributed_packets == 7


def test_adopting_again_loses_nothing(archive: Archive) -> None:
    """A late second adoption neither reopens a stage nor forgets a product."""
    captured(archive)
    archive.adopt(ended())
    assert state_of(archive, Stage.CAPTURE) is StageState.DONE
    assert archive.tracks(MEETING) == (TRACK,)


def test_only_one_claim_at_a_time(archive: Archive) -> None:
    """A stage that somebody works on is not given out again until the lease runs out."""
    archive.adopt(ended())
    first = claimed(archive, Stage.CAPTURE)
    assert not refused(archive, Stage.CAPTURE, NOW + LEASE_MS - 1).done
    second = claimed(archive, Stage.CAPTURE, NOW + LEASE_MS)
    assert (second.fence, second.tally.attempts) == (first.fence + 1, 2)


def test_a_renewed_lease_lasts_longer(archive: Archive) -> None:
    """Renewing keeps the stage; a superseded holder is told so."""
    archive.adopt(ended())
    first = claimed(archive, Stage.CAPTURE)
    assert archive.renew(first, NOW + LEASE_MS - 1)
    assert not refused(archive, Stage.CAPTURE, NOW + LEASE_MS).done
    claimed(archive, Stage.CAPTURE, NOW + 2 * LEASE_MS)
    assert not archive.renew(first, NOW + 2 * LEASE_MS)


def test_a_later_stage_waits_for_the_earlier(archive: Archive) -> None:
    """Transcription cannot be claimed before capture is done, whatever the queue delivers."""
    archive.adopt(ended())
    assert refused(archive, Stage.TRANSCRIBE) == Refusal(done=False, why="an earlier stage is not done")


def test_a_done_stage_lets_the_chain_walk_on(archive: Archive) -> None:
    """A second delivery of a done stage is refused as done."""
    captured(archive)
    assert refused(archive, Stage.CAPTURE).done


def test_a_superseded_product_is_dropped(archive: Archive) -> None:
    """A worker that lost its lease cannot store what it made."""
    archive.adopt(ended())
    slow = claimed(archive, Stage.CAPTURE)
    quick = claimed(archive, Stage.CAPTURE, NOW + LEASE_MS)
    archive.store_capture(quick, [TRACK], HEARD[:1], NOW)
    with pytest.raises(Superseded):
        archive.store_capture(slow, [], [], NOW)
    assert archive.tracks(MEETING) == (TRACK,)


def test_products_come_back_as_they_went_in(archive: Archive) -> None:
    """Tracks, utterances, model, summary and message survive the round trip, and end the meeting."""
    captured(archive)
    spoken = HEARD[0].heard("I fixed the login bug.")
    summary = Summary((Item(Kind.DONE, "Fixed the login bug", ("u0001",), "11"),), "rules")
    archive.store_transcription(claimed(archive, Stage.TRANSCRIBE), [spoken], "tiny.en", NOW)
    archive.store_summary(claimed(archive, Stage.SUMMARIZE), summary, NOW)
    archive.store_notice(claimed(archive, Stage.NOTIFY), "778", NOW)

    assert archive.transcript(MEETING).utterances == (spoken,)
    assert archive.model_label(MEETING) == "tiny.en"
    assert archive.summary(MEETING) == summary
    assert archive.posted(MEETING) == Posted("778", final=True)
    assert archive.meeting(MEETING).state is MeetingState.DONE


def test_outcomes_are_kept_apart(archive: Archive) -> None:
    """Text, verified silence and failure stay three different things."""
    archive.adopt(ended())
    utterances = [Utterance(f"u000{i}", "11", i, i + 1) for i in range(3)]
    archive.store_capture(claimed(archive, Stage.CAPTURE), [TRACK], utterances, NOW)
    outcome = [utterances[0].heard("Yes."), utterances[1].silent("no-speech"), utterances[2].failed("track")]
    archive.store_transcription(claimed(archive, Stage.TRANSCRIBE), outcome, "tiny.en", NOW)

    kept = [(one.outcome, one.reason) for one in archive.transcript(MEETING).utterances]
    assert kept == [(Outcome.TEXT, ""), (Outcome.SILENCE, "no-speech"), (Outcome.ERROR, "track")]


def test_what_was_read_so_far_is_kept_for_the_next_claim(archive: Archive) -> None:
    """A round that was stored is there for whoever takes the stage next; the stage itself goes on."""
    captured(archive)
    held = claimed(archive, Stage.TRANSCRIBE)
    archive.keep_utterances(held, [HEARD[0].heard("Yes.")], NOW)

    assert archive.transcript(MEETING).spoken[0].text == "Yes."
    assert archive.renew(held, NOW)


def test_a_superseded_worker_keeps_nothing(archive: Archive) -> None:
    """Only the holder of the newest fence may store a round."""
    captured(archive)
    held = claimed(archive, Stage.TRANSCRIBE)
    assert isinstance(archive.claim(MEETING, Stage.TRANSCRIBE, NOW + LEASE_MS), Claim)

    with pytest.raises(Superseded):
        archive.keep_utterances(held, [HEARD[0].heard("Yes.")], NOW + LEASE_MS)
    assert archive.transcript(MEETING).spoken == ()


def test_an_unknown_speaker_gets_a_participant(archive: Archive) -> None:
    """A speaker whom the recorder never saw by name is kept under the id."""
    archive.adopt(ended())
    stranger = dataclasses.replace(TRACK, speaker="99", path="tracks/99.ogg")
    archive.store_capture(claimed(archive, Stage.CAPTURE), [stranger], [], NOW)
    assert archive.transcript(MEETING).participants[-1] == Participant("99", "99")


def test_a_failure_is_tried_again_when_its_time_has_come(archive: Archive) -> None:
    """A retry keeps its error and opens the stage again; its row says when it is due."""
    archive.adopt(ended())
    archive.fail(claimed(archive, Stage.CAPTURE), Retry(5_000), "DiskFull: …", NOW)
    row = archive.statuses(MEETING)[0]
    assert (row.state, row.next_at_ms, row.error) == (StageState.TODO, NOW + 5_000, "DiskFull: …")
    assert row.enqueued_at_ms is None


def test_parking_marks_the_meeting(archive: Archive) -> None:
    """A stage that gave up parks its meeting, which is no longer published."""
    archive.adopt(ended())
    archive.fail(claimed(archive, Stage.CAPTURE), Park(), "ModelLoadError: …", NOW)
    assert archive.meeting(MEETING).state is MeetingState.PARKED
    assert archive.open_meetings() == {}


def test_endless_crashes_end(archive: Archive) -> None:
    """A stage whose every attempt dies without a word is parked after the last one."""
    archive.adopt(ended())
    now_ms = NOW
    for _ in range(MAX_STRIKES):
        claimed(archive, Stage.CAPTURE, now_ms)
        now_ms += LEASE_MS
    assert refused(archive, Stage.CAPTURE, now_ms).why == "parked"
    assert archive.meeting(MEETING).state is MeetingState.PARKED


def test_retry_starts_a_parked_meeting_again(archive: Archive) -> None:
    """`retry` opens the first stage that is not done, with fresh attempts."""
    captured(archive)
    archive.fail(claimed(archive, Stage.TRANSCRIBE), Park(), "ModelLoadError: …", NOW)
    assert archive.retry(MEETING) is Stage.TRANSCRIBE
    assert claimed(archive, Stage.TRANSCRIBE).tally.attempts == 1
    assert state_of(archive, Stage.CAPTURE) is StageState.DONE


def test_retry_does_not_skip_what_is_undone(archive: Archive) -> None:
    """`retry --from notify` of a meeting that was never transcribed begins with the transcription."""
    captured(archive)
    archive.fail(claimed(archive, Stage.TRANSCRIBE), Park(), "ModelLoadError: …", NOW)
    assert archive.retry(MEETING, Stage.NOTIFY) is Stage.TRANSCRIBE
    assert archive.open_meetings()[MEETING][1].state is StageState.TODO


def test_retry_goes_on_with_what_was_read(archive: Archive) -> None:
    """What a transcription had read before it gave up is not read again, unless somebody asks for that."""
    captured(archive)
    held = claimed(archive, Stage.TRANSCRIBE)
    archive.keep_utterances(held, [HEARD[0].heard("Pizza.")], NOW)
    archive.fail(held, Park(), "TranscriptionTimeout: …", NOW)
    archive.retry(MEETING)
    kept = [one.text for one in archive.transcript(MEETING).spoken]
    archive.retry(MEETING, Stage.TRANSCRIBE)
    assert (kept, archive.transcript(MEETING).spoken) == (["Pizza."], ())


def test_retry_from_transcribe_reads_again(archive: Archive) -> None:
    """What was read before is to be read again, by whatever model is set now."""
    captured(archive)
    archive.store_transcription(
        claimed(archive, Stage.TRANSCRIBE), [HEARD[0].heard("Pizza.")], "tiny.en", NOW
    )
    archive.retry(MEETING, Stage.TRANSCRIBE)
    assert [one.outcome for one in archive.transcript(MEETING).utterances] == [Outcome.PENDING]


def test_retry_from_capture_needs_a_journal(archive: Archive) -> None:
    """An imported meeting has only its tracks; to capture it again would lose its words, so nothing is touched."""
    captured(archive)
    archive.store_transcription(
        claimed(archive, Stage.TRANSCRIBE), [HEARD[0].heard("Pizza.")], "tiny.en", NOW
    )
    with pytest.raises(StandupError, match="--from transcribe"):
        archive.retry(MEETING, Stage.CAPTURE)
    assert [one.text for one in archive.transcript(MEETING).spoken] == ["Pizza."]


def test_retry_from_an_earlier_stage_reopens_what_follows(archive: Archive, tmp_path: Path) -> None:
    """`retry --from capture` does everything again."""
    captured(archive)
    (tmp_path / "meetings" / MEETING / "journal").mkdir(parents=True)
    assert archive.retry(MEETING, Stage.CAPTURE) is Stage.CAPTURE
    assert {one.state for one in archive.statuses(MEETING)} == {StageState.TODO}


def test_a_crash_frees_the_stage_at_once(archive: Archive) -> None:
    """The death of a worker process does not wait for the lease."""
    archive.adopt(ended())
    archive.claim(MEETING, Stage.CAPTURE, NOW, "box:1")
    archive.crashed(MEETING, Stage.CAPTURE, "box:1", WorkerCrashed("code 139"), NOW)
    again = claimed(archive, Stage.CAPTURE, NOW + 10_000)
    assert again.tally == Tally(2, 0, 1)


def test_a_late_death_does_not_free_anothers_claim(archive: Archive) -> None:
    """The death of a worker that had lost the stage leaves it to the one that took it over."""
    archive.adopt(ended())
    archive.claim(MEETING, Stage.CAPTURE, NOW, "box:1")
    taken = archive.claim(MEETING, Stage.CAPTURE, NOW + LEASE_MS, "box:2")
    archive.crashed(MEETING, Stage.CAPTURE, "box:1", WorkerCrashed("code 139"), NOW + LEASE_MS)
    archive.store_capture(taken, [TRACK], HEARD[:1], NOW)  # type: ignore[arg-type]
    assert state_of(archive, Stage.CAPTURE) is StageState.DONE


def test_a_stage_waits_for_its_next_try(archive: Archive) -> None:
    """However often it is delivered, a stage that failed is not tried before its time."""
    archive.adopt(ended())
    archive.fail(claimed(archive, Stage.CAPTURE), Retry(5_000), "DiskFull: …", NOW)
    assert not refused(archive, Stage.CAPTURE, NOW + 4_999).done
    assert claimed(archive, Stage.CAPTURE, NOW + 5_000).tally.attempts == 2


def test_a_stage_is_published_less_and_less_often(archive: Archive) -> None:
    """While nobody claims it, the waits between two copies of a chain double up to a quarter of an hour."""
    archive.adopt(ended())
    waits = []
    for _ in range(6):
        archive.mark_published(MEETING, STAGES, NOW)
        waits.append(archive.statuses(MEETING)[0].republish_after_ms // 60_000)
    assert waits == [1, 2, 4, 8, 15, 15]


def held(archive: Archive, stage: Stage, now_ms: int) -> None:
    assert isinstance(archive.claim(MEETING, stage, now_ms, "box:1"), Claim)


def test_work_that_crashed_two_workers_is_parked(archive: Archive) -> None:
    """The second crash parks the stage and marks the meeting; what was captured stays."""
    captured(archive)
    for number, expected in enumerate((Retry(2_000, Count.CRASHES), Park())):
        held(archive, Stage.TRANSCRIBE, NOW + number * HOUR_MS)
        crashed = archive.crashed(MEETING, Stage.TRANSCRIBE, "box:1", WorkerCrashed(), NOW + number * HOUR_MS)
        assert crashed == expected
    assert archive.meeting(MEETING).state is MeetingState.PARKED
    assert archive.tracks(MEETING) == (TRACK,)


def test_failures_of_another_kind_do_not_count_as_crashes(archive: Archive) -> None:
    """A stage that was tried in vain before may still crash once without being parked."""
    archive.adopt(ended())
    for _ in range(3):
        archive.fail(claimed(archive, Stage.CAPTURE), Retry(0), "ChannelUnreachable: …", NOW)
    held(archive, Stage.CAPTURE, NOW)
    crashed = archive.crashed(MEETING, Stage.CAPTURE, "box:1", WorkerCrashed(), NOW)
    assert crashed == Retry(2_000, Count.CRASHES)


def test_a_killed_worker_may_try_every_memory_profile(archive: Archive) -> None:
    """Work that was killed is tried again until the smallest memory profile has had its turn."""
    archive.adopt(ended())
    decisions = []
    for number in range(LOWEST_PROFILE + 1):
        held(archive, Stage.CAPTURE, NOW + number * HOUR_MS)
        at_ms = NOW + number * HOUR_MS
        decisions.append(archive.crashed(MEETING, Stage.CAPTURE, "box:1", WorkerKilled(), at_ms))
    assert [isinstance(one, Park) for one in decisions] == [False] * LOWEST_PROFILE + [True]


def test_retry_forgets_the_crashes(archive: Archive) -> None:
    """A stage that somebody starts again may crash once more before it is parked."""
    archive.adopt(ended())
    for number in range(2):
        held(archive, Stage.CAPTURE, NOW + number * HOUR_MS)
        archive.crashed(MEETING, Stage.CAPTURE, "box:1", WorkerCrashed(), NOW + number * HOUR_MS)
    archive.retry(MEETING)
    held(archive, Stage.CAPTURE, NOW)
    crashed = archive.crashed(MEETING, Stage.CAPTURE, "box:1", WorkerCrashed(), NOW)
    assert crashed == Retry(2_000, Count.CRASHES)


def test_a_crash_report_after_the_end_changes_nothing(archive: Archive) -> None:
    """A death reported twice, or late, leaves a done stage done."""
    captured(archive)
    assert archive.crashed(MEETING, Stage.CAPTURE, "", WorkerCrashed(), NOW) is None
    assert state_of(archive, Stage.CAPTURE) is StageState.DONE


def test_unknown_meetings_are_told(archive: Archive) -> None:
    """Asking for a meeting that is not there names the id and the next step."""
    with pytest.raises(MeetingNotFound, match=r"20200101T000000Z-00000000.*standup list"):
        archive.meeting("20200101T000000Z-00000000")


def test_meetings_are_listed_newest_first(archive: Archive) -> None:
    """The list begins with the latest meeting."""
    archive.adopt(ended())
    later = dataclasses.replace(
        ended().meeting,
        id="20261124T095800Z-00000000",
        started_at=ended().meeting.started_at.replace(day=24),
        ended_at=None,
    )
    archive.adopt(dataclasses.replace(ended(), meeting=later))
    assert [one.id for one in archive.meetings()] == [later.id, MEETING]


def _claim_often(url: str, folder: str, taken: multiprocessing.Queue[int]) -> None:
    archive = Archive(url, folder)
    taken.put(sum(isinstance(archive.claim(MEETING, Stage.CAPTURE, NOW), Claim) for _ in range(20)))
    archive.close()


@pytest.mark.integration
def test_processes_that_race_get_one_claim(archive: Archive, tmp_path: Path) -> None:
    """Of many claims from several processes at once exactly one is granted."""
    archive.adopt(ended())
    url = archive._engine.url.render_as_string(hide_password=False)
    context = multiprocessing.get_context("spawn")
    taken: multiprocessing.Queue[int] = context.Queue()
    racers = [context.Process(target=_claim_often, args=(url, str(tmp_path), taken)) for _ in range(3)]
    for one in racers:
        one.start()
    granted = [taken.get(timeout=60) for _ in racers]
    for one in racers:
        one.join(30)
    assert sum(granted) == 1


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    """A broken database address is an error of the settings."""
    with pytest.raises(SettingsError, match="STANDUP_DATABASE_URL"):
        Archive("nonsense", str(tmp_path))


def test_a_storage_that_is_none_is_refused(tmp_path: Path) -> None:
    """A broken storage address is an error of the settings."""
    with pytest.raises(SettingsError, match="STANDUP_STORAGE_URL"):
        Archive("sqlite://", "nonsense://x")


def test_a_server_that_is_away_is_transient(tmp_path: Path) -> None:
    """A PostgreSQL that does not answer is worth waiting for."""
    archive = Archive("postgresql://nobody@127.0.0.1:1/none", str(tmp_path))
    with pytest.raises(ArchiveUnreachable, match="does not answer"):
        archive.meetings()


def test_a_file_of_somebody_else_is_no_server(tmp_path: Path) -> None:
    """Where SQLite's file does not open, no server is spoken of; a disk may come back, so it is waited for."""
    (tmp_path / "standup.sqlite3").mkdir()
    archive = Archive(f"sqlite:///{tmp_path / 'standup.sqlite3'}", str(tmp_path))
    with pytest.raises(ArchiveUnreachable, match="check who owns STANDUP_DATA_DIR"):
        archive.meetings()


def test_a_missing_schema_names_the_next_step(tmp_path: Path) -> None:
    """An archive nobody has migrated says so."""
    archive = Archive(f"sqlite:///{tmp_path / 'empty.sqlite3'}", str(tmp_path))
    with pytest.raises(ArchiveError, match="standup migrate"):
        archive.meetings()
    archive.close()


def test_a_transcript_from_a_moment_on(archive: Archive) -> None:
    """Utterances that began earlier are left out; the people are all there."""
    archive.adopt(running())
    archive.keep_early(MEETING, HEARD)

    found = archive.transcript(MEETING, 2_100)

    assert [one.id for one in found.utterances] == ["u0002"]
    assert {"11", "12"} <= {one.id for one in found.participants}
    assert len(archive.transcript(MEETING, 2_101).utterances) == 0
    assert len(archive.transcript(MEETING).utterances) == 2
