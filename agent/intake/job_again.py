"""What is asked for by "like that job, but": its request once more, with what is to differ. Pure."""

from pydantic import ValidationError

from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.hyperparameters import Method
from shared.jobs import Job
from shared.language import _
from shared.mapping import Mapping
from shared.plans import PlanChanges, PlanRequest


def request_again(job: Job, changes: PlanChanges) -> PlanRequest:
    """Return the request of a job with its file, model, settings, preset, name and seed, where nothing else is given.

    A mapping and a validation file belong to one file: with another, only those that are given count. Raises
    AgentError where what is given does not go with the job's own.
    """
    same_file = changes.training_file in {None, job.training_file}
    return PlanRequest(
        model=changes.model or job.model,
        training_file=changes.training_file or job.training_file,
        validation_file=changes.validation_file or (job.validation_file if same_file else None),
        mapping=_mapping(job, changes),
        method=_changed(job.method, changes.method),
        preset=changes.preset or job.preset,
        suffix=changes.suffix or job.suffix or None,
        seed=job.seed if changes.seed is None else changes.seed,
        requested_by=changes.requested_by,
    )


def _mapping(job: Job, changes: PlanChanges) -> Mapping | None:
    own = job.mapping if changes.training_file in {None, job.training_file} else None
    if changes.mapping is None:
        return own
    try:
        return changes.mapping.over(own)
    except ValidationError as problem:
        raise AgentError(
            _("What is to differ does not go with how the job's file is read: {why}.",
              why=str(problem.errors()[0]["msg"])),
            code=ErrorCode.setting_invalid,
            param="mapping",
        ) from problem  # fmt: skip


def _changed(method: Method, changes: Method | None) -> Method:
    if changes is None:
        return method
    given = changes.hyperparameters.model_dump(exclude_unset=True)
    if "type" not in changes.model_fields_set or changes.type == method.type:
        return method.changed(given)
    return changes  # another method: what was tuned for the one before is no matter of it
