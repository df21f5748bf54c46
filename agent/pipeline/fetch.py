"""Stage 1: the base model's weights are on this disk, at the revision that was planned with."""

from agent.base_models.card import read_card
from agent.base_models.catalog import source_of
from agent.base_models.weights import fetch_weights
from agent.errors import AgentError
from agent.pipeline.context import Context
from shared.errors import ErrorCode
from shared.language import _


def run(context: Context) -> None:
    """Fetch the weights if they are not there. Raises AgentError."""
    spec = context.spec
    source = source_of(spec)
    card = read_card(source.cache)
    if card is None or card.revision != spec.base_model_revision:
        raise AgentError(
            _("{base_model} changed since the plan was made. Plan again with /finetune.", base_model=spec.base_model),
            code=ErrorCode.plan_expired,
        )
    fetch_weights(source, card)
