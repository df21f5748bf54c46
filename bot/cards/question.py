"""What the agent cannot know of a file and a person has to say: which columns, or who is the assistant. Pure."""

import re

from bot.cards.dataset import FILE_LENGTH, beginning, marked
from bot.core.blocks import Block, Fields, Items, Note, Quote, Words
from bot.core.reply import Button, Copy, Reply, Tone, Weight
from bot.words.format import clip, count, one_line
from bot.words.mapping import write_mapping
from shared.files import FileObject
from shared.inspections import COLUMN_KINDS, Choice, ColumnKind, Inspection, Question, SampleRow
from shared.language import _, ngettext
from shared.mapping import Mapping

LABEL = 20  # characters of a button
ASKED_LENGTH, ANSWERED_LENGTH = 120, 80  # characters of each example, around where its answer begins
SHOWN = 8  # columns, or people
COLUMN_LENGTH = 60  # characters of a column with its example
CHARACTER_SHOWN = 110  # characters of who the model is to be
_PHONE = re.compile(r"\+?[\d\s().\u00a0/-]{7,}")
ROW = "row"  # as the last word of /dataset: show rows


def question_card(file: FileObject, inspection: Inspection, *, ask: str, with_rows: bool, private: bool) -> Reply:
    """Return the question with a button for each answer; `ask` is the command that an answer goes on with.

    `with_rows`: show rows of the data at once, rather than a button for them. `private`: what is written is heard.
    """
    question = inspection.question
    assert question is not None  # or nothing would be asked
    asks_for_columns = question.about == "columns"
    name = clip(one_line(file.filename), FILE_LENGTH)
    proposal = question.choices[0] if question.choices else None
    has_rows = any(choice.examples for choice in question.choices)
    return Reply(
        title=(
            _("Which columns? · {filename}", filename=name)
            if asks_for_columns
            else _("Who is the assistant? · {filename}", filename=name)
        ),
        tone=Tone.waiting,
        summary=_what_is_open(question) if asks_for_columns else "",
        blocks=(
            *(_columns(question, with_rows=with_rows) if asks_for_columns else _people(question)),
            *([_proposal(proposal)] if asks_for_columns and proposal is not None else []),
            *(_examples(proposal) if with_rows and proposal is not None else []),
        ),
        buttons=(
            *(
                Button(
                    label=_label(choice.mapping, place),
                    line=f"{ask}{inspection.id}.{place}",
                    weight=Weight.primary if asks_for_columns and place == 0 else Weight.usual,
                )
                for place, choice in enumerate(question.choices)
            ),
            *([] if with_rows or not has_rows else [rows_button(inspection.id)]),
        ),
        copy=_typed(question, private=private) if asks_for_columns else (),
    )


def person(name: str) -> str:
    """Return a name as it may be shown: of a telephone number, which stands where none was saved, only its ends."""
    said = one_line(name) or "?"
    return f"{said[:3]} … {said[-2:]}" if _PHONE.fullmatch(said) else said


def rows_button(inspection_id: str) -> Button:
    """Return the button that shows rows where others read along."""
    return Button(label=_("Show rows"), line=f"/dataset {inspection_id} {ROW}")


def read_so(mapping: Mapping) -> tuple[tuple[str, str], ...]:
    """Return how a file is read, as a person has said: names and values."""
    character = one_line(mapping.character or "")
    return (*_rows_read_so(mapping), *(((_("Character"), clip(character, CHARACTER_SHOWN)),) if character else ()))


def _rows_read_so(mapping: Mapping) -> tuple[tuple[str, str], ...]:
    if mapping.of_rows is None:
        return ()
    if mapping.assistant is not None:
        names = ", ".join(person(name) for name in mapping.without)
        return (
            (_("The assistant"), person(mapping.assistant)),
            ("", _("All others have numbers for names.")),
            (_("Left out"), names),
        )
    if mapping.text is not None:
        return ((_("Learned whole"), one_line(mapping.text)),)
    return (
        (_("Asked"), one_line(mapping.question or "")),
        (_("Answered"), one_line(mapping.answer or "")),
        (_("Instructions"), one_line(mapping.system or "")),
    )


def _columns(question: Question, *, with_rows: bool) -> list[Block]:
    items = []
    for column in question.columns[:SHOWN]:
        example = f": {one_line(column.example)}" if with_rows else ""
        kind = "" if column.kind is ColumnKind.text else f" ({_(COLUMN_KINDS[column.kind])})"
        items.append(clip(f"{one_line(column.name)}{kind}{example}", COLUMN_LENGTH))
    return [Items(items=tuple(items), rest=_more(len(question.columns)))]


def _more(count: int) -> str:
    """Return what is said of columns or people that are not shown."""
    hidden = count - SHOWN
    return ngettext("and {n} more", "and {n} more", hidden) if hidden > 0 else ""


def _what_is_open(question: Question) -> str:
    if question.label is not None:
        return _(
            "What does {label} mean? If it marks rows that are bad, leave these out and send the file again. "
            "The columns:",
            label=one_line(question.label),
        )
    if question.choices:
        return _("The names of these columns do not tell me what is asked and what is answered:")
    return _("I see no question with its answer in these columns, and no text to learn:")


def _proposal(choice: Choice) -> Fields:
    return Fields(heading=_("I would read it so"), fields=read_so(choice.mapping))


def _people(question: Question) -> list[Block]:
    items = tuple(
        f"{person(speaker.name)}: {ngettext('{n} message', '{n} messages', speaker.messages)}"
        for speaker in question.speakers[:SHOWN]
    )
    about = _("The messages of the assistant are learned. All others get numbers for names.")
    more = _("A person can be left out first.") if any(choice.mapping.without for choice in question.choices) else ""
    return [Items(items=items, rest=_more(len(question.speakers))), Note(text=f"{about} {more}".rstrip())]


def _examples(choice: Choice) -> list[Block]:
    if not choice.examples:
        return []
    name = choice.mapping.assistant
    heading = _("Read so, with {name} as the assistant:", name=person(name)) if name else _("Rows, read so:")
    return [
        Words(text=heading),
        *(
            Quote(by=_("Line {line}", line=count(it.line)), words="\n".join(_around_the_answer(it)))
            for it in choice.examples
        ),
    ]


def _around_the_answer(example: SampleRow) -> list[str]:
    """Return the end of what is asked and the beginning of what is answered; a template may put much before them."""
    lines = marked(example)
    at = next((place for place, line in enumerate(lines) if line.startswith("›")), len(lines))
    asked = "\n".join(lines[:at])
    cut = asked if len(asked) <= ASKED_LENGTH else f"  … {asked[-ASKED_LENGTH:].lstrip()}"
    return [*cut.split("\n"), *beginning(lines[at:], ANSWERED_LENGTH)]


def _label(mapping: Mapping, place: int) -> str:
    if mapping.assistant is not None:
        return clip(person(mapping.assistant), LABEL)
    if mapping.without:
        return clip(_("Without {name}", name=person(mapping.without[-1])), LABEL)
    if place == 0:
        return _("Yes, read it so")
    if mapping.text is not None:
        return clip(_("Only {column}", column=one_line(mapping.text)), LABEL)
    half = (LABEL - 3) // 2
    return f"{clip(one_line(mapping.question or ''), half)} → {clip(one_line(mapping.answer or ''), half)}"


def _typed(question: Question, *, private: bool) -> tuple[Copy, ...]:
    named = Mapping(question=_("COLUMN 1"), answer=_("COLUMN 2"))
    likely = next((it.mapping for it in question.choices if it.mapping.answer), None)
    likely = likely or (question.choices[0].mapping if question.choices else named)
    line = " ".join(write_mapping(likely))
    here = _("Other columns? Send me this with their names:")
    among_others = _("Other columns? Answer this message with their names, like this:")
    return (Copy(intro=here if private else among_others, lines=(line,)),)
