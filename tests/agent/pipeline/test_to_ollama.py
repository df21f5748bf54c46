"""The job's side of the hand-over: what its events, its folder and its last event say. Nothing is trained here."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.export.modelfile import ChatSettings
from agent.job_folder.events import read_events
from agent.job_folder.folder import JobFolder
from agent.pipeline.context import Cancelled, Context, EventLog
from agent.pipeline.to_ollama import give_to_ollama, read_ollama
from shared.events import EventData, StageData
from shared.jobs import Stage
from shared.results import OllamaOutcome
from tests.agent.pipeline.finished import finished_job
from tests.fakes.ollama_server import FakeOllama, running_ollama

pytestmark = pytest.mark.process

MODEL = ChatSettings(template=None, system=None, stops=("</s>",), num_predict=256)


@pytest.fixture
def server() -> Iterator[FakeOllama]:
    with running_ollama() as server:
        yield server


def details(context: Context) -> list[str | None]:
    records, _ = read_events(context.folder.events, 0)
    return [record.data.detail for record in records if isinstance(record.data, StageData)]


def test_the_card_hears_how_far_it_is_and_the_folder_keeps_the_outcome(server: FakeOllama, tmp_path: Path) -> None:
    context = finished_job(tmp_path, ollama_url=server.url)
    give_to_ollama(context, MODEL)
    assert read_ollama(context) == OllamaOutcome(status="created", message="", run="toast")
    said = details(context)
    assert said[-1] == "Giving it to Ollama: 100 %"
    assert 3 <= len(said) <= 20


def test_a_failure_is_told_and_fails_no_job(server: FakeOllama, tmp_path: Path) -> None:
    server.create_trouble = "error"
    context = finished_job(tmp_path, ollama_url=server.url)
    give_to_ollama(context, MODEL)
    outcome = read_ollama(context)
    assert outcome is not None
    assert outcome.status == "failed"
    last = read_events(context.folder.events, 0)[0][-1]
    assert (last.level, last.message) == ("warn", outcome.message)
    assert last.data == StageData(stage=Stage.verify, done=False)


def test_a_child_that_cannot_start_fails_no_job(
    server: FakeOllama, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    context = finished_job(tmp_path, ollama_url=server.url)
    give_to_ollama(context, MODEL)
    outcome = read_ollama(context)
    assert outcome is not None
    assert outcome.status == "failed"


def test_without_an_address_nothing_is_asked_and_nothing_said(tmp_path: Path) -> None:
    context = finished_job(tmp_path, ollama_url=None)
    give_to_ollama(context, MODEL)
    assert read_ollama(context) is None
    assert not context.folder.events.exists()


class CancellingLog(EventLog):
    """Asks for the job's end at the first event."""

    def __init__(self, folder: JobFolder) -> None:
        super().__init__(folder.events)
        self._folder = folder

    def write(self, message: str, data: EventData, **more: Any) -> None:
        super().write(message, data, **more)
        self._folder.cancel_request.touch()


def test_a_cancel_ends_it_in_the_middle_and_a_second_run_finishes_it(server: FakeOllama, tmp_path: Path) -> None:
    server.create_trouble = "silence"
    context = finished_job(tmp_path, ollama_url=server.url)
    context.log = CancellingLog(context.folder)
    with pytest.raises(Cancelled):
        give_to_ollama(context, MODEL)
    assert read_ollama(context) is None
    server.create_trouble = ""
    context.folder.cancel_request.unlink()
    context.log = EventLog(context.folder.events)
    give_to_ollama(context, MODEL)
    assert read_ollama(context) == OllamaOutcome(status="created", message="", run="toast")
