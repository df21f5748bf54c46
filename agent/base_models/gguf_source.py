"""A base model that comes as one GGUF file: made into the folder that transformers and the trainer read."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from agent.base_models.llama_cpp import import_gguf
from shared.imports import collector_paused


def convert_small_files(file: Path, folder: Path) -> None:
    """Write the config, tokenizer and template inside `file` to `folder`."""
    from transformers import AutoConfig, AutoTokenizer, GenerationConfig
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    with parsed_once():
        tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
        config = AutoConfig.from_pretrained(file.parent, gguf_file=file.name)
    tokenizer.save_pretrained(folder)
    config.architectures = [MODEL_FOR_CAUSAL_LM_MAPPING_NAMES[config.model_type]]  # the converter asks for it
    config.save_pretrained(folder)
    GenerationConfig.from_model_config(config).save_pretrained(folder)


def convert_weights(file: Path, folder: Path) -> None:
    """Write the weights inside `file` to `folder`, in bf16 and safetensors, all of them or none.

    They are in memory together: `agent.base_models.conversion` says how much that takes.
    """
    with collector_paused():
        import torch
        from transformers import AutoModelForCausalLM

    with parsed_once():
        model = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.bfloat16)
    # Saving is refused while the loader's quantizer is attached, although the weights are plain bf16 by now.
    model.hf_quantizer = None  # transformers sets these without declaring them
    model.is_quantized = False
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    staging = folder.with_name(folder.name + ".staging")
    shutil.rmtree(staging, ignore_errors=True)
    model.save_pretrained(staging)
    for weights in sorted(staging.glob("model*")):
        weights.replace(folder / weights.name)
    shutil.rmtree(staging)


@contextmanager
def parsed_once() -> Iterator[None]:
    """Let a GGUF file be parsed once: transformers does it anew for each thing that it takes from it, for seconds.

    Most of them go into slices of a memory map, a costly object each; those of an array over the same bytes are not.
    """
    import numpy as np

    gguf = import_gguf()

    class Reader(gguf.GGUFReader):  # type: ignore[misc, name-defined]  # untyped
        @property
        def data(self) -> Any:
            return self._data

        @data.setter
        def data(self, whole: Any) -> None:
            self._data = whole.view(np.ndarray)

    slow = gguf.GGUFReader, gguf.get_tensor_name_map
    gguf.GGUFReader, gguf.get_tensor_name_map = cache(Reader), cache(slow[1])  # the names, too, once for each tensor
    try:
        yield
    finally:
        gguf.GGUFReader, gguf.get_tensor_name_map = slow
