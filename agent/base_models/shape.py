"""The shape of a decoder-only model, read from its config.json alone: no weights, no ML library. Pure.

Known by their own names: the Llama family and those built like it (SmolLM, Mistral, Qwen2 and 3, Phi-3 and 4, Gemma).
Any other model is read as if built like Llama, from the names that most configs share.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from shared.schema import Response

UNGATED = {"gpt2", "gpt_neox", "opt", "phi", "bloom", "falcon", "starcoder2", "gpt_bigcode"}  # two matrices in the MLP
QKV_BIAS = {"qwen2", "qwen2_moe", "starcoder2"}  # has no key in the config, the code adds it
FUSED = {"phi3"}  # one matrix for q, k, v and one for gate and up
TIED_BY_DEFAULT = {"gemma", "gemma2", "gemma3", "gemma3_text", "gpt2"}
QK_NORMS = {"qwen3", "qwen3_moe", "gemma3", "gemma3_text"}
FOUR_NORMS = {"gemma2", "gemma3", "gemma3_text"}  # before and after each block
# What transformers runs without fused attention (`_supports_sdpa` is False): soft caps on the scores, sinks, old code.
EAGER = {"gemma2", "vaultgemma", "gpt_oss", "bloom", "mpt", "gpt_neo", "gptj", "codegen"}


@dataclass(frozen=True, kw_only=True)
class Linear:
    """One matrix of a layer, (outputs, inputs)."""

    name: str  # q_proj
    reads: str  # what it multiplies; matrices that read the same share it
    inputs: int
    outputs: int

    @property
    def weights(self) -> int:
        """Return the number of weights, without a bias."""
        return self.inputs * self.outputs


class ModelShape(Response):
    """What sizes follow from. Counts are those of one layer where `layers` is not mentioned."""

    model_type: str  # config.json's: llama, qwen2, gemma3_text
    hidden_size: int
    intermediate_size: int
    layers: int
    heads: int
    kv_heads: int  # fewer than heads: grouped-query attention
    head_dim: int
    vocab_size: int
    context_length: int
    tied: bool  # the output head is the embedding
    qkv_bias: bool = False
    gated: bool = True  # gate, up and down; else up and down
    experts: int = 1  # of the MLP; all of them lie in memory

    @property
    def attention(self) -> Literal["sdpa", "eager"]:
        """Return how transformers computes attention by itself."""
        return "eager" if self.model_type in EAGER else "sdpa"

    @property
    def attention_size(self) -> int:
        """Return the width of all heads together; not always the hidden size."""
        return self.heads * self.head_dim

    @property
    def kv_size(self) -> int:
        """Return the width of keys, and of values."""
        return self.kv_heads * self.head_dim

    @property
    def linears(self) -> tuple[Linear, ...]:
        """Return a layer's matrices under the names that LoRA targets them by, one expert's only."""
        h, i, a, kv = self.hidden_size, self.intermediate_size, self.attention_size, self.kv_size
        output = Linear(name="o_proj", reads="attention", inputs=a, outputs=h)
        down = Linear(name="down_proj", reads="product", inputs=i, outputs=h)
        if self.model_type in FUSED:
            qkv = Linear(name="qkv_proj", reads="first_norm", inputs=h, outputs=a + 2 * kv)
            return qkv, output, Linear(name="gate_up_proj", reads="second_norm", inputs=h, outputs=2 * i), down
        widths = (("q_proj", a), ("k_proj", kv), ("v_proj", kv))
        projections = (Linear(name=name, reads="first_norm", inputs=h, outputs=width) for name, width in widths)
        names = ("gate_proj", "up_proj") if self.gated else ("up_proj",)
        up = (Linear(name=name, reads="second_norm", inputs=h, outputs=i) for name in names)
        return *projections, output, *up, down

    @property
    def linear_parameters(self) -> int:
        """Return the weights that NF4 quantizes, of all layers: every linear layer but the head."""
        return self.layers * sum(linear.weights for linear in self.linears)

    @property
    def embedding_parameters(self) -> int:
        """Return the weights of embedding and head."""
        return self.vocab_size * self.hidden_size * (1 if self.tied else 2)

    @property
    def parameters(self) -> int:
        """Return all weights."""
        norms = 4 if self.model_type in FOUR_NORMS else 2
        small = norms * self.hidden_size
        small += self.attention_size + 2 * self.kv_size if self.qkv_bias else 0
        small += 2 * self.head_dim if self.model_type in QK_NORMS else 0
        mlp = self.linears[2 if self.model_type in FUSED else 4 :]
        more_experts = (self.experts - 1) * sum(linear.weights for linear in mlp)
        return (
            self.linear_parameters + self.embedding_parameters + self.hidden_size + self.layers * (small + more_experts)
        )

    def lora_parameters(self, r: int, targets: str | Sequence[str] = "all-linear") -> int:
        """Return the trained parameters of rank r: r × (inputs + outputs) of each target (LoRA paper, section 4)."""
        chosen = [linear for linear in self.linears if targets == "all-linear" or linear.name in targets]
        return self.layers * r * sum(linear.inputs + linear.outputs for linear in chosen)


def read_shape(config: Mapping[str, Any]) -> ModelShape | None:
    """Read a config.json; of one with vision, the text model. None where the sizes are not in it."""
    text = config.get("text_config")
    if isinstance(text, Mapping):
        inherited = {key: config[key] for key in ("tie_word_embeddings",) if key in config}
        config = {**inherited, **text}
    model_type = str(config.get("model_type", ""))
    hidden = _first(config, "hidden_size", "n_embd", "d_model")
    layers = _first(config, "num_hidden_layers", "n_layer")
    heads = _first(config, "num_attention_heads", "n_head")
    vocab = _first(config, "vocab_size")
    if not (hidden and layers and heads and vocab):
        return None
    bias = config.get("attention_bias", model_type in QKV_BIAS)
    tied = config.get("tie_word_embeddings")
    return ModelShape(
        model_type=model_type,
        hidden_size=hidden,
        intermediate_size=_first(config, "intermediate_size", "n_inner", "ffn_dim") or 4 * hidden,
        layers=layers,
        heads=heads,
        kv_heads=_first(config, "num_key_value_heads") or heads,
        head_dim=_first(config, "head_dim") or hidden // heads,
        vocab_size=vocab,
        context_length=_first(config, "max_position_embeddings", "n_positions") or 4096,
        tied=model_type in TIED_BY_DEFAULT if tied is None else bool(tied),
        qkv_bias=bool(bias),
        gated=model_type not in UNGATED,
        experts=_first(config, "num_local_experts", "num_experts") or 1,
    )


def _first(config: Mapping[str, Any], *names: str) -> int | None:
    return next((int(config[name]) for name in names if isinstance(config.get(name), int | float)), None)
