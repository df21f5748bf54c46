from pathlib import Path

import pytest

from bot.errors import SettingsError
from bot.settings import load_settings
from shared.paths import default_bot_dir, default_data_dir

NAMES = ["HEARTH_AGENT_URL", "HEARTH_AGENT_KEY", "HEARTH_DATA_DIR", "HEARTH_BOT_DIR", "HEARTH_FILES_DIR"]


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


def test_an_empty_line_in_the_env_file_is_not_set(folder: Path) -> None:
    (folder / ".env").write_text("".join(f"{name}=\n" for name in NAMES))
    assert load_settings().data_dir == default_data_dir()
