"""Options of `/finetune`, written back as a line to type. Pure."""

from collections import abc

from bot.words.mapping import write_mapping
from bot.words.option_names import TYPED_NAMES, TYPED_PRESETS, written
from bot.words.options import Options
from shared.plans import Preset


def write_options(options: Options) -> str:
    """Return what was said besides the file and how it is read, to be typed again."""
    words = [f"like:{options.like}"] if options.like is not None else []
    words += [f"method:{options.method_type}"] if options.method_type is not None else []
    words += _write_own(options.model, options.preset, options.name, options.seed)
    words += [f"at:{options.at}"] if options.at is not None else []  # in seconds, which may be past when they are read
    return " ".join([*words, *write_change(options.hyperparameters.model_dump(exclude_unset=True))])


def write_again(options: Options, file_id: str) -> str:
    """Return the whole line that asks for the same once more."""
    mapping = write_mapping(options.mapping) if options.mapping is not None else []
    return " ".join(word for word in ("/finetune", f"file:{file_id}", *mapping, write_options(options)) if word)


def _write_own(model: str | None, preset: Preset | None, name: str | None, seed: int | None) -> list[str]:
    words = [f"model:{model}"] if model is not None else []
    words += [f"preset:{TYPED_PRESETS[preset]}"] if preset is not None else []
    words += [f"name:{name}"] if name is not None else []
    return words + ([f"seed:{seed}"] if seed is not None else [])


def write_change(change: abc.Mapping[str, object]) -> list[str]:
    """Return settings as they are typed: lr:0.0002."""
    return [f"{TYPED_NAMES.get(name, name)}:{written(value)}" for name, value in change.items()]
