"""The model as it was before the training, as far as a method compares with it: a figure for each row, kept on disk.

So there is never a second model in memory, whatever the training starts from, and each figure is computed once.
"""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from agent.job_folder.durable import replace_file
from agent.job_folder.folder import JobFolder
from agent.pipeline.examples import Examples
from agent.pipeline.held_out import batches
from agent.pipeline.model import LoadedModel
from agent.pipeline.objectives import Objective, answer_likelihoods
from agent.pipeline.token_head import TrainedTokensHead
from agent.pipeline.token_rows import PARTS, read_rows


def read_examples(folder: JobFolder, part: str, objective: Objective) -> Examples:
    """Open the examples of `train`, `validation` or `test`, with their reference where one was kept."""
    examples = objective.examples(read_rows(folder, part))
    if objective.compares and _file(folder, part).exists():
        examples.reference = np.load(_file(folder, part), allow_pickle=False)
    return examples


def keep_reference(
    folder: JobFolder, model: LoadedModel, objective: Objective, *, batch_size: int, tick: Callable[[], None]
) -> None:
    """Compute what the untrained model makes of all rows, unless that is on disk. `tick` may raise."""
    if not objective.compares:
        return
    for part in PARTS:
        if not _file(folder, part).exists():
            examples = objective.examples(read_rows(folder, part))
            _write(_file(folder, part), _likelihoods(model, examples, batch_size=batch_size, tick=tick))


def _likelihoods(
    model: LoadedModel, examples: Examples, *, batch_size: int, tick: Callable[[], None]
) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    found = np.zeros((len(examples), len(examples[0].rows) if len(examples) else 1))
    with model.answering(adapter=True) as answering, torch.inference_mode():
        head = TrainedTokensHead(answering)
        for batch, numbers in batches(answering, examples, batch_size=batch_size):
            found[numbers] = answer_likelihoods(head, batch).double().cpu().numpy().reshape(-1, len(numbers)).T
            tick()
    return found


def _write(file: Path, found: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> None:
    written = io.BytesIO()
    np.save(written, found)
    replace_file(file, written.getvalue())


def _file(folder: JobFolder, part: str) -> Path:
    return folder.path / "rows" / f"reference-{part}.npy"
