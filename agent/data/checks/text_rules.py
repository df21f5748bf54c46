"""Findings from what the text of each row says, over all rows. Pure; the rules behind them are those of the seeds."""

from collections.abc import Iterator, Sequence

from agent.data.checks.rule_input import RuleInput, finding
from agent.data.checks.text_checks import SHORT_ANSWER
from agent.data.quoting import shown
from agent.data.redact import SECRETS
from agent.data.split_sizes import MIN_ROWS
from shared.inspections import Finding, FindingCode, Fix, Severity
from shared.language import _, grouped, ngettext

PARTS_NAMED, PART_CHARS = 3, 40
CHANGING = 0.1  # of the answers
SERIOUS, WARNING, NOTE = Severity.serious, Severity.warning, Severity.note


def secrets(seen: RuleInput) -> Iterator[Finding]:
    """Keys and passwords."""
    tally = seen.survey.found[FindingCode.secrets]
    if tally.count:
        yield finding(
            FindingCode.secrets, SERIOUS, tally.lines,
            ngettext("{n} row holds a key or password.", "{n} rows hold a key or password.", tally.count),
            _("The model can say it word for word to anybody. Take it out, and change it where it opens something."),
            count=tally.count, fix=Fix.redact,
        )  # fmt: skip


def personal_data(seen: RuleInput) -> Iterator[Finding]:
    """Names of kinds, never what stands there."""
    tally = seen.survey.found[FindingCode.personal_data]
    if tally.count:
        kinds = [
            f"{grouped(rows)} × {_(kind)}"
            for kind, rows in sorted(seen.survey.personal.items(), key=lambda item: -item[1])
            if kind not in SECRETS
        ]
        yield finding(
            FindingCode.personal_data, WARNING, tally.lines,
            ngettext("{n} row holds personal data: {kinds}.", "{n} rows hold personal data: {kinds}.", tally.count,
                     kinds=", ".join(kinds)),
            _("A tuned model repeats what it learned. The rule: no personal data in training data."),
            count=tally.count, fix=Fix.redact,
        )  # fmt: skip


def special_tokens(seen: RuleInput) -> Iterator[Finding]:
    """Find the model's own in somebody's text."""
    tally = seen.survey.found[FindingCode.special_tokens]
    if tally.count:
        yield finding(
            FindingCode.special_tokens, SERIOUS, tally.lines,
            ngettext("{n} row has the model's own special tokens in its text.",
                     "{n} rows have the model's own special tokens in their text.", tally.count),
            _("The model reads them as the end of a turn or the begin of another: it learns to break its own frame."),
            count=tally.count, fix=Fix.clean,
        )  # fmt: skip


def placeholders(seen: RuleInput) -> Iterator[Finding]:
    """Unfilled ones in answers."""
    tally = seen.survey.found[FindingCode.placeholders]
    if tally.count:
        yield finding(
            FindingCode.placeholders, SERIOUS if tally.count > 0.05 * seen.survey.rows else WARNING, tally.lines,
            ngettext("{n} answer holds a placeholder such as {{{{name}}}} or [your name].",
                     "{n} answers hold a placeholder such as {{{{name}}}} or [your name].", tally.count),
            _("The model would learn it as it stands and say it to people. Fill it in, or leave the rows out."),
            count=tally.count, fix=Fix.drop_placeholders if seen.survey.rows - tally.count >= MIN_ROWS else None,
        )  # fmt: skip


def tools_not_shown(seen: RuleInput) -> Iterator[Finding]:
    """Offered ones, that the template leaves out."""
    tally = seen.survey.found[FindingCode.tools_not_shown]
    if tally.count:
        yield finding(
            FindingCode.tools_not_shown, WARNING, tally.lines,
            ngettext("{n} row offers tools that {name} does not see.", "{n} rows offer tools that {name} does not see.",
                     tally.count, name=seen.card.name),
            _("Its chat template has no place for them: they are left out, and rows that call one are dropped. To "
                "teach the use of tools, choose a base model that knows them, such as Qwen2.5 or Llama 3.1."),
            count=tally.count,
        )  # fmt: skip


def unusable(seen: RuleInput) -> Iterator[Finding]:
    """Rows that were left out."""
    drops = seen.survey.drops
    if drops.empty:
        yield finding(
            FindingCode.empty_texts, NOTE, drops.empty_lines,
            ngettext("{n} row has no question or no answer and is left out.",
                     "{n} rows have no question or no answer and are left out.", drops.empty),
            _("There is nothing to learn in them."),
            count=drops.empty,
        )  # fmt: skip
    others = drops.count - drops.empty - drops.bad
    if others:
        many = others > 0.1 * (drops.count + seen.survey.rows)
        yield finding(
            FindingCode.unusable_rows, WARNING if many else NOTE,
            [row.line for row in drops.first if row.line not in drops.empty_lines],
            ngettext("{n} row cannot be used and is left out.", "{n} rows cannot be used and are left out.", others),
            _("Each one is named with its reason in the report."),
            count=others,
        )  # fmt: skip


def converted(seen: RuleInput) -> Iterator[Finding]:
    """From another encoding than UTF-8."""
    if seen.survey.encoding is not None:
        yield finding(
            FindingCode.converted, NOTE, [],
            ngettext("{n} row was converted from {encoding} to UTF-8.",
                     "{n} rows were converted from {encoding} to UTF-8.", seen.survey.rows,
                     encoding=seen.survey.encoding),
            _("The file itself is as you sent it. If a letter looks wrong in the examples, save it as UTF-8 instead."),
            count=seen.survey.rows,
        )  # fmt: skip


def part_read(seen: RuleInput) -> Iterator[Finding]:
    """Of a workbook or an archive."""
    part = seen.survey.part
    if part is not None:
        message = _("Read: {names}.", names=_listed(part.read))
        yield finding(
            FindingCode.part_read, NOTE, [],
            message + (" " + _("Left out: {names}.", names=_listed(part.left)) if part.left else ""),
            _("The file holds several things, and this looked like the dataset. If it is not, send that alone."),
            count=seen.survey.rows,
        )  # fmt: skip


def _listed(names: Sequence[str]) -> str:
    """Return the first of some names, and how many more there are."""
    hidden = len(names) - PARTS_NAMED
    more = [ngettext("and {n} more", "and {n} more", hidden)] if hidden > 0 else []
    return ", ".join([*(f"“{shown(name)[-PART_CHARS:]}”" for name in names[:PARTS_NAMED]), *more])


def unseen_characters(seen: RuleInput) -> Iterator[Finding]:
    """Control, zero-width, turning the reading direction."""
    tally = seen.survey.found[FindingCode.unseen_characters]
    if tally.count:
        yield finding(
            FindingCode.unseen_characters, WARNING, tally.lines,
            ngettext("{n} row has unseen characters: control, zero-width or turning the direction.",
                     "{n} rows have unseen characters: control, zero-width or turning the direction.", tally.count),
            _("They split words into tokens nobody types, and can hide text from whoever reads the rows."),
            count=tally.count, fix=Fix.clean,
        )  # fmt: skip


def loose_spaces(seen: RuleInput) -> Iterator[Finding]:
    """Around texts."""
    tally = seen.survey.found[FindingCode.loose_spaces]
    if tally.count:
        yield finding(
            FindingCode.loose_spaces, NOTE, tally.lines,
            ngettext("{n} row has spaces or empty lines around a text.",
                     "{n} rows have spaces or empty lines around a text.", tally.count),
            _("The model learns them too. The rule: use the same format throughout."),
            count=tally.count, fix=Fix.trim,
        )  # fmt: skip


def markup(seen: RuleInput) -> Iterator[Finding]:
    """HTML in answers."""
    tally = seen.survey.found[FindingCode.markup]
    if tally.count:
        yield finding(
            FindingCode.markup, WARNING if tally.count >= 0.02 * seen.survey.rows else NOTE, tally.lines,
            ngettext("{n} answer has HTML in it.", "{n} answers have HTML in them.", tally.count),
            _("If it came along from a web page, the model learns to write it. The rule: clean what was scraped."),
            count=tally.count,
        )  # fmt: skip


def short_answers(seen: RuleInput) -> Iterator[Finding]:
    """Unless they are labels."""
    tally = seen.survey.found[FindingCode.short_answers]
    if tally.count and not seen.labels:
        yield finding(
            FindingCode.short_answers, NOTE, tally.lines,
            ngettext("{n} answer has less than {chars} characters.", "{n} answers have less than {chars} characters.",
                     tally.count, chars=SHORT_ANSWER),
            _("Right for facts and labels. For a style they are thin: the rule is to leave out very short ones."),
            count=tally.count, fix=Fix.drop_short if tally.count < 0.5 * seen.survey.rows else None,
        )  # fmt: skip


def changing_knowledge(seen: RuleInput) -> Iterator[Finding]:
    """Prices, years, what holds at the moment."""
    tally = seen.survey.found[FindingCode.changing_knowledge]
    if tally.count > CHANGING * seen.survey.rows:
        yield finding(
            FindingCode.changing_knowledge, NOTE, tally.lines,
            ngettext("{n} answer states prices, years or what holds at the moment.",
                     "{n} answers state prices, years or what holds at the moment.", tally.count),
            _("What changes is better looked up (RAG): a tuned model goes on saying what was true."),
            count=tally.count,
        )  # fmt: skip
