"""The fixes: a dataset's rows, mended, as a new JSONL file. The old one is never touched.

Rows that cannot be used are left out too. Each row keeps the form and the columns that it had.
"""

import json
import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from agent.base_models.card import BaseModelCard
from agent.data.chat_template import ChatTemplate
from agent.data.copies import later_copies
from agent.data.findings import Mended
from agent.data.kept import Drops, KeptRow, find_form, kept_rows
from agent.data.redact import redact
from agent.data.seen import Seen
from agent.data.survey import Heard, Surveyor
from agent.data.text_checks import UNSEEN, RowText, special_pattern, text_checks
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.inspections import DatasetForm, FindingCode, Fix
from shared.language import _

TextFix = Callable[[str], str]
DROPPED_BY_TEXT = {Fix.drop_placeholders: FindingCode.placeholders, Fix.drop_short: FindingCode.short_answers}
NEEDS_SURVEY = {Fix.dedupe, Fix.dedupe_near, Fix.drop_cut}


def mend(
    dataset: Path, card: BaseModelCard, fixes: Collection[Fix], output: Path, limit_bytes: int, heard: Heard
) -> Mended:
    """Write the mended rows. Raises AgentError where nothing would be left, or too much would be written."""
    template = ChatTemplate(card)
    form = find_form(dataset)
    written = removed = changed = size = 0
    drops = Drops()
    with output.open("xb") as file:
        for row, stays in _chosen(dataset, card, template, form, drops, fixes, heard):
            if not stays:
                removed += 1
                continue
            value = _mapped(row.value, _text_fixes(fixes, template))
            line = json.dumps(value, ensure_ascii=False, default=str).encode() + b"\n"
            size += len(line)
            if size > limit_bytes:
                raise _too_large(limit_bytes)
            file.write(line)
            written += 1
            changed += value != row.value
        file.flush()
        os.fsync(file.fileno())
    if not written:
        raise AgentError(
            _("All {removed} rows would be left out. Choose another fix, or mend the file by hand.", removed=removed),
            code=ErrorCode.dataset_too_small,
        )
    return Mended(rows=written, removed=removed, changed=changed)


def _chosen(
    dataset: Path, card: BaseModelCard, template: ChatTemplate, form: DatasetForm, drops: Drops, fixes: Collection[Fix],
    heard: Heard,
) -> Iterator[tuple[KeptRow, bool]]:  # fmt: skip
    """Yield each usable row, and whether it stays."""
    leave_out = _numbers(dataset, card, template, form, fixes, heard) if NEEDS_SURVEY & set(fixes) else set()
    max_length = leave_out.max_length if isinstance(leave_out, _Numbers) else None
    checks = text_checks(template.special_tokens)
    tests = [checks[code] for fix, code in DROPPED_BY_TEXT.items() if fix in fixes]
    for number, row in enumerate(kept_rows(dataset, form, template, drops)):
        text = RowText(row.messages)
        is_cut = Fix.drop_cut in fixes and max_length is not None and _end(row) > max_length
        yield row, number not in leave_out and not is_cut and not any(test(text) for test in tests)


class _Numbers(set[int]):
    """Numbers of rows to leave out, counted over the kept rows."""

    max_length: int


def _numbers(
    dataset: Path, card: BaseModelCard, template: ChatTemplate, form: DatasetForm, fixes: Collection[Fix], heard: Heard
) -> _Numbers:
    survey = Surveyor(template, card.eos_tokens).look(dataset, form, heard)
    seen = Seen(survey=survey, form=form, card=card)
    numbers = _Numbers()
    numbers.max_length = seen.max_length
    if Fix.dedupe in fixes or Fix.dedupe_near in fixes:
        numbers.update(int(number) for number in later_copies(survey.identities).nonzero()[0])
    if Fix.dedupe_near in fixes:
        numbers.update(row.number for row in seen.near)
    return numbers


def _end(row: KeptRow) -> int:
    """Return the length that keeps the whole last answer."""
    return next((at + 1 for at in range(len(row.tokens.labels) - 1, -1, -1) if row.tokens.labels[at] >= 0), 0)


def _text_fixes(fixes: Collection[Fix], template: ChatTemplate) -> list[TextFix]:
    special = special_pattern(template.special_tokens)
    table: dict[Fix, TextFix] = {
        Fix.clean: lambda text: UNSEEN.sub("", special.sub("", text) if special else text),
        Fix.redact: redact,
        Fix.trim: str.strip,
    }
    return [table[fix] for fix in table if fix in fixes]


def _mapped(value: Any, fixes: list[TextFix]) -> Any:
    """Return a row with its texts mended, however deep they lie; keys stay."""
    if isinstance(value, str):
        for fix in fixes:
            value = fix(value)
        return value
    if isinstance(value, dict):
        return {key: _mapped(inner, fixes) for key, inner in value.items()}
    return [_mapped(inner, fixes) for inner in value] if isinstance(value, list) else value


def _too_large(limit_bytes: int) -> AgentError:
    return AgentError(
        _("The mended file would be over the limit of {limit} MiB.", limit=limit_bytes >> 20),
        code=ErrorCode.file_too_large,
    )
