"""Learning from better and worse answers: pairs (DPO, ORPO), and answers that are labelled good or bad (KTO).

Figures: `beta` 0.1 as the papers have it (arXiv 2305.18290, 2403.07691, 2402.01306) and TRL's trainers; a fraction of
the rate of supervised training, since an answer that is made likelier by comparison is overdone in few steps.
"""

from agent.methods.record import TrainingMethod
from agent.methods.verdicts import learned_choice, learned_labels, learned_odds
from shared.inspections import DatasetForm
from shared.language import N_

ENOUGH_PAIRS = 500
_PAIRS = frozenset({DatasetForm.preference})
_EXAMPLES_FIRST = N_("It makes the better answers likelier than the worse ones. Train on examples first.")

DPO = TrainingMethod(
    type="dpo",
    title=N_("learns from better and worse answers"),
    forms=_PAIRS,
    objective="agent.pipeline.objectives:Dpo",
    verdict=learned_choice,
    pairs=True,
    judged=True,
    rows_at_once=2,
    rows_in_memory=2,
    passes_without_gradients=1,
    dropout=False,
    noise=False,
    rate=1 / 6,
    beta=0.1,
    most_epochs=3,
    advice=_EXAMPLES_FIRST,
)
ORPO = TrainingMethod(
    type="orpo",
    title=N_("learns the better answers, and to avoid the worse"),
    forms=_PAIRS,
    objective="agent.pipeline.objectives:Orpo",
    verdict=learned_odds,
    pairs=True,
    judged=True,
    rows_at_once=2,
    rows_in_memory=2,
    whole_talks=True,
    exact_in_parts=False,
    dropout=False,
    noise=False,
    rate=1 / 3,
    beta=0.1,
    most_epochs=3,
)
KTO = TrainingMethod(
    type="kto",
    title=N_("learns from good and bad answers"),
    forms=frozenset({DatasetForm.labelled}),
    objective="agent.pipeline.objectives:Kto",
    verdict=learned_labels,
    judged=True,
    rows_at_once=2,
    rows_in_memory=1.05,  # the other answer is measured first and without gradients; what is measured of a real step
    passes_without_gradients=2,
    exact_in_parts=False,
    dropout=False,
    noise=False,
    rate=1 / 6,
    beta=0.1,
    most_epochs=3,
    advice=N_("It makes good answers likelier and bad ones less so. Train on examples first."),
)
