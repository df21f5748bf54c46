"""Continued pre-training: texts are learned whole, passage by passage, without a chat template."""

from agent.methods.record import TrainingMethod
from agent.methods.verdicts import learned_rows
from shared.inspections import DatasetForm
from shared.language import N_

PRETRAINING = TrainingMethod(
    type="pretraining",
    title=N_("learns the texts whole"),
    forms=frozenset({DatasetForm.text}),
    objective="agent.pipeline.objectives:Supervised",
    verdict=learned_rows,
    advice=N_(
        "It learns to go on with such texts, not to answer. For answers, train it on questions and answers after."
    ),
)
