"""Stage 5: what the training achieved, on rows it never saw, and what both models answer."""

import math

from agent.data.held_out import HeldOutPrompt, TunedAnswer
from agent.errors import AgentError
from agent.job_folder.durable import replace_file
from agent.pipeline.context import Context
from agent.pipeline.evaluation import EVALUATION_FILE, SHOWN_QUESTIONS, Evaluation
from agent.pipeline.load import loaded_model
from agent.pipeline.model import LoadedModel
from agent.pipeline.prepare import base_card, read_held_out
from agent.pipeline.token_rows import TokenRows, read_rows
from agent.pipeline.trainer import held_out_loss
from shared.errors import ErrorCode
from shared.events import EvaluationData
from shared.language import _

SHOWN_TOKENS = 64  # of a base model's answer: about as much as a card shows; it is only looked at
MAX_ANSWER_TOKENS = 1024  # a bound on the time this takes; answers that reach it say nothing about stopping


def run(context: Context) -> None:
    """Write report/evaluation.json. Raises AgentError when the trained weights are not finite."""
    model = loaded_model(context)
    _check_finite(model)
    rows = read_rows(context.folder, "test") or read_rows(context.folder, "validation")
    base_loss, final_loss = _losses(context, model, rows)
    prompts = read_held_out(context.folder)
    longest = max(prompt.expected_tokens for prompt in prompts)
    room = base_card(context).context_length - max(len(prompt.prompt_ids) for prompt in prompts)
    limit = max(1, min(MAX_ANSWER_TOKENS, 2 * longest, room))
    tuned = _answers(context, model, prompts, adapter=True, limit=limit)
    base = _answers(context, model, prompts[:SHOWN_QUESTIONS], adapter=False, limit=min(limit, SHOWN_TOKENS))
    evaluation = Evaluation(
        base_loss=base_loss,
        final_loss=final_loss,
        base_answers=[answer.text if answer.stopped else f"{answer.text} …" for answer in base],
        tuned_answers=tuned,
        max_new_tokens=limit,
        capped=limit < 2 * longest,
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


def _losses(context: Context, model: LoadedModel, rows: TokenRows) -> tuple[float, float]:
    size = context.spec.settings.per_device_train_batch_size
    with model.answering(adapter=False) as base:
        base_loss = held_out_loss(base, rows, batch_size=size, tick=context.tick)
    with model.answering(adapter=True) as tuned:
        final_loss = held_out_loss(tuned, rows, batch_size=size, tick=context.tick)
    return base_loss, final_loss


def _answers(
    context: Context, model: LoadedModel, prompts: list[HeldOutPrompt], *, adapter: bool, limit: int
) -> list[TunedAnswer]:
    ids = [prompt.prompt_ids if adapter else prompt.base_prompt_ids or prompt.prompt_ids for prompt in prompts]
    answers = model.answer(ids, adapter=adapter, max_new_tokens=limit, tick=context.tick)
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
                _(
                    "The trained weights are not finite (first in {name}). The learning rate is probably too "
                    "high; try a tenth of it.",
                    name=name,
                ),
                code=ErrorCode.training_diverged,
                param="learning_rate",
            )
