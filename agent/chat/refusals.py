"""Why a finished model gives no answer, in words."""

from agent.chat.memory_check import CONTEXT
from agent.errors import AgentError
from agent.store.tuned_models import TunedModel
from shared.errors import ErrorCode
from shared.language import _


def too_slow(model: TunedModel, limit_s: float) -> AgentError:
    """Say that it took too long."""
    return AgentError(
        _(
            "{model} had no answer within {seconds} s, so it was stopped. Ask something shorter, or when the machine "
            "has less to do.",
            model=model.name,
            seconds=round(limit_s),
        ),
        code=ErrorCode.model_failed,
    )


def made_way(model: TunedModel) -> AgentError:
    """Say that a training needed the memory."""
    return AgentError(
        _(
            "A training begins and needs the memory, so {model} was put away before it had answered. Ask again when "
            "it trains; /status shows that.",
            model=model.name,
        ),
        code=ErrorCode.model_busy,
    )


def refused(model: TunedModel, too_long: int | None, problem: str | None) -> AgentError:
    """Say why the model cannot be asked this: too many tokens, or what llama.cpp says."""
    if too_long is not None:
        return AgentError(
            _(
                "The question has {tokens} tokens, and {model} reads {limit} together with its answer. Ask something "
                "shorter.",
                tokens=too_long,
                model=model.name,
                limit=min(CONTEXT, model.context_length),
            ),
            code=ErrorCode.invalid_request,
            param="messages",
        )
    return AgentError(
        _("{model} cannot be asked that: llama.cpp says “{problem}”.", model=model.name, problem=problem or ""),
        code=ErrorCode.invalid_request,
        param="messages",
    )
