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
from agent.data.formats import RawRow, read_rows
from agent.data.redact import redact
from agent.data.rows import FORM_HINT, Message, RowProblem, detect_form, to_messages
from agent.data.split import MIN_ROWS
from agent.errors import AgentError
from shared.errors import ErrorCode, ErrorDetail
from shared.inspections import DatasetForm, DroppedRow, SampleRow, TokenCounts

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
            dropped.append(DroppedRow(line=raw.line, reason=f"{raw.unit} {raw.line} {problem}."))


def _keep(raw: RawRow, form: DatasetForm, template: ChatTemplate) -> KeptRow:
    if raw.value is None:
        raise RowProblem(raw.problem or "is not a row")
    if detect_form(set(raw.value)) is not form:
        raise RowProblem(f"has the keys {_keys(raw.value)}, not those of the {form.value} form")
    messages = to_messages(raw.value, form)
    if any("\ud800" <= c <= "\udfff" for m in messages for c in m.content):
        raise RowProblem("contains half a surrogate pair, which is no text")
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
            f"Only {len(seen)} of the {len(lengths)} rows are different; at least {MIN_ROWS} are needed to learn "
            "anything but these by heart.",
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
        notes=_notes(len(lengths), len(seen), max(lengths), placeholders, card),
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
        raise AgentError("The file has no rows. Send a dataset with at least ten.", code=ErrorCode.dataset_too_small)
    if first.value is None:
        raise AgentError(
            f"{first.unit} {first.line} {first.problem}. Each row must be one JSON object.",
            code=ErrorCode.dataset_broken,
        )
    raise AgentError(
        f"The rows have the keys {_keys(first.value)}, which fit no form I know: {FORM_HINT}. Rename the keys and send "
        "the file again.",
        code=ErrorCode.dataset_unknown_form,
    )


def _too_small(kept: int, dropped: list[DroppedRow]) -> AgentError:
    why = (
        f" {len(dropped)} were dropped, the first because {dropped[0].reason[0].lower()}{dropped[0].reason[1:]}"
        if dropped
        else ""
    )
    count = "No row is" if kept == 0 else "1 row is" if kept == 1 else f"{kept} rows are"
    return AgentError(
        f"{count} usable; at least {MIN_ROWS} are needed, and 100 or more give a model that holds.{why}",
        code=ErrorCode.dataset_too_small,
    )


def _notes(rows: int, distinct: int, longest: int, placeholders: int, card: BaseModelCard) -> list[str]:
    notes = []
    if rows < 100:
        notes.append(
            f"{rows} rows are few: 100 is a start, 500 good ones are a solid base. Expect style, not knowledge."
        )
    if placeholders:
        notes.append(
            f"{placeholders} answers hold a placeholder such as {{{{name}}}}; the model would learn it as it stands."
        )
    if distinct < rows:
        notes.append(f"{rows - distinct} rows are exact copies of another; copies are learned by heart.")
    if longest > card.context_length:
        notes.append(f"The longest row has {longest} tokens; {card.name} reads {card.context_length}.")
    return notes


def _sample(row: KeptRow, template: ChatTemplate) -> SampleRow:
    parts = [(redact(text)[:SAMPLE_CHARS], trained) for text, trained in template.parts(row.messages)]
    return SampleRow(line=row.line, parts=parts)


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
