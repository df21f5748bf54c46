"""Datasets that nobody used for long: how many there are, whether they shall go, and that they are gone. Pure."""

from bot.core.reply import Button, Reply
from bot.words.format import clip, flow, one_line, size
from shared.files import FileObject, UnusedDatasets
from shared.language import _, ngettext

NAMED = 10


def unused_lines(found: UnusedDatasets) -> list[str]:
    """Return what the card of the machine says of them, in lines; none where there are none."""
    if not found.data:
        return []
    how_many = ngettext(
        "Unused for {days} days: {n} dataset, {size}.",
        "Unused for {days} days: {n} datasets, {size}.",
        len(found.data),
        days=found.days,
        size=size(found.bytes),
    )
    return [*flow(how_many), *flow(_("/delete unused asks, then removes them."))]


def unused_question(found: UnusedDatasets, *, yes: str, no: str) -> Reply:
    """Ask whether they shall go, by their names; `yes` and `no` are the lines of the buttons."""
    what = ngettext(
        "Delete the {n} dataset that nobody used for {days} days, {size}?",
        "Delete the {n} datasets that nobody used for {days} days, {size} in all?",
        len(found.data),
        days=found.days,
        size=size(found.bytes),
    )
    names = [
        line
        for file in found.data[:NAMED]
        for line in flow(f"{clip(one_line(file.filename), 60)}, {size(file.bytes)}", first="- ", rest="  ")
    ]
    hidden = len(found.data) - NAMED
    if hidden > 0:
        names.append(ngettext("and {n} more", "and {n} more", hidden))
    after = _("A job that learned from one of them cannot be run again. Finished models stay.")
    return Reply(
        text="\n".join([*flow(what), *names, *flow(after)]),
        buttons=(Button(label=_("Yes, delete"), line=yes), Button(label=_("Keep them"), line=no)),
    )


def unused_deleted(files: list[FileObject]) -> Reply:
    """Return that they are gone."""
    freed = size(sum(file.bytes for file in files))
    done = ngettext("Deleted: {n} dataset, {size}.", "Deleted: {n} datasets, {size}.", len(files), size=freed)
    return Reply(text="\n".join(flow(done)))
