"""What the events of a trainer say of its job: the stage, how far it is, its newest figures."""

from agent.store import columns
from agent.store.tables import JobRow
from shared.events import CheckpointData, EvaluationData, EventData, ProgressData, StageData
from shared.jobs import Progress


def take_in(row: JobRow, data: EventData, *, at: int) -> None:
    """Write what an event says into the row of its job."""
    progress = columns.read(Progress, row.progress, of=row.id)
    match data:
        case StageData():
            row.stage = data.stage
            row.stage_detail = None if data.done else data.detail
            if data.starts_over:
                row.progress = row.died_step = row.died_stages = None
            row.attempt = 1 if data.done else row.attempt  # it got further: all attempts are there again
        case CheckpointData() if row.died_step is None or data.step > row.died_step:
            row.attempt = 1
        case ProgressData():
            earlier = progress or Progress(step=0, total_steps=0, epoch=0, n_epochs=0)
            newer = data.model_dump(include=set(Progress.model_fields))
            row.progress = earlier.model_copy(update=newer | {"updated_at": at}).model_dump_json()
            row.trained_tokens = data.trained_tokens
        case EvaluationData(split="validation") if progress is not None:
            losses = {
                "validation_loss": data.loss,
                "validation_accuracy": data.accuracy,
                "best_loss": data.best_loss,
                "updated_at": at,
            }
            row.progress = progress.model_copy(update=losses).model_dump_json()
        case _:
            pass
