"""Ask what the programs lean on: broker, archive, speech and language model, Flower. `verdicts` judges."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from kombu.connection import Connection
from kombu.exceptions import KombuError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from standup.archive import Archive, database
from standup.errors import ModelLoadError, SettingsError, StandupError
from standup.failures import LOWEST_PROFILE, Recovery
from standup.health import verdicts
from standup.health.check import Check, bad
from standup.meeting import Meeting
from standup.settings import LanguageModelSettings, Settings, WhisperSettings
from standup.supervision.programs import command
from standup.transcribe import models
from standup.transcribe.hub import DiskShelf, HubShelf

ANSWER_S = 3
LLM_ANSWER_S = 5
WEIGHTS = "model.bin"
SUPERVISORD_PIDFILE = "supervisord.pid"
NEXT_FOR_ARCHIVE = (
    "give its file back to this user, correct STANDUP_DATABASE_URL, or start the database server"
)
#: Where supervisord.conf keeps it, under DATA_DIR.


def broker(settings: Settings) -> Check:
    """Ask the broker for a sign of life."""
    try:
        command("redis", settings)
        is_ours = True
    except SettingsError:
        is_ours = False
    is_supervised = _is_running(settings.data_dir / SUPERVISORD_PIDFILE)
    return verdicts.broker(_answers(settings.broker_url), is_ours=is_ours, is_supervised=is_supervised)


def _answers(url: str) -> bool:
    options = {"socket_timeout": ANSWER_S, "socket_connect_timeout": ANSWER_S}
    try:
        with Connection(url, connect_timeout=ANSWER_S, transport_options=options) as connection:
            connection.ensure_connection(
                max_retries=1, interval_start=0, timeout=ANSWER_S
            ).default_channel.close()
    except (
        KombuError,
        OSError,
        KeyError,
        ValueError,
        ImportError,
    ):  # the last three: an address of no transport
        return False
    return True


def _is_running(pidfile: Path) -> bool:
    try:
        os.kill(int(pidfile.read_text()), 0)
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return True


def archive(settings: Settings) -> Check:
    """Compare the schema of the archive with the one of this release; makes no database."""
    known = database.revisions()
    try:
        return verdicts.schema(_revision(settings.database), known[-1], known)
    except StandupError as problem:
        return bad("database", _clause(problem), NEXT_FOR_ARCHIVE)


def _revision(url: str) -> str | None:
    """Return the revision of the archive, None before there is one."""
    if _is_unmade(url):
        return None
    engine = database.connect(url)
    try:
        with database.guarded():
            return database.revision(engine) or None
    finally:
        engine.dispose()


def _is_unmade(url: str) -> bool:
    """Return whether *url* is an SQLite file that connecting would make."""
    try:
        address = make_url(url)
    except ArgumentError:  # told by `database.connect`, in a sentence
        return False
    return address.get_backend_name() == "sqlite" and not Path(address.database or "").exists()


def history(settings: Settings, limit: int) -> tuple[Check, tuple[Meeting, ...]]:
    """Read from the archive what its programs do differently after failures, and the *limit* latest meetings."""
    archive = Archive.of(settings)
    try:
        measures = archive.failures.measures()
        is_smaller = any(one.recovery is Recovery.SMALLER_PROFILE for one in measures)
        lowest = _lowest_profile(settings.whisper) if is_smaller else LOWEST_PROFILE
        return verdicts.profiles(measures, lowest), archive.meetings(limit)
    except StandupError as problem:
        return bad("profile", _clause(problem), NEXT_FOR_ARCHIVE), ()
    finally:
        archive.close()


def _lowest_profile(settings: WhisperSettings) -> int:
    """Return the last memory profile that the model has on this machine, of any model when it is not there."""
    # Loads what reads speech, which takes longer than all other looks at the archive.
    from standup.transcribe.engines import profiles_of

    try:
        return len(profiles_of(models.resolve(settings, DiskShelf(HubShelf())))) - 1
    except ModelLoadError:  # `model` says why
        return LOWEST_PROFILE


def model(settings: WhisperSettings) -> tuple[Check, int]:
    """Look for the speech model on disk, without the network; return also the size of its weights in bytes."""
    try:
        choice = models.resolve(settings, DiskShelf(HubShelf()))
    except ModelLoadError as problem:
        return bad("model", _clause(problem), "correct .env and run `standup doctor` again"), 0
    size_bytes = (choice.path / WEIGHTS).stat().st_size
    return verdicts.model(choice.label, settings.model, models.BUNDLED), size_bytes


def language_model(settings: LanguageModelSettings) -> Check:
    """Ask the endpoint of the language model what it has; nothing that was said is sent."""
    from standup.summarize.endpoint import Endpoint, NoAnswer

    async def listed() -> list[str]:
        async with Endpoint(settings) as endpoint:
            return await endpoint.models()

    try:
        found = asyncio.run(asyncio.wait_for(listed(), LLM_ANSWER_S))
    except asyncio.TimeoutError:
        return verdicts.language_model(settings.model, (), f"no answer in {LLM_ANSWER_S} s")
    except NoAnswer as problem:
        return verdicts.language_model(settings.model, (), f"its endpoint {problem.remark}")
    return verdicts.language_model(settings.model, found)


def flower(settings: Settings) -> Check:
    """Look at the protection of the monitoring page."""
    return verdicts.flower(settings.flower_password.get_secret_value())


def _clause(problem: StandupError) -> str:
    return str(problem).rstrip(".")
