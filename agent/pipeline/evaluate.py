"""Stage 5: what the training achieved, on rows it never saw, and what both models answer."""

import math

from agent.data.held_out import HeldOutPrompt, TunedAnswer
from agent.errors import AgentError
from agent.job_folder.durable import replace_file
from agent.pipeline.context import Context
from agent.pipeline.evaluation import EVALUATION_FILE, SHOWN_QUESTIONS, Evaluation
from agent.pipeline.examples import Examples
from agent.pipeline.held_out import HeldOut, measure
from agent.pipeline.load import loaded_model
from agent.pipeline.model import LoadedModel
from agent.pipeline.objectives import Objective, objective_of
from agent.pipeline.prepare import base_card, read_held_out
from agent.pipeline.reference import read_examples
from shared.errors import ErrorCode
from shared.events import EvaluationData
from shared.language import _

SHOWN_TOKENS = 64  # of a base model's answer: about as much as a card shows; it is only looked at
MAX_ANSWER_TOKENS = 1024  # a bound on the time this takes; answers that reach it say nothing about stopping


def run(context: Context) -> None:
    """Write report/evaluation.json. Raises AgentError when the trained weights are not finite."""
    model = loaded_model(context)
    _check_finite(model)
    objective = objective_of(context)
    examples = read_examples(context.folder, "test", objective)
    if not len(examples):
        examples = read_examples(context.folder, "validation", objective)
    before, after = _measured(context, model, examples, objective)
    prompts = read_held_out(context.folder)
    longest = max(prompt.expected_tokens for prompt in prompts)
    room = base_card(context).context_length - max(len(prompt.prompt_ids) for prompt in prompts)
    limit = max(1, min(MAX_ANSWER_TOKENS, 2 * longest, room))
    tuned = _answers(context, model, prompts, adapter=True, limit=limit)
    base = _answers(context, model, prompts[:SHOWN_QUESTIONS], adapter=False, limit=min(limit, SHOWN_TOKENS))
    evaluation = Evaluation(
        base_loss=before.loss,
        final_loss=after.loss,
        accuracy=after.accuracy,
        base_accuracy=before.accuracy,
        margin=after.margin,
        base_answers=[answer.text if answer.stopped else f"{answer.text} …" for answer in base],
        tuned_answers=tuned,
        max_new_tokens=limit,
        capped=limit < 2 * longest,
    )
    replace_file(context.folder.report / EVALUATION_FILE, evaluation.model_dump_json().encode())
    context.log.write(
        f"Held-out loss {before.loss:.3f} before, {after.loss:.3f} after.",
        EvaluationData(
            step=context.spec.total_steps,
            split="test",
            loss=after.loss,
            best_loss=after.loss,
            best_step=None,
            accuracy=after.accuracy,
            margin=after.margin,
        ),
        type="metrics",
    )
    context.model = None  # the stages that follow start without it


def _measured(
    context: Context, model: LoadedModel, examples: Examples, objective: Objective
) -> tuple[HeldOut, HeldOut]:
    """Return what the base model and the tuned one make of the rows."""
    size = context.spec.evaluation_rows or context.spec.settings.per_device_train_batch_size
    found = []
    for adapter in (False, True):
        with model.answering(adapter=adapter) as answering:
            found.append(measure(answering, examples, objective, batch_size=size, tick=context.tick))
    return found[0], found[1]


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
