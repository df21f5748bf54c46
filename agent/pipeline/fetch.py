"""Stage 1: the base model's weights are on this disk, at the revision that was planned with."""

from pathlib import Path

from agent.base_models.card import read_card
from agent.base_models.catalog import find_base_model
from agent.base_models.weights import fetch_weights
from agent.errors import AgentError
from agent.pipeline.context import Context
from agent.settings import AgentSettings
from shared.errors import ErrorCode
from shared.language import _


def run(context: Context) -> None:
    """Fetch the weights if they are not there. Raises AgentError."""
    spec = context.spec
    cache = Path(spec.base_model_cache)
    settings = AgentSettings(
        hearth_data_dir=cache.parent.parent,
        hearth_models_dir=Path(spec.models_dir) if spec.models_dir else None,
        ollama_models=Path(spec.ollama_models) if spec.ollama_models else None,
        _env_file=None,
    )
    card = read_card(cache)
    if card is None or card.revision != spec.base_model_revision:
        raise AgentError(
            _("{base_model} changed since the plan was made. Plan again with /finetune.", base_model=spec.base_model),
            code=ErrorCode.plan_expired,
        )
    fetch_weights(find_base_model(spec.base_model, settings), card)
