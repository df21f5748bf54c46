"""Stage 2: rows become tokens, dealt into train, validation and test, with what is asked of the finished model."""

import json
from collections.abc import Hashable, Iterable
from dataclasses import replace
from pathlib import Path

from agent.base_models.card import BaseModelCard, read_card
from agent.data.chat_template import ChatTemplate
from agent.data.checks.copies import SAMPLE, fingerprint, kept_together, near_pairs
from agent.data.checks.text_checks import RowText
from agent.data.held_out import HeldOutPrompt
from agent.data.kept import Drops, KeptRow, Reading, kept_rows
from agent.data.split import Split, split_rows
from agent.data.turns import Message
from agent.errors import AgentError
from agent.job_folder import JobFolder, JobSpec, file_sha256, replace_file
from agent.pipeline.context import Context
from shared.errors import ErrorCode
from shared.inspections import DatasetForm
from shared.language import _
from shared.schema import Response

HELD_OUT_PROMPTS = 8
BEGIN_CHARS, GOES_ON_CHARS = 200, 400  # of a text that the finished model is asked to go on with


class TokenRow(Response):
    """One row, ready for a batch."""

    input_ids: list[int]
    labels: list[int]  # -100 where not trained on


def base_card(context: Context) -> BaseModelCard:
    """Return the card of the job's base model."""
    card = read_card(Path(context.spec.base_model_cache))
    if card is None:
        raise AgentError(_("The base model's card is gone. Start the job again."), code=ErrorCode.internal)
    return card


def read_rows(folder: JobFolder, part: str) -> list[TokenRow]:
    """Read what this stage wrote for `train`, `validation` or `test`."""
    with (folder.path / "rows" / f"{part}.jsonl").open("rb") as file:
        return [TokenRow.model_validate_json(line) for line in file]


def read_held_out(folder: JobFolder) -> list[HeldOutPrompt]:
    """Read the held-out prompts."""
    data = json.loads((folder.path / "rows" / "held_out.json").read_bytes())
    return [HeldOutPrompt.model_validate(item) for item in data]


def run(context: Context) -> None:
    """Write rows/{train,validation,test}.jsonl and rows/held_out.json. Raises AgentError."""
    spec = context.spec
    _check_hash(Path(spec.dataset_path), spec.dataset_sha256)
    card = base_card(context)
    template = ChatTemplate(card)
    reading = Reading(dataset=Path(spec.dataset_path), form=spec.form, mapping=spec.mapping)
    kept = list(kept_rows(reading, template, Drops()))
    split = split_rows(_dealt(kept), spec.seed)
    (context.folder.path / "rows").mkdir(exist_ok=True)
    for part, numbers in (("train", split.train), ("validation", split.validation), ("test", split.test)):
        rows = list(_rows((kept[n] for n in numbers), spec))
        _write_rows(
            context.folder,
            part,
            [row for row in rows if _trainable(row, spec.settings.max_length)],
            spec.settings.max_length,
        )
        context.pulse.beat()
    if spec.form is not DatasetForm.text:
        _check_end_of_turn(context.folder, template, card)
    _write_held_out(context.folder, kept, split, template)


def _dealt(kept: list[KeptRow]) -> list[Hashable]:
    """Return what the split goes by: copies are one, and in a dataset that is not too large near copies as well."""
    rows: list[Hashable] = [tuple(row.tokens.input_ids) for row in kept]
    if len(rows) > SAMPLE:
        return rows
    return kept_together(rows, near_pairs([fingerprint(RowText(row.messages).whole) for row in kept]))


def _rows(kept: Iterable[KeptRow], spec: JobSpec) -> Iterable[TokenRow]:
    """Yield what is learned; a text longer than max_length goes on in the next row, so that nothing is lost."""
    length = spec.settings.max_length
    for row in kept:
        whole = row.tokens
        step = length if spec.form is DatasetForm.text else max(1, len(whole.input_ids))
        for start in range(0, len(whole.input_ids), step):
            end = start + step
            yield TokenRow(input_ids=whole.input_ids[start:end], labels=whole.labels[start:end])


def _trainable(row: TokenRow, max_length: int) -> bool:
    return any(label != -100 for label in row.labels[:max_length])


def _write_rows(folder: JobFolder, part: str, rows: list[TokenRow], max_length: int) -> None:
    lines = [
        TokenRow(input_ids=row.input_ids[:max_length], labels=row.labels[:max_length]).model_dump_json() for row in rows
    ]
    if part != "test" and not lines:
        raise AgentError(
            _(
                "With max_length {max_length} every answer of the {part} rows is cut away. Choose a longer max_length.",
                max_length=max_length,
                part=part,
            ),
            code=ErrorCode.setting_invalid,
            param="max_length",
        )
    replace_file(folder.path / "rows" / f"{part}.jsonl", "".join(f"{line}\n" for line in lines).encode())


def _check_end_of_turn(folder: JobFolder, template: ChatTemplate, card: BaseModelCard) -> None:
    """Make sure that the model is taught to stop: at least half of the rows keep their end-of-turn token."""
    ends = template.token_ids(card.eos_tokens)
    rows = read_rows(folder, "train")
    taught = sum(any(label in ends for label in row.labels) for row in rows)
    if taught < len(rows) / 2:
        raise AgentError(
            _(
                "Only {taught} of {count} rows teach the model where to stop; the others lose their end "
                "to max_length. Choose a longer one.",
                taught=taught,
                count=len(rows),
            ),
            code=ErrorCode.setting_invalid,
            param="max_length",
        )


def _write_held_out(folder: JobFolder, kept: list[KeptRow], split: Split, template: ChatTemplate) -> None:
    numbers = [*split.test, *split.validation][:HELD_OUT_PROMPTS]
    prompts = []
    for row in (kept[n] for n in numbers):
        messages = _asked_plainly(row.messages)
        asked, expected = messages[:-1], messages[-1].content
        prompts.append(
            HeldOutPrompt(
                question=asked[-1].content,
                messages=[message.as_dict() for message in asked],
                prompt_ids=template.tokenize_prompt(asked),
                expected=expected,
                expected_tokens=len(template.tokenize(messages).input_ids) - len(template.tokenize_prompt(asked)),
            ).model_dump()
        )
    replace_file(folder.path / "rows" / "held_out.json", json.dumps(prompts, ensure_ascii=False).encode())


def _asked_plainly(messages: list[Message]) -> list[Message]:
    """Return a row as a question that the finished model can be asked by itself, and its answer."""
    if messages[0].role == "text":
        return _begun(messages[0].content)
    if not any(message.tools or message.calls or message.role == "tool" for message in messages):
        return messages
    question = next(message for message in reversed(messages) if message.role == "user")
    return [replace(question, tools=""), Message(role="assistant", content=messages[-1].said)]


def _begun(text: str) -> list[Message]:
    """Return a text as a question and its answer: how it begins, and how it goes on."""
    begin, rest = text[: min(BEGIN_CHARS, len(text) // 2)], text[min(BEGIN_CHARS, len(text) // 2) :]
    return [Message(role="user", content=begin), Message(role="assistant", content=rest[:GOES_ON_CHARS])]


def _check_hash(path: Path, expected: str) -> None:
    if file_sha256(path) != expected:
        raise AgentError(
            _("The dataset on disk is not the one that was planned with. Send it again."), code=ErrorCode.dataset_broken
        )
