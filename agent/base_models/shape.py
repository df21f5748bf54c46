"""The shape of a decoder-only model, read from its config.json alone: no weights, no ML library. Pure.

Known by their own names: the Llama family and those built like it (SmolLM, Mistral, Qwen2 and 3, Phi-3 and 4, Gemma).
Any other model is read as if built like Llama, from the names that most configs share.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agent.base_models.experts import read_experts, unknown_experts
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
    expert_size: int = 0  # width of one's MLP; 0: intermediate_size, which else is that of layers without experts
    experts_at_once: int = 1  # that a token goes through
    shared_size: int = 0  # width of the MLP that every token goes through beside the experts
    dense_layers: int = 0  # of a model with experts, those without

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
    def active_size(self) -> int:
        """Return the width of all that a token goes through in the MLP of a layer."""
        if self.experts < 2:
            return self.intermediate_size
        return self.experts_at_once * self._expert_size + self.shared_size

    @property
    def linears(self) -> tuple[Linear, ...]:
        """Return a layer's matrices under the names that LoRA targets them by; of a layer with experts, if any.

        transformers keeps all experts of a layer in one tensor. That is no linear layer: neither NF4 nor LoRA takes it.
        """
        if self.experts < 2:
            return self._attention_linears + self._mlp_linears(self.intermediate_size)
        return self._attention_linears + (self._mlp_linears(self.shared_size) if self.shared_size else ())

    @property
    def _attention_linears(self) -> tuple[Linear, ...]:
        h, a, kv = self.hidden_size, self.attention_size, self.kv_size
        output = Linear(name="o_proj", reads="attention", inputs=a, outputs=h)
        if self.model_type in FUSED:
            return Linear(name="qkv_proj", reads="first_norm", inputs=h, outputs=a + 2 * kv), output
        widths = (("q_proj", a), ("k_proj", kv), ("v_proj", kv))
        return *(Linear(name=name, reads="first_norm", inputs=h, outputs=width) for name, width in widths), output

    def _mlp_linears(self, size: int) -> tuple[Linear, ...]:
        h, down = self.hidden_size, Linear(name="down_proj", reads="product", inputs=size, outputs=self.hidden_size)
        if self.model_type in FUSED:
            return Linear(name="gate_up_proj", reads="second_norm", inputs=h, outputs=2 * size), down
        names = ("gate_proj", "up_proj") if self.gated else ("up_proj",)
        return *(Linear(name=name, reads="second_norm", inputs=h, outputs=size) for name in names), down

    @property
    def _all_linears(self) -> tuple[tuple[int, Linear], ...]:
        """Return every matrix with the number of layers that have it."""
        if self.experts < 2:
            return tuple((self.layers, linear) for linear in self.linears)
        dense = self._attention_linears + self._mlp_linears(self.intermediate_size)
        with_experts = self.layers - self.dense_layers
        return *((with_experts, each) for each in self.linears), *((self.dense_layers, each) for each in dense)

    @property
    def _expert_size(self) -> int:
        return self.expert_size or self.intermediate_size

    @property
    def expert_parameters(self) -> int:
        """Return the weights of a layer's experts, shared ones apart, and of what chooses among them."""
        if self.experts < 2:
            return 0
        one = sum(linear.weights for linear in self._mlp_linears(self._expert_size))
        return self.experts * (one + self.hidden_size)

    @property
    def largest_tensor(self) -> int:
        """Return the weights of the largest tensor of a layer; a GGUF keeps each matrix of all experts in one."""
        experts = self.experts * self.hidden_size * self._expert_size if self.experts > 1 else 0
        return max(experts, *(linear.weights for count, linear in self._all_linears if count))

    @property
    def linear_parameters(self) -> int:
        """Return the weights that NF4 quantizes, of all layers: every linear layer but the head."""
        return sum(count * linear.weights for count, linear in self._all_linears)

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
        experts = (self.layers - self.dense_layers) * self.expert_parameters
        return self.linear_parameters + self.embedding_parameters + self.hidden_size + self.layers * small + experts

    def lora_parameters(self, r: int, targets: str | Sequence[str] = "all-linear", *, magnitudes: bool = False) -> int:
        """Return the trained parameters of rank r: r × (inputs + outputs) of each target (LoRA paper, section 4).

        `magnitudes`: and the length of each output's weights, which DoRA trains (arXiv 2402.09353, equation 5).
        """
        chosen = [(n, each) for n, each in self._all_linears if targets == "all-linear" or each.name in targets]
        lengths = sum(count * linear.outputs for count, linear in chosen) if magnitudes else 0
        return r * sum(count * (linear.inputs + linear.outputs) for count, linear in chosen) + lengths


def read_shape(config: Mapping[str, Any]) -> ModelShape | None:
    """Read a config.json; of one with vision, the text model. None where the sizes or the experts are not known."""
    config = text_config_of(config)
    model_type = str(config.get("model_type", ""))
    hidden = _first(config, "hidden_size", "n_embd", "d_model")
    layers = _first(config, "num_hidden_layers", "n_layer")
    heads = _first(config, "num_attention_heads", "n_head")
    vocab = _first(config, "vocab_size")
    if not (hidden and layers and heads and vocab) or unknown_experts(config):
        return None
    intermediate = _first(config, "intermediate_size", "n_inner", "ffn_dim") or 4 * hidden
    experts = read_experts(config, layers=layers, intermediate_size=intermediate)
    bias = config.get("attention_bias", model_type in QKV_BIAS)
    tied = config.get("tie_word_embeddings")
    return ModelShape(
        model_type=model_type,
        hidden_size=hidden,
        intermediate_size=intermediate,
        layers=layers,
        heads=heads,
        kv_heads=_first(config, "num_key_value_heads") or heads,
        head_dim=_first(config, "head_dim") or hidden // heads,
        vocab_size=vocab,
        context_length=_first(config, "max_position_embeddings", "n_positions") or 4096,
        tied=model_type in TIED_BY_DEFAULT if tied is None else bool(tied),
        qkv_bias=bool(bias),
        gated=model_type not in UNGATED,
        experts=experts.count if experts else 1,
        expert_size=experts.size if experts else 0,
        experts_at_once=experts.at_once if experts else 1,
        shared_size=experts.shared_size if experts else 0,
        dense_layers=experts.dense_layers if experts else 0,
    )


def text_config_of(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the part of a config that describes the text model: all of it, unless it is one with vision."""
    text = config.get("text_config")
    if not isinstance(text, Mapping):
        return config
    return {**{key: config[key] for key in ("tie_word_embeddings",) if key in config}, **text}


def _first(config: Mapping[str, Any], *names: str) -> int | None:
    return next((int(config[name]) for name in names if isinstance(config.get(name), int | float)), None)
