"""Dropout for training on a CPU: the same distribution as torch's, from a quarter of the random bits.

torch draws 64 bits from one thread for each number, which was 14 % of a QLoRA step of a 135M model on two cores, in 210
layers. Sixteen bits say as well whether a number is dropped. The bits come from torch's own generator, so a resumed
run draws what the run that was not broken off would have drawn.
"""

from typing import Any

import torch

DRAWS = 1 << 16  # that sixteen bits can tell apart
ALL_BITS = -(1 << 63)  # the lower end of an int64, so that all its bits are random


class SixteenBitDropout(torch.nn.Module):
    """Zeroes each number with probability `p`, to the nearest 1/65536, and scales the others up to the same sum."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self._dropped = min(round(p * DRAWS), DRAWS - 1)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return a tensor of the same shape; in evaluation mode the same one."""
        if not self.training or self._dropped == 0:
            return hidden
        count = hidden.numel()
        bits = torch.empty((count + 3) // 4, dtype=torch.int64).random_(ALL_BITS, None)
        draws = bits.view(torch.int16)[:count].view(hidden.shape)
        kept = (draws >= self._dropped - DRAWS // 2).to(hidden.dtype)
        return hidden * kept.mul_(DRAWS / (DRAWS - self._dropped))

    def extra_repr(self) -> str:
        """Show the probability."""
        return f"p={self.p}"


def replace_adapter_dropout(model: Any) -> None:
    """Give every LoRA layer of a PEFT model on a CPU this dropout in place of torch's."""
    for module in model.modules():
        layers = getattr(module, "lora_dropout", None)
        if not isinstance(layers, torch.nn.ModuleDict):
            continue
        for name, layer in layers.items():
            if type(layer) is torch.nn.Dropout:
                layers[name] = SixteenBitDropout(layer.p)
