"""A base model's weights, beside its small files: downloaded from the hub, or made of a GGUF's. Children only."""

from pathlib import Path

from filelock import FileLock

from agent.base_models.card import WEIGHTS_COMPLETE, BaseModelCard, weights_present
from agent.base_models.catalog import GGUFS, BaseModelSource, SourceKind
from agent.base_models.conversion import check_memory
from agent.base_models.gguf_source import convert_weights
from agent.base_models.hub import download_weights
from agent.errors import AgentError
from agent.job_folder.durable import replace_file
from shared.errors import ErrorCode
from shared.language import _


def fetch_weights(source: BaseModelSource, card: BaseModelCard) -> None:
    """Bring the weights beside the small files, once. Raises AgentError."""
    folder = Path(card.folder)
    with FileLock(source.cache / ".lock"):
        if weights_present(card):
            return
        if source.kind in GGUFS:
            check_memory(card)
            convert_weights(Path(source.location), folder)
        elif source.kind is SourceKind.hub:
            download_weights(source.location, card.revision, folder)
        else:
            raise no_safetensors(source.name)
        replace_file(folder / WEIGHTS_COMPLETE, b"")


def no_safetensors(name: str) -> AgentError:
    """Say that a folder has no weights that are ever loaded."""
    return AgentError(
        _(
            "{name} has no *.safetensors file. Save the model with safetensors; pickled weights "
            "(.bin, .pt) are never loaded.",
            name=name,
        ),
        code=ErrorCode.model_unusable,
        param="model",
    )
