"""Write the merged model as a Q8_0 GGUF in one streaming pass through llama.cpp's converter. Children only."""

import json
import re
import runpy
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from agent.base_models.llama_cpp import (
    Prepared,
    converters_dir,
    import_conversion,
    import_gguf,
    know_config,
    make_converter,
    transformers_unused,
)
from agent.errors import AgentError
from agent.export.merge import LoraPair, MergeTarget, merge_function, read_adapter, read_scale
from agent.export.row_stream import give_back_memory, large_tensors_by_rows
from agent.job_folder.durable import read_json
from agent.job_folder.folder import ADAPTER_FILE
from shared.errors import ErrorCode
from shared.language import _

PHI_3 = re.compile("phi-?3", re.IGNORECASE)
CHAT_TEMPLATE = "tokenizer.chat_template"
QUANTIZED_FILE = "quantized_weights.json"  # names of the weights that training held in 4 or 8 bits


def write_gguf(
    base: Path,
    adapter: Path,
    out: Path,
    *,
    name: str,
    target: MergeTarget,
    prepared: Prepared | None,
    chat_template: str | None = None,
) -> None:
    """Convert `base` with `adapter` merged in. No merged copy on disk, one tensor in memory. Raises AgentError.

    `chat_template` is what the file states; None: the base model's.
    """
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
        settings = writer.kv_data[0]
        settings["general.name"].value = name_in_file(
            name, architecture=settings["general.architecture"].value, vocabulary=settings["tokenizer.ggml.model"].value
        )
        if chat_template is not None and CHAT_TEMPLATE in settings:
            settings[CHAT_TEMPLATE].value = chat_template
        writer.write_header_to_file(path=staged)
        writer.write_kv_data_to_file()
        writer.kv_data.clear()
        give_back_memory()  # of the tokenizer
        writer.write_tensors_to_file(progress=False)
        writer.close()
    staged.replace(out)


def name_in_file(name: str, *, architecture: str, vocabulary: str) -> str:
    """Return a model's name as its GGUF states it: by "phi-3" in it llama.cpp knows how Phi-3 cuts text into tokens.

    Without the word it keeps blanks that Phi-3 drops; with it, it does not load a file that lacks Phi-3's tokens.
    """
    if architecture == "phi3" and vocabulary == "llama":  # Phi-4 is a phi3 too, with a vocabulary like GPT-2's
        return name if PHI_3.search(name) else f"{name} (Phi-3)"
    return PHI_3.sub("phi 3", name)


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
    """Convert the adapter alone, with llama.cpp's own script. Raises AgentError. None with DoRA: llama.cpp has none."""
    import_gguf()  # before the script takes another
    know_config(prepared)
    script = converters_dir() / "convert_lora_to_gguf.py"
    kept = sys.argv
    with tempfile.TemporaryDirectory(dir=out.parent) as work:
        source = _as_llama_cpp_scales(adapter, Path(work))
        sys.argv = [str(script), "--base", str(base), "--outtype", "f16", "--outfile", str(out), str(source)]
        try:
            with transformers_unused(prepared):
                runpy.run_path(str(script), run_name="__main__")
        except SystemExit as ended:
            if ended.code:
                raise AgentError(
                    _("llama.cpp's adapter converter ended with {code}.", code=ended.code),
                    code=ErrorCode.export_failed,
                ) from ended
        finally:
            sys.argv = kept


def _as_llama_cpp_scales(adapter: Path, work: Path) -> Path:
    """Return an adapter whose scale is alpha / r, the only one that llama.cpp knows; made in `work` if it is not so."""
    config = read_json(adapter / "adapter_config.json")
    if not config.get("use_rslora"):
        return adapter
    (work / ADAPTER_FILE).symlink_to((adapter / ADAPTER_FILE).resolve())
    plain = config | {"use_rslora": False, "lora_alpha": read_scale(config) * config["r"]}
    (work / "adapter_config.json").write_text(json.dumps(plain), encoding="utf-8")
    return work
