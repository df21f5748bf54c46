"""`hearth-agent import-openai` beside an agent: what was downloaded of OpenAI is planned here, or refused whole."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.command_line import import_openai
from agent.settings import AgentSettings
from shared.paths import ADDRESS_FILE
from tests.agent.running_agent import KEY, ROWS, Agent, run_agent

JOB: dict[str, Any] = {  # as fine_tuning.jobs.retrieve returns it
    "object": "fine_tuning.job",
    "id": "ftjob-abc123",
    "model": "gpt-4o-mini-2024-07-18",
    "created_at": 1721764800,
    "finished_at": 1721768400,
    "fine_tuned_model": "ft:gpt-4o-mini-2024-07-18:my-org:Custom_Suffix:7q8mpxmy",
    "organization_id": "org-123",
    "result_files": ["file-result"],
    "status": "succeeded",
    "validation_file": None,
    "training_file": "file-rows",
    "hyperparameters": {"n_epochs": 4, "batch_size": 1, "learning_rate_multiplier": 1.8},
    "trained_tokens": 5768,
    "error": {},
    "user_provided_suffix": None,
    "seed": 683058546,
    "estimated_finish": 0,
    "integrations": [],
    "metadata": {"team": "support"},
    "method": {
        "type": "supervised",
        "supervised": {"hyperparameters": {"n_epochs": 4, "batch_size": "auto", "learning_rate_multiplier": 1.8}},
    },
}
OTHER = JOB | {
    "id": "ftjob-other",
    "validation_file": "file-held",
    "method": None,
    "fine_tuned_model": None,
    "user_provided_suffix": "toast",
    "integrations": [{"type": "wandb", "wandb": {"project": "cats"}}],
}
HELD = ROWS.replace(b"Question", b"Frage")
OF_REINFORCEMENT = JOB | {"method": {"type": "reinforcement", "reinforcement": {"grader": {}}}}
TOO_LONG = JOB | {"method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 99}}}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "file-rows.jsonl").write_bytes(ROWS)
    return folder


@asynccontextmanager
async def beside_an_agent(settings: AgentSettings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Agent]:
    async with run_agent(settings, works=False) as agent:
        monkeypatch.setenv("HEARTH_DATA_DIR", str(settings.hearth_data_dir))
        (settings.hearth_data_dir / ADDRESS_FILE).write_text(agent.url.removeprefix("http://").rstrip("/"))
        settings.key_file.write_text(KEY)
        yield agent


async def typed(*words: object) -> int:
    return await asyncio.to_thread(import_openai.main, [str(word) for word in words])


async def test_a_job_is_planned_and_started_as_it_was(
    settings: AgentSettings, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "job.json").write_text(json.dumps(JOB))
    async with beside_an_agent(settings, monkeypatch) as agent:
        assert await typed(folder) == 0
        said = capsys.readouterr().out
        asked = "n_epochs 4, batch_size auto, learning_rate_multiplier 1.8"
        assert f"ftjob-abc123: gpt-4o-mini-2024-07-18, supervised, {asked}\n" in said
        assert "smollm2-135m becomes “custom-suffix”, seed 683058546" in said
        assert "rows: 80 train, 20 are held out" in said
        assert " minutes, " in said
        assert " GiB of RAM on CPU" in said
        assert "OpenAI's weights cannot be had" in said
        assert f"To start: hearth-agent import-openai {folder} --start" in said
        assert not [job async for job in await agent.openai.fine_tuning.jobs.list()]

        assert await typed(folder, "--start") == 0
        assert "Job #1 is in the queue: custom-suffix, from ftjob-abc123." in capsys.readouterr().out
        [job] = [job async for job in await agent.openai.fine_tuning.jobs.list()]
        assert (job.status, job.seed, job.metadata) == ("queued", 683058546, {"team": "support"})
        assert job.method.supervised.hyperparameters.n_epochs == 4
        assert job.method.supervised.hyperparameters.learning_rate_multiplier == 1.8
        assert len([file async for file in await agent.openai.files.list()]) == 1  # sent once, for both


async def test_lists_lines_and_names_of_files_are_understood(
    settings: AgentSettings, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "jobs.json").write_text(json.dumps({"object": "list", "data": [JOB], "has_more": False}))
    (folder / "more.jsonl").write_text(json.dumps(OTHER) + "\n")
    (folder / "files.json").write_text(json.dumps([{"object": "file", "id": "file-held", "filename": "held.jsonl"}]))
    (folder / "held.jsonl").write_bytes(HELD)
    async with beside_an_agent(settings, monkeypatch) as agent:
        assert await typed(folder) == 0
        said = capsys.readouterr().out
        assert "ftjob-abc123" in said
        assert "becomes “toast”" in said
        assert "rows: 100 train, 100 are held out" in said
        assert "its integrations are left out" in said
        assert sorted([file.filename async for file in await agent.openai.files.list()]) == [
            "file-rows.jsonl", "held.jsonl",
        ]  # fmt: skip
        assert await typed(folder, "--job", "ftjob-other") == 0
        assert "ftjob-abc123" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("notes.txt", "hello", "There is no job of OpenAI's in"),
        ("job.json", '{"object": "fine_tuning.job", ', "job.json is broken: Expecting"),
        ("job.json", "[" * 100_000, "job.json is broken"),
        ("job.jsonl", '{"object":"fine_tuning.job"\n', "job.jsonl is broken"),
        (
            "job.json",
            '{"object": "fine_tuning.job", "id": "ftjob-1"}',
            "not as OpenAI writes it: model: Field required",
        ),
        ("job.json", json.dumps(JOB | {"training_file": "file-9"}), "needs the file file-9, which is not in"),
        ("job.json", json.dumps(JOB | {"training_file": "../key"}), "needs the file ../key, which is not in"),
        (
            "job.json",
            json.dumps(JOB | {"method": {"type": "magic"}}),
            "has the method magic, which is not one of those",
        ),
        ("job.json", json.dumps(OF_REINFORCEMENT), "the method reinforcement, which is not one of those here: superv"),
        ("job.json", json.dumps(TOO_LONG), "ftjob-abc123: n_epochs is 99, which does not go here"),
        ("job.json", json.dumps(JOB | {"pad": "x" * (1 << 22)}), "job.json is larger than 4 MiB"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, content: str, said: str
) -> None:
    (folder / name).write_text(content)
    assert import_openai.main([str(folder)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert said in told.err


def test_no_folder_no_such_job_and_no_agent_are_said(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "job.json").write_text(json.dumps(JOB))
    monkeypatch.setenv("HEARTH_DATA_DIR", str(tmp_path / "data"))
    for words, said in (
        ([tmp_path / "nothing"], "is no folder"),
        ([folder, "--job", "ftjob-9"], "There is no job ftjob-9 in"),
        ([folder], "No agent answers for"),
    ):
        assert import_openai.main([str(word) for word in words]) == 1
        assert said in capsys.readouterr().err


async def test_where_one_job_cannot_be_planned_nothing_is_left(
    settings: AgentSettings, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a.json").write_text(json.dumps(JOB))
    (folder / "b.json").write_text(json.dumps(OTHER | {"validation_file": None, "training_file": "file-bad"}))
    (folder / "file-bad").write_text("broken\n")
    async with beside_an_agent(settings, monkeypatch) as agent:
        assert await typed(folder, "--start") == 1
        told = capsys.readouterr()
        assert told.out == ""
        assert "Job ftjob-other cannot run here, so nothing was planned. Line 1 is not JSON" in told.err
        assert not [file async for file in await agent.openai.files.list()]
        assert await typed(folder, "--model", "gpt-9") == 1
        assert "Job ftjob-abc123 cannot run here, so nothing was planned. There is no base" in capsys.readouterr().err
