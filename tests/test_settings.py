"""Settings from the environment and `.env`."""

from __future__ import annotations

from pathlib import Path

import pytest

from standup.errors import SettingsError
from standup.retention import Retention
from standup.settings import Settings, environment, load, readable, store


def test_defaults_need_nothing(tmp_path: Path) -> None:
    """Without any setting there is a complete set of them, on this machine only."""
    settings = load(tmp_path / "missing.env")
    assert settings.broker_url == "redis://127.0.0.1:6379/0"
    assert settings.database.startswith("sqlite:///")


def test_env_file_is_read_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`.env` gives values, the environment overrides them."""
    env_file = tmp_path / ".env"
    env_file.write_text("STANDUP_LANGUAGE=de\nSTANDUP_WHISPER_MODEL=small\n")
    monkeypatch.setenv("STANDUP_LANGUAGE", "EN")
    settings = load(env_file)
    assert (settings.language, settings.whisper_model) == ("en", "small")


def test_every_problem_is_told_at_once_and_no_value_is(tmp_path: Path) -> None:
    """One error names all wrong settings, and never what they were set to."""
    env_file = tmp_path / ".env"
    env_file.write_text("STANDUP_DISCORD_API_URL=hunter2\nSTANDUP_EMPTY_GRACE_S=-4\nSTANDUP_LANGUAGE=12345\n")
    with pytest.raises(SettingsError) as caught:
        load(env_file)
    told = str(caught.value)
    assert all(name in told for name in ("DISCORD_API_URL", "EMPTY_GRACE_S", "LANGUAGE"))
    assert "hunter2" not in told
    assert "12345" not in told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b"STANDUP_LANGUAGE=\xff\xfe\n", "UTF-8", id="not UTF-8"),
        pytest.param(
            b"STANDUP_BROKER_URL=carrier-pigeon://x\n", "STANDUP_BROKER_URL", id="an unknown broker"
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    """Broken content of `.env` is one sentence."""
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(SettingsError, match=told):
        load(tmp_path / ".env")


@pytest.mark.parametrize(
    ("content", "log_dir"),
    [
        pytest.param(
            b"STANDUP_LOG_DIR=said\nSTANDUP_LANGUAGE=7\nSTANDUP_LIVE=perhaps\n", "said", id="wrong values"
        ),
        pytest.param(b"STANDUP_LOG_DIR=said\nSTANDUP_LANGUAGE=\xff\xfe\n", "logs", id="not UTF-8"),
        pytest.param(b"STANDUP_LOG_DIR=said\n", "said", id="nothing wrong"),
    ],
)
def test_what_can_be_read_is_read(tmp_path: Path, content: bytes, log_dir: str) -> None:
    """A setting that is wrong has its default, the others are as set; of a broken file nothing is."""
    (tmp_path / ".env").write_bytes(content)
    found = readable(tmp_path / ".env")
    assert (Path(log_dir), "auto", True) == (found.log_dir, found.language, found.live)


def test_the_token_hides_itself(tmp_path: Path) -> None:
    """Neither the settings nor their Discord part show the token when printed."""
    settings = load(tmp_path / "none", discord_token="hunter2")
    assert "hunter2" not in f"{settings!r} {settings.discord!r}"


def test_a_missing_token_names_the_next_step(tmp_path: Path) -> None:
    """Asking for a token that is not set tells what to run."""
    with pytest.raises(SettingsError, match="standup init"):
        load(tmp_path / "none").discord.require_token()


def test_no_endpoint_is_no_language_model(tmp_path: Path) -> None:
    """Without STANDUP_LLM_URL there is nothing to ask, whatever else is set."""
    assert load(tmp_path / "none", llm_model="x", llm_api_key="y").language_model is None


@pytest.mark.parametrize(
    ("given", "url"),
    [
        pytest.param("http://127.0.0.1:11434", "http://127.0.0.1:11434/v1", id="no path"),
        pytest.param("http://127.0.0.1:11434/v1/", "http://127.0.0.1:11434/v1", id="a slash at the end"),
        pytest.param("https://llm.example/api", "https://llm.example/api", id="a path of its own"),
    ],
)
def test_the_endpoint_of_the_language_model(tmp_path: Path, given: str, url: str) -> None:
    """The address of a server alone means its /v1; the key hides itself."""
    found = load(tmp_path / "none", llm_url=given, llm_api_key="hunter2").language_model
    assert found is not None
    assert (url, 300, 4096) == (found.url, found.timeout_s, found.context_tokens)
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("alert_channel_id", "#hunter2", id="no channel's id"),
        pytest.param("llm_url", "ftp://x", id="no HTTP"),
        pytest.param("llm_url", "http://", id="no host"),
        pytest.param("llm_url", "http://[hunter2/v1", id="no address"),
        pytest.param("llm_url", "http://localhost:hunter2/v1", id="no port"),
        pytest.param("llm_url", "http://localhost:99999/v1", id="no such port"),
        pytest.param("llm_url", "https://me:hunter2@llm.example/v1", id="a password"),
        pytest.param("llm_timeout_s", 4501, id="longer than the stage"),
        pytest.param("llm_timeout_s", 1, id="too short"),
        pytest.param("llm_context_tokens", 512, id="too small a context"),
    ],
)
def test_a_value_that_cannot_be(tmp_path: Path, name: str, value: str | int) -> None:
    """A setting that cannot work is named, its value is not."""
    with pytest.raises(SettingsError, match=f"STANDUP_{name.upper()}") as caught:
        load(tmp_path / "none", **{name: value})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("live", "live_thread", "expected"),
    [(True, True, True), (False, True, False), (True, False, False)],
    ids=["both", "nothing is read ahead", "default"],
)
def test_the_live_thread_needs_what_is_read_ahead(*, live: bool, live_thread: bool, expected: bool) -> None:
    """A thread without words to show is none."""
    assert load(None, live=live, live_thread=live_thread).has_live_thread is expected


def test_environment_carries_everything_to_a_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child program that gets `environment` reads the same settings."""
    settings = load(tmp_path / "none", discord_token="t", data_dir=tmp_path, whisper_model="tiny.en")
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    assert load(tmp_path / "none") == settings


def test_example_file_names_every_setting() -> None:
    """`.env.example` and the settings name the same things."""
    example = (Path(__file__).parents[1] / ".env.example").read_text()
    named = {
        line.lstrip("# ").split("=")[0] for line in example.splitlines() if "STANDUP_" in line.split("=")[0]
    }
    assert named == {f"STANDUP_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("A=1\n", "A=1\nSTANDUP_WHISPER_MODEL=small\n", id="not there: a line more"),
        pytest.param("A=1", "A=1\nSTANDUP_WHISPER_MODEL=small\n", id="the last line had no end"),
        pytest.param(
            "# STANDUP_WHISPER_MODEL=auto\nSTANDUP_WHISPER_MODEL=tiny # why\n\nA='b $c'\n",
            "# STANDUP_WHISPER_MODEL=auto\nSTANDUP_WHISPER_MODEL=small\n\nA='b $c'\n",
            id="there: that line alone, comments aside",
        ),
        pytest.param("standup_whisper_model=tiny\n", "standup_whisper_model=small\n", id="in small letters"),
    ],
)
def test_a_setting_is_stored_and_no_other_line_is_touched(tmp_path: Path, before: str, after: str) -> None:
    """The file says what it said before but for one setting, is read so, and is for the same eyes only."""
    env_file = tmp_path / ".env"
    env_file.write_text(before)
    env_file.chmod(0o640)
    store("whisper_model", "small", env_file)

    assert (env_file.read_text(), env_file.stat().st_mode & 0o777) == (after, 0o640)
    assert load(env_file).whisper_model == "small"


@pytest.mark.parametrize("value", ["large-v3-turbo", "/models/our own #1", "it's \\ here"])
def test_a_stored_value_comes_back(tmp_path: Path, value: str) -> None:
    """Blanks, quotes and number signs are kept."""
    env_file = tmp_path / ".env"
    env_file.touch()
    store("whisper_model", value, env_file)

    assert load(env_file).whisper_model == value


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """Where `.env` points elsewhere, the file there is changed."""
    (tmp_path / "kept").touch()
    (tmp_path / ".env").symlink_to(tmp_path / "kept")
    store("whisper_model", "small", tmp_path / ".env")

    assert (tmp_path / ".env").is_symlink()
    assert (tmp_path / "kept").read_text() == "STANDUP_WHISPER_MODEL=small\n"


def test_a_file_that_cannot_be_changed_is_told(tmp_path: Path) -> None:
    """The sentence names the setting to write by hand."""
    with pytest.raises(SettingsError, match="STANDUP_WHISPER_MODEL"):
        store("whisper_model", "small", tmp_path / "nowhere" / ".env")


@pytest.mark.parametrize("value", ["-1", "1.5", "a month", "36501"])
@pytest.mark.parametrize("name", ["STANDUP_RETENTION_AUDIO_DAYS", "STANDUP_RETENTION_TEXT_DAYS"])
def test_a_retention_is_a_number_of_days(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """Whatever could be meant otherwise is refused: deleting cannot be taken back."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        load(None)


def test_everything_is_kept_for_ever_unless_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the settings nothing is ever due; each one sets its own days."""
    assert load(None).retention == Retention(0, 0)
    monkeypatch.setenv("STANDUP_RETENTION_TEXT_DAYS", "90")
    assert load(None).retention == Retention(0, 90)
