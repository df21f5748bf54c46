"""Stage 3: the base model in memory, with a fresh adapter."""

from agent.errors import AgentError
from agent.job_folder.folder import ADAPTER_FILE
from agent.pipeline.context import Context
from agent.pipeline.model import LoadedModel, load_model
from agent.pipeline.prepare import base_card
from shared.errors import ErrorCode
from shared.language import _


def run(context: Context) -> None:
    """Load the model into `context.model`."""
    loaded_model(context)


def loaded_model(context: Context) -> LoadedModel:
    """Return the model in memory, loading it if this process has not yet. Raises AgentError."""
    if context.model is None:
        import torch

        torch.set_num_threads(context.spec.threads)
        try:
            context.model = load_model(context.spec, base_card(context))
        except ValueError as error:  # peft and transformers say so when a setting does not fit the model
            raise AgentError(
                _(
                    "{base_model} could not be set up: {reason}.",
                    base_model=context.spec.base_model,
                    reason=str(error).splitlines()[0][:200],
                ),
                code=ErrorCode.setting_invalid,
            ) from error
        if (context.folder.adapter / ADAPTER_FILE).exists():
            context.model.restore_adapter(context.folder.adapter)
    return context.model
