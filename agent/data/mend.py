"""The fixes: a dataset's rows, mended, as a new JSONL file. The old one is never touched.

Rows that cannot be used are left out too. Each row keeps the form and the columns that it had, or gets those that a
person said, so that the new file needs no word on how to read it.
"""

import json
import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from agent.base_models.card import BaseModelCard
from agent.data.chat_template import IGNORED, ChatTemplate
from agent.data.checks.rule_input import RuleInput
from agent.data.checks.survey import ReportRows, Surveyor
from agent.data.checks.text_checks import RowText, special_pattern, text_checks, trimmed
from agent.data.findings import Mended
from agent.data.quoting import UNSEEN
from agent.data.readers.json_text import too_deep
from agent.data.reading import Reading
from agent.data.redact import redact
from agent.data.turns import identity_of
from agent.data.usable_rows import ChatRow, Drops, KeptRow, chat_rows, kept_rows
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.inspections import FindingCode, Fix
from shared.language import _

TextFix = Callable[[str], str]
DROPPED_BY_TEXT = {Fix.drop_placeholders: FindingCode.placeholders, Fix.drop_short: FindingCode.short_answers}
NAMES_OF_A_ROW = {"id", "idx", "index", "uuid"}
NEEDS_SURVEY = {Fix.dedupe_near, Fix.drop_cut}


def mend(
    reading: Reading, card: BaseModelCard, fixes: Collection[Fix], output: Path, limit_bytes: int, report: ReportRows
) -> Mended:
    """Write the mended rows. Raises AgentError where nothing would be left, or too much would be written."""
    template = ChatTemplate(card)
    text_fixes = _text_fixes(fixes, template)
    written = removed = changed = size = 0
    with output.open("wb") as file:  # made, empty, by the parent
        for row, stays in _chosen(reading, card, template, fixes, report):
            if not stays:
                removed += 1
                continue
            try:
                value = _mapped(row.value, text_fixes)
                line = _as_line(value)
            except RecursionError as error:
                raise too_deep() from error
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
    reading: Reading, card: BaseModelCard, template: ChatTemplate, fixes: Collection[Fix], report: ReportRows
) -> Iterator[tuple[ChatRow | KeptRow, bool]]:
    """Yield each usable row, and whether it stays. Rows are tokenized only where their length decides."""
    drops = Drops()
    checks = text_checks(template.special_tokens, shows_tools=template.shows_tools)
    tests = [checks[code] for fix, code in DROPPED_BY_TEXT.items() if fix in fixes]
    told: set[int] = set()  # what was said already, and what is nearly the same
    drops_copies = Fix.dedupe in fixes or Fix.dedupe_near in fixes
    rows: Iterator[ChatRow | KeptRow] = chat_rows(reading, template, drops)
    max_length = 0
    if NEEDS_SURVEY & set(fixes):
        survey = Surveyor(template, card.eos_tokens).look(reading, report)
        seen = RuleInput(survey=survey, form=reading.form, card=card)
        max_length = seen.max_length
        told |= {row.identity for row in seen.near} if Fix.dedupe_near in fixes else set()
    if Fix.drop_cut in fixes:
        rows = kept_rows(reading, template, drops)
    for row in rows:
        if row.part or row.goes_on:
            continue  # the row was looked at, and is written whole
        text = RowText(row.messages)
        is_cut = isinstance(row, KeptRow) and _end(row) > max_length
        identity = identity_of(row.messages)
        stays = not (drops_copies and identity in told) and not is_cut and not any(test(text) for test in tests)
        if stays:
            told.add(identity)
        yield row, stays


def _end(row: KeptRow) -> int:
    """Return the length that keeps the whole last answer."""
    return next((at + 1 for at in range(len(row.tokens.labels) - 1, -1, -1) if row.tokens.labels[at] != IGNORED), 0)


def _text_fixes(fixes: Collection[Fix], template: ChatTemplate) -> list[TextFix]:
    special = special_pattern(template.special_tokens)
    table: dict[Fix, TextFix] = {
        Fix.clean: lambda text: UNSEEN.sub("", special.sub("", text) if special else text),
        Fix.redact: redact,
        Fix.trim: trimmed,
    }
    return [table[fix] for fix in table if fix in fixes]


def _mapped(value: Any, fixes: list[TextFix]) -> Any:
    """Return a row with its texts mended, however deep they lie; keys stay, and what only names the row."""
    if isinstance(value, str):
        for fix in fixes:
            value = fix(value)
        return value
    if isinstance(value, dict):
        return {key: inner if key in NAMES_OF_A_ROW else _mapped(inner, fixes) for key, inner in value.items()}
    return [_mapped(inner, fixes) for inner in value] if isinstance(value, list) else value


def _as_line(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, default=str).encode() + b"\n"
    except UnicodeEncodeError:  # half a surrogate pair in a column that nobody reads
        return json.dumps(value, default=str).encode() + b"\n"


def _too_large(limit_bytes: int) -> AgentError:
    return AgentError(
        _("The mended file would be over the limit of {limit} MiB.", limit=limit_bytes >> 20),
        code=ErrorCode.file_too_large,
    )
