"""The rows that say how good an answer is, as examples: pairs, and answers labelled good or bad."""

from collections.abc import Iterator

from agent.data.chat_template import ChatTemplate, TokenizedRow
from agent.data.reading import Reading
from agent.data.turns import RowProblem
from agent.data.usable_rows import Drops, KeptRow, batches, chat_rows
from shared.inspections import DatasetForm
from shared.language import _


def judged_rows(reading: Reading, template: ChatTemplate, drops: Drops) -> Iterator[KeptRow]:
    """Yield pairs, and labelled answers good and bad, with their tokens; each other row goes to `drops`."""
    for batch in batches(chat_rows(reading, template, drops, both=True)):
        talks = [template.examples(row.messages)[0] for row in batch]
        better = template.tokenize_all(talks)
        worse = iter(template.tokenize_all([template.examples(row.worse)[0] for row in batch if row.worse]))
        for row, messages, tokens in zip(batch, talks, better, strict=True):
            other = next(worse) if row.worse else None
            problem = _problem(reading.form, tokens, other)
            if problem is not None:
                drops.add(row.line, row.unit, problem)
                continue
            assert isinstance(tokens, TokenizedRow)
            assert not isinstance(other, RowProblem)
            yield KeptRow(
                line=row.line,
                messages=messages,
                tokens=tokens,
                value=row.value,
                said=row.said or row.messages,
                worse=other,
                wanted=row.wanted,
                origin=row.origin,
            )


def _problem(form: DatasetForm, *tokens: TokenizedRow | RowProblem | None) -> RowProblem | None:
    found = next((each for each in tokens if isinstance(each, RowProblem)), None)
    if found is None and form is DatasetForm.preference and None in tokens:
        return RowProblem(_("has no worse answer that differs from the better one"))
    return found
