"""A job that had too little memory, or diverged, takes the next revision of its spec and says so."""

import numpy as np

from agent.adapting.revision import go_back, step_down
from agent.pipeline.context import Context
from agent.pipeline.meter import peak_memory_mib
from agent.pipeline.token_rows import read_rows
from shared.events import StageData
from shared.inspections import DatasetForm


def adapt(context: Context, *, diverged: bool) -> bool:
    """Write the next revision and its event; False where nothing is left to change."""
    stage, folder = context.stage, context.folder
    assert stage is not None
    if diverged:
        adapted = go_back(folder)
    else:
        lengths = read_rows(folder, "train").lengths
        goes_on = context.spec.form is DatasetForm.text  # what is cut off a passage is the next one
        adapted = step_down(
            folder,
            stage,
            held_mib=peak_memory_mib(context.spec.device),
            rows=len(lengths),
            longer_than=lambda length: 0 if goes_on else int(np.count_nonzero(lengths > length)),
        )
    if adapted is None:
        return False
    if adapted.packed is not None:
        context.announce(adapted.packed)
    context.log.write(
        adapted.message,
        StageData(stage=stage, done=False, detail=adapted.detail, starts_over=adapted.starts_over),
        level="warn",
    )
    return True
