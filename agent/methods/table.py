"""All methods, and which of them a request means."""

from agent.errors import AgentError
from agent.methods.record import TrainingMethod
from agent.methods.supervised import SUPERVISED
from shared.errors import ErrorCode
from shared.inspections import DatasetForm
from shared.language import _

METHODS: dict[str, TrainingMethod] = {method.type: method for method in (SUPERVISED,)}


def method_for(type: str, form: DatasetForm) -> TrainingMethod:
    """Return a method that is to learn from rows of a form; raise setting_invalid where it cannot."""
    method = METHODS[type]
    if form not in method.forms:
        raise AgentError(
            _(
                "The method {method} does not learn from rows of the form {form}. It takes: {forms}.",
                method=type,
                form=form.value,
                forms=", ".join(sorted(method.forms)),
            ),
            code=ErrorCode.setting_invalid,
            param="method",
        )
    return method
