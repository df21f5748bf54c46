"""How people write the settings of a run, and the values that are meant where nothing is said. Pure."""

from bot.words.format import short
from shared.plans import Preset

DEFAULT_MODEL = "smollm2-135m"
DEFAULT_SEED = 42
SHORT_NAMES = {  # what a person types → the name in Hyperparameters
    "epochs": "n_epochs",
    "batch": "batch_size",
    "lr": "learning_rate",
    "rank": "r",
    "alpha": "lora_alpha",
    "dropout": "lora_dropout",
    "layers": "layers_to_transform",
    "rslora": "use_rslora",
    "dora": "use_dora",
    "init": "init_lora_weights",
    "loraplus": "loraplus_lr_ratio",
    "neftune": "neftune_noise_alpha",
    "4bit": "load_in_4bit",
    "8bit": "load_in_8bit",
    "warmup": "warmup_steps",
    "scheduler": "lr_scheduler_type",
    "patience": "early_stopping_patience",
}
TYPED_NAMES = {name: short for short, name in SHORT_NAMES.items()}
OWN_NAMES = (
    "model",
    "preset",
    "method",
    "name",
    "seed",
    "file",
    "of",
    "like",
    "plan",
    "look",
    "change",
    "forget",
    "part",
    "character_of",  # on cards of before there were parts
    "at",
)
PRESETS = {"quick": Preset.quick_look, "balanced": Preset.balanced, "thorough": Preset.thorough}
TYPED_PRESETS = {preset: typed for typed, preset in PRESETS.items()}


def written(value: object) -> str:
    """Return a value as it is typed."""
    if isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return short(value) if isinstance(value, float) else str(value)
