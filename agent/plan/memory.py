"""How much memory and disk a run needs, part by part, from a model's config.json alone. Pure.

What is counted are tensors, each by the rule that makes it: nothing is fitted but how much an allocator holds beyond
what is in use (`FRAGMENTATION`), what a process takes without a tensor (`RUNTIME_MIB`), and the passing tensors of a
backward pass. Checked against a T4's measured peaks (fitcheck-llm 0.3.1, 49 rows), our own on an H200, and those of
real runs on a CPU: `python -m tests.bench memory`.
"""

import math
from dataclasses import dataclass

from agent.base_models.card import BaseModelCard, shape_of
from agent.base_models.shape import ModelShape
from agent.plan.activations import (
    dora_kept_bytes,
    dora_passing_bytes,
    kept_bytes,
    layer_bytes,
    passing_bytes,
    score_bytes,
)
from agent.plan.setup import TrainingSetup

MIB = 1024 * 1024
GRADIENT_BYTES = 4  # of an fp32 adapter
ADAM_BYTES = 8  # two fp32 moments
INT8_BYTES = 1.0  # of a weight; an fp32 constant for each row of a matrix is too little to count
LOGIT_BYTES = 12  # fp32: log-softmax, and in its backward pass the gradients of loss and of logits, all three at once
KEPT_CHECKPOINTS = 3
# Of the bytes that come and go, how many more an allocator holds than are in use. GPU: reserved less allocated on the
# T4 rows, 0.04 to 0.23 with SDPA, up to 0.5 with eager attention. CPU: glibc's heap; resident memory of SmolLM2-135M
# without checkpointing, 2,650 MiB at 4 rows of 130 tokens and 4,600 at 8.
FRAGMENTATION = {("cuda", "sdpa"): 0.15, ("cuda", "eager"): 0.35, ("cpu", "sdpa"): 0.5, ("cpu", "eager"): 0.5}
# Libraries, and the CUDA context: 141 MiB on a T4, 780 on an H200; what a card at home takes was not measured.
RUNTIME_MIB = {"cpu": 520, "cuda": 400}
EXPORT_RUNTIME_MIB, EXPORT_BYTES = 340, 14  # of a weight of the largest layer: as it lies, twice in fp32, quantized
VERIFY_RUNTIME_MIB = 150
PREPARE_RUNTIME_MIB, PREPARE_ROW_BYTES = 190, 100  # libraries and what passes through; digests, order and split of rows
TOKEN_BYTES = 8  # on disk: its id and its label
RUN_MARGIN = 1.1  # a plan is said to fit when so many times its estimate are free


@dataclass(frozen=True, kw_only=True)
class MemoryEstimate:
    """MiB at the peak of training, by part: of a step's two peaks, the higher."""

    weights: float  # the base model as it lies in memory
    lora: float  # the adapter's fp32 weights, and where its beginning is kept, those too
    gradients: float
    optimizer: float  # Adam's two moments
    activations: float  # what the backward pass needs, and at that peak what passes through a layer
    logits: float
    fragmentation: float  # held by the allocator, used by nobody
    runtime: float  # libraries and the GPU's context
    correction: float = 1.0  # measured over estimated, of runs of this family on this machine

    @property
    def allocated(self) -> float:
        """Return the tensors alone: what torch calls `max_memory_allocated`."""
        return self.weights + self.lora + self.gradients + self.optimizer + self.activations + self.logits

    @property
    def total(self) -> float:
        """Return what the process takes, corrected by what was measured."""
        return (self.allocated + self.fragmentation + self.runtime) * self.correction

    def fits(self, free_mib: float) -> bool:
        """Say whether it fits with the margin."""
        return self.total * RUN_MARGIN <= free_mib


def estimate_memory(shape: ModelShape, setup: TrainingSetup, *, correction: float = 1.0) -> MemoryEstimate:
    """Estimate the peak of training `shape` as `setup` says.

    A step has two peaks: at the loss, where the activations of every layer and the logits are there; and in the
    backward pass of a layer, where logits are gone, that layer's activations are whole again and gradients pass
    through. Which is higher depends on vocabulary, length and checkpointing.
    """
    weights = weights_bytes(shape, setup)
    lora: float = 4 * shape.lora_parameters(setup.r, setup.target_modules, magnitudes=setup.use_dora)
    if setup.adapted_layers is not None:  # what layers below them need not keep is not taken off: a safe estimate
        lora *= setup.adapted_layers / shape.layers
    kept: float = setup.tokens * kept_bytes(shape, setup) * shape.layers + dora_kept_bytes(shape, setup)
    at_loss = kept + setup.tokens * (4 + setup.residual_bytes) * shape.hidden_size + _mask_bytes(setup)
    logits = _logit_bytes(setup) * setup.loss_tokens * shape.vocab_size
    in_layer: float = kept + _mask_bytes(setup) + setup.tokens * passing_bytes(shape, setup) + score_bytes(shape, setup)
    if setup.activation_checkpointing:
        in_layer += setup.tokens * layer_bytes(shape, setup)
    in_layer += dora_passing_bytes(shape, setup)
    if setup.load_in_4bit or setup.load_in_8bit:
        in_layer += setup.compute_bytes * max(linear.weights for linear in shape.linears)  # unpacked for its product
    activations, logits = (at_loss, logits) if at_loss + logits >= in_layer else (in_layer, 0)
    share = FRAGMENTATION[setup.device, setup.attention]
    return MemoryEstimate(
        weights=weights / MIB,
        lora=(2 if setup.moves_base else 1) * lora / MIB,
        gradients=lora / 4 * GRADIENT_BYTES / MIB,
        optimizer=lora / 4 * ADAM_BYTES / MIB,
        activations=activations / MIB,
        logits=logits / MIB,
        fragmentation=share * (activations + logits) / MIB,
        runtime=RUNTIME_MIB[setup.device],
        correction=correction,
    )


def weights_bytes(shape: ModelShape, setup: TrainingSetup) -> float:
    """Return the bytes of the base model in memory: linear layers as asked, the rest as it is computed with."""
    linears = shape.linear_parameters
    per_linear: float = setup.compute_bytes
    if setup.load_in_4bit:
        per_linear = nf4_bytes(double_quant=setup.double_quant)
    elif setup.load_in_8bit:
        per_linear = INT8_BYTES
    return linears * per_linear + (shape.parameters - linears) * setup.other_bytes


def nf4_bytes(*, double_quant: bool) -> float:
    """Return the bytes of a weight in NF4 with its constants (QLoRA paper, section 3).

    Half a byte, and an fp32 constant for 64 weights: 0.5625. Doubly quantized, the constant takes 8 bits, and each 256
    of them an fp32 one of their own: 0.5159.
    """
    return 0.5 + (1 / 64 + 4 / (64 * 256) if double_quant else 4 / 64)


def _logit_bytes(setup: TrainingSetup) -> int:
    # A loop that holds the model's output until after the backward pass holds the logits too, in the head's own type.
    return LOGIT_BYTES + (setup.other_bytes if setup.loss == "full" else 0)


def _mask_bytes(setup: TrainingSetup) -> int:
    if setup.attention != "eager":
        return 0
    return math.ceil(setup.rows * setup.rows_in_memory * setup.length**2 * setup.residual_bytes)


def estimate_prepare_mib(rows: int) -> float:
    """Estimate the RAM at the beginning of a run, for making tokens of so many rows, which then lie on disk.

    Measured: 199 MiB for 180,932 rows of 90 tokens (95 MiB of JSONL).
    """
    return PREPARE_RUNTIME_MIB + PREPARE_ROW_BYTES * rows / MIB


def estimate_export_mib(card: BaseModelCard) -> float:
    """Estimate the RAM at the end of a run: for writing the model tensor by tensor, or for checking it, whole.

    Measured with the largest layer of 0.9, 17 and 59 million weights: 350, 518 and 1,114 MiB to write; and to check,
    the file's size and 55 to 70 MiB.
    """
    writing = EXPORT_RUNTIME_MIB + EXPORT_BYTES * shape_of(card).largest_tensor / MIB
    return max(writing, VERIFY_RUNTIME_MIB + _gguf_bytes(card) / MIB)


def _gguf_bytes(card: BaseModelCard) -> float:
    return card.parameters * 8.5 / 8  # Q8_0: 32 weights of 8 bits share a scale of 16


def estimate_disk_mib(
    card: BaseModelCard, *, r: int, fetched: bool, tokens: float, use_dora: bool = False, moves_base: bool = False
) -> float:
    """Estimate what a run leaves on disk, its rows' tokens included, and the base model if it is not there yet.

    `moves_base`: what is handed out is an adapter of twice the rank.
    """
    adapter = 4 * shape_of(card).lora_parameters(r, magnitudes=use_dora)
    checkpoints = KEPT_CHECKPOINTS * 3 * adapter  # weights and two moments
    rows = TOKEN_BYTES * tokens
    return (
        checkpoints
        + (4 if moves_base else 2) * adapter
        + _gguf_bytes(card)
        + rows
        + (0 if fetched else card.weights_bytes)
    ) / MIB
