"""Mixtures of experts, as a config.json describes them: how many there are, how wide, in which layers. Pure.

Read are the names of Mixtral, Qwen, OLMoE, DeepSeek, GLM and gpt-oss. A config with other names of experts is not
guessed at: one that is wrong about experts is wrong by a factor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

COUNTS = ("num_local_experts", "num_experts", "n_routed_experts")
READ = {
    *COUNTS, "num_experts_per_tok", "experts_per_token", "moe_intermediate_size", "n_shared_experts",
    "num_shared_experts", "shared_expert_intermediate_size", "moe_layer_freq",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Experts:
    """The experts of one layer, and how many layers have none."""

    count: int
    size: int  # width of one expert's MLP
    at_once: int  # experts that a token goes through
    shared_size: int  # width of the MLP that every token goes through beside them; 0: there is none
    dense_layers: int


def unknown_experts(config: Mapping[str, Any]) -> list[str]:
    """Return the names in a config that tell of experts and are not read here; switches and weights of losses apart."""
    return [name for name, value in config.items() if _tells_of_experts(name) and not _is_read(name, value)]


def read_experts(config: Mapping[str, Any], *, layers: int, intermediate_size: int) -> Experts | None:
    """Return the experts of a config whose names are all known; None where every layer has one MLP."""
    count = _first(config, *COUNTS)
    if count < 2:
        return None
    size = _first(config, "moe_intermediate_size") or intermediate_size
    shared = _first(config, "n_shared_experts", "num_shared_experts") * size
    return Experts(
        count=count,
        size=size,
        at_once=_first(config, "num_experts_per_tok", "experts_per_token") or 1,
        shared_size=_first(config, "shared_expert_intermediate_size", "shared_intermediate_size") or shared,
        dense_layers=sum(not _has_experts(config, layer) for layer in range(layers)),
    )


def _has_experts(config: Mapping[str, Any], layer: int) -> bool:
    dense = config.get("mlp_only_layers") or ()
    step = _first(config, "decoder_sparse_step") or 1
    every = _first(config, "moe_layer_freq") or 1
    first = _first(config, "first_k_dense_replace", "num_dense_layers")
    return layer >= first and layer not in dense and (layer + 1) % step == 0 and layer % every == 0


def _tells_of_experts(name: str) -> bool:
    return "expert" in name or "moe" in name


def _is_read(name: str, value: object) -> bool:
    is_count = isinstance(value, int) and not isinstance(value, bool)
    if isinstance(value, list | dict):
        return not value
    return not is_count or value in {0, 1} or name in READ


def _first(config: Mapping[str, Any], *names: str) -> int:
    values = (config.get(name) for name in names)
    return next((value for value in values if isinstance(value, int) and not isinstance(value, bool)), 0)
