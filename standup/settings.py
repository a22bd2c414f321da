"""Typed settings from the environment and `.env`, prefix ``STANDUP_``.

Built once by `load` at the edge of a program and passed down in the smallest piece. Every problem is
reported at once, in one SettingsError. Secrets hide themselves in ``repr``.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values, set_key
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from standup.errors import SettingsError
from standup.retention import Retention

ENV_FILE = Path(".env")
BROKERS = ("redis://", "rediss://", "redis+socket://", "amqp://", "amqps://")

PositiveInt = Annotated[int, Field(gt=0)]
Days = Annotated[int, Field(ge=0, le=36_500)]


class DiscordSettings(BaseModel):
    """What is needed to speak to Discord's REST interface."""

    model_config = ConfigDict(frozen=True)

    token: SecretStr
    """The bot's token."""
    api_url: str
    """REST base address, without a trailing slash."""

    def require_token(self) -> str:
        """Return the token; raise SettingsError when none is set."""
        token = self.token.get_secret_value()
        if not token:
            raise SettingsError(
                "STANDUP_DISCORD_TOKEN is not set; run `standup init` or put the bot's token into .env."
            )
        return token


class WhisperSettings(BaseModel):
    """Which speech model runs where."""

    model_config = ConfigDict(frozen=True)

    model: str
    """A model name, a folder, or ``auto``."""
    device: Literal["auto", "cpu", "cuda"]
    language: str
    """Two-letter code, or ``auto``."""


class LanguageModelSettings(BaseModel):
    """Which language model writes the notes, and what it may take."""

    model_config = ConfigDict(frozen=True)

    url: str
    """OpenAI-compatible base address, without a trailing slash."""
    model: str
    """Its name at the endpoint; empty: the only one that the endpoint has."""
    api_key: SecretStr
    """May be empty."""
    timeout_s: int
    """For all that is asked about one meeting."""
    context_tokens: int
    """What question and answer may have together."""


class Settings(BaseSettings):
    """Everything an operator can set; the name in the environment is ``STANDUP_`` + the field in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="STANDUP_", env_file_encoding="utf-8", frozen=True, extra="ignore"
    )

    discord_token: SecretStr = SecretStr("")
    """The bot's token, from Discord's developer portal."""
    discord_api_url: str = "https://discord.com/api/v10"
    """REST base address; a rate-limit proxy or the loopback Discord can stand here."""
    data_dir: Path = Path("data")
    """Journals, tracks, the SQLite database and Redis' files."""
    log_dir: Path = Path("logs")
    """Where recorder.log, monitor.log and errors.log are written."""
    broker_url: str = "redis://127.0.0.1:6379/0"
    """The Celery broker."""
    database_url: str = ""
    """SQLAlchemy address; empty: SQLite under DATA_DIR."""
    storage_url: str = ""
    """fsspec address of the audio; empty: DATA_DIR."""
    whisper_model: str = "auto"
    """``auto``, a model name such as ``small`` or ``large-v3-turbo``, ``tiny.en`` (bundled), or a folder."""
    whisper_device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the model runs."""
    whisper_meetings: Annotated[int, Field(ge=0, le=16)] = 0
    """How many meetings are transcribed at once, sharing the model, so that short ones need not wait for long ones;
    0: four on a GPU, two on a CPU."""
    language: str = "auto"
    """Language spoken, as a two-letter code; ``auto`` detects it once per speaker."""
    live: bool = True
    """Read what is said while the meeting still runs, so that the notes come seconds after it."""
    live_thread: bool = False
    """Show what is read while the meeting runs in a thread below its message, half a minute behind; needs LIVE. Whoever
    views the text channel reads along."""
    llm_url: str = ""
    """OpenAI-compatible endpoint of a language model that writes the notes; empty: the rules write them.

    With a hosted endpoint the words and names of every standup leave this machine. Without a path it is ``/v1``.
    """
    llm_model: str = ""
    """The model's name at the endpoint; empty: the only one that the endpoint has."""
    llm_api_key: SecretStr = SecretStr("")
    """The endpoint's key, where it wants one."""
    llm_timeout_s: Annotated[int, Field(ge=10, le=4_500)] = 300
    """What the model may take for one meeting before the rules write the rest; at most 4500, below the
    summarize task's own limit."""
    llm_context_tokens: Annotated[int, Field(ge=2_048)] = 4_096
    """What the endpoint reads and answers at once; longer meetings are read in parts. Ollama serves 4096 unless told
    otherwise, and cuts what is longer without a word."""
    alert_channel_id: str = ""
    """Text channel that is told when programs die too often; empty: errors.log alone."""
    flower_user: str = "standup"
    """Who may see Flower."""
    flower_password: SecretStr = SecretStr("")
    """Flower's password; Flower does not start without one. `standup init` makes it."""
    max_meeting_minutes: PositiveInt = 240
    """A recording stops by itself after this long."""
    empty_grace_s: PositiveInt = 30
    """A recording stops by itself when nobody who can see its notice has been in the channel for this long."""
    retention_audio_days: Days = 0
    """So many days after its end a meeting whose notes are posted loses its sound; 0: never."""
    retention_text_days: Days = 0
    """So many days after its end a meeting is deleted from archive and disk, a parked one too; 0: never."""

    @field_validator("discord_api_url")
    @classmethod
    def _without_trailing_slash(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            raise ValueError("must start with https:// or http://")
        return value.rstrip("/")

    @field_validator("llm_url")
    @classmethod
    def _endpoint(cls, value: str) -> str:
        if not value:
            return ""
        try:
            address = urlsplit(value)
            is_whole = address.scheme in ("https", "http") and bool(address.hostname) and address.port != 0
        except ValueError:  # its text quotes the value
            is_whole = False
        if not is_whole:
            raise ValueError("must be an address that starts with https:// or http://")
        if address.username or address.password:
            raise ValueError("must not hold a password; STANDUP_LLM_API_KEY is for that")
        return value.rstrip("/") if address.path.strip("/") else f"{value.rstrip('/')}/v1"

    @field_validator("broker_url")
    @classmethod
    def _known_broker(cls, value: str) -> str:
        if not value.startswith(BROKERS):
            raise ValueError(f"must start with one of {', '.join(BROKERS)}")
        return value

    @field_validator("alert_channel_id")
    @classmethod
    def _channel_id(cls, value: str) -> str:
        if value and not value.isdecimal():
            raise ValueError("must be the id of a text channel, a number (Copy Channel ID in Discord)")
        return value

    @field_validator("language")
    @classmethod
    def _language_code(cls, value: str) -> str:
        if value != "auto" and not (2 <= len(value) <= 3 and value.isalpha()):
            raise ValueError("must be `auto` or a code such as `en`")
        return value.lower()

    @property
    def discord(self) -> DiscordSettings:
        """The part that speaks to Discord."""
        return DiscordSettings(token=self.discord_token, api_url=self.discord_api_url)

    @property
    def whisper(self) -> WhisperSettings:
        """The part that transcribes."""
        return WhisperSettings(model=self.whisper_model, device=self.whisper_device, language=self.language)

    @property
    def language_model(self) -> LanguageModelSettings | None:
        """The part that asks a language model; None while no endpoint is set."""
        if not self.llm_url:
            return None
        return LanguageModelSettings(
            url=self.llm_url,
            model=self.llm_model,
            api_key=self.llm_api_key,
            timeout_s=self.llm_timeout_s,
            context_tokens=self.llm_context_tokens,
        )

    @property
    def has_live_thread(self) -> bool:
        """Whether what is read ahead is shown in a thread."""
        return self.live and self.live_thread

    @property
    def retention(self) -> Retention:
        """How long meetings are kept."""
        return Retention(self.retention_audio_days, self.retention_text_days)

    @property
    def database(self) -> str:
        """The database address in force."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'standup.sqlite3').absolute()}"

    @property
    def storage(self) -> str:
        """The audio storage address in force."""
        return self.storage_url or str(self.data_dir.absolute())


def load(env_file: Path | None = ENV_FILE, **overrides: Any) -> Settings:
    """Return the settings from the environment and *env_file*; *overrides* win (field names).

    Raises SettingsError naming every wrong setting at once, never its value.
    """
    try:
        return Settings(_env_file=env_file, **overrides)
    except (OSError, UnicodeError) as cause:
        raise SettingsError(
            f"{env_file} cannot be read ({type(cause).__name__}); it must be UTF-8 text that this user may read."
        ) from None
    except ValidationError as cause:
        problems = "; ".join(
            f"STANDUP_{str(one['loc'][0]).upper()}: {one['msg']}" for one in cause.errors(include_input=False)
        )
        raise SettingsError(
            f"The settings are wrong, correct them in .env or the environment: {problems}."
        ) from None


def readable(env_file: Path | None = ENV_FILE) -> Settings:
    """Return the settings with the default for each that is wrong: where to tell that some are; never raises."""
    try:
        return Settings(_env_file=env_file)
    except (OSError, UnicodeError):
        return readable(None)
    except ValidationError as cause:
        wrong = {str(one["loc"][0]) for one in cause.errors(include_input=False)}
        return Settings(_env_file=env_file, **{name: Settings.model_fields[name].default for name in wrong})


def store(field: str, value: str, env_file: Path = ENV_FILE) -> None:
    """Set one setting in *env_file*, which must be there; every other line, its mode and its owner stay as they are.

    The environment still wins over the file. Raises SettingsError when the file cannot be read or written.
    """
    name, path = variable(field), env_file.resolve()
    try:
        before = path.stat()
        # Names are read in any case of letters; the last line counts.
        named = [one for one in dotenv_values(path, interpolate=False) if one.upper() == name]
        is_plain = re.fullmatch(r"[\w./:-]+", value)
        set_key(path, named[-1] if named else name, value, "never" if is_plain else "always")
        path.chmod(stat.S_IMODE(before.st_mode))
        with suppress(PermissionError):
            os.chown(path, before.st_uid, before.st_gid)
    except (OSError, UnicodeError) as cause:
        raise SettingsError(
            f"{env_file} cannot be changed ({type(cause).__name__}); set {name} there by hand, as its owner."
        ) from None


def variable(field: str) -> str:
    """Return the name in the environment of a setting."""
    return f"STANDUP_{field.upper()}"


def environment(settings: Settings) -> Mapping[str, str]:
    """Return *settings* as environment variables for a child program (secrets included)."""
    shown: dict[str, str] = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        shown[f"STANDUP_{name.upper()}"] = (
            value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        )
    return shown
