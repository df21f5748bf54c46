"""Ollama's API, spoken to a server that follows it on a real socket."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import AgentError
from agent.export.modelfile import ChatSettings
from agent.export.ollama import Ollama, is_loopback
from tests.fakes.ollama_server import FakeOllama, running_ollama

MODEL = ChatSettings(template="{{ .Prompt }}", system=None, stops=("<|im_end|>",), num_predict=256)


@pytest.fixture
def server() -> Iterator[FakeOllama]:
    with running_ollama() as server:
        yield server


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    path = tmp_path / "toast.gguf"
    path.write_bytes(b"GGUF" + bytes(3_000_000))
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_blob_is_sent_once_and_every_step_of_five_per_cent_is_told(server: FakeOllama, gguf: Path) -> None:
    told: list[int] = []
    Ollama(server.url).upload(gguf, sha256(gguf), told.append)
    assert server.blobs == {f"sha256:{sha256(gguf)}": 3_000_004}
    assert told == sorted(set(told))
    assert told[-1] == 100
    assert all(step % 5 == 0 for step in told)
    Ollama(server.url).upload(gguf, sha256(gguf), told.append)
    assert server.count("POST /api/blobs") == 1


def test_a_blob_of_another_content_than_announced_is_ollamas_refusal(server: FakeOllama, gguf: Path) -> None:
    with pytest.raises(AgentError, match="digest mismatch"):
        Ollama(server.url).upload(gguf, "0" * 64, lambda _: None)


def test_a_full_disk_is_named_although_ollama_hung_up_in_the_middle(server: FakeOllama, gguf: Path) -> None:
    server.upload_trouble = "500"
    with pytest.raises(AgentError, match="no space left on device"):
        Ollama(server.url).upload(gguf, sha256(gguf), lambda _: None)


def test_a_name_that_ollama_refuses_is_named_in_its_words(server: FakeOllama) -> None:
    with pytest.raises(AgentError, match="invalid model name"):
        Ollama(server.url).create("no spaces:v1", MODEL, file_name="toast.gguf", sha256="0" * 64)


def test_a_file_it_does_not_have_is_an_error_inside_the_stream(server: FakeOllama) -> None:
    with pytest.raises(AgentError, match="no such file"):
        Ollama(server.url).create("toast:v1", MODEL, file_name="toast.gguf", sha256="0" * 64)


def test_what_the_modelfile_leaves_out_is_not_sent(server: FakeOllama, gguf: Path) -> None:
    ollama = Ollama(server.url)
    ollama.upload(gguf, sha256(gguf), lambda _: None)
    ollama.create("toast:v1", MODEL, file_name=gguf.name, sha256=sha256(gguf))
    assert server.models["toast:v1"].request == {
        "model": "toast:v1",
        "files": {"toast.gguf": f"sha256:{sha256(gguf)}"},
        "template": "{{ .Prompt }}",
        "parameters": {"stop": ["<|im_end|>"], "num_predict": 256, "temperature": 0.3},
        "stream": True,
    }


def test_something_else_at_the_port_is_no_ollama() -> None:
    assert not Ollama("http://127.0.0.1:1").answers()
    with running_ollama() as server:
        assert Ollama(server.url).answers()
        assert Ollama(server.url.replace("127.0.0.1", "0.0.0.0")).answers()


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no second loopback address")
def test_a_listener_at_another_address_of_the_machine_is_found() -> None:
    with running_ollama("127.0.0.2") as server:
        assert Ollama(server.url).reached_at(["127.0.0.3", "127.0.0.2"]) == "127.0.0.2"
    with running_ollama() as server:
        assert Ollama(server.url).reached_at(["127.0.0.3", "127.0.0.2"]) is None


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False), ("192.0.2.1", False)],
)
def test_only_loopback_is_the_machines_own(host: str, own: bool) -> None:
    assert is_loopback(host) is own
