"""A Reply as lines of text, and its files as files in a folder. Nothing untrusted reaches the screen as it came."""

from pathlib import Path

from bot.format import plain, safe_file_name, size, wrap
from bot.reply import File, Reply


def render(reply: Reply, saved: list[str]) -> str:
    """Return the text of a reply. Buttons become numbers; on a live card, whose numbers would shift, lines to type."""
    blocks = [plain(reply.text)]
    if reply.image is not None:
        blocks.append("\n".join(wrap(reply.image.alt_text)))
    if saved:
        blocks.append("\n".join(saved))
    blocks += ["\n".join([*wrap(copy.intro), "", *(f"  {plain(line)}" for line in copy.lines)]) for copy in reply.copy]
    if reply.buttons and reply.live:
        blocks.append("  ".join(button.line for button in reply.buttons))
    elif reply.buttons:
        blocks.append("  ".join(f"[{number}] {button.label}" for number, button in enumerate(reply.buttons, 1)))
    return "\n\n".join(blocks)


async def save_files(reply: Reply, folder: Path) -> list[str]:
    """Write picture and files to disk, each whole or not at all; return the lines that say so."""
    files = [*([reply.image.file] if reply.image else []), *reply.files]
    if not files:
        return []
    target = _free_folder(files, folder, reply.folder)
    target.mkdir(parents=True, exist_ok=True)
    for file in files:
        await _save(file, target)
    lines = wrap(f"Saved in {_shown(target)}:", rest="  ")
    for file in files:
        lines += wrap(f"{safe_file_name(file.name)}, {size(_size(file, target))}", first="- ", rest="  ")
    return lines


def _free_folder(files: list[File], folder: Path, own: str) -> Path:
    """Return the folder, or one of its own in it for a set of files of which a name is taken."""
    names = [safe_file_name(file.name) for file in files]
    if not any((folder / name).exists() for name in names):
        return folder
    return folder / safe_file_name(own or "more")


async def _save(file: File, folder: Path) -> None:
    part = folder / f".{safe_file_name(file.name)}.part"
    try:
        with part.open("wb") as out:
            async for chunk in file.open():
                out.write(chunk)
        part.replace(folder / safe_file_name(file.name))
    finally:
        part.unlink(missing_ok=True)


def _size(file: File, folder: Path) -> int:
    return (folder / safe_file_name(file.name)).stat().st_size


def _shown(folder: Path) -> str:
    text = str(folder)
    return text if folder.is_absolute() or text.startswith(".") else f"./{text}"
