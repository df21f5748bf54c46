"""The agent's environment."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.settings import AgentSettings


def bound(address: str) -> AgentSettings:
    return AgentSettings.model_validate({"hearth_bind": address})


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [("127.0.0.1:0", "127.0.0.1", 0), ("[::1]:8420", "::1", 8420), ("box.local:65535", "box.local", 65535)],
)
def test_bind_is_a_host_and_a_port(address: str, host: str, port: int) -> None:
    assert (bound(address).host, bound(address).port) == (host, port)


@pytest.mark.parametrize(
    "address", ["nowhere", ":8420", "127.0.0.1:", "127.0.0.1:65536", "::1:8420", "[]:1", "[box]:1", "h:٣", "h:-1"]
)
def test_bind_that_is_no_address_is_refused_with_what_one_looks_like(address: str) -> None:
    with pytest.raises(ValidationError, match="with a port from 0 to 65535"):
        bound(address)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:11434"), ("box.local:1234", "http://box.local:1234"),
        (":8080", "http://127.0.0.1:8080"), ("http://Box", "http://box:80"), ("https://box/", "https://box:443"),
        ("http://box:11434/", "http://box:11434"), ("0.0.0.0", "http://0.0.0.0:11434"), ("::1", "http://[::1]:11434"),
        ("[::1]:8080", "http://[::1]:8080"), (' "10.0.0.2:1" ', "http://10.0.0.2:1"),
    ],
)  # fmt: skip
def test_ollamas_own_variable_is_read_as_ollama_reads_it(host: str, url: str) -> None:
    assert AgentSettings.model_validate({"ollama_host": host}).ollama_url == url


@pytest.mark.parametrize(
    "host",
    ["11434", "two words", "box:", "http://", "box:0", "box:65536", "box:٣", "http://box/path", "me:pw@box:1", "ftp://box",
     "[box]:1", "[::1", "::1:8420:"],
)  # fmt: skip
def test_an_ollama_that_cannot_be_addressed_stops_the_start(host: str) -> None:
    with pytest.raises(ValidationError, match="with a port from 1 to 65535"):
        AgentSettings.model_validate({"ollama_host": host})


def test_an_open_ollama_gets_models_only_after_a_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEARTH_OLLAMA_OPEN", raising=False)
    assert not AgentSettings().hearth_ollama_open
    monkeypatch.setenv("HEARTH_OLLAMA_OPEN", "true")
    assert AgentSettings().hearth_ollama_open


def test_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEARTH_BIND", "HEARTH_DATA_DIR", "HEARTH_MODELS_DIR", "HEARTH_THREADS", "HF_TOKEN", "OLLAMA_HOST"):
        monkeypatch.delenv(name, raising=False)
    unset = AgentSettings()
    for name in ("HEARTH_BIND", "HEARTH_DATA_DIR", "HEARTH_MODELS_DIR", "HEARTH_THREADS", "HF_TOKEN", "OLLAMA_HOST"):
        monkeypatch.setenv(name, "")
    assert AgentSettings() == unset


def test_folders_are_expanded_and_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEARTH_DATA_DIR", "~/data")
    monkeypatch.setenv("HEARTH_MODELS_DIR", "models")
    settings = AgentSettings()
    assert (settings.hearth_data_dir, settings.hearth_models_dir) == (tmp_path / "data", tmp_path / "models")
