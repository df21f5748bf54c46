"""Stage 5: what the training achieved, on rows it never saw, and what both models answer."""

import math

from agent.data.held_out import HeldOutPrompt, TunedAnswer
from agent.errors import AgentError
from agent.job_folder import replace_file
from agent.pipeline.context import Context
from agent.pipeline.load import loaded_model
from agent.pipeline.model import LoadedModel
from agent.pipeline.prepare import TokenRow, read_held_out, read_rows
from agent.pipeline.trainer import held_out_loss
from shared.errors import ErrorCode
from shared.events import EvaluationData
from shared.schema import Response

SHOWN_QUESTIONS = 3
MAX_ANSWER_TOKENS = 256
EVALUATION_FILE = "evaluation.json"


class Evaluation(Response):
    """What `report/evaluation.json` holds."""

    base_loss: float  # nats per trained token, adapter off
    final_loss: float
    base_answers: list[str]  # to the first questions
    tuned_answers: list[TunedAnswer]
    max_new_tokens: int


def read_evaluation(context: Context) -> Evaluation:
    """Read what this stage wrote."""
    return Evaluation.model_validate_json((context.folder.report / EVALUATION_FILE).read_bytes())


def run(context: Context) -> None:
    """Write report/evaluation.json. Raises AgentError when the trained weights are not finite."""
    model = loaded_model(context)
    _check_finite(model)
    rows = read_rows(context.folder, "test") or read_rows(context.folder, "validation")
    base_loss, final_loss = _losses(model, rows)
    context.pulse.beat()
    prompts = read_held_out(context.folder)
    longest = max(prompt.expected_tokens for prompt in prompts)
    limit = min(MAX_ANSWER_TOKENS, 2 * longest)
    context.check_wishes()
    tuned = _answers(model, prompts, adapter=True, limit=limit)
    context.pulse.beat()
    context.check_wishes()
    base = _answers(model, prompts[:SHOWN_QUESTIONS], adapter=False, limit=limit)
    evaluation = Evaluation(
        base_loss=base_loss,
        final_loss=final_loss,
        base_answers=[answer.text for answer in base],
        tuned_answers=tuned,
        max_new_tokens=limit,
    )
    replace_file(context.folder.report / EVALUATION_FILE, evaluation.model_dump_json().encode())
    context.log.write(
        f"Held-out loss {base_loss:.3f} before, {final_loss:.3f} after.",
        EvaluationData(
            step=context.spec.total_steps, split="test", loss=final_loss, best_loss=final_loss, best_step=None
        ),
        type="metrics",
    )
    context.model = None  # the stages that follow start without it


def _losses(model: LoadedModel, rows: list[TokenRow]) -> tuple[float, float]:
    with model.answering(adapter=False) as base:
        base_loss = held_out_loss(base, rows)
    with model.answering(adapter=True) as tuned:
        final_loss = held_out_loss(tuned, rows)
    return base_loss, final_loss


def _answers(model: LoadedModel, prompts: list[HeldOutPrompt], *, adapter: bool, limit: int) -> list[TunedAnswer]:
    answers = model.answer([prompt.prompt_ids for prompt in prompts], adapter=adapter, max_new_tokens=limit)
    return [
        TunedAnswer(
            prompt=prompt,
            tokens=answer.tokens,
            near=answer.near,
            text=model.tokenizer.decode(answer.tokens, skip_special_tokens=True).strip(),
            stopped=answer.tokens[-1] in model.eos_ids,
        )
        for prompt, answer in zip(prompts, answers, strict=True)
    ]


def _check_finite(model: LoadedModel) -> None:
    for name, weight in model.peft.named_parameters():
        if weight.requires_grad and not math.isfinite(float(weight.detach().abs().sum())):
            raise AgentError(
                f"The trained weights are not finite (first in {name}). The learning rate is probably too high; "
                "try a tenth of it.",
                code=ErrorCode.training_diverged,
                param="learning_rate",
            )
