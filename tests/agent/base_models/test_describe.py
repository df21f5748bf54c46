"""The children that download and describe, with the real huggingface_hub and a hub on loopback; and what is refused."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.base_models.card import BaseModelCard, DownloadReply
from agent.base_models.catalog import SourceKind, find_base_model, list_base_models
from agent.base_models.describe import describe_source
from agent.base_models.hub import SMALL_BYTES, SMALL_FILES, WEIGHT_FILES, chosen
from agent.base_models.llama_cpp import try_conversion
from agent.base_models.revision import kept_card
from agent.children.environment import child_environment
from agent.errors import AgentError
from agent.intake.inspector import Inspector
from agent.settings import AgentSettings
from shared.errors import ErrorCode
from tests.fakes.hub import COMMIT, GATED, MISSING, FakeHub, repository

pytestmark = pytest.mark.process

LLAMA = {"model_type": "llama", "architectures": ["LlamaForCausalLM"]}


@pytest.fixture
async def hub(models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeHub]:
    pickled = repository(tmp_path / "pickled", {"config.json": LLAMA, "pytorch_model.bin": b"\x80\x04"})
    remote = repository(
        tmp_path / "remote",
        {"config.json": LLAMA | {"sub": [{"auto_map": {"AutoModel": "x.Y"}}]}, "model.safetensors": b"0" * 64},
    )
    shutil.copytree(models_dir / "tiny", tmp_path / "nested")
    for name in ("tokenizer-old/huge.bin", "chat_template/huge.bin", "model-old/model.safetensors"):
        (tmp_path / "nested" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "nested" / name).write_bytes(bytes(1000))
    heavy = repository(tmp_path / "heavy", {"config.json": LLAMA, "model.safetensors": b"0" * 64})
    with (heavy / "tokenizer.json").open("wb") as file:
        file.truncate(SMALL_BYTES + 1)
    fake = FakeHub(
        {
            "acme/nested": tmp_path / "nested",
            "acme/heavy": heavy,
            "acme/tiny": models_dir / "tiny",
            "acme/pickled": pickled,
            "acme/remote": remote,
            "acme/garbled": repository(
                tmp_path / "garbled", {"config.json": b"{garbled", "model.safetensors": b"0" * 64}
            ),
        }
    )
    await fake.server.start_server()
    monkeypatch.setenv("HF_ENDPOINT", str(fake.server.make_url("")).rstrip("/"))
    yield fake
    await fake.server.close()


@pytest.fixture
def settings(tmp_path: Path, models_dir: Path) -> AgentSettings:
    return AgentSettings(hearth_data_dir=tmp_path / "data", hearth_models_dir=models_dir)


@pytest.mark.slow
async def test_a_hub_model_is_pinned_and_its_small_files_are_fetched_first(
    hub: FakeHub, settings: AgentSettings
) -> None:
    card = await Inspector(settings).describe("acme/tiny")
    assert (card.revision, card.license, card.architecture) == (COMMIT, "apache-2.0", "LlamaForCausalLM")
    assert not [path for path in hub.asked if path.endswith(".safetensors")]
    asked = len(hub.asked)
    assert await Inspector(settings).describe("acme/tiny") == card
    assert len(hub.asked) == asked  # the second time, the hub is not asked at all
    assert "acme/tiny" in [candidate.model.id for candidate in list_base_models(settings)]


async def test_a_model_is_downloaded_without_reading_a_word_of_it(hub: FakeHub, settings: AgentSettings) -> None:
    source = find_base_model("acme/garbled", settings)
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", "agent.children", "agent.base_models.download"],
        input=source.model_dump_json().encode(), capture_output=True, check=True, timeout=60,
        env=child_environment(offline=False),
    )  # fmt: skip
    assert DownloadReply.model_validate_json(done.stdout).error is None
    assert (source.cache / COMMIT / "config.json").read_bytes() == b"{garbled"


async def test_a_token_of_the_person_at_the_machine_is_in_nobodys_way(
    hub: FakeHub, settings: AgentSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    token = tmp_path / "home" / ".cache" / "huggingface" / "token"
    token.parent.mkdir(parents=True)
    token.write_text("hf_of_the_person", encoding="ascii")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert (await Inspector(settings).describe("acme/nested")).revision == COMMIT
    assert not [path for path in hub.asked if "huge" in path or "model-old" in path], "files in folders are not fetched"


@pytest.mark.slow
async def test_a_model_that_is_linked_into_the_folder_of_models_is_read(
    settings: AgentSettings, models_dir: Path, tmp_path: Path
) -> None:
    linked, blobs = tmp_path / "models" / "linked", tmp_path / "blobs"
    linked.mkdir(parents=True)
    shutil.copytree(models_dir / "tiny", blobs)
    for path in blobs.iterdir():  # as the hub's client lays out what it has downloaded
        (linked / path.name).symlink_to(path)
    there = AgentSettings(hearth_data_dir=settings.hearth_data_dir, hearth_models_dir=linked.parent)
    assert (await Inspector(there).describe("linked")).architecture == "LlamaForCausalLM"


@pytest.mark.slow
def test_a_limit_says_nothing_of_whether_a_model_can_be_converted(
    models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_folder: Path) -> type:
        raise MemoryError

    monkeypatch.setattr("agent.base_models.llama_cpp.model_class", full)
    with pytest.raises(MemoryError):
        try_conversion(models_dir / "tiny")


def test_a_gguf_that_was_described_before_its_conversion_was_counted_is_counted(
    settings: AgentSettings, smollm2_card: BaseModelCard
) -> None:
    source = find_base_model("smollm2-135m", settings)
    source.cache.mkdir(parents=True)
    smollm2_card.model_copy(update={"of_gguf": False}).write(source.cache)
    card = kept_card(source)
    assert card is not None
    assert card.of_gguf


def test_weights_in_folders_of_a_hub_model_are_not_its_own() -> None:
    assert chosen(["model.safetensors", "model-old/model.safetensors"], WEIGHT_FILES) == ["model.safetensors"]


def test_a_name_in_which_the_hubs_client_would_see_a_pattern_is_not_chosen() -> None:
    names = ["tokenizer.json", "tokenizer*", "tokenizer/huge", "tokenizer[a].json", "model.safetensors"]
    assert chosen(names, SMALL_FILES) == ["tokenizer.json"]


@pytest.mark.parametrize("name", ["acme/tiny\n", "tiny\n", "tiny:latest\n"])
def test_a_name_with_a_line_end_is_no_model(settings: AgentSettings, name: str) -> None:
    with pytest.raises(AgentError):
        find_base_model(name, settings)


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("acme/heavy", ErrorCode.model_unusable, "256 MiB of tokenizer and settings"),
        ("acme/pickled", ErrorCode.model_unusable, "no safetensors"),
        ("acme/remote", ErrorCode.model_unusable, "auto_map"),
        ("acme/garbled", ErrorCode.model_unusable, "cannot be read as a language model"),
        (GATED, ErrorCode.model_unusable, "gated.*HF_TOKEN"),
        (MISSING, ErrorCode.model_unknown, "no model “acme/missing”"),
    ],
)
async def test_a_hub_model_that_cannot_be_used_says_why(
    hub: FakeHub, settings: AgentSettings, name: str, code: ErrorCode, words: str
) -> None:
    with pytest.raises(AgentError, match=words) as caught:
        await Inspector(settings).describe(name)
    assert caught.value.code is code


async def test_without_a_network_the_hub_is_said_to_be_out_of_reach(
    settings: AgentSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(AgentError, match="could not be fetched"):
        await Inspector(settings).describe("acme/tiny")


async def test_a_download_that_is_slow_says_so(
    hub: FakeHub, settings: AgentSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.intake.inspector.DOWNLOAD_LIMIT_S", 0.01)
    with pytest.raises(AgentError, match=r"Downloading the base model acme/tiny took longer than 0 s.*is kept"):
        await Inspector(settings).describe("acme/tiny")


@pytest.mark.slow
async def test_a_tokenizer_unknown_to_llama_cpp_is_refused_before_training(
    settings: AgentSettings, models_dir: Path, tmp_path: Path
) -> None:
    odd = tmp_path / "models" / "odd"
    odd.mkdir(parents=True)
    for path in (models_dir / "tiny").iterdir():
        (odd / path.name).write_bytes(path.read_bytes())
    tokenizer = json.loads((odd / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["pre_tokenizer"]["use_regex"] = False  # now it splits text as no known model does
    (odd / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    changed = AgentSettings(hearth_data_dir=settings.hearth_data_dir, hearth_models_dir=odd.parent)
    with pytest.raises(AgentError, match="cannot become a GGUF") as caught:
        await Inspector(changed).describe("odd")
    assert caught.value.code is ErrorCode.model_not_convertible


AS_CONVERTERS_DO = """
import sys
from transformers import AutoTokenizer
AutoTokenizer.from_pretrained(sys.argv[1], trust_remote_code=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("fenced", [True, False])
def test_a_converter_that_asks_for_a_publishers_code_runs_none(models_dir: Path, tmp_path: Path, fenced: bool) -> None:
    folder, ran = tmp_path / "model", tmp_path / "ran"
    shutil.copytree(models_dir / "tiny", folder)
    settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    settings["auto_map"] = {"AutoTokenizer": [None, "theirs.Theirs"]}
    settings["tokenizer_class"] = "Theirs"
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    code = f"from transformers import PreTrainedTokenizerFast as Theirs\nopen({str(ran)!r}, 'w').close()\n"
    (folder / "theirs.py").write_text(code, encoding="utf-8")
    environment = child_environment(offline=True)
    if not fenced:  # else this would prove nothing
        environment["HF_MODULES_CACHE"] = str(tmp_path / "modules")
    done = subprocess.run(
        [sys.executable, "-c", AS_CONVERTERS_DO, str(folder)],
        capture_output=True, text=True, check=False, timeout=60, env=environment,
    )  # fmt: skip
    assert ran.exists() is not fenced
    assert ("no-remote-code" in done.stderr) is fenced


@pytest.mark.slow
def test_what_an_older_llama_cpp_could_not_convert_is_tried_again(
    tiny_card: BaseModelCard, settings: AgentSettings
) -> None:
    source = find_base_model("tiny", settings)
    source.cache.mkdir(parents=True)
    tiny_card.model_copy(update={"gguf_problem": "AttributeError: DFLASH"}).write(source.cache)
    assert describe_source(source).gguf_problem is None


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("/etc/passwd", ErrorCode.model_is_path),
        ("../models/tiny", ErrorCode.model_is_path),
        ("~/tiny", ErrorCode.model_is_path),
        ("a/b/c", ErrorCode.model_is_path),
        ("C:\\models", ErrorCode.model_is_path),
        ("nothing-here", ErrorCode.model_unknown),
    ],
)
def test_a_path_or_an_unknown_name_is_no_model(settings: AgentSettings, name: str, code: ErrorCode) -> None:
    with pytest.raises(AgentError) as caught:
        find_base_model(name, settings)
    assert caught.value.code is code


def test_names_resolve_to_their_sources(settings: AgentSettings) -> None:
    assert find_base_model("smollm2-135m", settings).kind is SourceKind.packaged
    assert find_base_model("tiny", settings).kind is SourceKind.folder
    assert find_base_model("HuggingFaceTB/SmolLM2-360M", settings).kind is SourceKind.hub
