"""A Reply as lines that fit the screen, its files in a folder. Nothing untrusted reaches the screen as it came."""

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bot.core.reply import File, Reply
from bot.errors import AgentRefusedError
from bot.terminal_ui.layout import PIPE, Look, fitted, in_rows, words
from bot.words.format import flow, plain, safe_file_name, size
from shared.language import _


def render(reply: Reply, saved: list[str], look: Look = PIPE) -> str:
    """Return the text of a reply. Buttons become numbers; on a live card, whose numbers would shift, lines to type."""
    blocks = [words(reply, look)]
    if reply.image is not None:
        blocks.append(fitted(reply.image.alt_text, look.width))
    if saved:
        blocks.append(fitted("\n".join(saved), look.width))
    blocks += [
        "\n".join([fitted(copy.intro, look.width), "", *(f"  {plain(line)}" for line in copy.lines)])
        for copy in reply.copy
    ]
    if reply.buttons and reply.live:
        blocks.append(in_rows([button.line for button in reply.buttons], look.width))
    elif reply.buttons:
        numbered = [f"[{number}] {button.label}" for number, button in enumerate(reply.buttons, 1)]
        blocks.append(in_rows(numbered, look.width))
    return "\n\n".join(block for block in blocks if block)


@dataclass(kw_only=True)
class Saving:
    """What became of each file, by name."""

    saved: dict[str, int] = field(default_factory=dict)  # bytes
    refused: dict[str, str] = field(default_factory=dict)  # what the agent said instead
    failed: dict[str, str] = field(default_factory=dict)  # what this machine's disk said


async def save_files(reply: Reply, folder: Path) -> list[str]:
    """Write picture and files to disk, each whole or not at all; return the lines that say what became of them.

    A full or read-only disk and a file that the agent lost are said, never raised. A hidden mark lies beside the files
    until all are there: a bot that was killed in between saves them in the same place once more.
    """
    files = [*([reply.image.file] if reply.image else []), *reply.files]
    if not files:
        return []
    saving = Saving()
    try:
        target = _free_folder(files, folder, reply.folder)
        target.mkdir(parents=True, exist_ok=True)
        mark = target / _mark(reply.folder)
        mark.touch()
    except OSError as error:
        target, saving.failed = folder, {safe_file_name(file.name): _reason(error) for file in files}
    else:
        for file in files:
            await _try_to_save(file, target, saving)
        with suppress(OSError):
            mark.unlink()
    return _told(saving, _shown(target), reply.again)


async def _try_to_save(file: File, folder: Path, saving: Saving) -> None:
    name = safe_file_name(file.name)
    try:
        await _save(file, folder)
        saving.saved[name] = (folder / name).stat().st_size
    except AgentRefusedError as error:
        saving.refused[name] = error.message
    except OSError as error:
        saving.failed[name] = _reason(error)


def _told(saving: Saving, folder: str, again: str) -> list[str]:
    lines = flow(_("Saved in {folder}:", folder=folder), rest="  ") if saving.saved else []
    for name, byte_count in saving.saved.items():
        lines += flow(f"{name}, {size(byte_count)}", first="- ", rest="  ")
    for name, message in saving.refused.items():
        lines += flow(_("{name} is missing. {message}", name=name, message=message))
    if saving.failed:
        which = ", ".join(saving.failed) if saving.saved else _("The files")
        reason = next(iter(saving.failed.values()))
        kept = _(" They stay with the agent: {again}.", again=again) if again else ""
        lines += flow(
            _(
                "{which} could not be saved in {folder}: {reason}.{kept}",
                which=which,
                folder=folder,
                reason=reason,
                kept=kept,
            )
        )
    return lines


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _free_folder(files: list[File], folder: Path, own: str) -> Path:
    """Return the folder, or one of its own in it for a set of files of which a name is taken."""
    names = [safe_file_name(file.name) for file in files]
    begun = (folder / _mark(own)).exists()
    if begun or not any((folder / name).exists() for name in names):
        return folder
    return folder / safe_file_name(own or "more")


def _mark(own: str) -> str:
    return f".{safe_file_name(own or 'more')}.saving"


async def _save(file: File, folder: Path) -> None:
    part = folder / f".{safe_file_name(file.name)}.part"
    try:
        with part.open("wb") as out:
            async for chunk in file.open():
                out.write(chunk)
        part.replace(folder / safe_file_name(file.name))
    finally:
        part.unlink(missing_ok=True)


def _shown(folder: Path) -> str:
    """Return the folder as short as it can be typed from here."""
    here = Path.cwd()
    if folder == here:
        return "./"
    return f"./{folder.relative_to(here)}" if folder.is_relative_to(here) else str(folder)
