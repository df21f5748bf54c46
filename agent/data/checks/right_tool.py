"""Is fine-tuning the right tool at all? Seed 003's decision tree, answered from the data as far as it can be. Pure.

It never stops anybody: each answer is a figure and a kind word.
"""

from collections.abc import Iterator

from agent.data.checks.rule_input import RuleInput
from agent.data.split_sizes import FEW_ROWS, SOLID_ROWS
from shared.inspections import Consideration, DatasetForm, FindingCode
from shared.language import _, grouped

SAME_STYLE = 0.8
LARGE_CHANGING = 0.3


def consider(seen: RuleInput) -> list[Consideration]:
    """Return the questions of the tree in its order, with what the data says to each."""
    if seen.form is DatasetForm.text:
        return [*_documents(seen), *_base_model(seen)]
    return [*_prompt(seen), *_knowledge(seen), *_style(seen), *_base_model(seen)]


def _documents(seen: RuleInput) -> Iterator[Consideration]:
    answer = _(
        "It is to learn from {rows} passages of text. That teaches how they sound; what they say it will mix "
        "up. To answer from documents, let it look things up (RAG); to teach it answers, send questions with answers.",
        rows=grouped(seen.survey.rows),
    )
    yield Consideration(
        question=_("Does it need knowledge that changes, or whole documents?"), answer=answer, against=True
    )


def _prompt(seen: RuleInput) -> Iterator[Consideration]:
    rows = seen.survey.rows
    if rows < FEW_ROWS:
        answer = _(
            "{rows} rows are few. Put five of the best into a prompt first: it takes minutes and may do. With "
            "{few} rows tuning starts to pay, with {solid} it is solid.",
            rows=grouped(rows),
            few=FEW_ROWS,
            solid=SOLID_ROWS,
        )
    elif rows < SOLID_ROWS:
        answer = _(
            "{rows} rows are enough for a style. If a prompt with a few examples does it already, that is less "
            "work; if its answers differ each time, tuning helps.",
            rows=grouped(rows),
        )
    else:
        answer = _("{rows} rows are more than a prompt can show: that speaks for tuning.", rows=grouped(rows))
    yield Consideration(question=_("Would a good prompt do it?"), answer=answer, against=rows < FEW_ROWS)


def _knowledge(seen: RuleInput) -> Iterator[Consideration]:
    count, rows = seen.survey.found[FindingCode.changing_knowledge].count, seen.survey.rows
    against = count > LARGE_CHANGING * rows
    if against:
        answer = _(
            "{count} of {rows} answers state prices, years or what holds at the moment. Tuning changes how a "
            "model speaks, hardly what it knows: let it look such things up (RAG).",
            count=grouped(count),
            rows=grouped(rows),
        )
    else:
        answer = _("{count} of {rows} answers state prices, years or what holds at the moment: little that goes stale.",
                   count=grouped(count), rows=grouped(rows))  # fmt: skip
    yield Consideration(
        question=_("Does it need knowledge that changes, or whole documents?"), answer=answer, against=against
    )


def _style(seen: RuleInput) -> Iterator[Consideration]:
    distinct = len(seen.answers)
    markdown = sum(row.markdown for row in seen.sample)
    same = max(markdown, len(seen.sample) - markdown)
    if seen.labels:
        answer = _(
            "The answers are {n} labels. A small tuned model is good at that, and cheap to run.", n=len(seen.labels)
        )
    elif same >= SAME_STYLE * len(seen.sample):
        answer = _("{same} of {rows} answers have one format, and {distinct} are different: a style can be learned.",
                   same=grouped(same), rows=grouped(len(seen.sample)), distinct=grouped(distinct))  # fmt: skip
    else:
        answer = _("The answers have two formats, {same} one and {rest} the other: the model will mix them too.",
                   same=grouped(same), rest=grouped(len(seen.sample) - same))  # fmt: skip
    against = same < SAME_STYLE * len(seen.sample) and not seen.labels
    yield Consideration(question=_("Is there a style or a form to be kept each time?"), answer=answer, against=against)


def _base_model(seen: RuleInput) -> Iterator[Consideration]:
    yield Consideration(
        question=_("Does the base model do it already?"),
        answer=_(
            "Reading the file cannot tell. After the run, answers of {name} stand beside those of your model, and "
            "its loss on rows it never saw before and after: if they hardly differ, keep the base model.",
            name=seen.card.name,
        ),
        against=False,
    )
