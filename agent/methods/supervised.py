"""Supervised fine-tuning: the answers of the rows are learned, and of a preference the better one."""

from agent.methods.record import TrainingMethod
from agent.methods.verdicts import learned_rows
from shared.inspections import DatasetForm
from shared.language import N_

SUPERVISED = TrainingMethod(
    type="supervised",
    title=N_("learns the answers"),
    forms=frozenset(DatasetForm),
    objective="agent.pipeline.objectives:Supervised",
    verdict=learned_rows,
)
