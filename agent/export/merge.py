"""Merge a LoRA adapter into base weights one tensor at a time, onto the weights that the adapter saw. Children only."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from safetensors import safe_open

from agent.errors import AgentError
from agent.job_folder import ADAPTER_FILE, read_json
from shared.errors import ErrorCode

MergeTarget = Literal["nf4", "original"]
PREFIX = "base_model.model."


@dataclass(frozen=True, kw_only=True)
class LoraPair:
    """One adapted weight: W + scale · B A, with A of shape (r, in) and B of shape (out, r)."""

    a: torch.Tensor
    b: torch.Tensor
    scale: float


def read_adapter(folder: Path) -> dict[str, LoraPair]:
    """Read an adapter by the names of the weights it changes. Raises AgentError when a value is not finite."""
    config = read_json(folder / "adapter_config.json")
    scale = config["lora_alpha"] / config["r"]
    pairs = {}
    with safe_open(folder / ADAPTER_FILE, framework="pt") as file:
        for key in file.keys():  # noqa: SIM118 - safe_open is no mapping
            if not key.endswith(".lora_A.weight"):
                continue
            module = key.removesuffix(".lora_A.weight")
            a, b = file.get_tensor(key).float(), file.get_tensor(f"{module}.lora_B.weight").float()
            if not (torch.isfinite(a).all() and torch.isfinite(b).all()):
                raise AgentError(
                    f"The adapter holds values that are not numbers (in {module}). The learning rate is probably too "
                    "high; try a tenth of it.",
                    code=ErrorCode.training_diverged,
                )
            pairs[f"{module.removeprefix(PREFIX)}.weight"] = LoraPair(a=a, b=b, scale=scale)
    return pairs


def through_nf4(weight: torch.Tensor) -> torch.Tensor:
    """Quantize a weight to NF4 and back, as the base model was in training (QLoRA paper, section 3)."""
    from bitsandbytes.functional import dequantize_4bit, quantize_4bit

    packed, state = quantize_4bit(weight.contiguous(), compress_statistics=True, quant_type="nf4")
    restored: torch.Tensor = dequantize_4bit(packed, state)
    return restored


def merged(weight: torch.Tensor, pair: LoraPair | None, *, nf4: bool) -> torch.Tensor:
    """Return one finished weight in fp32. `nf4`: this weight was quantized while the adapter learned."""
    base = through_nf4(weight.float()) if nf4 else weight.float()
    return base if pair is None else torch.addmm(base, pair.b, pair.a, alpha=pair.scale)


def merge_function(
    name: str, pairs: dict[str, LoraPair], quantized: set[str], target: MergeTarget
) -> Callable[[torch.Tensor], torch.Tensor] | None:
    """Return what is to be done to the weight called `name`; None to leave it as it is."""
    pair = pairs.get(name)
    nf4 = target == "nf4" and name in quantized
    if pair is None and not nf4:
        return None
    return lambda weight: merged(weight, pair, nf4=nf4)
