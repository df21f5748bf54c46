"""Fixtures that several parts need: the packaged model's card, and a tiny model that answers and stops."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.base_models.card import BaseModelCard
from agent.base_models.catalog import PACKAGED
from agent.child_environment import child_environment
from agent.inspector import Inspector
from agent.settings import AgentSettings


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_is_heard() -> None:
    """A shell starts what runs in its background deaf to Ctrl-C, and every process that a test starts would be so."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _english() -> None:
    """The terminal speaks the language of whoever runs the tests, and so do the processes that tests start."""
    os.environ["LC_ALL"] = "C.UTF-8"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Call a test slow that needs the tiny model: it is trained, which nothing else may do at the same time."""
    for item in items:
        if "models_dir" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def smollm2_card(tmp_path_factory: pytest.TempPathFactory) -> BaseModelCard:
    """SmolLM2's config, tokenizer and template, without its weights."""
    settings = AgentSettings(hearth_data_dir=tmp_path_factory.mktemp("smollm2"))
    return asyncio.run(Inspector(settings).describe(PACKAGED))


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A HEARTH_MODELS_DIR with one two-layer model, `tiny`, trained here for seconds."""
    folder = tmp_path_factory.mktemp("models")
    environment = child_environment(offline=True) | {"OMP_NUM_THREADS": "2", "PYTHONSAFEPATH": ""}
    builder = [sys.executable, "-m", "tests.fakes.tiny_model", str(folder / "tiny")]
    subprocess.run(builder, check=True, capture_output=True, env=environment)
    return folder


@pytest.fixture(scope="session")
def tiny_card(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> BaseModelCard:
    """The card of `tiny`; its weights lie in the card's folder."""
    data_dir = tmp_path_factory.mktemp("tiny-data")
    settings = AgentSettings(hearth_data_dir=data_dir, hearth_models_dir=models_dir)
    return asyncio.run(Inspector(settings).describe("tiny"))
