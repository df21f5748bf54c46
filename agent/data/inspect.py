"""The inspect child: reads an untrusted file for one base model, under limits, without network or secrets.

`python -m agent.data.inspect` reads an InspectRequest on stdin and writes an InspectReply on stdout.
"""

import os
import re
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.base_models.card import BaseModelCard
from agent.data.chat_template import IGNORED, ChatTemplate, TokenizedRow
from agent.data.findings import Findings, InspectReply, InspectRequest
from agent.data.formats import read_rows
from agent.data.raw_row import RawRow
from agent.data.redact import redact
from agent.data.rows import FORM_HINT, Message, RowProblem, detect_form, to_messages
from agent.data.split import MIN_ROWS
from agent.errors import AgentError
from shared.errors import ErrorCode, ErrorDetail
from shared.inspections import DatasetForm, DroppedRow, SampleRow, TokenCounts
from shared.language import N_, _, ngettext

SHOWN_DROPS = 20
SAMPLE_CHARS = 600
PLACEHOLDER = re.compile(r"\{\{\s*\w+\s*\}\}")


@dataclass(frozen=True, kw_only=True)
class KeptRow:
    """A row that can be trained on."""

    line: int
    messages: list[Message]
    tokens: TokenizedRow


def kept_rows(dataset: Path, form: DatasetForm, template: ChatTemplate, dropped: list[DroppedRow]) -> Iterator[KeptRow]:
    """Yield the usable rows of a file, in order; each other one is added to `dropped` with its reason."""
    for raw in read_rows(dataset):
        try:
            yield _keep(raw, form, template)
        except RowProblem as problem:
            dropped.append(DroppedRow(line=raw.line, reason=f"{_unit(raw)} {raw.line} {problem}."))


def _keep(raw: RawRow, form: DatasetForm, template: ChatTemplate) -> KeptRow:
    if raw.value is None:
        raise RowProblem(raw.problem or _("is not a row"))
    if detect_form(set(raw.value)) is not form:
        raise RowProblem(_("has the keys {keys}, not those of the {form} form", keys=_keys(raw.value), form=form.value))
    messages = to_messages(raw.value, form)
    if any("\ud800" <= c <= "\udfff" for m in messages for c in m.content):
        raise RowProblem(_("contains half a surrogate pair, which is no text"))
    return KeptRow(line=raw.line, messages=messages, tokens=template.tokenize(messages))


def inspect_dataset(dataset: Path, card: BaseModelCard) -> Findings:
    """Say what is in a file, for one model. Raises AgentError when it cannot be trained on."""
    form = find_form(dataset)
    template = ChatTemplate(card)
    dropped: list[DroppedRow] = []
    placeholders = 0
    lengths, trained, starts, seen, sample = [], [], [], set(), None
    for row in kept_rows(dataset, form, template, dropped):
        lengths.append(len(row.tokens.input_ids))
        trained.append(row.tokens.trained)
        starts.append(next(at for at, label in enumerate(row.tokens.labels) if label != IGNORED))
        placeholders += any(PLACEHOLDER.search(m.content) for m in row.messages if m.role == "assistant")
        seen.add(hash(tuple(row.tokens.input_ids)))
        if sample is None:
            sample = _sample(row, template)
    if len(lengths) < MIN_ROWS or sample is None:
        raise _too_small(len(lengths), dropped)
    if len(seen) < MIN_ROWS:
        raise AgentError(
            _(
                "Only {distinct} of the {rows} rows are different; at least {min_rows} are needed to "
                "learn anything but these by heart.",
                distinct=len(seen),
                rows=len(lengths),
                min_rows=MIN_ROWS,
            ),
            code=ErrorCode.dataset_too_small,
        )
    return Findings(
        form=form,
        rows=len(lengths),
        dropped_count=len(dropped),
        dropped=dropped[:SHOWN_DROPS],
        tokens=TokenCounts(
            total=sum(lengths),
            trained=sum(trained),
            median=int(statistics.median(lengths)),
            p95=sorted(lengths)[int(0.95 * (len(lengths) - 1))],
            longest=max(lengths),
            longest_answer=max(trained),
        ),
        sample=sample,
        answer_starts=_quantiles(starts),
        notes=[
            *([_(_FORM_NOTES[form])] if form in _FORM_NOTES else []),
            *_notes(len(lengths), len(seen), max(lengths), placeholders, card),
        ],
    )


def _quantiles(values: list[int]) -> list[int]:
    """Return 101 values from the least to the greatest, each for a hundredth of the rows."""
    ordered = sorted(values)
    return [ordered[round(part * (len(ordered) - 1) / 100)] for part in range(101)]


def find_form(dataset: Path) -> DatasetForm:
    """Name the form of a file from its first rows. Raises AgentError: dataset_unknown_form, dataset_broken."""
    first: RawRow | None = None
    for number, raw in enumerate(read_rows(dataset)):
        first = first or raw
        if raw.value is not None and (form := detect_form(set(raw.value))):
            return form
        if number == 100:
            break
    if first is None:
        raise AgentError(_("The file has no rows. Send a dataset with at least ten."), code=ErrorCode.dataset_too_small)
    if first.value is None:
        raise AgentError(
            _(
                "{unit} {line} {problem}. Each row must be one JSON object.",
                unit=_unit(first),
                line=first.line,
                problem=first.problem,
            ),
            code=ErrorCode.dataset_broken,
        )
    raise AgentError(
        _(
            "The rows have the keys {keys}, which fit no form I know: {forms}. Rename the keys "
            "and send the file again.",
            keys=_keys(first.value),
            forms=_(FORM_HINT),
        ),
        code=ErrorCode.dataset_unknown_form,
    )


def _too_small(kept: int, dropped: list[DroppedRow]) -> AgentError:
    why = (
        ngettext(
            " {n} was dropped, because {reason}",
            " {n} were dropped, the first because {reason}",
            len(dropped),
            reason=dropped[0].reason[0].lower() + dropped[0].reason[1:],
        )
        if dropped
        else ""
    )
    count = ngettext("{n} row is", "{n} rows are", kept) if kept else _("No row is")
    return AgentError(
        _(
            "{count} usable; at least {min_rows} are needed, and 100 or more give a model that holds.{why}",
            count=count,
            min_rows=MIN_ROWS,
            why=why,
        ),
        code=ErrorCode.dataset_too_small,
    )


_FORM_NOTES = {
    DatasetForm.preference: N_("Of each pair of answers, the preferred one is learned; the other is left out."),
    DatasetForm.labelled: N_("Answers that are labelled as bad are left out; the good ones are learned."),
}


def _notes(rows: int, distinct: int, longest: int, placeholders: int, card: BaseModelCard) -> list[str]:
    notes = []
    if rows < 100:
        notes.append(
            ngettext(
                "{n} row is few: 100 is a start, 500 good ones are a solid base. Expect style, not knowledge.",
                "{n} rows are few: 100 is a start, 500 good ones are a solid base. Expect style, not knowledge.",
                rows,
            )
        )
    if placeholders:
        notes.append(
            ngettext(
                "{n} answer holds a placeholder such as {{{{name}}}}; the model would learn it as it stands.",
                "{n} answers hold a placeholder such as {{{{name}}}}; the model would learn it as it stands.",
                placeholders,
            )
        )
    if distinct < rows:
        notes.append(
            ngettext(
                "{n} row is an exact copy of another; copies are learned by heart.",
                "{n} rows are exact copies of another; copies are learned by heart.",
                rows - distinct,
            )
        )
    if longest > card.context_length:
        notes.append(
            _(
                "The longest row has {longest} tokens; {name} reads {context_length}.",
                longest=longest,
                name=card.name,
                context_length=card.context_length,
            )
        )
    return notes


def _sample(row: KeptRow, template: ChatTemplate) -> SampleRow:
    parts = [(redact(text)[:SAMPLE_CHARS], trained) for text, trained in template.parts(row.messages)]
    return SampleRow(line=row.line, parts=parts)


def _unit(raw: RawRow) -> str:
    return _("Line") if raw.unit == "Line" else _("Row")


def _keys(row: dict[str, Any]) -> str:
    return ", ".join(str(key)[:40] for key in list(row)[:8])


def limit_this_process(memory_mib: int, cpu_s: int) -> None:
    """Bound memory, CPU time, file size and open files, and refuse every socket, for the rest of this process."""
    try:
        import resource
    except ImportError:  # Windows: the parent's wall clock still holds
        pass
    else:
        for limit, value in (
            (resource.RLIMIT_AS, memory_mib << 20),
            (resource.RLIMIT_CPU, cpu_s),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_NOFILE, 64),
        ):
            resource.setrlimit(limit, (value, value))

    def refuse_sockets(event: str, _args: tuple[Any, ...]) -> None:
        if event.startswith("socket."):
            raise PermissionError("the inspect child has no network")

    sys.addaudithook(refuse_sockets)


def main() -> None:
    """Answer one InspectRequest."""
    limit_this_process(memory_mib=4096, cpu_s=300)
    request = InspectRequest.model_validate_json(sys.stdin.buffer.read())
    try:
        reply = InspectReply(findings=inspect_dataset(Path(request.dataset), request.card))
    except AgentError as error:
        detail = ErrorDetail(message=error.message, type="invalid_request_error", code=error.code, param=error.param)
        reply = InspectReply(error=detail)
    os.write(1, reply.model_dump_json().encode())


if __name__ == "__main__":
    main()
