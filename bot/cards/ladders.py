"""What is worth a try of each setting, and which of that is near to what it is. Pure."""

CHOICES = 3
LADDERS: dict[str, tuple[float | str | bool, ...]] = {  # what is worth a try, in order
    "learning_rate": (5e-5, 1e-4, 2e-4, 3e-4, 5e-4, 1e-3),
    "r": (4, 8, 16, 32, 64, 128),
    "lora_alpha": (8, 16, 32, 64, 128, 256),
    "lora_dropout": (0, 0.05, 0.1, 0.2),
    "batch_size": (1, 2, 4, 8, 16, 32, 64),
    "max_length": (256, 512, 1024, 2048, 4096, 8192),
    "early_stopping_patience": (2, 3, 5, 10),
    "lr_scheduler_type": ("cosine", "linear", "constant"),
    "use_rslora": (True, False),
    "use_dora": (True, False),
    "init_lora_weights": ("gaussian", "olora", "pissa"),
    "loraplus_lr_ratio": (1, 2, 4, 8, 16),
    "neftune_noise_alpha": (0, 5, 10, 15),
    "load_in_4bit": (True, False),
    "load_in_8bit": (True, False),
}


def nearest_on(ladder: tuple[float | str | bool, ...], now: object) -> list[float | str | bool]:
    """Return the three values beside the one that is, in order."""
    others = [value for value in ladder if value != now]
    if isinstance(now, bool) or not isinstance(now, int | float):
        return others[:CHOICES]
    near = sorted(others, key=lambda value: abs(_steps(float(value), float(now))))[:CHOICES]
    return [value for value in others if value in near]


def _steps(value: float, now: float) -> float:
    """Return how far apart two values are, as people feel it: 8 is as far from 16 as 32 is."""
    return value - now if not value or not now else (max(value, now) / min(value, now) - 1)
