"""The inspect child: reads an untrusted file for one base model, under limits, without network or secrets.

`python -m agent.children agent.data.inspect` reads an InspectRequest on stdin and writes InspectReplies on stdout, one
a line: how far it is, about once a second, and at last what it found or did.
"""

import contextlib
import os
import sys
import time
from itertools import islice
from pathlib import Path

from agent.base_models.card import BaseModelCard
from agent.children.limits import limit_in_words, limit_this_process
from agent.children.refusals import dataset_refusal
from agent.data.chat_template import ChatTemplate
from agent.data.checks.lengths import histogram, token_counts
from agent.data.checks.right_tool import consider
from agent.data.checks.rule_input import RuleInput
from agent.data.checks.rules import judge
from agent.data.checks.survey import Looked, ReportRows, Surveyor
from agent.data.findings import Findings, InspectReply, InspectRequest
from agent.data.mend import mend
from agent.data.quoting import shown
from agent.data.readers.unclear import UnclearError
from agent.data.reading import find_reading
from agent.data.row_length import quantiles
from agent.data.split_sizes import MIN_ROWS
from agent.data.turns import Message, RowProblem
from agent.data.usable_rows import ChatRow, Drops, chat_rows, learned_rows
from agent.data.validation import check_some, count_copies
from agent.errors import AgentError
from shared.errors import ErrorCode, ErrorDetail
from shared.inspections import Finding, FindingCode, Question, ReadingProgress, SampleRow, Severity
from shared.language import _, grouped, ngettext
from shared.mapping import Mapping

SAMPLE_CHARS = 600
EXAMPLES = 3  # rows, of the likeliest way to read a file
NOTES = 4  # of the findings, said on the card of a plan
TOLD = {  # there, although they are mere notes
    FindingCode.part_read,
    FindingCode.base_system_text,
    FindingCode.own_system_text,
    FindingCode.answers_apart,
}
PROGRESS_S = 1.0
MEMORY_MIB, CPU_S = 4096, 1150  # a little less than the parent waits


def inspect_dataset(
    dataset: Path,
    card: BaseModelCard,
    report: ReportRows = lambda _rows, _bytes: None,
    mapping: Mapping | None = None,
    training: Path | None = None,
) -> Findings:
    """Say what is in a file, for one model; `training`: what is trained on, where this file is to be held out.

    Raises AgentError when it cannot be trained on, or not be held out, UnclearError to ask.
    """
    template = ChatTemplate(card)
    try:
        reading = find_reading(dataset, mapping)
    except UnclearError as error:
        error.question = with_examples(dataset, error.question, template)
        raise
    survey = Surveyor(template, card.eos_tokens).look(reading, report)
    copies = 0
    seen = RuleInput(survey=survey, form=reading.form, card=card)
    if training is not None:
        check_some(survey)
        copies = count_copies(survey, reading, training, template)
    else:
        _check_enough(survey.rows, survey.drops, survey.bad)
    _check_trained(seen)
    if training is None:
        _check_different(seen)
    found = judge(seen)
    first, *others = [_sample(row, template) for row in _picked(seen)]
    return Findings(
        form=reading.form,
        rows=survey.rows,
        dropped_count=survey.drops.count,
        dropped=[drop.model_copy(update={"reason": shown(drop.reason)}) for drop in survey.drops.first],
        tokens=token_counts(seen),
        sample=first,
        more_samples=others,
        row_lengths=quantiles([row.length for row in seen.sample]),
        answer_starts=quantiles([row.start for row in seen.sample]),
        answer_ends=quantiles([row.end for row in seen.sample]),
        findings=found,
        judged=survey.judged,
        bad=survey.bad,
        worse_share=survey.worse_chars / max(1, survey.better_chars) if survey.better_chars else 0.0,
        sampled=len(seen.sample) if survey.sampled else None,
        lengths=histogram(seen),
        right_tool=consider(seen),
        notes=_notes(found),
        copies=copies,
    )


def _check_enough(kept: int, drops: Drops, bad: int) -> None:
    if kept >= MIN_ROWS:
        return
    why = (
        ngettext(
            " {n} was dropped, because {reason}",
            " {n} were dropped, the first because {reason}",
            drops.count,
            reason=drops.first[0].reason[0].lower() + drops.first[0].reason[1:],
        )
        if drops.count
        else ""
    )
    if bad:
        why += ngettext(" {n} answer is labelled as bad.", " {n} answers are labelled as bad.", bad)
    count = ngettext("{n} row is", "{n} rows are", kept) if kept else _("No row is")
    raise AgentError(
        _(
            "{count} usable; at least {min_rows} are needed, and 100 or more give a model that holds.{why}",
            count=count,
            min_rows=MIN_ROWS,
            why=why,
        ),
        code=ErrorCode.dataset_too_small,
    )


def _check_trained(seen: RuleInput) -> None:
    if not any(row.start < seen.card.context_length and row.trained for row in seen.sample):
        raise AgentError(
            _(
                "Nothing of it would be learned: {name} reads {length} tokens at most, and the answers of all {rows} "
                "rows begin behind that. Shorten the questions, or choose a model that reads more.",
                length=grouped(seen.card.context_length),
                name=seen.card.name,
                rows=len(seen.sample),
            ),
            code=ErrorCode.dataset_too_small,
        )


def _check_different(seen: RuleInput) -> None:
    rows = seen.survey.rows
    distinct = rows - len(seen.exact)
    if distinct < MIN_ROWS:
        raise AgentError(
            _(
                "Only {distinct} of the {rows} rows are different; at least {min_rows} are needed to "
                "learn anything but these by heart.",
                distinct=distinct,
                rows=rows,
                min_rows=MIN_ROWS,
            ),
            code=ErrorCode.dataset_too_small,
        )


def _notes(found: list[Finding]) -> list[str]:
    told = [it for it in found if it.severity is not Severity.note or it.code in TOLD]
    return [it.message for it in told[:NOTES]]


def _picked(seen: RuleInput) -> list[Looked]:
    """Return rows to show: the first, and one of typical and one of large length."""
    rows = [row for row in seen.sample if row.messages is not None]
    rows += [seen.survey.example] if not rows and seen.survey.example is not None else []
    by_length = sorted(rows, key=lambda row: row.length)
    picked = [rows[0], by_length[len(rows) // 2], by_length[int(0.95 * (len(rows) - 1))]]
    return list({row.number: row for row in picked}.values())


def _sample(row: Looked | ChatRow, template: ChatTemplate) -> SampleRow:
    messages: list[Message] = row.messages or []
    parts = [(shown(text)[:SAMPLE_CHARS], trained) for text, trained in template.parts(messages)]
    return SampleRow(line=row.line, parts=parts)


def with_examples(dataset: Path, question: Question, template: ChatTemplate) -> Question:
    """Return a question whose first choice shows rows, read so, as far as the file has some."""
    if not question.choices:
        return question
    best, *others = question.choices
    examples: list[SampleRow] = []
    with contextlib.suppress(AgentError, RowProblem):  # of a file, or a row, that says more once it is read so
        reading = find_reading(dataset, best.mapping)
        examples += (
            _sample(row, template)
            for row in islice(learned_rows(chat_rows(reading, template, Drops()), template), EXAMPLES)
        )
    return question.model_copy(update={"choices": [best.model_copy(update={"examples": examples}), *others]})


def _say(reply: InspectReply) -> None:
    line = reply.model_dump_json(exclude_none=True).encode() + b"\n"
    while line:
        line = line[os.write(1, line) :]


def _telling(size: int) -> ReportRows:
    """Return what tells the parent how far the reading is, at most once a second."""
    told_at = time.monotonic()

    def report(rows: int, at: int) -> None:
        nonlocal told_at
        if time.monotonic() - told_at >= PROGRESS_S:
            told_at = time.monotonic()
            _say(InspectReply(progress=ReadingProgress(rows=rows, bytes=min(at, size), of=size)))

    return report


def main() -> None:
    """Answer one InspectRequest."""
    request = InspectRequest.model_validate_json(sys.stdin.buffer.read())
    limit_this_process(MEMORY_MIB, CPU_S, request.output_limit if request.output else 0)
    try:
        reply = _reply(request)
    except AgentError as error:
        reply = _refusal(error)
    except (MemoryError, OSError) as error:
        if (limit := limit_in_words(error, MEMORY_MIB)) is None:
            raise
        reply = _refusal(dataset_refusal(limit))
    _say(reply)


def _reply(request: InspectRequest) -> InspectReply:
    dataset = Path(request.dataset)
    report = _telling(dataset.stat().st_size)
    if request.output is None:
        training = Path(request.training) if request.training is not None else None
        return InspectReply(findings=inspect_dataset(dataset, request.card, report, request.mapping, training))
    output, limit = Path(request.output), request.output_limit
    reading = find_reading(dataset, request.mapping)
    return InspectReply(mended=mend(reading, request.card, request.fixes, output, limit, report))


def _refusal(error: AgentError) -> InspectReply:
    message = shown(error.message)
    return InspectReply(
        error=ErrorDetail(message=message, type="invalid_request_error", code=error.code, param=error.param),
        question=error.question if isinstance(error, UnclearError) else None,
    )
