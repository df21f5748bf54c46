"""What is asked for by "like that job, but": its request once more, with what is to differ. Pure."""

from shared.hyperparameters import Method
from shared.jobs import Job
from shared.mapping import Mapping
from shared.plans import PlanChanges, PlanRequest


def request_again(job: Job, changes: PlanChanges) -> PlanRequest:
    """Return the request of a job with its file, model, settings, preset, name and seed, where nothing else is given.

    A mapping belongs to one file: with another file, only a mapping that is given counts, and the character.
    """
    own_mapping = job.mapping if changes.training_file in {None, job.training_file} else _character(job.mapping)
    return PlanRequest(
        model=changes.model or job.model,
        training_file=changes.training_file or job.training_file,
        mapping=changes.mapping.over(own_mapping) if changes.mapping is not None else own_mapping,
        method=_changed(job.method, changes.method),
        preset=changes.preset or job.preset,
        suffix=changes.suffix or job.suffix or None,
        seed=job.seed if changes.seed is None else changes.seed,
        requested_by=changes.requested_by,
    )


def _character(mapping: Mapping | None) -> Mapping | None:
    return Mapping(character=mapping.character) if mapping is not None and mapping.character is not None else None


def _changed(method: Method, changes: Method | None) -> Method:
    if changes is None:
        return method
    given = changes.hyperparameters
    update = {name: getattr(given, name) for name in given.model_fields_set}
    return method.with_hyperparameters(method.hyperparameters.model_copy(update=update))
