from pathlib import Path

import pytest

from bot.errors import SettingsError
from bot.settings import OFF, load_settings
from shared.paths import default_bot_dir, default_data_dir

NAMES = [
    "HEARTH_AGENT_URL", "HEARTH_AGENT_KEY", "HEARTH_DATA_DIR", "HEARTH_BOT_DIR", "HEARTH_FILES_DIR",
    "TELEGRAM_TOKEN", "TELEGRAM_API_BASE", "DISCORD_TOKEN", "DISCORD_API_BASE", "DISCORD_GATEWAY",
]  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, without settings, at home in `home`."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_tilde_is_home_and_a_relative_folder_becomes_absolute(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARTH_DATA_DIR", "~/hearth")
    (folder / ".env").write_text("HEARTH_BOT_DIR=~/bot\nHEARTH_FILES_DIR=results\n")
    settings = load_settings()
    assert settings.data_dir == folder / "home" / "hearth"
    assert settings.bot_dir == folder / "home" / "bot"
    assert settings.files_dir == folder / "results"


def test_a_home_that_nobody_has_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARTH_DATA_DIR", "~nobody-of-that-name/hearth")
    with pytest.raises(SettingsError, match=r"^HEARTH_DATA_DIR is .*nobody-of-that-name.* Expected: a folder"):
        load_settings()


def test_an_empty_setting_is_not_set(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, "")
    settings = load_settings()
    assert (settings.data_dir, settings.bot_dir) == (default_data_dir(), default_bot_dir())
    assert settings.files_dir == folder / "hearth-files"
    assert (settings.agent_url, settings.agent_key) == (None, None)
    assert (settings.telegram_token, settings.discord_token, settings.telegram_api_base) == (None, None, None)


def test_an_empty_line_in_the_env_file_is_not_set(folder: Path) -> None:
    (folder / ".env").write_text("".join(f"{name}=\n" for name in NAMES))
    assert load_settings().data_dir == default_data_dir()


@pytest.mark.parametrize("name", ["TELEGRAM_TOKEN", "DISCORD_TOKEN"])
def test_a_token_is_read_by_its_own_name_and_never_shown(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "4242:secret")
    settings = load_settings()
    token = getattr(settings, name.lower())
    assert token.get_secret_value() == "4242:secret"
    assert "secret" not in repr(settings)
    monkeypatch.setenv(name, "4242:secret and more")
    with pytest.raises(SettingsError, match=rf"^{name} is …\. Expected: one word") as refused:
        load_settings()
    assert "secret" not in refused.value.message


@pytest.mark.parametrize(
    ("name", "example"),
    [
        ("TELEGRAM_API_BASE", "http://127.0.0.1:8081"),
        ("DISCORD_API_BASE", "http://127.0.0.1:3001/api/v10"),
        ("DISCORD_GATEWAY", "ws://127.0.0.1:3002"),
    ],
)
def test_a_server_of_ones_own_is_an_address(name: str, example: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, example + "/")
    assert getattr(load_settings(), name.lower()) == example
    monkeypatch.setenv(name, "my-pc")
    with pytest.raises(SettingsError, match=rf"^{name} is 'my-pc'\. Expected: .*{example}"):
        load_settings()


def test_a_chat_of_the_env_file_can_be_switched_off(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("TELEGRAM_TOKEN=4242:secret\n")
    assert load_settings().telegram_token is not None
    monkeypatch.setenv("TELEGRAM_TOKEN", OFF)
    assert load_settings().telegram_token is None


def test_the_agent_may_be_behind_a_socket_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARTH_AGENT_URL", "unix:/run/hearth.sock")
    assert load_settings().agent_address(owner=False).url == "unix:/run/hearth.sock"
    monkeypatch.setenv("HEARTH_AGENT_URL", "unix:hearth.sock")
    with pytest.raises(SettingsError, match=r"HEARTH_AGENT_URL is 'unix:hearth\.sock'.*unix:/run/hearth\.sock"):
        load_settings()
