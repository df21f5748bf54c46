"""What it takes to make a GGUF's weights trainable: transformers unpacks them all at once. Pure but for one look."""

import psutil

from agent.base_models.card import BaseModelCard, shape_of, weights_present
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _, apart

MIB = 1 << 20
RUNTIME_MIB = 340
WEIGHT_BYTES = 2  # bf16
EXPERT_MODEL_BYTES = 6  # experts are unpacked to fp32 together, and cast when all of them are there
LARGEST_BYTES = 4  # of the largest tensor, in fp32


def estimate_conversion_mib(card: BaseModelCard) -> float:
    """Estimate the RAM for converting a GGUF, once, before its first training; 0 where there is nothing to convert."""
    return _conversion_mib(card) if card.of_gguf and not weights_present(card) else 0.0


def _conversion_mib(card: BaseModelCard) -> float:
    """Measured: 671 MiB for 135M parameters (here 704), 2,396 MiB for 906M (here 2,452).

    What models with experts take is read off transformers' code.
    """
    shape = shape_of(card)
    every = EXPERT_MODEL_BYTES if shape.experts > 1 else WEIGHT_BYTES
    largest = max(shape.vocab_size * shape.hidden_size, shape.largest_tensor)
    return RUNTIME_MIB + (every * card.parameters + LARGEST_BYTES * largest) / MIB


def check_memory(card: BaseModelCard) -> None:
    """Look before a GGUF is converted: running out would end other programs too. Raises AgentError."""
    needed_mib, free_mib = _conversion_mib(card), psutil.virtual_memory().available / MIB
    if needed_mib > free_mib:
        needed, free = apart(needed_mib / 1024, free_mib / 1024, 1)
        raise AgentError(
            _(
                "{name} is a GGUF, and making its weights trainable takes about {needed} GiB of RAM; {free} are free. "
                "Close other programs on the GPU machine and start the job again, or choose the same model by its "
                "Hugging Face id, which needs no conversion.",
                name=card.name,
                needed=needed,
                free=free,
            ),
            code=ErrorCode.insufficient_memory,
            param="model",
        )
