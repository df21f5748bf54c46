"""What a person typed, as a Call: a command, a file dropped on the window, or the number of a button."""

import re
import shlex
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from bot.core.call import Attachment
from bot.errors import BadCallError
from bot.words.arguments import QUOTED_OPTION
from shared.language import _

CHUNK_BYTES = 1 << 18
FILE_COMMAND = "finetune"  # what a file alone on a line stands for
FILE_COMMANDS = (FILE_COMMAND, "dataset")
NO_PATHS = ("sample", "help")  # words of theirs, whatever lies in this folder
_PATH_LIKE = re.compile(
    r"(file://|~/|\.{1,2}/|[A-Za-z]:[\\/]|/[^/]*[/.]).*"  # starts like one
    r"|.*\.(jsonl?|csv|txt|parquet)",  # or ends like a dataset
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Typed:
    """A line, understood."""

    command: str = ""
    said: str = ""  # the words of a line that is no command
    arguments: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    button: int | None = None  # the number of a button to press instead


def read_line(line: str) -> Typed:
    """Understand a line; raise BadCallError for a path that leads nowhere."""
    line = line.strip()
    if line.isdecimal() and len(line) < 3:
        return Typed(button=int(line))
    dropped = _existing(line) or _only_path(line)
    if dropped is not None:
        return Typed(command=FILE_COMMAND, attachments=(_attach(dropped),))
    if not line.startswith("/"):
        return Typed(said=line)
    command, *words = _words(line[1:]) or [""]
    command = command.lower()
    if command not in FILE_COMMANDS:
        return Typed(command=command, arguments=tuple(words))
    whole = _existing(line[1:].partition(" ")[2].strip())  # a path with bare spaces in it
    if whole is not None:
        return Typed(command=command, attachments=(_attach(whole),))
    paths = [word for word in words if word not in NO_PATHS and _is_path(word)]
    return Typed(
        command=command,
        arguments=tuple(word for word in words if word not in paths),
        attachments=tuple(_attach(_path(word)) for word in paths),
    )


def reopen_file(reference: str) -> Attachment:
    """Return a file that was attached before; raise BadCallError if it is not there any more."""
    return _attach(Path(reference))


def _only_path(line: str) -> Path | None:
    """Return the path if the line is nothing but one, quoted or escaped as a terminal does it."""
    words = _words(line)
    is_command = re.fullmatch(r"/\w*", words[0]) if words else None
    if len(words) == 1 and not is_command and (_PATH_LIKE.fullmatch(words[0]) or _existing(words[0])):
        return _path(words[0])
    return None


def _is_path(word: str) -> bool:
    if _existing(word) is not None:
        return True
    is_option = re.match(r"^\w{2,}[:=]", word) and not word.startswith("file://")
    return not is_option and _PATH_LIKE.fullmatch(word) is not None


def _path(word: str) -> Path:
    """Return where a typed, dropped or file:// path leads."""
    if word.startswith("file://"):
        word = url2pathname(unquote(urlsplit(word).path))
    return Path(word).expanduser()


def _existing(text: str) -> Path | None:
    try:
        path = _path(text)
        return path if text and path.is_file() else None
    except (OSError, ValueError, RuntimeError):
        return None


def _attach(path: Path) -> Attachment:
    if path.is_dir():
        raise BadCallError(_("{path} is a folder. Name one file in it.", path=path))
    if not path.is_file():
        raise BadCallError(_("There is no file {path}. Is the path complete? Quotes help if it has spaces.", path=path))
    try:
        with path.open("rb"):
            size = path.stat().st_size
    except OSError as cause:
        raise BadCallError(_("I may not read {path}: {reason}.", path=path, reason=cause.strerror)) from cause
    return Attachment(name=path.name, size=size, open=partial(_chunks, path), reference=str(path.absolute()))


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _words(line: str) -> list[str]:
    """Part a line as a shell does, but for options with a value in quotes, which stay as they were typed."""
    kept: list[str] = []

    def keep(found: "re.Match[str]") -> str:
        kept.append(found[0])
        return f"\0{len(kept) - 1}\0"

    marked = QUOTED_OPTION.sub(keep, line)
    try:
        words = shlex.split(marked)
    except ValueError:  # a lone quote, as in: it's
        words = marked.split()
    return [re.sub(r"\0(\d+)\0", lambda found: kept[int(found[1])], word) for word in words]
