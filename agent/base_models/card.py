"""What is known of a base model once its small files are on this disk."""

from pathlib import Path

from agent.base_models.shape import ModelShape
from agent.job_folder.durable import replace_file
from shared.errors import ErrorDetail
from shared.schema import Response

CARD_FILE = "base_model.json"
WEIGHTS_COMPLETE = "weights.complete"  # beside weights that were fetched or converted here, once all of them are


class BaseModelCard(Response):
    """Read from config and tokenizer alone, no weights needed."""

    name: str  # what a person says
    revision: str  # commit of the hub, or a hash of the files
    local_folder: bool = False  # the folder is the person's own under HEARTH_MODELS_DIR, not our copy
    of_gguf: bool = False  # its weights are made of a GGUF's when it is first trained
    folder: str  # config.json, tokenizer.json, chat template; the weights too, once fetched
    architecture: str  # LlamaForCausalLM
    parameters: int
    hidden_size: int
    intermediate_size: int
    layers: int
    vocab_size: int
    context_length: int
    linear_parameters: int  # all linear layers except the head: what NF4 quantizes and LoRA adapts
    lora_parameters_per_rank: int  # trained parameters for each unit of r, all linear layers
    weights_bytes: int  # of the checkpoint on disk
    license: str | None
    chat_template: str
    eos_tokens: list[str]  # every token that ends a turn, as text
    gguf_problem: str | None  # why llama.cpp cannot convert it; None: it can
    linear_names: list[str] | None = None  # of the linear layers that LoRA can adapt; None: a card of before
    shape: ModelShape | None = None  # None: a card of before shapes were kept, or a config without sizes

    def write(self, cache: Path) -> None:
        """Put the card into the cache folder of its model."""
        replace_file(cache / CARD_FILE, self.model_dump_json(indent=2).encode())


def shape_of(card: BaseModelCard) -> ModelShape:
    """Return the model's shape; where the card has none, that of a Llama of its sizes."""
    if card.shape is not None:
        return card.shape
    heads = max(1, card.hidden_size // 64)
    return ModelShape(
        model_type="llama",
        hidden_size=card.hidden_size,
        intermediate_size=card.intermediate_size,
        layers=card.layers,
        heads=heads,
        kv_heads=heads,
        head_dim=64,
        vocab_size=card.vocab_size,
        context_length=card.context_length,
        tied=card.parameters - card.linear_parameters < 1.5 * card.vocab_size * card.hidden_size,
    )


def weights_present(card: BaseModelCard) -> bool:
    """Tell whether all weights are on this disk; a local folder's own are taken as they are."""
    folder = Path(card.folder)
    if (folder / WEIGHTS_COMPLETE).exists():
        return True
    return card.local_folder and any(folder.glob("*.safetensors"))


class DownloadReply(Response):
    """The download child's answer: an error, or none."""

    error: ErrorDetail | None = None


class DescribeReply(Response):
    """The describe child's answer: exactly one of the two."""

    card: BaseModelCard | None = None
    error: ErrorDetail | None = None


def read_card(folder: Path) -> BaseModelCard | None:
    """Read the card of a fetched model; None when it was never fetched."""
    try:
        return BaseModelCard.model_validate_json((folder / CARD_FILE).read_bytes())
    except FileNotFoundError:
        return None
