"""Merge a LoRA adapter into base weights one tensor at a time, onto the weights that the adapter saw. Children only."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from agent.errors import AgentError
from agent.export.int8 import through_int8
from agent.export.nf4 import through_nf4
from agent.job_folder.durable import read_json
from agent.job_folder.folder import ADAPTER_FILE
from shared.errors import ErrorCode
from shared.hyperparameters import Precision
from shared.language import _

MergeTarget = Precision
PREFIX = "base_model.model."


@dataclass(frozen=True, kw_only=True)
class LoraPair:
    """One adapted weight: W + scale · B A, with A of shape (r, in) and B of shape (out, r). Read when it is needed.

    With DoRA the sum's rows then have the lengths that were learned (arXiv 2402.09353, equation 5).
    """

    file: Path
    module: str
    scale: float
    use_dora: bool = False

    def read(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return A and B in fp32."""
        with safe_open(self.file, framework="pt") as file:
            a, b = (file.get_tensor(f"{self.module}.lora_{side}.weight").float() for side in "AB")
        return a, b

    def read_lengths(self) -> torch.Tensor | None:
        """Return the length of each row, of shape (out), in fp32; None without DoRA."""
        if not self.use_dora:
            return None
        with safe_open(self.file, framework="pt") as file:
            lengths: torch.Tensor = file.get_tensor(f"{self.module}.lora_magnitude_vector").float()
        return lengths

    def is_finite(self) -> bool:
        """Say whether every value is a number."""
        lengths = self.read_lengths()
        return all(bool(torch.isfinite(it).all()) for it in (*self.read(), lengths) if it is not None)


def read_scale(config: Mapping[str, Any]) -> float:
    """Return what the product of an adapter's matrices is multiplied by, from its adapter_config.json."""
    return float(config["lora_alpha"] / (math.sqrt(config["r"]) if config.get("use_rslora") else config["r"]))


def read_adapter(folder: Path) -> dict[str, LoraPair]:
    """List an adapter by the names of the weights it changes. Raises AgentError when a value is not finite."""
    config = read_json(folder / "adapter_config.json")
    scale, use_dora = read_scale(config), bool(config.get("use_dora"))
    with safe_open(folder / ADAPTER_FILE, framework="pt") as file:
        ending = ".lora_A.weight"
        names = file.keys()  # safe_open is no mapping: it cannot be iterated itself
    modules = [name.removesuffix(ending) for name in names if name.endswith(ending)]
    pairs = {}
    for module in modules:
        pair = LoraPair(file=folder / ADAPTER_FILE, module=module, scale=scale, use_dora=use_dora)
        if not pair.is_finite():
            raise AgentError(
                _(
                    "The adapter holds values that are not numbers (in {module}). The learning rate is "
                    "probably too high; try a tenth of it.",
                    module=module,
                ),
                code=ErrorCode.training_diverged,
            )
        pairs[f"{module.removeprefix(PREFIX)}.weight"] = pair
    return pairs


def merged(weight: torch.Tensor, pair: LoraPair | None, *, held_in: Precision) -> torch.Tensor:
    """Return one finished weight in fp32. `held_in`: what this weight was while the adapter learned."""
    base = as_held(weight, held_in)
    if pair is None:
        return base
    a, b = pair.read()
    base.addmm_(b, a, alpha=pair.scale)
    lengths = pair.read_lengths()
    return base if lengths is None else base.mul_((lengths / torch.linalg.norm(base, dim=1))[:, None])


def as_held(weight: torch.Tensor, held_in: Precision) -> torch.Tensor:
    """Return a weight as it was while the adapter learned, in fp32 and in memory of its own."""
    match held_in:
        case "nf4":
            return through_nf4(weight)
        case "int8":
            return through_int8(weight)
        case "original":
            return weight.to(torch.float32, copy=True)


def merge_function(
    name: str, pairs: dict[str, LoraPair], quantized: set[str], target: MergeTarget
) -> Callable[[torch.Tensor], torch.Tensor] | None:
    """Return what is to be done to the weight called `name`; None to leave it as it is."""
    pair = pairs.get(name)
    held_in: Precision = target if name in quantized else "original"
    if pair is None and held_in == "original":
        return None
    return lambda weight: merged(weight, pair, held_in=held_in)
