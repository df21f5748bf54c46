"""What was understood of a dataset, one row of it, and which forms there are. Pure."""

from bot.format import clip, count, one_line, percent, plain, wrap
from bot.reply import Button, Copy, Reply
from shared.files import FileObject
from shared.inspections import DatasetForm, Inspection, SampleRow

DROPPED_SHOWN = 3
SAMPLE_LINES = 12
ROW = "row"  # as the last word of /dataset: show one
FORMS = {
    DatasetForm.messages: "chat",
    DatasetForm.prompt_completion: "prompt/completion",
    DatasetForm.alpaca: "Alpaca",
    DatasetForm.sharegpt: "ShareGPT",
}
EXAMPLES = {
    DatasetForm.messages: (
        '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]}'
    ),
    DatasetForm.prompt_completion: '{"prompt": "Hi", "completion": "Hello!"}',
    DatasetForm.alpaca: '{"instruction": "Greet", "input": "Mia", "output": "Hello, Mia!"}',
    DatasetForm.sharegpt: '{"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello!"}]}',
}


def dataset_card(file: FileObject, inspection: Inspection, *, with_row: bool) -> Reply:
    """Return what is in a dataset, and the ways on from there."""
    blocks = [
        [clip(f"Dataset · {one_line(file.filename)}")],
        understood(inspection),
        sample_row(inspection.sample) if inspection.sample and with_row else [],
        notes(inspection.notes),
    ]
    more = () if with_row or inspection.sample is None else (row_button(file.id),)
    return Reply(
        text="\n\n".join("\n".join(block) for block in blocks if block),
        buttons=(Button(label="Fine-tune", line=f"/finetune file:{file.id}"), *more),
    )


def row_button(file_id: str) -> Button:
    """Return the button that shows a row of somebody's data where others read along."""
    return Button(label="Show a row", line=f"/dataset {file_id} {ROW}")


def understood(inspection: Inspection) -> list[str]:
    """Return how many rows of which form there are, and which were dropped."""
    form = FORMS[inspection.form] + " " if inspection.form else ""
    dropped = f", {count(inspection.dropped_count)} dropped:" if inspection.dropped_count else ""
    lines = ["I understood", f"{count(inspection.rows)} {form}{'row' if inspection.rows == 1 else 'rows'}{dropped}"]
    for row in inspection.dropped[:DROPPED_SHOWN]:
        lines += wrap(f"line {row.line}: {one_line(row.reason)}", first="  ", rest="    ")
    hidden = inspection.dropped_count - min(len(inspection.dropped), DROPPED_SHOWN)
    if hidden > 0:
        lines.append(f"  and {count(hidden)} more")
    tokens = inspection.tokens
    if tokens is not None:
        lines += wrap(f"It learns the answers: {percent(tokens.trained, tokens.total)} of the text.")
        lines += wrap(
            f"A typical row has {count(tokens.median)} tokens (pieces of words), the longest {count(tokens.longest)}."
        )
    return lines


def sample_row(sample: SampleRow) -> list[str]:
    """Return a row as the model sees it; the agent has masked what is personal."""
    lines = []
    for text, trained in sample.parts:
        mark = "› " if trained else "  "
        lines += wrap(plain(text), first=mark)
    hidden = ["  …"] if len(lines) > SAMPLE_LINES else []
    return [f"Line {sample.line}, as the model sees it", "(it learns what is marked ›)", *lines[:SAMPLE_LINES], *hidden]


def notes(texts: list[str]) -> list[str]:
    """Return what is good to know."""
    lines = ["Good to know"] if texts else []
    for text in texts:
        lines += wrap(text, first="- ", rest="  ")
    return lines


def forms_card() -> Reply:
    """Return the forms that a dataset may have, with one line of each to copy."""
    lines = [
        "What a dataset looks like",
        "",
        *wrap("A JSONL file: one row a line, in one of these forms. JSON (a list of such rows) and CSV (with the same "
              "names as columns) work too."),
        "",
        *wrap("100 rows teach a style; a few thousand teach the most."),
    ]  # fmt: skip
    copies = tuple(Copy(intro=f"{FORMS[form]}:".capitalize(), lines=(line,)) for form, line in EXAMPLES.items())
    return Reply(text="\n".join(lines), copy=copies)
