"""Fixtures that several parts need: the packaged model's card, and a tiny model that answers and stops.

Tests run in several workers, because those of processes that are killed wait more than they compute: the Makefile
says how many. Each torch gets few threads: those that wait spin, and would take the time of whatever else runs.
"""

import gc
import os
import signal
import sys
from collections.abc import Generator
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from agent.base_models.card import BaseModelCard
from agent.base_models.catalog import PACKAGED, find_base_model
from agent.base_models.describe import describe_source
from agent.children.environment import LIBRARIES, OFFLINE
from agent.machine.gpu import usable_cores
from agent.settings import AgentSettings
from shared.imports import collector_paused
from tests.fakes import tiny_model

DEMO = ("acceptance", "test_demo.py")


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_is_heard() -> None:
    """A shell starts what runs in its background deaf to Ctrl-C, and every process that a test starts would be so."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _english() -> None:
    """The terminal speaks the language of whoever runs the tests, and so do the processes that tests start."""
    os.environ["LC_ALL"] = "C.UTF-8"


def pytest_configure(config: pytest.Config) -> None:
    """Let libraries be as in the agent's children, and give a worker the threads of its share of the cores."""
    os.environ |= LIBRARIES | OFFLINE
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    if worker is None:
        return
    share = str(max(1, usable_cores() // worker["workercount"]))
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "HEARTH_THREADS"), share)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Hold the tests of `make unit` to it."""
    if "not process" in session.config.option.markexpr:
        sys.addaudithook(_refuse_processes)


def _refuse_processes(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "subprocess.Popen":
        raise RuntimeError(f"no unit test starts a process, and this one starts {arguments[0]}: mark it `process`")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Import all tests, and torch with them, as a program starts."""
    with collector_paused():
        try:
            return (yield)
        finally:
            gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Call a test slow that needs the tiny model, and put the tests in an order in which few wait.

    The slow ones run first, so that what is left at the end is short. A worker is given two tests at once, and what
    comes second waits behind the demo: it is not a slow one. SmolLM2's card takes ten seconds, and who needs it
    meanwhile waits: of the others one makes it, and the rest come last.
    """
    for item in items:
        if "models_dir" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
    items.sort(key=_place)
    makes_card = next((item for item in items if _place(item) is Place.WITH_CARD), None)
    if makes_card is not None:
        items.remove(makes_card)
        items.insert(sum(_place(item) <= Place.SLOW for item in items), makes_card)
    if len(items) > 1 and _place(items[0]) is Place.DEMO:
        items.insert(1, items.pop())


class Place(IntEnum):
    """When a test runs, by what it needs."""

    DEMO = 0
    SLOW = 1
    QUICK = 2
    WITH_CARD = 3


def _place(item: pytest.Item) -> Place:
    if item.get_closest_marker("slow") is not None:
        return Place.DEMO if item.path.parts[-2:] == DEMO else Place.SLOW
    return Place.WITH_CARD if "smollm2_card" in getattr(item, "fixturenames", ()) else Place.QUICK


@pytest.fixture(scope="session")
def shared_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what is made once for all workers."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own


@pytest.fixture(scope="session")
def smollm2_card(shared_dir: Path) -> BaseModelCard:
    """SmolLM2's config, tokenizer and template, without its weights."""
    data_dir = shared_dir / "smollm2"
    with FileLock(shared_dir / "smollm2.lock"):
        data_dir.mkdir(exist_ok=True)
        return describe_source(find_base_model(PACKAGED, AgentSettings(hearth_data_dir=data_dir)))


@pytest.fixture(scope="session")
def models_dir(shared_dir: Path) -> Path:
    """A HEARTH_MODELS_DIR with one two-layer model, `tiny`, trained here for seconds."""
    folder = shared_dir / "models"
    with FileLock(shared_dir / "models.lock"):
        if not (folder / "tiny" / "tokenizer.json").exists():  # it is written last
            tiny_model.build(folder / "tiny")
    return folder


@pytest.fixture(scope="session")
def tiny_card(models_dir: Path, shared_dir: Path) -> BaseModelCard:
    """The card of `tiny`; its weights lie in the card's folder."""
    data_dir = shared_dir / "tiny-data"
    with FileLock(shared_dir / "tiny-data.lock"):
        data_dir.mkdir(exist_ok=True)
        settings = AgentSettings(hearth_data_dir=data_dir, hearth_models_dir=models_dir)
        return describe_source(find_base_model("tiny", settings))


@pytest.fixture(scope="session")
def tiny_cache(tiny_card: BaseModelCard, shared_dir: Path) -> Path:
    """What an agent keeps of `tiny` once it has described it; for the `base_models` of an agent's folder."""
    return AgentSettings(hearth_data_dir=shared_dir / "tiny-data").base_models_dir
