"""How much memory and disk a run needs, part by part, from the model's card alone. Pure."""

from dataclasses import dataclass

from agent.base_models.card import BaseModelCard

MIB = 1024 * 1024
NF4_BYTES = 4.127 / 8  # a weight, with its doubly quantized constants (QLoRA paper, section 3)
LORA_BYTES = 4 * (1 + 1 + 2)  # fp32 weight, gradient, two Adam moments
RUNTIME_MIB = {"cpu": 520, "cuda": 1400}  # libraries and context; measured on CPU, Unsloth's figure on CUDA
KEPT_CHECKPOINTS = 3


@dataclass(frozen=True, kw_only=True)
class MemoryEstimate:
    """MiB at the peak of training, by part."""

    weights: float
    lora: float
    activations: float
    logits: float
    runtime: float

    @property
    def total(self) -> float:
        """Return the sum of the parts."""
        return self.weights + self.lora + self.activations + self.logits + self.runtime


def estimate_memory(
    card: BaseModelCard,
    *,
    device: str,
    load_in_4bit: bool,
    r: int,
    rows: int,
    length: int,
    trained_share: float,
    activation_checkpointing: bool,
) -> MemoryEstimate:
    """Estimate the peak for micro-batches of `rows` rows of `length` tokens."""
    compute = 4 if device == "cpu" else 2  # bytes a value: fp32 on CPU, 16 bits on a GPU
    linear_bytes = NF4_BYTES if load_in_4bit else compute
    other = card.parameters - card.linear_parameters
    tokens = rows * length
    # What autograd keeps of a layer: about 26 hidden-sized and 9 MLP-sized tensors a token (norms, projections,
    # attention, gate and up, and for LoRA a dropped-out copy and its mask of each linear's input). Measured on
    # SmolLM2: 2,650 MiB at the peak with 4 rows of 130 tokens, 4,600 with 8. With checkpointing two tensors a layer
    # are kept, and one layer at a time.
    layer = compute * (26 * card.hidden_size + 9 * card.intermediate_size)
    kept = 2 * compute * card.hidden_size * card.layers + layer if activation_checkpointing else layer * card.layers
    # NF4 weights are unpacked for the product, one layer's largest at a time.
    unpacked = compute * card.hidden_size * card.intermediate_size if load_in_4bit else 0
    return MemoryEstimate(
        weights=(card.linear_parameters * linear_bytes + other * compute + unpacked) / MIB,
        lora=r * card.lora_parameters_per_rank * LORA_BYTES / MIB,
        activations=tokens * kept / MIB,
        logits=3 * 4 * tokens * trained_share * card.vocab_size / MIB,
        runtime=RUNTIME_MIB[device],
    )


def estimate_disk_mib(card: BaseModelCard, *, r: int, fetched: bool) -> float:
    """Estimate what a run leaves on disk, and the base model if it is not there yet."""
    adapter = 4 * r * card.lora_parameters_per_rank
    checkpoints = KEPT_CHECKPOINTS * 3 * adapter  # weights and two moments
    gguf = card.parameters * 8.5 / 8
    return (checkpoints + 2 * adapter + gguf + (0 if fetched else card.weights_bytes)) / MIB
