"""What was understood of a dataset, one row of it, and which forms there are. Pure."""

from bot.core.reply import Button, Copy, File, Image, Reply
from bot.words.format import capital, clip, count, flow, one_line, percent, plain
from shared.files import FileObject, FixedFile
from shared.inspections import DatasetForm, Fix, Inspection, SampleRow, Severity
from shared.language import N_, _, ngettext

DROPPED_SHOWN = 3
SAMPLE_LENGTH = 480  # characters
FINDINGS_SHOWN = 5
FIXES_SHOWN = 3
ROW = "row"  # as the last word of /dataset: show one
REPORT = "report"  # the same: send the whole of it
FIX = "fix:"  # before the name of a fix: mend the file
MARKS = {Severity.serious: "‼ ", Severity.warning: "! ", Severity.note: "- "}
FIXES = {
    Fix.redact: N_("Mask private data"),
    Fix.clean: N_("Clean characters"),
    Fix.dedupe: N_("Remove copies"),
    Fix.dedupe_near: N_("Remove near copies"),
    Fix.drop_placeholders: N_("Drop placeholders"),
    Fix.drop_cut: N_("Drop cut answers"),
    Fix.drop_short: N_("Drop short answers"),
    Fix.trim: N_("Trim spaces"),
}
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


def dataset_card(file: FileObject, inspection: Inspection, *, with_row: bool, fixed: FixedFile | None = None) -> Reply:
    """Return what is in a dataset, and the ways on from there; `fixed` is what has just been mended."""
    blocks = [
        [clip(_("Dataset · {filename}", filename=one_line(file.filename))), *_what_was_mended(fixed)],
        understood(inspection),
        _findings(inspection),
        _right_tool(inspection),
        sample_row(inspection.sample) if inspection.sample and with_row else [],
        notes(inspection.notes) if not inspection.findings else [],
    ]
    more = [] if with_row or inspection.sample is None else [row_button(inspection)]
    if inspection.lengths is not None:
        more.append(Button(label=_("Report"), line=f"/dataset {inspection.id} {REPORT}"))
    return Reply(
        text="\n\n".join("\n".join(block) for block in blocks if block),
        buttons=(
            Button(label=_("Fine-tune"), line=f"/finetune {_again(inspection)}"),
            *more,
            *_fix_buttons(inspection),
        ),
    )


def _findings(inspection: Inspection) -> list[str]:
    """Return the worst of what was found; the report has all."""
    if not inspection.findings:
        return []
    lines = [_("What I found")]
    for finding in inspection.findings[:FINDINGS_SHOWN]:
        lines += flow(finding.message, first=MARKS[finding.severity], rest="  ")
    hidden = len(inspection.findings) - FINDINGS_SHOWN
    more = [ngettext("  and {n} more in the report", "  and {n} more in the report", hidden)] if hidden > 0 else []
    about = _("Lengths and near copies: {n} rows drawn.", n=count(inspection.sampled))
    return [*lines, *more, *(flow(about) if inspection.sampled is not None else [])]


def _right_tool(inspection: Inspection) -> list[str]:
    """Return what speaks for another tool than fine-tuning, if anything does."""
    against = next((it for it in inspection.right_tool if it.against), None)
    if against is None:
        return []
    return [_("Before you tune"), *flow(against.answer, first="- ", rest="  ")]


def _fix_buttons(inspection: Inspection) -> list[Button]:
    """Return the most useful fixes, each once: those of the worst findings."""
    fixes = dict.fromkeys(finding.fix for finding in inspection.findings if finding.fix is not None)
    return [
        Button(label=_(FIXES[fix]), line=f"/dataset {_named(inspection)} {FIX}{fix.value}")
        for fix in list(fixes)[:FIXES_SHOWN]
    ]


def _what_was_mended(fixed: FixedFile | None) -> list[str]:
    if fixed is None:
        return []
    parts = []
    if fixed.removed:
        parts.append(ngettext("{n} row left out", "{n} rows left out", fixed.removed))
    if fixed.changed:
        parts.append(ngettext("{n} row changed", "{n} rows changed", fixed.changed))
    if not parts:
        return flow(_("There was nothing to mend. The old file is kept."))
    return flow(_("Mended: {what}. The old file is kept.", what=", ".join(parts)))


def report_card(inspection: Inspection, file: FileObject, report: File, picture: Image) -> Reply:
    """Return the full report as a file, with its picture."""
    lines = [clip(_("Report · {filename}", filename=one_line(file.filename)))]
    lines += flow(_("All findings with their lines, why each matters, and three rows as the model sees them."))
    return Reply(text="\n".join(lines), image=picture, files=(report,), again=f"/dataset {inspection.id} {REPORT}")


def findings_button(inspection: Inspection) -> list[Button]:
    """Return the button that leads to what was found, with its fixes and the report; none where nothing weighs."""
    weighs = any(finding.severity is not Severity.note for finding in inspection.findings)
    return [Button(label=_("Look closer"), line=f"/dataset {inspection.id}")] if weighs else []


def row_button(inspection: Inspection) -> Button:
    """Return the button that shows a row of somebody's data where others read along."""
    return Button(label=_("Show a row"), line=f"/dataset {_named(inspection)} {ROW}")


def _named(inspection: Inspection) -> str:
    """Return what names a file in a command: the inspection, where a person said something that it knows."""
    return inspection.id if _knows_more(inspection) else inspection.file_id


def _again(inspection: Inspection) -> str:
    return f"of:{inspection.id}" if _knows_more(inspection) else f"file:{inspection.file_id}"


def _knows_more(inspection: Inspection) -> bool:
    return inspection.mapping is not None or inspection.note is not None


def understood(inspection: Inspection) -> list[str]:
    """Return how many rows of which form there are, and which were dropped."""
    lines = [_("I understood"), _rows(inspection)]
    for row in inspection.dropped[:DROPPED_SHOWN]:
        lines += flow(_("line {line}: {reason}", line=row.line, reason=one_line(row.reason)), first="  ", rest="    ")
    hidden = inspection.dropped_count - min(len(inspection.dropped), DROPPED_SHOWN)
    if hidden > 0:
        lines.append("  " + ngettext("and {n} more", "and {n} more", hidden))
    tokens = inspection.tokens
    if inspection.form is DatasetForm.text:
        lines += flow(
            _("It learns the whole text, word by word: how it sounds and what it is about, but not how to answer.")
        )
    elif tokens is not None:
        lines += flow(_("It learns the answers: {percent} of the text.", percent=percent(tokens.trained, tokens.total)))
    if tokens is not None:
        lines += flow(
            _(
                "A typical row has {median} tokens (pieces of words), the longest {longest}.",
                median=count(tokens.median),
                longest=count(tokens.longest),
            )
        )
    return lines


def _rows(inspection: Inspection) -> str:
    if inspection.form is None:
        rows = ngettext("{n} row", "{n} rows", inspection.rows)
    elif inspection.form is DatasetForm.text:
        rows = ngettext("{n} passage of text", "{n} passages of text", inspection.rows)
    else:
        form = _(FORMS[inspection.form])
        rows = ngettext("{n} {form} row", "{n} {form} rows", inspection.rows, form=form)
    dropped = inspection.dropped_count
    return rows + (ngettext(", {n} dropped:", ", {n} dropped:", dropped) if dropped else "")


def sample_row(sample: SampleRow) -> list[str]:
    """Return a row as the model sees it; the agent has masked what is personal."""
    lines = marked(sample)
    return [
        _("Line {line}, as the model sees it", line=sample.line),
        _("(it learns what is marked ›)"),
        *beginning(lines, SAMPLE_LENGTH),
    ]


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


def notes(texts: list[str]) -> list[str]:
    """Return what is good to know."""
    lines = [_("Good to know")] if texts else []
    for text in texts:
        lines += flow(text, first="- ", rest="  ")
    return lines


def forms_card() -> Reply:
    """Return the forms that a dataset may have, with one line of each to copy."""
    lines = [
        _("What a dataset looks like"),
        "",
        *flow(_("A JSONL file: one row a line, in one of these forms. JSON (a list of such rows), Parquet, "
            "Excel, CSV and TSV (with the same names as columns) work too, also as .gz or in a .zip.")),
        "",
        *flow(_("A chat exported from WhatsApp, Telegram or Discord works as it is, and so do plain text and Markdown. "
            "Where I cannot tell, I ask.")),
        "",
        *flow(_("100 rows teach a style; a few thousand teach the most.")),
    ]  # fmt: skip
    copies = tuple(Copy(intro=f"{capital(_(FORMS[form]))}:", lines=(line,)) for form, line in EXAMPLES.items())
    return Reply(text="\n".join(lines), copy=copies)
