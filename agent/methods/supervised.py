"""Supervised fine-tuning: the answers of the rows are learned, and of a preference the better one."""

from agent.methods.record import Metric, TrainingMethod
from shared.inspections import DatasetForm

SUPERVISED = TrainingMethod(
    type="supervised",
    forms=frozenset(DatasetForm),
    trainer="agent.pipeline.trainer:make_supervised_trainer",
    metric=Metric(name="eval_loss", lower_is_better=True),
)
