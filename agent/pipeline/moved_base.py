"""Adapters that begin as a part of the base's weights (PiSSA, OLoRA): switched off, put back, handed out.

With s for the scale, peft takes s·B₀A₀ out of a weight W and trains W - s·B₀A₀ + s·BA. Everybody else has W. So what is
handed out is s·(BA - B₀A₀), a plain LoRA adapter of twice the rank: it needs no second look at how the training began.
A checkpoint holds B and A, as the Trainer goes on from it; peft loads that too, and takes the part out once more.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file, save_file

from agent.job_folder.durable import read_json, replace_file
from agent.job_folder.folder import ADAPTER_FILE
from shared.hyperparameters import ResolvedSettings

A, B = ".lora_A.weight", ".lora_B.weight"
Weights = Mapping[str, torch.Tensor]


class MovedBase:
    """A model whose base lacks what its adapter began as."""

    def __init__(self, peft: Any, settings: ResolvedSettings) -> None:
        self._peft, self._settings = peft, settings
        self._beginning = self._copy()

    @contextmanager
    def as_it_began(self) -> Iterator[None]:
        """Make the model the base model again: with its adapter off it would be neither."""
        trained = self._copy()
        set_peft_model_state_dict(self._peft, self._beginning)
        try:
            yield
        finally:
            set_peft_model_state_dict(self._peft, trained)

    def _copy(self) -> dict[str, torch.Tensor]:
        # By itself peft would look the base model up on a hub, for embeddings that are not trained.
        weights = get_peft_model_state_dict(self._peft, save_embedding_layers=False)
        return {name: weight.detach().clone() for name, weight in weights.items()}

    def hand_out(self, folder: Path) -> None:
        """Turn the adapter that peft wrote to `folder` into one of the base model."""
        trained = load_file(folder / ADAPTER_FILE)
        beginning = {name: weight.to("cpu") for name, weight in self._beginning.items()}
        save_file(of_twice_the_rank(trained, beginning), folder / ADAPTER_FILE, metadata={"format": "pt"})
        r = 2 * self._settings.r
        config = read_json(folder / "adapter_config.json")
        config |= {"r": r, "lora_alpha": r * self._settings.scale, "use_rslora": False, "init_lora_weights": True}
        replace_file(folder / "adapter_config.json", json.dumps(config, indent=2).encode())

    def trained_part(self, weights: Weights) -> Weights:
        """Return the matrices that are trained, of an adapter as it was handed out or as it is in a checkpoint."""
        r = self._settings.r
        return {
            name: weight[:r] if name.endswith(A) else weight[:, :r] if name.endswith(B) else weight
            for name, weight in weights.items()
        }


def of_twice_the_rank(trained: Weights, beginning: Weights) -> dict[str, torch.Tensor]:
    """Return [A; A₀] and [B, -B₀], whose product is BA - B₀A₀."""
    return {
        name: torch.cat([weight, beginning[name].to(weight.dtype)])
        if name.endswith(A)
        else torch.cat([weight, -beginning[name].to(weight.dtype)], dim=1)
        for name, weight in trained.items()
    }
