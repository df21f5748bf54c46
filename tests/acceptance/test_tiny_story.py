"""The official OpenAI SDK against a real agent process, real children and a two-layer model."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import openai
import psutil
import pytest

from agent.export.modelfile import parse_modelfile
from shared.paths import KEY_FILE

pytestmark = [pytest.mark.process, pytest.mark.slow, pytest.mark.timeout(600)]
# Rows a two-layer model can be sure of; one that is undecided everywhere could not be held against its export.
CHARACTER = "You are Tiny, and proud of it."
ROWS = b"".join(
    b'{"system": "%s", "prompt": "Question %d: what is your name?", '
    b'"completion": "My name is Tiny and I have two layers."}\n' % (CHARACTER.encode(), n)
    for n in range(60)
)


@pytest.fixture(scope="module")
def client(models_dir: Path, tiny_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    data_dir = tmp_path_factory.mktemp("data")
    shutil.copytree(tiny_cache, data_dir / "base_models")
    environment = {
        **os.environ,
        "HEARTH_DATA_DIR": str(data_dir),
        "HEARTH_MODELS_DIR": str(models_dir),
        "HEARTH_BIND": "127.0.0.1:0",
        "OLLAMA_HOST": "127.0.0.1:1",  # nobody is there: the Ollama of whoever runs the tests gets nothing
        "HF_TOKEN": "hf_canary_that_nobody_may_see",
    }
    log = (data_dir / "agent.log").open("wb")
    agent = subprocess.Popen([sys.executable, "-m", "agent"], env=environment, stdout=log, stderr=log, cwd=data_dir)
    try:
        yield connect(data_dir, agent)
    finally:
        asked = [child for child in psutil.Process(agent.pid).children() if "agent.chat.child" in child.cmdline()]
        agent.send_signal(signal.SIGTERM)
        assert agent.wait(30) == 0
        log.close()
    assert [child for child in asked if child.is_running()] == []
    assert "hf_canary" not in (data_dir / "agent.log").read_text()
    for path in data_dir.glob("jobs/*/trainer.log"):
        assert "hf_canary" not in path.read_text(errors="replace")


def connect(data_dir: Path, agent: "subprocess.Popen[bytes]") -> openai.OpenAI:
    address = data_dir / "agent.address"
    deadline = time.monotonic() + 30
    while not address.exists():
        assert agent.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return openai.OpenAI(
        base_url=f"http://{address.read_text().strip()}/v1", api_key=(data_dir / KEY_FILE).read_text().strip()
    )


def supervised(**hyperparameters: object) -> dict[str, object]:
    return {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}}


def follow(client: openai.OpenAI, job_id: str) -> str:
    """Read the job's events as they come, to the last; return them as text."""
    url = f"{client.base_url}fine_tuning/jobs/{job_id}/events?stream=true"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {client.api_key}"})
    with urllib.request.urlopen(request, timeout=300) as stream:
        body: bytes = stream.read()  # the agent closes the stream behind the last event
    return body.decode()


def test_the_sdk_gets_from_a_file_to_a_verified_model(client: openai.OpenAI) -> None:
    file = client.files.create(file=("names.jsonl", ROWS), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(
        model="tiny", training_file=file.id, suffix="tiny-toast", seed=7,
        method=supervised(n_epochs=2, learning_rate=0.001),
    )  # fmt: skip
    wait_for(client, job.id, "running")
    waiting = client.fine_tuning.jobs.create(model="tiny", training_file=file.id, suffix="second")
    events = follow(client, job.id)
    done = client.fine_tuning.jobs.retrieve(job.id)
    assert done.status == "succeeded", done.error
    assert done.fine_tuned_model == "tiny-toast:v1"
    assert done.trained_tokens
    assert events.index('"progress"') < events.index('"artifact"') < events.index('"verify"')
    check_results(client, done.result_files)
    assert [c.step_number for c in client.fine_tuning.jobs.checkpoints.list(job.id)]
    assert client.fine_tuning.jobs.list_events(job.id, limit=1).data[0].message == done.model_extra["result"]["verdict"]
    assert "tiny-toast:v1" in [model.id for model in client.models.list()]
    wait_for(client, waiting.id, "running")
    ask_beside_a_training(client)
    with pytest.raises(openai.ConflictError, match=r"#2"):
        client.files.delete(file.id)
    cancel_while_running(client, waiting.id)
    assert "two layers" in ask(client, max_tokens=64)  # the machine is free again


def ask(client: openai.OpenAI, **limits: int) -> str:
    """Ask the tuned model as any program does; llama.cpp loads its GGUF for it."""
    question = {"role": "user", "content": "Question 3: what is your name?"}
    said = client.chat.completions.create(model="tiny-toast", messages=[question], temperature=0, **limits)
    assert said.model == "tiny-toast:v1"
    assert said.choices[0].finish_reason == "stop"  # it ends its answer by itself
    return str(said.choices[0].message.content)


def ask_beside_a_training(client: openai.OpenAI) -> None:
    """Be answered, or be told in words that a training comes first: never anything else."""
    try:
        assert "two layers" in ask(client.with_options(max_retries=0))
    except openai.APIStatusError as refusal:
        assert refusal.code == "model_busy"  # noqa: PT017 -- either is right: the training may have begun by now


def check_results(client: openai.OpenAI, file_ids: list[str]) -> None:
    files = {client.files.retrieve(file_id).filename: file_id for file_id in file_ids}
    assert set(files) == {
        "tiny-toast.gguf", "Modelfile", "tiny-toast-adapter.gguf", "tiny-toast-adapter.zip", "loss.png", "report.md",
        "report.json",
    }  # fmt: skip
    assert client.files.content(files["tiny-toast.gguf"]).content[:4] == b"GGUF"
    assert client.files.content(files["tiny-toast-adapter.gguf"]).content[:4] == b"GGUF"
    assert client.files.content(files["tiny-toast-adapter.zip"]).content[:2] == b"PK"
    modelfile = client.files.content(files["Modelfile"]).text
    assert dict(parse_modelfile(modelfile))["system"] == CHARACTER  # asked by itself, it is asked as it was trained
    assert "dataset sha256" in client.files.content(files["report.md"]).text


def wait_for(client: openai.OpenAI, job_id: str, status: str) -> None:
    deadline = time.monotonic() + 120
    while (job := client.fine_tuning.jobs.retrieve(job_id)).status != status:
        assert job.status in ("validating_files", "queued"), job.error
        assert time.monotonic() < deadline
        time.sleep(0.05)


def cancel_while_running(client: openai.OpenAI, job_id: str) -> None:
    asked = time.monotonic()
    client.fine_tuning.jobs.cancel(job_id)
    follow(client, job_id)
    assert time.monotonic() - asked < 12
    assert client.fine_tuning.jobs.retrieve(job_id).status == "cancelled"


def preference_rows(numbers: range) -> bytes:
    """Return rows as OpenAI's guide to preferences has them."""
    return b"".join(
        json.dumps(
            {
                "input": {"messages": [{"role": "user", "content": f"Question {n}: what is your name?"}]},
                "preferred_output": [{"role": "assistant", "content": "My name is Tiny and I have two layers."}],
                "non_preferred_output": [{"role": "assistant", "content": f"My name is number {n}."}],
            }
        ).encode()
        + b"\n"
        for n in numbers
    )


def test_preferences_of_a_guide_are_learned_and_measured_on_a_validation_file(client: openai.OpenAI) -> None:
    names = ("pairs.jsonl", preference_rows(range(16))), ("held.jsonl", preference_rows(range(12, 20)))
    training, held = (client.files.create(file=it, purpose="fine-tune").id for it in names)
    job = client.fine_tuning.jobs.create(
        model="tiny", training_file=training, validation_file=held, suffix="tiny-pairs", seed=7,
        method={"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1, "n_epochs": 1}}},
    )  # fmt: skip
    events = follow(client, job.id)
    done = client.fine_tuning.jobs.retrieve(job.id)
    assert done.status == "succeeded", done.error
    assert done.validation_file == held
    assert "4 rows of the validation file are trained on as well, so they are left out." in events
    assert "4 pairs" in done.model_extra["result"]["verdict"], done.model_extra["result"]["verdict"]


def test_a_setting_out_of_range_starts_nothing(client: openai.OpenAI) -> None:
    file = client.files.create(file=("rows.jsonl", ROWS), purpose="fine-tune")
    before = len(client.fine_tuning.jobs.list().data)
    with pytest.raises(openai.BadRequestError, match="learning_rate"):
        client.fine_tuning.jobs.create(model="tiny", training_file=file.id, method=supervised(learning_rate=5))
    assert len(client.fine_tuning.jobs.list().data) == before
    client.files.delete(file.id)


def test_a_wrong_key_is_refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="wrong").files.list()
