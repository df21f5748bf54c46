"""What was understood of a dataset, one row of it, and which forms there are. Pure."""

from collections.abc import Set as AbstractSet

from bot.cards.findings import findings_block, findings_buttons, heeded
from bot.core.blocks import Block, Items, Quote, Words
from bot.core.reply import Button, Copy, File, Image, Reply, Tone, Weight
from bot.words.format import capital, clip, count, flow, one_line, percent, plain
from shared.files import FileObject, FixedFile
from shared.inspections import DatasetForm, Inspection, SampleRow, Severity
from shared.language import N_, _, ngettext

DROPPED_SHOWN = 3
FILE_LENGTH = 30  # characters of a file's name in a title
SAMPLE_LENGTH = 480  # characters
WHOLE_TEXT = N_("It learns the whole text, word by word: how it sounds and what it is about, but not how to answer.")
ROW = "row"  # as the last word of /dataset: show one
REPORT = "report"  # the same: send the whole of it
FORMS = {
    DatasetForm.messages: N_("chat"),
    DatasetForm.prompt_completion: N_("prompt/completion"),
    DatasetForm.alpaca: "Alpaca",
    DatasetForm.sharegpt: "ShareGPT",
    DatasetForm.question_answer: N_("question/answer"),
    DatasetForm.preference: N_("preference"),
    DatasetForm.labelled: N_("labelled"),
    DatasetForm.text: N_("text"),
}
EXAMPLES = {
    DatasetForm.messages: (
        '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]}'
    ),
    DatasetForm.prompt_completion: '{"prompt": "Hi", "completion": "Hello!"}',
    DatasetForm.alpaca: '{"instruction": "Greet", "input": "Mia", "output": "Hello, Mia!"}',
    DatasetForm.sharegpt: '{"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello!"}]}',
    DatasetForm.question_answer: '{"question": "Hi", "answer": "Hello!"}',
    DatasetForm.preference: '{"prompt": "Hi", "chosen": "Hello!", "rejected": "What?"}',
    DatasetForm.labelled: '{"prompt": "Hi", "completion": "Hello!", "label": true}',
    DatasetForm.text: '{"text": "Hello!"}',
}


def dataset_card(
    file: FileObject,
    inspection: Inspection,
    *,
    with_row: bool,
    fixed: FixedFile | None = None,
    ignored: AbstractSet[str] = frozenset(),
) -> Reply:
    """Return what is in a dataset, and the ways on from there.

    `fixed`: what has just been mended. `ignored`: the codes of the advice that its person does not want to read again.
    """
    found = len(inspection.findings)
    inspection = heeded(inspection, ignored)
    left = found - len(inspection.findings)
    more = [] if with_row or inspection.sample is None else [row_button(inspection)]
    if inspection.lengths is not None:
        more.append(Button(label=_("Report"), line=f"/dataset {inspection.id} {REPORT}"))
    name = clip(one_line(file.filename), FILE_LENGTH)
    return Reply(
        title=_("{filename} · {rows}", filename=name, rows=counted_rows(inspection)),
        tone=Tone.trouble if any(it.severity is Severity.serious for it in inspection.findings) else Tone.plain,
        summary="\n".join([*_what_was_mended(fixed), *_what_is_learned(inspection)]),
        blocks=(
            *left_out(inspection),
            *findings_block(inspection, ignored=left),
            *_right_tool(inspection),
            *([sample_row(inspection.sample)] if inspection.sample and with_row else []),
            *(notes(inspection.notes) if not found else []),
        ),
        buttons=(
            Button(label=_("Fine-tune"), line=f"/finetune {_again(inspection)}", weight=Weight.primary),
            *more,
            *findings_buttons(inspection, _named(inspection), ignored=left),
        ),
    )


def row_card(file: FileObject, sample: SampleRow) -> Reply:
    """Return one row of a dataset, for whoever asked to see one."""
    return Reply(title=clip(one_line(file.filename), FILE_LENGTH), blocks=(sample_row(sample),))


def _right_tool(inspection: Inspection) -> list[Block]:
    """Return what speaks for another tool than fine-tuning, if anything does."""
    against = next((it for it in inspection.right_tool if it.against), None)
    return [Words(heading=_("Before you tune"), text=against.answer)] if against is not None else []


def _what_was_mended(fixed: FixedFile | None) -> list[str]:
    if fixed is None:
        return []
    parts = []
    if fixed.removed:
        parts.append(ngettext("{n} row left out", "{n} rows left out", fixed.removed))
    if fixed.changed:
        parts.append(ngettext("{n} row changed", "{n} rows changed", fixed.changed))
    if not parts:
        return [_("There was nothing to mend. The old file is kept.")]
    return [_("Mended: {what}. The old file is kept.", what=", ".join(parts))]


def report_card(inspection: Inspection, file: FileObject, report: File, picture: Image) -> Reply:
    """Return the full report as a file, with its picture."""
    return Reply(
        title=_("Report · {filename}", filename=clip(one_line(file.filename), FILE_LENGTH)),
        summary=_("All findings with their lines, why each matters, and three rows as the model sees them."),
        image=picture,
        files=(report,),
        again=f"/dataset {inspection.id} {REPORT}",
    )


def row_button(inspection: Inspection) -> Button:
    """Return the button that shows a row of somebody's data where others read along."""
    return Button(label=_("See a row"), line=f"/dataset {_named(inspection)} {ROW}")


def _named(inspection: Inspection) -> str:
    """Return what names a file in a command: the inspection, where a person said something that it knows."""
    return inspection.id if _knows_more(inspection) else inspection.file_id


def _again(inspection: Inspection) -> str:
    return f"of:{inspection.id}" if _knows_more(inspection) else f"file:{inspection.file_id}"


def _knows_more(inspection: Inspection) -> bool:
    return inspection.mapping is not None or inspection.note is not None


def left_out(inspection: Inspection) -> list[Block]:
    """Return which rows are not learned from, and why: nothing is lost in silence."""
    dropped = inspection.dropped_count
    if not dropped:
        return []
    shown = inspection.dropped[:DROPPED_SHOWN]
    items = tuple(_("line {line}: {reason}", line=row.line, reason=one_line(row.reason)) for row in shown)
    hidden = dropped - len(shown)
    rest = ngettext("and {n} more", "and {n} more", hidden) if hidden > 0 else ""
    return [Items(heading=ngettext("{n} row left out", "{n} rows left out", dropped), items=items, rest=rest)]


def _what_is_learned(inspection: Inspection) -> list[str]:
    lines, tokens = [], inspection.tokens
    if inspection.form is DatasetForm.text:
        lines.append(_(WHOLE_TEXT))
    elif tokens is not None:
        lines += [_("It learns the answers: {percent} of the text.", percent=percent(tokens.trained, tokens.total))]
    if tokens is not None:
        lines.append(
            _(
                "A typical row has {median} tokens (pieces of words), the longest {longest}.",
                median=count(tokens.median),
                longest=count(tokens.longest),
            )
        )
    return lines


def counted_rows(inspection: Inspection, *, learned: int | None = None) -> str:
    """Return 30 rows, 214 chat rows, 12 passages of text; `learned`: what a plan takes of labelled answers."""
    if inspection.form is None:
        return ngettext("{n} row", "{n} rows", inspection.rows)
    if inspection.form is DatasetForm.labelled:
        n = inspection.rows + inspection.bad if learned is None else learned
        return ngettext("{n} labelled answer", "{n} labelled answers", n)
    if inspection.form is DatasetForm.text:
        return ngettext("{n} passage of text", "{n} passages of text", inspection.rows)
    form = _(FORMS[inspection.form])
    return ngettext("{n} {form} row", "{n} {form} rows", inspection.rows, form=form)


def sample_row(sample: SampleRow) -> Quote:
    """Return a row as the model sees it; the agent has masked what is personal."""
    by = _("Line {line}, as the model sees it (it learns what is marked ›)", line=sample.line)
    return Quote(by=by, words="\n".join(beginning(marked(sample), SAMPLE_LENGTH)))


def beginning(lines: list[str], length: int) -> list[str]:
    """Return as many lines as have that many characters together, the last of them cut."""
    shown: list[str] = []
    for line in lines:
        if length < len(line):
            return [*shown, clip(line, length)] if length > 2 else [*shown, "  …"]
        shown.append(line)
        length -= len(line)
    return shown


def marked(sample: SampleRow) -> list[str]:
    """Return the lines of a row; what is learned is marked."""
    lines = []
    for text, trained in sample.parts:
        lines += flow(plain(text), first="› " if trained else "  ")
    return lines


def notes(texts: list[str]) -> list[Block]:
    """Return what is good to know."""
    return [Items(heading=_("Good to know"), items=tuple(texts))] if texts else []


def forms_card() -> Reply:
    """Return the forms that a dataset may have, with one line of each to copy."""
    files = _("A JSONL file: one row a line, in one of these forms. JSON (a list of such rows), Parquet, "
        "Excel, CSV and TSV (with the same names as columns) work too, also as .gz or in a .zip.")  # fmt: skip
    chats = _("A chat exported from WhatsApp, Telegram or Discord works as it is, and so do plain text and Markdown. "
        "Where I cannot tell, I ask.")  # fmt: skip
    rows = _("100 rows teach a style; a few thousand teach the most.")
    copies = tuple(Copy(intro=f"{capital(_(FORMS[form]))}:", lines=(line,)) for form, line in EXAMPLES.items())
    return Reply(
        title=_("What a dataset looks like"),
        blocks=tuple(Words(text=text) for text in (files, chats, rows)),
        copy=copies,
    )
