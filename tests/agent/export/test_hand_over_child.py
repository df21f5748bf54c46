"""A finished model goes to Ollama: what is there afterwards, and what a person is told when it is not."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.export.hand_over_child import HandOver, HandOverNews, hand_over, other_addresses
from agent.export.modelfile import ChatSettings
from shared.results import OllamaOutcome
from tests.fakes.ollama_server import FakeOllama, Trouble, running_ollama

MODEL = ChatSettings(template="{{ .Prompt }}", system='ends with """\n', stops=("<|im_end|>", "</s>"), num_predict=280)


@pytest.fixture
def server() -> Iterator[FakeOllama]:
    with running_ollama() as server:
        yield server


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    path = tmp_path / "toast.gguf"
    path.write_bytes(b"GGUF" + b"weights" * 1000)
    return path


def request(url: str, gguf: Path, name: str = "toast:v1", **fields: Any) -> HandOver:
    return HandOver(url=url, open_allowed=False, gguf=str(gguf), name=name, model=MODEL).model_copy(update=fields)


def give(url: str, gguf: Path, name: str = "toast:v1", addresses: tuple[str, ...] = (), **fields: Any) -> OllamaOutcome:
    return hand_over(request(url, gguf, name, **fields), addresses=addresses, sent=lambda _: None)


def test_a_model_can_be_run_by_its_name_and_by_its_version(server: FakeOllama, gguf: Path) -> None:
    assert give(server.url, gguf) == OllamaOutcome(status="created", message="", run="toast")
    asked = server.models["toast:v1"].request
    assert asked["parameters"] == {"stop": ["<|im_end|>", "</s>"], "num_predict": 280, "temperature": 0.3}
    assert asked["system"] == MODEL.system  # no quoting to survive
    assert server.models["toast:latest"].digest == server.models["toast:v1"].digest


@pytest.mark.parametrize(
    ("version", "status"),
    [("0.29.4", "failed"), ("0.30.0", "created"), ("0.31.0-rc1", "created"), ("dev", "created"), ("0.0.0", "created")],
)
def test_a_model_that_calls_tools_goes_to_an_ollama_that_offers_them(
    server: FakeOllama, gguf: Path, version: str, status: str
) -> None:
    server.version = version
    outcome = give(server.url, gguf, model=replace(MODEL, requires="0.30.0"))
    assert outcome.status == status
    if status == "created":
        assert server.models["toast:v1"].request["requires"] == "0.30.0"
    else:
        assert "it is 0.29.4, and a model that calls tools needs 0.30.0 or newer" in outcome.message
        assert not server.models
    assert give(server.url, gguf, name="toast:v2").status == "created"  # one without tools goes to any


def test_a_later_version_takes_the_plain_name_over(server: FakeOllama, gguf: Path) -> None:
    give(server.url, gguf)
    gguf.write_bytes(b"GGUF of the second try")
    assert give(server.url, gguf, "toast:v2").run == "toast"
    assert server.models["toast:latest"].digest == server.models["toast:v2"].digest
    assert set(server.models) == {"toast:v1", "toast:v2", "toast:latest"}


def test_an_earlier_version_finished_late_does_not_take_the_plain_name_back(server: FakeOllama, gguf: Path) -> None:
    give(server.url, gguf, "toast:v10")
    gguf.write_bytes(b"GGUF of the paused job")
    assert give(server.url, gguf, "toast:v9").run == "toast:v9"
    assert server.models["toast:latest"].digest == server.models["toast:v10"].digest


@pytest.mark.parametrize("name", ["toast:latest", "Toast:latest"])
def test_somebodys_own_model_keeps_its_name(server: FakeOllama, gguf: Path, name: str) -> None:
    own = server.add(name, system="mine")
    assert give(server.url, gguf) == OllamaOutcome(status="created", message="", run="toast:v1")
    assert server.models[name] == own
    assert server.count("POST /api/copy") == 0


def test_somebodys_own_version_is_not_overwritten(server: FakeOllama, gguf: Path) -> None:
    own = server.add("toast:v1", system="mine")
    outcome = give(server.url, gguf)
    assert (outcome.status, outcome.name_taken) == ("failed", True)
    assert "another model called toast:v1, which stays as it is" in outcome.message
    assert server.models == {"toast:v1": own}
    assert not server.blobs


def test_a_hand_over_done_again_changes_nothing(server: FakeOllama, gguf: Path) -> None:
    first = give(server.url, gguf)
    models = dict(server.models)
    server.asked.clear()
    assert give(server.url, gguf) == first
    assert server.models == models
    assert not any(line.startswith(("POST /api/blobs", "POST /api/create", "POST /api/copy")) for line in server.asked)


@pytest.mark.parametrize("trouble", ["upload_trouble", "create_trouble", "copy_trouble"])
def test_a_hand_over_that_broke_off_is_finished_the_next_time(server: FakeOllama, gguf: Path, trouble: str) -> None:
    setattr(server, trouble, "cut")
    give(server.url, gguf)
    setattr(server, trouble, "")
    assert give(server.url, gguf).run == "toast"
    assert set(server.models) == {"toast:v1", "toast:latest"}
    assert server.count("POST /api/blobs") == (2 if trouble == "upload_trouble" else 1)


@pytest.mark.parametrize(
    ("upload", "create", "said"),
    [
        ("500", "", "it said “write /root/.ollama/models/blobs/x: no space left on device”"),
        ("cut", "", "the connection broke off"),
        ("", "500", "it said “write /root/.ollama/models/blobs/x: no space left on device”"),
        ("", "error", "it said “unsupported architecture”"),
        ("", "end", "it ended its answer without saying that the model was made"),
        ("", "lie", "it said that toast:v1 was made, and does not have it"),
    ],
)
def test_a_failure_says_what_happened_and_what_to_do(
    server: FakeOllama, gguf: Path, upload: Trouble, create: Trouble, said: str
) -> None:
    server.upload_trouble, server.create_trouble = upload, create
    outcome = give(server.url, gguf)
    assert outcome == OllamaOutcome(
        status="failed",
        message=f"Ollama at {server.url} did not take the model: {said}. The model is complete: settle that, then "
        "create it by hand.",
    )
    assert not server.models


def test_a_stream_that_is_cut_is_a_failure(server: FakeOllama, gguf: Path) -> None:
    server.create_trouble = "cut"
    assert give(server.url, gguf).status == "failed"
    assert not server.models


@pytest.mark.parametrize("trouble", ["upload_trouble", "create_trouble"])
def test_an_ollama_that_falls_silent_is_not_waited_for_without_end(
    server: FakeOllama, gguf: Path, trouble: str
) -> None:
    setattr(server, trouble, "silence")
    assert "it gave no answer for 0.2 s" in give(server.url, gguf, patience_s=0.2).message


def test_without_the_plain_name_the_version_is_what_to_run(server: FakeOllama, gguf: Path) -> None:
    server.copy_trouble = "500"
    assert give(server.url, gguf) == OllamaOutcome(status="created", message="", run="toast:v1")


@pytest.mark.parametrize("name", ["toast", "../toast:v1", "Toast:v1", "a/b:v1", "toast:v0", "-x:v1", "x" * 41 + ":v1"])
def test_a_name_of_another_form_goes_nowhere(server: FakeOllama, gguf: Path, name: str) -> None:
    assert "not a name and a version" in give(server.url, gguf, name).message
    assert server.asked == ["GET /api/version"]


def test_where_nothing_answers_ollama_is_absent(gguf: Path) -> None:
    outcome = give("http://127.0.0.1:1", gguf)
    assert outcome == OllamaOutcome(status="absent", message="No Ollama answers at http://127.0.0.1:1.")


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no second loopback address")
def test_an_ollama_that_others_can_reach_gets_nothing_without_the_owners_yes(gguf: Path) -> None:
    with running_ollama("127.0.0.2") as server:
        refused = give(server.url, gguf, addresses=("127.0.0.2",))
        assert refused.status == "refused"
        assert "(at 127.0.0.2)" in refused.message
        assert "HEARTH_OLLAMA_OPEN=true" in refused.message
        assert server.asked == ["GET /api/version"] * 2
        assert give(server.url, gguf, addresses=("127.0.0.2",), open_allowed=True).run == "toast"


def test_a_listener_on_every_address_counts_as_reachable_wherever_it_is_seen(server: FakeOllama, gguf: Path) -> None:
    everywhere = server.url.replace("127.0.0.1", "0.0.0.0")
    assert give(everywhere, gguf).status == "refused"
    assert give(everywhere, gguf, open_allowed=True).run == "toast"


def test_the_machines_other_addresses_leave_loopback_out() -> None:
    assert not any(address.startswith("127.") or address == "::1" for address in other_addresses())


@pytest.mark.process
def test_the_child_tells_its_steps_and_then_its_outcome(server: FakeOllama, gguf: Path) -> None:
    asked = request(server.url, gguf).model_dump_json().encode()
    done = subprocess.run(
        [sys.executable, "-m", "agent.export.hand_over_child"], input=asked, capture_output=True, check=True
    )
    news = [HandOverNews.model_validate_json(line) for line in done.stdout.splitlines()]
    assert [line.sent_percent for line in news] == [100, None]
    assert news[-1].outcome == OllamaOutcome(status="created", message="", run="toast")
    sha256 = hashlib.sha256(gguf.read_bytes()).hexdigest()
    assert server.models["toast:v1"].blob == f"sha256:{sha256}"
