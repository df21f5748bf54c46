"""A local Ollama's models as base models: a folder laid out as Ollama does, with the packaged model's weights."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.base_models.catalog import PACKAGED, SourceKind, find_base_model, list_base_models
from agent.errors import AgentError
from agent.intake.inspector import Inspector
from agent.settings import AgentSettings
from shared.errors import ErrorCode

pytestmark = pytest.mark.process

MODEL = "application/vnd.ollama.image.model"
DIGEST = "sha256:" + "a1" * 32
Manifest = dict[str, Any]
Pull = Callable[..., None]


def manifest(*kinds: str, digest: object = DIGEST) -> Manifest:
    layers = [{"mediaType": kind, "digest": digest, "size": 1} for kind in kinds]
    return {"schemaVersion": 2, "config": {"digest": "sha256:" + "0" * 64}, "layers": layers}


@pytest.fixture
def settings(tmp_path: Path) -> AgentSettings:
    return AgentSettings(hearth_data_dir=tmp_path / "data", ollama_models=tmp_path / "models")


@pytest.fixture
def pull(settings: AgentSettings) -> Pull:
    """Lay a model into the folder as `ollama pull` does; its weights are a link to the packaged GGUF."""
    assert settings.ollama_models is not None
    folder = settings.ollama_models
    packaged = Path(find_base_model(PACKAGED, settings).location)

    def lay(name: str = "library/smol/latest", body: Manifest | str | None = None) -> None:
        path = folder / "manifests" / "registry.ollama.ai" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        said = body if body is not None else manifest(MODEL, "application/vnd.ollama.image.license")
        path.write_text(said if isinstance(said, str) else json.dumps(said))
        blob = folder / "blobs" / DIGEST.replace(":", "-")
        blob.parent.mkdir(exist_ok=True)
        if not blob.exists():
            blob.symlink_to(packaged)

    return lay


def names(settings: AgentSettings) -> list[str]:
    return [it.model.id for it in list_base_models(settings) if it.model.id != PACKAGED]


def test_models_are_named_as_ollama_names_them(settings: AgentSettings, pull: Pull) -> None:
    for path in ("library/smol/latest", "library/llama3.2/1b", "mia/support/v1"):
        pull(path)
    assert names(settings) == ["llama3.2:1b", "smol:latest", "mia/support:v1"]
    assert find_base_model("mia/support:v1", settings).kind is SourceKind.gguf


@pytest.mark.parametrize(
    "body",
    [
        "no JSON",
        "[]",
        '{"layers": 7}',
        manifest(),
        manifest(MODEL, MODEL),
        manifest(MODEL, "application/vnd.ollama.image.projector"),
        manifest(MODEL, digest="sha256:../../../../etc/passwd"),
        manifest(MODEL, digest="sha256:" + "b2" * 32),
        manifest(MODEL, digest=None),
        " " * (1 << 21),
    ],
    ids=["text", "list", "layers", "none", "two", "needs-more", "path", "blob-gone", "no-digest", "huge"],
)
def test_what_is_damaged_or_not_one_gguf_is_passed_over(settings: AgentSettings, pull: Pull, body: Manifest) -> None:
    pull("library/good/1b")
    pull("library/bad/1b", body)
    assert names(settings) == ["good:1b"]


def test_a_model_that_is_not_there_says_how_it_comes(settings: AgentSettings) -> None:
    with pytest.raises(AgentError, match=r"ollama pull llama3.2:1b.*OLLAMA_MODELS") as caught:
        find_base_model("llama3.2:1b", settings)
    assert caught.value.code is ErrorCode.model_unknown


@pytest.mark.slow
async def test_a_model_of_ollama_is_described_from_its_weights_alone(settings: AgentSettings, pull: Pull) -> None:
    pull()
    card = await Inspector(settings).describe("smol:latest")
    assert (card.name, card.architecture, card.layers) == ("smol:latest", "LlamaForCausalLM", 30)
    assert card.gguf_problem is None
