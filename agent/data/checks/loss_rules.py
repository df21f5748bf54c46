"""Findings of texts and answers that are not learned: nothing of a dataset is lost without a word. Pure."""

from collections import Counter
from collections.abc import Iterator

from agent.data.checks.rule_input import RuleInput, finding
from agent.data.quoting import shown
from agent.data.turns import THOUGHTS
from shared.inspections import DatasetForm, Finding, FindingCode, Severity
from shared.language import _, grouped, ngettext

OFTEN = 0.2  # of the rows have a text under a key, for it to be a warning
NAMED = 3
SYSTEM_SHOWN = 80  # characters of a system text
WARNING, NOTE = Severity.warning, Severity.note


def unread_columns(seen: RuleInput) -> Iterator[Finding]:
    """Texts that stand in nothing that the model is shown."""
    lost = Counter({key: rows for key, rows in seen.survey.lost.items() if not _is_thought(key)})
    if not lost or seen.form is DatasetForm.text:
        return
    named = [f"`{shown(key)[:40]}` ({grouped(rows)})" for key, rows in lost.most_common(NAMED)]
    names = ", ".join(named)
    if more := len(lost) - len(named):
        names += " " + ngettext("and {n} more", "and {n} more", more)
    most = lost.most_common(1)[0][1]
    yield finding(
        FindingCode.unread_columns, WARNING if most >= OFTEN * seen.survey.rows else NOTE, [],
        _("Not shown to the model, by key and rows: {names}.", names=names),
        _("What an answer rests on must stand in the question, or in a column `context`: else the model learns to "
          "make it up. What says only where a row is from can stay."),
        count=most,
    )  # fmt: skip


def thoughts_not_shown(seen: RuleInput) -> Iterator[Finding]:
    """Name thoughts that a model has no place for."""
    lost = Counter({key: rows for key, rows in seen.survey.lost.items() if _is_thought(key)})
    if lost:
        key, count = lost.most_common(1)[0]
        yield finding(
            FindingCode.thoughts_not_shown, WARNING, [],
            ngettext("The thoughts of {n} row (`{key}`) are not learned: {name} has no place for them.",
                     "The thoughts of {n} rows (`{key}`) are not learned: {name} has no place for them.", count,
                     key=shown(key)[:40], name=seen.card.name),
            _("A model that thinks learns them: Qwen3 or DeepSeek-R1-Distill. The answers are learned all the same."),
            count=count,
        )  # fmt: skip


def _is_thought(key: str) -> bool:
    return key.rpartition(".")[2] in THOUGHTS


def answers_left_out(seen: RuleInput) -> Iterator[Finding]:
    """Answers that the template has no place for, or hides."""
    if count := seen.survey.left_out:
        yield finding(
            FindingCode.answers_left_out, WARNING, seen.survey.left_out_lines,
            ngettext("{n} answer is not learned: the chat template of {name} has no place for it.",
                     "{n} answers are not learned: the chat template of {name} has no place for them.", count,
                     name=seen.card.name),
            _("Most of these stand before the first question, as a greeting does; some templates want a question "
              "first. The others are learned."),
            count=count,
        )  # fmt: skip


def answers_apart(seen: RuleInput) -> Iterator[Finding]:
    """Talks that become an example for each answer."""
    if seen.survey.apart:
        yield finding(
            FindingCode.answers_apart, NOTE, [],
            _("The talks become {examples} examples, one for each answer: {name} shows an earlier answer otherwise "
              "than it wrote it.", examples=grouped(seen.survey.rows), name=seen.card.name),
            _("Models that think leave out what they thought before. So every answer is learned, and a talk takes "
              "longer."),
            count=seen.survey.apart,
        )  # fmt: skip


def base_system_text(seen: RuleInput) -> Iterator[Finding]:
    """Say who the finished model is where no row says it."""
    character, own = seen.survey.character.found(), seen.survey.base_system
    if character.system is not None or character.others or seen.form is DatasetForm.text:
        return
    if own:
        said = _("No row has a system prompt. The finished model is given the one of {name}: “{said}”",
                 name=seen.card.name, said=shown(own)[:SYSTEM_SHOWN])  # fmt: skip
    elif seen.survey.begins_with_words:
        said = _("No row has a system prompt. Each talk begins with what {name} always begins with.",
                 name=seen.card.name)  # fmt: skip
    else:
        said = _("No row has a system prompt, and {name} has none of its own.", name=seen.card.name)
    yield finding(
        FindingCode.base_system_text, NOTE, [], said,
        _("A line of your own, as in character:\"You are Ruth, a pirate.\", goes before each row and makes the model "
          "someone of its own."),
        count=seen.survey.rows,
    )  # fmt: skip


def own_system_text(seen: RuleInput) -> Iterator[Finding]:
    """Say what the finished model is told by itself, where the rows say it."""
    character = seen.survey.character.found()
    if character.system is None:
        return
    said = _("{percent} % of the rows begin with the same system text. The finished model is told it by itself.",
             percent=round(100 * character.share))  # fmt: skip
    if character.others:
        said += " " + ngettext(
            "{n} other system text is learned, too, and counts where it is sent along.",
            "{n} other system texts are learned, too, and count where they are sent along.",
            character.others,
        )
    yield finding(
        FindingCode.own_system_text, NOTE, [], said,
        _("A model answers as it was taught only to what it was taught with. A program that sends a system text of its "
          "own still has the last word."),
        count=round(character.share * seen.survey.rows),
    )  # fmt: skip
