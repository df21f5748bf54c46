"""Write the merged model as a Q8_0 GGUF in one streaming pass through llama.cpp's converter. Children only."""

import runpy
import sys
from pathlib import Path
from typing import Any

import torch

from agent.errors import AgentError
from agent.export.merge import LoraPair, MergeTarget, merge_function, read_adapter
from agent.export.rows import give_back_memory, large_tensors_by_rows
from agent.job_folder import read_json
from agent.llama_cpp import (
    Prepared,
    converters_dir,
    import_conversion,
    know_config,
    make_converter,
    transformers_unused,
)
from shared.errors import ErrorCode
from shared.language import _

QUANTIZED_FILE = "quantized_weights.json"  # names of the weights that training held in NF4


def write_gguf(
    base: Path, adapter: Path, out: Path, *, name: str, target: MergeTarget, prepared: Prepared | None
) -> None:
    """Convert `base` with `adapter` merged in. No merged copy on disk, one tensor in memory. Raises AgentError."""
    pairs = read_adapter(adapter)
    quantized = set(read_json(adapter / QUANTIZED_FILE))
    staged = out.with_suffix(".staging")
    torch.set_num_threads(1)  # tensors are small: a second thread waits more than it helps, and spins on a busy machine
    with torch.inference_mode():
        converter = make_converter(base, staged, name=name, prepared=prepared)
        untouched = {name for name in converter.model_tensors if not merge_function(name, pairs, quantized, target)}
        _merge_lazily(converter, pairs, quantized, target)
        with large_tensors_by_rows(converter, untouched):
            converter.prepare_tensors()
        converter.prepare_metadata(vocab_only=False)
        writer = converter.gguf_writer
        writer.write_header_to_file(path=staged)
        writer.write_kv_data_to_file()
        writer.kv_data.clear()
        give_back_memory()  # of the tokenizer
        writer.write_tensors_to_file(progress=False)
        writer.close()
    staged.replace(out)


def _merge_lazily(converter: Any, pairs: dict[str, LoraPair], quantized: set[str], target: MergeTarget) -> None:
    """Wrap the converter's tensors, each computed only when it is written."""
    lazy = import_conversion().base.LazyTorchTensor
    missing = set(pairs) - set(converter.model_tensors)
    if missing:
        raise AgentError(
            _(
                "{n} adapted weights are unknown to llama.cpp's converter (first: {first}), so no GGUF "
                "was written. The adapter is kept.",
                n=len(missing),
                first=min(missing),
            ),
            code=ErrorCode.export_failed,
        )
    for name, read in list(converter.model_tensors.items()):
        change = merge_function(name, pairs, quantized, target)
        if change is not None:
            converter.model_tensors[name] = _changed(lazy, read, change)


def _changed(lazy: Any, read: Any, change: Any) -> Any:
    def tensor() -> Any:
        source = read()
        meta = lazy.meta_with_dtype_and_shape(torch.float32, source.shape)
        return lazy(meta=meta, args=(source,), func=lambda weight: change(weight))

    return tensor


def write_adapter_gguf(base: Path, adapter: Path, out: Path, *, prepared: Prepared | None) -> None:
    """Convert the adapter alone, with llama.cpp's own script. Raises AgentError."""
    know_config(prepared)
    script = converters_dir() / "convert_lora_to_gguf.py"
    arguments = [str(script), "--base", str(base), "--outtype", "f16", "--outfile", str(out), str(adapter)]
    kept = sys.argv
    sys.argv = arguments
    try:
        with transformers_unused(prepared):
            runpy.run_path(str(script), run_name="__main__")
    except SystemExit as ended:
        if ended.code:
            raise AgentError(
                _("llama.cpp's adapter converter ended with {code}.", code=ended.code), code=ErrorCode.export_failed
            ) from ended
    finally:
        sys.argv = kept
