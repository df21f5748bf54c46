"""Datasets that nobody used for long: how many there are, whether they shall go, and that they are gone. Pure."""

from bot.core.blocks import Items, Note
from bot.core.reply import Button, Reply, Tone, Weight
from bot.words.format import clip, one_line, size
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
    return [how_many, _("/delete unused asks, then removes them.")]


def unused_question(found: UnusedDatasets, *, yes: str, no: str) -> Reply:
    """Ask whether they shall go, by their names; `yes` and `no` are the lines of the buttons."""
    what = ngettext(
        "Delete the {n} dataset that nobody used for {days} days, {size}?",
        "Delete the {n} datasets that nobody used for {days} days, {size} in all?",
        len(found.data),
        days=found.days,
        size=size(found.bytes),
    )
    names = tuple(f"{clip(one_line(file.filename), 60)}, {size(file.bytes)}" for file in found.data[:NAMED])
    hidden = len(found.data) - NAMED
    rest = ngettext("and {n} more", "and {n} more", hidden) if hidden > 0 else ""
    after = _("A job that learned from one of them cannot be run again. Finished models stay.")
    return Reply(
        summary=what,
        tone=Tone.trouble,
        blocks=(Items(items=names, rest=rest), Note(text=after)),
        buttons=(
            Button(label=_("Yes, delete"), line=yes, weight=Weight.danger),
            Button(label=_("Keep them"), line=no),
        ),
    )


def unused_deleted(files: list[FileObject]) -> Reply:
    """Return that they are gone."""
    freed = size(sum(file.bytes for file in files))
    done = ngettext("Deleted: {n} dataset, {size}.", "Deleted: {n} datasets, {size}.", len(files), size=freed)
    return Reply(summary=done)
