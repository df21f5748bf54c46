"""The trainer on a two-layer model: the same numbers as plain TRL, and the same run after a break."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from safetensors.torch import load_file
from trl import SFTTrainer

from agent.errors import AgentError
from agent.job_folder.checkpoint_files import damage, list_checkpoints, newest_valid
from agent.job_folder.events import read_events
from agent.job_folder.folder import ADAPTER_FILE
from agent.pipeline import prepare, train
from agent.pipeline.context import Cancelled, Context, EventLog, Pulse
from agent.pipeline.examples import collate_rows
from agent.pipeline.held_out import measure
from agent.pipeline.load import loaded_model
from agent.pipeline.objectives import objective_of
from agent.pipeline.prepare import read_held_out
from agent.pipeline.reference import read_examples
from agent.pipeline.token_head import TrainedTokensHead
from agent.pipeline.token_rows import read_rows
from agent.pipeline.trainer import sft_config
from shared.events import CheckpointData, EvaluationData, ProgressData

pytestmark = pytest.mark.slow


def again(context: Context) -> Context:
    """A new process would see the folder, and none of the memory."""
    folder = context.folder
    return Context(folder=folder, spec=context.spec, log=EventLog(folder.events), pulse=Pulse(folder))


def losses(context: Context) -> dict[int, float | None]:
    records, _ = read_events(context.folder.events, 0)
    return {record.data.step: record.data.loss for record in records if isinstance(record.data, ProgressData)}


def test_loss_and_gradient_equal_plain_trl(context: Context) -> None:
    model = loaded_model(context)
    rows = read_rows(context.folder, "train")[:4]
    model.peft.eval()  # no dropout: the same batch must give the same number
    trl = plain_trl(context, rows)  # first: it rounds the adapter
    batch = collate_rows(rows)
    ours, count = TrainedTokensHead(model.peft).summed_loss(batch)
    (ours / count).backward()  # type: ignore[no-untyped-call]
    our_norm = torch.nn.utils.get_total_norm([p.grad for p in model.peft.parameters() if p.grad is not None])
    model.peft.zero_grad()
    theirs = trl.compute_loss(model.peft, dict(batch), num_items_in_batch=torch.tensor(count))
    theirs.backward()
    their_norm = torch.nn.utils.get_total_norm([p.grad for p in model.peft.parameters() if p.grad is not None])
    assert float(ours.detach() / count) == pytest.approx(float(theirs.detach()), abs=1e-4)
    assert float(our_norm) == pytest.approx(float(their_norm), abs=1e-4)


def plain_trl(context: Context, rows: list[Any]) -> SFTTrainer:
    assert context.model is not None
    settings = context.spec.settings
    trainer = SFTTrainer(
        model=context.model.peft,
        args=sft_config(settings, str(context.folder.path / "plain"), 42, "cpu"),
        train_dataset=Dataset.from_list([row.model_dump(include={"input_ids", "labels"}) for row in rows]),
        data_collator=collate_rows,
        processing_class=context.model.tokenizer,
    )
    for parameter in context.model.peft.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    return trainer


def test_a_batch_trains_answers_and_their_end_alone(context: Context) -> None:
    model = loaded_model(context)
    batch = collate_rows(read_rows(context.folder, "train")[:4])
    for ids, labels in zip(batch["input_ids"], batch["labels"], strict=True):
        trained = model.tokenizer.decode(ids[labels != -100])
        assert trained.startswith("I like")
        assert trained.endswith("a lot.<|im_end|>")


def test_held_out_loss_does_not_depend_on_the_batches(context: Context) -> None:
    model = loaded_model(context)
    objective = objective_of(context)
    examples = read_examples(context.folder, "train", objective)
    with model.answering(adapter=True) as tuned:
        three, eight = (measure(tuned, examples, objective, batch_size=size, tick=context.tick).loss for size in (3, 8))
    assert three == pytest.approx(eight, abs=1e-5)


def test_training_reports_evaluates_and_keeps_the_best_weights(context: Context) -> None:
    train.run(context)
    records, _ = read_events(context.folder.events, 0)
    evaluations = [r.data for r in records if isinstance(r.data, EvaluationData)]
    assert [e.step for e in evaluations][:2] == [0, 3]
    best = min((e for e in evaluations if e.step > 0), key=lambda e: e.loss or 0)
    assert best.loss is not None
    assert evaluations[0].loss is not None
    assert best.loss < evaluations[0].loss
    kept = load_file(context.folder.adapter / ADAPTER_FILE)
    checkpoint = load_file(context.folder.checkpoints / f"step-{best.step}" / ADAPTER_FILE)
    assert all(torch.equal(kept[name], checkpoint[name]) for name in kept)
    assert all(weight.dtype == torch.float32 for weight in kept.values())
    assert any(isinstance(r.data, CheckpointData) and r.data.best for r in records)


def test_a_resumed_run_gives_the_losses_of_an_unbroken_one(context: Context, tmp_path: Path) -> None:
    train.run(context)
    unbroken = losses(context)
    for checkpoint in list_checkpoints(context.folder.checkpoints)[1:]:
        (checkpoint.path / ADAPTER_FILE).write_bytes(b"damaged")  # the newer one is skipped, the older one used
    (context.folder.adapter / ADAPTER_FILE).unlink()
    context.folder.events.unlink()
    survivor = newest_valid(context.folder.checkpoints)
    assert survivor is not None
    train.run(again(context))
    resumed = losses(context)
    assert min(resumed) == survivor.step + 1
    assert {step: unbroken[step] for step in resumed if step in unbroken} == {
        step: pytest.approx(loss, abs=1e-6) for step, loss in resumed.items() if step in unbroken
    }


def test_a_cancelled_training_ends_at_once(context: Context) -> None:
    loaded_model(context)
    context.folder.cancel_request.touch()
    with pytest.raises(Cancelled):
        train.run(context)


def test_a_loss_that_is_not_a_number_stops_the_run_with_advice(context: Context) -> None:
    model = loaded_model(context)
    with torch.no_grad():
        next(p for p in model.peft.parameters() if p.requires_grad).fill_(float("nan"))
    with pytest.raises(AgentError, match=r"diverged.*try 0\.0001"):
        train.run(context)


def test_a_flipped_bit_is_noticed(context: Context) -> None:
    train.run(context)
    checkpoint = list_checkpoints(context.folder.checkpoints)[-1]
    assert damage(checkpoint) is None
    weights = checkpoint.path / ADAPTER_FILE
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert damage(checkpoint) is not None


def test_held_out_prompts_are_no_training_rows(context: Context) -> None:
    trained = {json.dumps(row.input_ids) for row in read_rows(context.folder, "train")}
    assert len(read_held_out(context.folder)) == 3
    for prompt in read_held_out(context.folder):
        assert not any(json.dumps(prompt.prompt_ids)[:-1] in row for row in trained)


def test_a_dataset_that_changed_after_the_plan_is_refused(context: Context) -> None:
    Path(context.spec.dataset_path).write_text("{}")
    with pytest.raises(AgentError, match="not the one that was planned with"):
        prepare.run(context)
