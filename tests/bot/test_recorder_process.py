"""The recorder as a real process beside the loopback Discord: what is spoken is in the journal, whatever happens."""

from __future__ import annotations

import asyncio
import itertools
import signal
import subprocess
import sys
import time

import pytest

from standup.archive.manifest import meeting_folder
from standup.bot.shelf import JOURNAL, last_packet_at
from standup.simulator.participant import Participant
from standup.simulator.permissions import Permission
from standup.simulator.server import LoopbackDiscord
from tests.bot.programs import WAIT_S, Ask, Frames, MakeProgram, Program

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


async def _begin(discord: LoopbackDiscord, ask: Ask, member: Participant) -> str:
    answer = await ask(discord, member, "start")
    await discord.wait_for_bot_voice(timeout_s=WAIT_S)
    return answer


def _notice(discord: LoopbackDiscord) -> str:
    (only,) = discord.messages(discord.text_channel_id)
    return only.content


async def test_two_speakers_reach_the_journal_frame_by_frame(
    discord: LoopbackDiscord, recorder: Program, ana: Participant, frames: Frames, answer_to: Ask
) -> None:
    """Everything that two people say between start and stop is in the journal, each under their own id."""
    ben = await discord.enter("Ben")
    await ben.join_voice()
    await _begin(discord, answer_to, ana)
    said = {ana: frames(1, 100), ben: frames(2, 80)}

    await asyncio.gather(*(recorder.hear(discord, person, words) for person, words in said.items()))
    await answer_to(discord, ana, "stop")

    kept = {person: recorder.payloads(person.user_id) for person in said}
    assert kept == said
    assert discord.violations == []


async def test_the_notice_stands_before_the_first_packet(
    discord: LoopbackDiscord, recorder: Program, ana: Participant, frames: Frames, answer_to: Ask
) -> None:
    """The recording notice is in the text channel before anything is kept, and it pings nobody."""
    await _begin(discord, answer_to, ana)
    (notice,) = discord.messages(discord.text_channel_id)
    before = recorder.payloads(ana.user_id)

    await recorder.hear(discord, ana, frames(1, 10))
    await answer_to(discord, ana, "stop")

    assert "is being recorded" in notice.content
    assert notice.nonce == recorder.manifest().meeting.id
    assert notice.pinged == frozenset()
    assert before == []
    assert len(recorder.payloads(ana.user_id)) == 10


async def test_the_manifest_tells_who_was_there(
    discord: LoopbackDiscord, recorder: Program, ana: Participant, answer_to: Ask
) -> None:
    """People who only listened are participants too, and the meeting has an end and its message."""
    await _begin(discord, answer_to, ana)
    cleo = await discord.enter("Cleo")
    await cleo.join_voice()
    await discord.wait_until(
        lambda: len(recorder.manifest().participants) == 2, timeout_s=WAIT_S, what="the second participant"
    )

    await answer_to(discord, ana, "stop")

    manifest = recorder.manifest()
    (notice,) = discord.messages(discord.text_channel_id)
    assert {one.name for one in manifest.participants} == {"Ana", "Cleo"}
    assert manifest.meeting.ended_at is not None
    assert manifest.message_id == str(notice.id)


async def test_no_names_in_the_logs(
    discord: LoopbackDiscord, recorder: Program, ana: Participant, frames: Frames, answer_to: Ask
) -> None:
    """The log tells that a recording started and stopped, with the meeting's id and without a name."""
    await _begin(discord, answer_to, ana)
    await recorder.hear(discord, ana, frames(1, 10))
    await answer_to(discord, ana, "stop")

    log = recorder.log("recorder")

    meeting_id = recorder.manifest().meeting.id
    assert f"INFO Recording started meeting={meeting_id}" in log
    assert f"INFO Recording stopped: asked meeting={meeting_id}" in log
    assert "Ana" not in log
    assert discord.token not in log


async def test_region_move_in_the_middle(
    discord: LoopbackDiscord, recorder: Program, ana: Participant, frames: Frames, answer_to: Ask
) -> None:
    """After a move to another voice server, with new keys, the same recording goes on."""
    await _begin(discord, answer_to, ana)
    before, after = frames(1, 50), frames(2, 50)

    await recorder.hear(discord, ana, before)
    await discord.move_region()
    await discord.wait_for_bot_voice(timeout_s=WAIT_S)
    await recorder.hear(discord, ana, after)
    await answer_to(discord, ana, "stop")

    assert recorder.payloads(ana.user_id) == before + after
    assert discord.violations == []


async def test_voice_websocket_drop(
    discord: LoopbackDiscord, recorder: Program, ana: Participant, frames: Frames, answer_to: Ask
) -> None:
    """A dropped voice websocket is restored, and what is said afterwards is kept in the same meeting."""
    await _begin(discord, answer_to, ana)
    before, after = frames(1, 50), frames(2, 50)

    await recorder.hear(discord, ana, before)
    discord.drop_voice(4006)
    await _until_heard(discord, recorder, ana, frames)
    await recorder.hear(discord, ana, after)
    await answer_to(discord, ana, "stop")

    kept = recorder.payloads(ana.user_id)
    assert kept[:50] == before
    assert kept[-50:] == after


async def test_a_crashed_voice_server(
    discord: LoopbackDiscord, program: MakeProgram, ana: Participant, frames: Frames, answer_to: Ask
) -> None:
    """After a crash of the voice server the bot rejoins unasked, and the gap begins after what was kept."""
    recorder = program(
        "voice_recorder",
        discord,
        before=(
            "from standup.bot import liveness\n"
            "liveness.DEAF_AFTER_MS = liveness.CUT_OFF_AFTER_MS = 3_600_000  # no proof of deafness has it rejoin"
        ),
    )
    recorder.start()
    await discord.wait_for_bot(timeout_s=WAIT_S)
    await _begin(discord, answer_to, ana)
    before, after = frames(1, 50), frames(2, 50)
    await recorder.hear(discord, ana, before)

    discord.drop_voice(4015)
    await discord.wait_until(
        lambda: "Hearing was restored" in recorder.log("recorder"), timeout_s=WAIT_S, what="the bot's hearing"
    )
    await recorder.hear(discord, ana, after)
    await answer_to(discord, ana, "stop")

    (gap,) = recorder.manifest().meeting.gaps
    assert recorder.payloads(ana.user_id) == before + after
    assert gap.from_ms >= 1_000


async def test_gateway_resume(
    discord: LoopbackDiscord, recorder: Program, ana: Participant, frames: Frames, answer_to: Ask
) -> None:
    """A gateway connection that breaks and is resumed costs no packet."""
    await _begin(discord, answer_to, ana)
    words = frames(1, 100)

    speaking = asyncio.create_task(ana.speak(words))
    discord.close_gateway()
    await speaking
    await discord.wait_for_bot(timeout_s=WAIT_S)
    answer = await answer_to(discord, ana, "stop")

    assert recorder.payloads(ana.user_id) == words
    assert "was stopped" in answer


async def test_gateway_session_lost(
    discord: LoopbackDiscord, recorder: Program, ana: Participant, frames: Frames, answer_to: Ask
) -> None:
    """With its gateway session the bot loses its seat in voice; it takes it again and the meeting goes on."""
    await _begin(discord, answer_to, ana)
    before, after = frames(1, 50), frames(2, 50)
    await recorder.hear(discord, ana, before)

    discord.close_gateway(is_resumable=False)
    await _until_heard(discord, recorder, ana, frames)
    await recorder.hear(discord, ana, after)
    await answer_to(discord, ana, "stop")

    kept = recorder.payloads(ana.user_id)
    assert (kept[:50], kept[-50:]) == (before, after)
    await discord.wait_for_message(
        discord.text_channel_id, lambda one: "Not heard" in str(one.embeds), timeout_s=WAIT_S
    )


async def test_a_deleted_notice_is_posted_again(
    discord: LoopbackDiscord, recorder: Program, ana: Participant, answer_to: Ask
) -> None:
    """While packets are kept a notice stands in the channel, also after somebody deleted it."""
    await _begin(discord, answer_to, ana)
    (first,) = discord.messages(discord.text_channel_id)

    del discord.world.messages[first.id]

    await discord.wait_for_message(
        discord.text_channel_id, lambda one: "being recorded" in one.content, timeout_s=WAIT_S
    )
    (second,) = discord.messages(discord.text_channel_id)
    await discord.wait_until(
        lambda: recorder.manifest().message_id == str(second.id), timeout_s=WAIT_S, what="the manifest"
    )


async def _until_heard(
    discord: LoopbackDiscord, recorder: Program, member: Participant, frames: Frames
) -> None:
    """Let *member* say single words until one is kept, as people do with \"can you hear me?\"."""
    give_up_s = time.monotonic() + WAIT_S
    for attempt in itertools.count():
        assert time.monotonic() < give_up_s, "the recorder never heard again"
        word = frames(1000 + attempt, 3)
        await member.speak(word)
        await asyncio.sleep(0.3)
        if recorder.payloads(member.user_id)[-1] == word[-1]:
            return


@pytest.mark.parametrize(
    ("number", "status"),
    [pytest.param(signal.SIGKILL, -9, id="killed"), pytest.param(signal.SIGTERM, 0, id="asked to stop")],
)
async def test_resumes_the_same_meeting(
    discord: LoopbackDiscord,
    recorder: Program,
    ana: Participant,
    frames: Frames,
    answer_to: Ask,
    number: int,
    status: int,
) -> None:
    """A recorder that stopped in the middle goes on with the same meeting, and nothing it had heard is lost."""
    await _begin(discord, answer_to, ana)
    before, after = frames(1, 50), frames(2, 50)
    await recorder.hear(discord, ana, before)

    exit_status = await recorder.end(number)
    recorder.start()
    await _until_heard(discord, recorder, ana, frames)
    await recorder.hear(discord, ana, after)
    await answer_to(discord, ana, "stop")

    kept = recorder.payloads(ana.user_id)
    assert exit_status == status
    assert (kept[:50], kept[-50:]) == (before, after)
    assert recorder.segments() == 2
    assert len(recorder.manifest().meeting.gaps) == 1
    assert "Recording resumed" in recorder.log("recorder")


async def test_killed_between_the_notice_and_joining(
    discord: LoopbackDiscord, program: MakeProgram, ana: Participant, frames: Frames, answer_to: Ask
) -> None:
    """A recorder that dies while it joins leaves no notice behind that nobody owns: the next one goes on with it."""
    recorder = program(
        "voice_recorder",
        discord,
        before=(
            "import os\n"
            "from standup.bot.voice_line import VoiceLine\n"
            "VoiceLine.join = lambda self: os.kill(os.getpid(), 9)"
        ),
    )
    recorder.start()
    await discord.wait_for_bot(timeout_s=WAIT_S)
    await discord.invoke(ana, "standup", "start")
    exit_status = await recorder.exit_status()
    (orphan,) = discord.messages(discord.text_channel_id)

    recorder.before = ""
    recorder.start()
    await discord.wait_for_bot_voice(timeout_s=WAIT_S)
    await discord.wait_until(
        lambda: "Recording resumed" in recorder.log("recorder"),
        timeout_s=WAIT_S,
        what="the continued meeting",
    )
    await recorder.hear(discord, ana, frames(1, 20))
    await answer_to(discord, ana, "stop")

    assert exit_status == -signal.SIGKILL
    assert [one.id for one in discord.messages(discord.text_channel_id)] == [orphan.id]
    assert recorder.manifest().message_id == str(orphan.id)
    assert recorder.payloads(ana.user_id) == frames(1, 20)


async def test_a_meeting_that_everybody_left_meanwhile_is_ended(
    discord: LoopbackDiscord, recorder: Program, ana: Participant, frames: Frames, answer_to: Ask
) -> None:
    """When nobody is left after a crash, the meeting ends at its last packet and goes to the pipeline."""
    await _begin(discord, answer_to, ana)
    await recorder.hear(discord, ana, frames(1, 20))
    await recorder.end(signal.SIGKILL)
    await ana.leave_voice()

    recorder.start()

    await discord.wait_until(
        lambda: recorder.manifest().meeting.ended_at is not None,
        timeout_s=WAIT_S,
        what="the end of the meeting",
    )
    assert len(recorder.payloads(ana.user_id)) == 20
    manifest = recorder.manifest()
    folder = meeting_folder(recorder.data_dir, manifest.meeting.id) / JOURNAL
    assert manifest.meeting.ended_at == last_packet_at(folder)


async def test_stops_when_everybody_has_left(
    discord: LoopbackDiscord, program: MakeProgram, ana: Participant, frames: Frames, answer_to: Ask
) -> None:
    """An empty channel ends the recording after its grace time."""
    recorder = program("voice_recorder", discord, EMPTY_GRACE_S="1")
    recorder.start()
    await discord.wait_for_bot(timeout_s=WAIT_S)
    await _begin(discord, answer_to, ana)
    await recorder.hear(discord, ana, frames(1, 10))

    await ana.leave_voice()

    await discord.wait_until(
        lambda: "Recording stopped: empty" in recorder.log("recorder"), timeout_s=WAIT_S, what="the end"
    )
    assert recorder.manifest().meeting.ended_at is not None


async def test_stops_when_the_bot_is_removed(
    discord: LoopbackDiscord, recorder: Program, ana: Participant, frames: Frames, answer_to: Ask
) -> None:
    """Whoever disconnects the bot from the channel ends the recording; what was said is kept."""
    await _begin(discord, answer_to, ana)
    await recorder.hear(discord, ana, frames(1, 10))

    discord.kick_bot()

    await discord.wait_until(
        lambda: "Recording stopped: removed" in recorder.log("recorder"), timeout_s=WAIT_S, what="the end"
    )
    assert len(recorder.payloads(ana.user_id)) == 10
    await discord.wait_for_message(
        discord.text_channel_id, lambda one: "disconnected" in one.content, timeout_s=WAIT_S
    )


async def test_no_notice_no_recording(
    discord: LoopbackDiscord, recorder: Program, ana: Participant, answer_to: Ask
) -> None:
    """Without the right to post, start is refused by a sentence that names it, and nothing is recorded."""
    discord.deny(discord.text_channel_id, Permission.SEND_MESSAGES)

    answer = await answer_to(discord, ana, "start")

    assert "**Send Messages**" in answer
    assert f"<#{discord.text_channel_id}>" in answer
    assert recorder.manifests() == []
    assert discord.bot_id not in discord.world.voice_states


async def test_notice_refused_by_the_server(
    discord: LoopbackDiscord, program: MakeProgram, ana: Participant, answer_to: Ask
) -> None:
    """A Discord that does not take the notice prevents the recording too."""
    recorder = program(
        "voice_recorder", discord, before="from standup.bot import message; message.REQUEST_S = 2.0"
    )
    recorder.start()
    await discord.wait_for_bot(timeout_s=WAIT_S)
    discord.fail("POST /channels/{channel_id}/messages", status=500, times=50)

    answer = await answer_to(discord, ana, "start")

    assert "nothing is recorded" in answer
    assert recorder.manifests() == []
    assert discord.bot_id not in discord.world.voice_states


async def test_a_second_start_is_refused(
    discord: LoopbackDiscord, recorder: Program, ana: Participant, answer_to: Ask
) -> None:
    """While a recording runs, start points to it instead of beginning another."""
    await _begin(discord, answer_to, ana)

    answer = await answer_to(discord, ana, "start")

    assert "is being recorded already" in answer
    assert len(recorder.manifests()) == 1


async def test_start_from_outside_voice(discord: LoopbackDiscord, recorder: Program, answer_to: Ask) -> None:
    """Somebody who sits in no voice channel is told to join one."""
    outside = await discord.enter("Dana")

    answer = await answer_to(discord, outside, "start")

    assert answer.startswith("Join the voice channel")


async def test_status_tells_what_is_recorded(
    discord: LoopbackDiscord, recorder: Program, ana: Participant, frames: Frames, answer_to: Ask
) -> None:
    """Status names the channel and how many were heard; without a recording it says how to begin."""
    idle = await answer_to(discord, ana, "status")
    await _begin(discord, answer_to, ana)
    await recorder.hear(discord, ana, frames(1, 10))

    busy = await answer_to(discord, ana, "status")

    assert "/standup start" in idle
    assert f"Recording <#{discord.voice_channel_id}>" in busy
    assert "1 heard" in busy


async def test_a_deaf_bot_says_so_rejoins_and_gives_up(
    discord: LoopbackDiscord, program: MakeProgram, ana: Participant, frames: Frames, answer_to: Ask
) -> None:
    """Speech that cannot be heard leads to rejoining, is told in the notice, and ends the recording in the end."""
    recorder = program(
        "voice_recorder",
        discord,
        before=(
            "from standup.bot import liveness, voice_line\n"
            "liveness.DEAF_AFTER_MS = 1000\n"
            "voice_line.REJOIN_WAITS_MS = (0, 500, 500)"
        ),
    )
    recorder.start()
    await discord.wait_for_bot(timeout_s=WAIT_S)
    await _begin(discord, answer_to, ana)
    assert ana.client is not None

    speaking = asyncio.create_task(_announce_only(ana))
    await discord.wait_until(
        lambda: "cannot hear" in _notice(discord), timeout_s=WAIT_S, what="the deaf notice"
    )
    await discord.wait_until(
        lambda: "Recording stopped: deaf" in recorder.log("recorder"), timeout_s=WAIT_S, what="the end"
    )
    speaking.cancel()

    assert recorder.log("recorder").count("Rejoining the voice channel") >= 2
    assert recorder.payloads(ana.user_id) == []


async def _announce_only(member: Participant) -> None:
    """Announce speech whose packets never arrive."""
    while member.client is not None:
        if member.client.is_connected:
            await member.client.announce(1)
        await asyncio.sleep(0.2)


async def test_a_wrong_token_is_one_sentence_and_78(discord: LoopbackDiscord, program: MakeProgram) -> None:
    """A token that Discord refuses ends the program with exit status 78 and says where to correct it."""
    recorder = program("voice_recorder", discord, DISCORD_TOKEN="not.the.token")
    recorder.start()

    status = await recorder.exit_status()

    refusals = [line for line in recorder.log("errors").splitlines() if "token" in line]
    assert status == 78
    assert len(refusals) == 1
    assert "STANDUP_DISCORD_TOKEN" in refusals[0]
    assert "not.the.token" not in refusals[0]


async def test_an_unreachable_discord_is_one_sentence_and_69(
    discord: LoopbackDiscord, program: MakeProgram
) -> None:
    """A REST address where nobody answers ends the program with exit status 69 and names the address."""
    recorder = program("voice_recorder", discord, DISCORD_API_URL="https://127.0.0.1:9/api/v10")
    recorder.start()

    status = await recorder.exit_status()

    assert status == 69
    assert "https://127.0.0.1:9/api/v10" in recorder.log("errors")


def test_the_recorder_stays_light() -> None:
    """Importing the recorder brings in none of the libraries that decode, compute or recognize."""
    probe = (
        "import sys, standup.bot.voice_recorder, standup.bot.event_monitor; "
        "print([one for one in ('numpy', 'av', 'torch', 'faster_whisper') if one in sys.modules])"
    )

    found = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, timeout=60, check=True
    )

    assert found.stdout.strip() == "[]"
