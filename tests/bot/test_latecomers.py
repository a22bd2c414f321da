"""The recorder as a real process beside a text channel that not everybody can view: no notice, no recording."""

from __future__ import annotations

import asyncio
import signal

import pytest

from standup import work
from standup.archive import Archive, Claim
from standup.archive.manifest import Manifest
from standup.pipeline import Stage
from standup.settings import Settings
from standup.simulator.participant import Participant
from standup.simulator.permissions import Permission
from standup.simulator.server import LoopbackDiscord
from tests.bot.programs import WAIT_S, Ask, Frames, MakeProgram, Program

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

ONE_IS_NOT_RECORDED = "1 person in the voice channel cannot see this channel and is not recorded"


async def _begin(discord: LoopbackDiscord, ask: Ask, member: Participant) -> None:
    await ask(discord, member, "start")
    await discord.wait_for_bot_voice(timeout_s=WAIT_S)


def _told(discord: LoopbackDiscord) -> str:
    """Return the card of the one message in the text channel."""
    (only,) = discord.messages(discord.text_channel_id)
    return str(only.embeds)


async def _until_told(discord: LoopbackDiscord, sentence: str, *, is_there: bool = True) -> None:
    await discord.wait_until(
        lambda: (sentence in _told(discord)) is is_there, timeout_s=WAIT_S, what="the notice's sentence"
    )


async def _enter(discord: LoopbackDiscord, name: str) -> Participant:
    person = await discord.enter(name)
    await person.join_voice()
    return person


async def test_a_latecomer_without_sight_of_the_notice(
    discord: LoopbackDiscord, recorder: Program, ana: Participant, frames: Frames, answer_to: Ask
) -> None:
    """Nothing of a latecomer who cannot see the notice reaches the journal or the roster until they can; the notice
    counts them meanwhile, and everybody else's words are all there."""
    await _begin(discord, answer_to, ana)
    dana = await discord.enter("Dana")
    discord.deny(discord.text_channel_id, Permission.VIEW_CHANNEL, dana.user_id)
    await dana.join_voice()
    said, later = frames(1, 100), frames(3, 50)

    await asyncio.gather(recorder.hear(discord, ana, said), dana.speak(frames(2, 100)))
    await _until_told(discord, ONE_IS_NOT_RECORDED)
    await _until_told(discord, "1 person heard")
    unseen = (recorder.records(), recorder.manifest())
    counted = _told(discord)
    discord.restore(discord.text_channel_id, dana.user_id)
    await _until_told(discord, ONE_IS_NOT_RECORDED, is_there=False)
    await recorder.hear(discord, dana, later)
    await answer_to(discord, ana, "stop")

    records, manifest = unseen
    assert {one.user_id for one in records} == {ana.user_id}
    assert [one.name for one in manifest.participants] == ["Ana"]
    assert ONE_IS_NOT_RECORDED in counted
    assert "Dana" not in counted
    assert (recorder.payloads(ana.user_id), recorder.payloads(dana.user_id)) == (said, later)
    assert [one.name for one in recorder.manifest().participants] == ["Ana", "Dana"]
    assert recorder.manifest().meeting.unsighted_people == 1
    assert recorder.manifest().meeting.gaps == ()
    assert str(dana.user_id) not in recorder.log("recorder")
    assert discord.violations == []


async def test_the_notes_tell_of_them(
    discord: LoopbackDiscord, recorder: Program, ana: Participant, frames: Frames, answer_to: Ask
) -> None:
    """The notes of a meeting say how many were not recorded, and nothing of what they said is in a track."""
    await _begin(discord, answer_to, ana)
    dana = await discord.enter("Dana")
    discord.deny(discord.text_channel_id, Permission.VIEW_CHANNEL, dana.user_id)
    await dana.join_voice()
    await dana.speak(frames(2, 50))
    await recorder.hear(discord, ana, frames(1, 50))
    await answer_to(discord, ana, "stop")

    manifest = recorder.manifest()
    notes = _notes(recorder, manifest)

    assert "Not recorded: 1 person, for as long as they could not see the recording notice." in notes
    assert "Captured 1 speaker" in notes
    assert "Dana" not in notes


def _notes(recorder: Program, manifest: Manifest) -> str:
    """Work the meeting off as the workers do, without a speech model, and return the message's text."""
    settings = Settings(_env_file=None, data_dir=recorder.data_dir)  # type: ignore[call-arg]
    archive = Archive.of(settings)
    archive.migrate()
    archive.adopt(manifest)

    def claimed(stage: Stage) -> Claim:
        found = archive.claim(manifest.meeting.id, stage, work.now_ms())
        assert isinstance(found, Claim)
        return found

    work.capture(archive, settings, claimed(Stage.CAPTURE))
    archive.store_transcription(claimed(Stage.TRANSCRIBE), (), "", work.now_ms())
    work.summarize(archive, settings, claimed(Stage.SUMMARIZE))
    notice, _ = work.rendered(archive, archive.meeting(manifest.meeting.id))
    archive.close()
    return notice.content + notice.cards[0].description


@pytest.mark.parametrize(
    "taken",
    [
        pytest.param(Permission.VIEW_CHANNEL, id="the channel"),
        pytest.param(Permission.READ_MESSAGE_HISTORY, id="its history"),
    ],
)
async def test_sight_that_is_taken_away(
    discord: LoopbackDiscord,
    recorder: Program,
    ana: Participant,
    frames: Frames,
    answer_to: Ask,
    taken: Permission,
) -> None:
    """Whoever loses sight of the notice in the middle is kept until then and not afterwards, and the bot, to which
    their announced words never come, does not take itself for deaf."""
    ben = await _enter(discord, "Ben")
    await _begin(discord, answer_to, ana)
    before, after = frames(1, 50), frames(3, 50)
    await recorder.hear(discord, ben, before)

    discord.deny(discord.text_channel_id, taken, ben.user_id)
    await _until_told(discord, ONE_IS_NOT_RECORDED)
    await ben.speak(frames(2, 50))
    await recorder.hear(discord, ana, after)
    await answer_to(discord, ana, "stop")

    assert (recorder.payloads(ben.user_id), recorder.payloads(ana.user_id)) == (before, after)
    assert recorder.manifest().meeting.gaps == ()


async def test_only_the_hidden_are_left(
    discord: LoopbackDiscord, program: MakeProgram, ana: Participant, answer_to: Ask
) -> None:
    """When nobody is left who sees the notice, the meeting ends as one whose channel is empty."""
    recorder = program("voice_recorder", discord, EMPTY_GRACE_S="1")
    recorder.start()
    await discord.wait_for_bot(timeout_s=WAIT_S)
    await _begin(discord, answer_to, ana)
    dana = await discord.enter("Dana")
    discord.deny(discord.text_channel_id, Permission.VIEW_CHANNEL, dana.user_id)
    await dana.join_voice()
    await _until_told(discord, ONE_IS_NOT_RECORDED)

    await ana.leave_voice()
    await discord.wait_until(
        lambda: recorder.manifest().meeting.ended_at is not None, timeout_s=WAIT_S, what="the end"
    )
    await discord.wait_until(
        lambda: "nobody who can see its notice" in discord.messages(discord.text_channel_id)[0].content,
        timeout_s=WAIT_S,
        what="the reason",
    )

    assert "Recording stopped: empty" in recorder.log("recorder")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "asked to stop"])
async def test_a_revived_recording(
    discord: LoopbackDiscord,
    recorder: Program,
    ana: Participant,
    frames: Frames,
    answer_to: Ask,
    number: signal.Signals,
) -> None:
    """A recording that goes on after a restart keeps nothing of somebody who cannot see its notice any more."""
    ben = await _enter(discord, "Ben")
    await _begin(discord, answer_to, ana)
    before, after = frames(1, 50), frames(3, 50)
    await recorder.hear(discord, ben, before)

    await recorder.end(number)
    discord.deny(discord.text_channel_id, Permission.VIEW_CHANNEL, ben.user_id)
    recorder.start()
    await discord.wait_until(
        lambda: "Recording resumed" in recorder.log("recorder"), timeout_s=WAIT_S, what="the revival"
    )
    await discord.wait_for_bot_voice(timeout_s=WAIT_S)
    await ben.speak(frames(2, 50))
    await _until_told(discord, ONE_IS_NOT_RECORDED)
    await recorder.hear(discord, ana, after)
    await answer_to(discord, ana, "stop")

    assert recorder.payloads(ben.user_id) == before
    assert recorder.payloads(ana.user_id)[-50:] == after
    assert recorder.manifest().meeting.unsighted_people == 1


async def test_a_role_that_discord_does_not_tell_of(
    discord: LoopbackDiscord, program: MakeProgram, frames: Frames, answer_to: Ask
) -> None:
    """In a private text channel, somebody who is given its role in the middle is recorded soon after."""
    discord.hide(discord.text_channel_id, discord.world.lead_role_id)
    recorder = program(
        "voice_recorder", discord, before="from standup.bot import recording; recording.ROLES_ROUNDS = 1"
    )
    recorder.start()
    await discord.wait_for_bot(timeout_s=WAIT_S)
    lead = await discord.enter("Lea")
    discord.world.promote(lead.user_id)
    await lead.join_voice()
    await _begin(discord, answer_to, lead)
    dana = await _enter(discord, "Dana")
    await _until_told(discord, ONE_IS_NOT_RECORDED)

    await dana.speak(frames(1, 20))
    discord.world.promote(dana.user_id)
    await _until_told(discord, ONE_IS_NOT_RECORDED, is_there=False)
    await recorder.hear(discord, dana, frames(2, 20))
    await answer_to(discord, lead, "stop")

    assert recorder.payloads(dana.user_id) == frames(2, 20)
    assert discord.violations == []


async def test_a_latecomer_who_can_see_it(
    discord: LoopbackDiscord, recorder: Program, ana: Participant, frames: Frames, answer_to: Ask
) -> None:
    """The words of a latecomer who can see the notice are kept from the first packet on, spoken at once on entering."""
    await _begin(discord, answer_to, ana)

    dana = await _enter(discord, "Dana")
    await recorder.hear(discord, dana, frames(1, 50))
    await answer_to(discord, ana, "stop")

    assert recorder.payloads(dana.user_id) == frames(1, 50)
    assert recorder.manifest().meeting.unsighted_people == 0


async def test_a_hidden_channel_is_refused_at_the_start(
    discord: LoopbackDiscord, recorder: Program, ana: Participant, answer_to: Ask
) -> None:
    """With somebody present who cannot see the text channel, start records nothing and says why; once they have
    left, it begins."""
    dana = await discord.enter("Dana")
    discord.deny(discord.text_channel_id, Permission.VIEW_CHANNEL, dana.user_id)
    await dana.join_voice()

    refusal = await answer_to(discord, ana, "start")
    refused = (recorder.manifests(), discord.messages(discord.text_channel_id))
    await dana.leave_voice()
    await _begin(discord, answer_to, ana)

    assert f"not everybody in <#{discord.voice_channel_id}> can see <#{discord.text_channel_id}>" in refusal
    assert refused == ([], ())
    assert "is being recorded" in discord.messages(discord.text_channel_id)[0].content
