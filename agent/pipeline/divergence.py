"""When a training has diverged: too many of its last steps had a loss, or gradients, that are not finite. Pure."""

import math
from collections import deque

from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _

BAD_STEPS, LOOKED_AT = 3, 10  # so many of so many; one alone may be a freak batch


class Divergence:
    """Watches the last steps, one after the other."""

    def __init__(self, *, scaled: bool) -> None:
        """Remember none; `scaled`: fp16, whose loss scaler tries gradients that are too large on purpose."""
        self._scaled = scaled
        self._bad: deque[bool] = deque(maxlen=LOOKED_AT)

    def note(self, step: int, loss: float, grad_norm: float | None, learning_rate: float) -> None:
        """Note a step. Raises AgentError when too many were bad."""
        gradients = 0.0 if self._scaled or grad_norm is None else grad_norm
        self._bad.append(not (math.isfinite(loss) and math.isfinite(gradients)))
        if sum(self._bad) < BAD_STEPS:
            return
        raise AgentError(
            _(
                "Training diverged: in {bad} of the last {looked} steps, up to step {step}, the loss or its gradients "
                "were not a finite number. The learning rate {rate:g} is probably too high; try {better:g}. The "
                "checkpoints before that are kept.",
                bad=sum(self._bad),
                looked=len(self._bad),
                step=step,
                rate=learning_rate,
                better=learning_rate / 10,
            ),
            code=ErrorCode.training_diverged,
            param="learning_rate",
        )
