"""What the evaluation found, as its stage leaves it to those that follow, which do without the trainer's libraries."""

from agent.data.held_out import TunedAnswer
from agent.pipeline.context import Context
from shared.schema import Response

SHOWN_QUESTIONS = 3
EVALUATION_FILE = "evaluation.json"


class Evaluation(Response):
    """What `report/evaluation.json` holds."""

    base_loss: float  # nats per trained token, adapter off
    final_loss: float
    accuracy: float | None = None  # of a method that compares answers: the share that it moved the right way
    base_accuracy: float | None = None  # of the untrained model
    margin: float | None = None
    base_answers: list[str]  # to the first questions
    tuned_answers: list[TunedAnswer]
    max_new_tokens: int
    capped: bool  # that is less than twice the longest held-out answer


def read_evaluation(context: Context) -> Evaluation:
    """Read it."""
    return Evaluation.model_validate_json((context.folder.report / EVALUATION_FILE).read_bytes())
