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


def test_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEARTH_BIND", "HEARTH_DATA_DIR", "HEARTH_MODELS_DIR", "HEARTH_THREADS", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    unset = AgentSettings()
    for name in ("HEARTH_BIND", "HEARTH_DATA_DIR", "HEARTH_MODELS_DIR", "HEARTH_THREADS", "HF_TOKEN"):
        monkeypatch.setenv(name, "")
    assert AgentSettings() == unset


def test_folders_are_expanded_and_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEARTH_DATA_DIR", "~/data")
    monkeypatch.setenv("HEARTH_MODELS_DIR", "models")
    settings = AgentSettings()
    assert (settings.hearth_data_dir, settings.hearth_models_dir) == (tmp_path / "data", tmp_path / "models")
