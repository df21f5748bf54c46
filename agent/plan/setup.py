"""How a model is trained, as far as memory depends on it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class TrainingSetup:
    """One micro-batch and what is around it. The defaults are those of our own trainer."""

    device: Literal["cpu", "cuda"]
    rows: int  # of a micro-batch: examples, each of `rows_in_memory`
    length: int  # tokens a row, padding included
    r: int = 16
    rows_in_memory: float = 1.0
    target_modules: Literal["all-linear"] | Sequence[str] = "all-linear"
    load_in_4bit: bool = True
    load_in_8bit: bool = False  # where load_in_4bit is off
    double_quant: bool = True
    dropout: bool = True  # LoRA's
    adapted_layers: int | None = None  # how many layers have an adapter; None: all
    use_dora: bool = False
    moves_base: bool = False  # PiSSA and OLoRA: the adapter as it began is kept beside the one that learns
    activation_checkpointing: bool = False
    attention: Literal["sdpa", "eager"] = "sdpa"  # eager builds the matrix of scores
    loss: Literal["trained", "full"] = "trained"  # logits of trained tokens alone, or of all
    trained_share: float = 1.0  # of the tokens of the batch with most of them; what `trained` saves by
    upcast: bool = False  # peft's prepare_model_for_kbit_training: all that is not in 4 bits is fp32

    @property
    def tokens(self) -> int:
        """Return the tokens of a micro-batch."""
        return math.ceil(self.rows * self.rows_in_memory * self.length)

    @property
    def loss_tokens(self) -> int:
        """Return the tokens that logits are made for."""
        return self.tokens if self.loss == "full" else math.ceil(self.tokens * self.trained_share)

    @property
    def compute_bytes(self) -> int:
        """Return the bytes of a value that is multiplied: fp32 on CPU, 16 bits on a GPU."""
        return 4 if self.device == "cpu" else 2

    @property
    def residual_bytes(self) -> int:
        """Return the bytes of a value that goes from layer to layer; upcast embeddings make them all fp32."""
        return 4 if self.upcast else self.compute_bytes

    @property
    def other_bytes(self) -> int:
        """Return the bytes of a weight that is not in 4 bits where others are: embedding, head, norms."""
        return self.residual_bytes
