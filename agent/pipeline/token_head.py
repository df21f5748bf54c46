"""Log-likelihoods of some tokens of a batch, without the logits of the others."""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn.functional import cross_entropy

IGNORED = -100  # the label of a token that is not trained on

Batch = dict[str, torch.Tensor]


class TrainedTokensHead:
    """Lets a model's output head see chosen tokens alone: no logits for prompts and padding.

    Works for any model whose head is a module, soft caps and scales after it included, because the choice is made
    at the head's input.
    """

    def __init__(self, model: Any) -> None:
        self._model = model

    def summed_loss(self, inputs: Batch) -> tuple[torch.Tensor, int]:
        """Return the summed negative log-likelihood of a batch's trained tokens, in nats, and their number."""
        targets = inputs["labels"][:, 1:]
        chosen = targets != IGNORED
        loss = cross_entropy(self._logits(inputs, chosen), targets[chosen], reduction="sum")
        return loss, int(chosen.sum())

    def losses(self, inputs: Batch, chosen: torch.Tensor) -> torch.Tensor:
        """Return the negative log-likelihood of each chosen token, in nats, row by row; 0 elsewhere.

        `chosen` and what is returned have the shape (rows, length - 1): of the token behind each.
        """
        targets = inputs["input_ids"][:, 1:]
        spread = torch.zeros(chosen.shape, device=targets.device)
        return spread.masked_scatter(
            chosen, cross_entropy(self._logits(inputs, chosen), targets[chosen], reduction="none")
        )

    def _logits(self, inputs: Batch, chosen: torch.Tensor) -> torch.Tensor:
        """Return the logits, in fp32, by which each chosen token is foretold: (chosen tokens, vocabulary)."""
        pick: Callable[..., Any] = lambda _head, hidden: (hidden[0][:, :-1][chosen], *hidden[1:])  # noqa: E731
        hook = self._model.get_output_embeddings().register_forward_pre_hook(pick)
        try:
            logits: torch.Tensor = self._model(
                input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], use_cache=False
            ).logits
        finally:
            hook.remove()
        return logits.float()
