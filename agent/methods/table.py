"""All methods, which of them a request means, and which one rows of a form suggest."""

from agent.data.split_sizes import MIN_ROWS
from agent.errors import AgentError
from agent.methods.preferences import DPO, KTO, ORPO
from agent.methods.pretraining import PRETRAINING
from agent.methods.record import TrainingMethod
from agent.methods.supervised import SUPERVISED
from shared.errors import ErrorCode
from shared.hyperparameters import MethodType
from shared.inspections import DatasetForm
from shared.language import _

METHODS: dict[str, TrainingMethod] = {method.type: method for method in (SUPERVISED, PRETRAINING, DPO, ORPO, KTO)}
SUGGESTED = {DatasetForm.preference: DPO, DatasetForm.labelled: KTO, DatasetForm.text: PRETRAINING}


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


def methods_of(form: DatasetForm) -> list[TrainingMethod]:
    """Return the methods that learn from rows of a form, each thing that can be done once."""
    if form is DatasetForm.text:
        return [PRETRAINING]  # where no answer is told from a question, supervised training is the same
    return [method for method in METHODS.values() if form in method.forms]


def suggested_for(form: DatasetForm, judged: int) -> MethodType:
    """Return the method that rows of a form are made for; `judged` of them say which answer is better, or good."""
    method = SUGGESTED.get(form, SUPERVISED)
    return SUPERVISED.type if method.judged and judged < MIN_ROWS else method.type
