"""`hearth-agent results 12`: copies all results of job #12 into a folder here. Works while the agent runs, and without.

It changes nothing of the agent's: the database is read, the files are copied.
"""

import argparse
import errno
import hashlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy.exc import DatabaseError

from agent.errors import AgentError
from agent.machine.gpu import MIB
from agent.settings import AgentSettings
from agent.store import files, jobs
from agent.store.files import StoredFile
from agent.store.read_only import reading
from agent.store.status_names import STATUS_WORDS
from agent.store.store import DATABASE
from shared.errors import ErrorCode
from shared.language import _, locale_here, speaking

CHUNK = 4 * MIB


@dataclass(frozen=True, kw_only=True)
class Results:
    """What a job left."""

    folder: str  # NAME-12
    model: str | None  # toast:v1
    files: list[StoredFile]


def main(arguments: Sequence[str]) -> int:
    """Copy and say what is there; return the exit code."""
    parser = argparse.ArgumentParser(prog="hearth-agent results", description=_("Copy the results of a job to here."))
    parser.add_argument("job", help=_("its number, as in 12"))
    given = parser.parse_args(arguments).job.removeprefix("#")
    with speaking(locale_here()):
        return _copied(given)


def _copied(given: str) -> int:
    try:
        data_dir = AgentSettings().hearth_data_dir
        results = find_results(data_dir, given)
        target = Path.cwd() / results.folder
        copy_results(results, data_dir, target)
    except ValidationError as error:
        print(str(error), file=sys.stderr)
        return 2
    except AgentError as error:
        print(error.message, file=sys.stderr)
        return 1
    print("\n".join(told(results)))
    return 0


def find_results(data_dir: Path, job: str) -> Results:
    """Look up what a job left. Raises AgentError."""
    database = data_dir / DATABASE
    try:
        if not database.is_file():
            raise AgentError(
                _(
                    "There is no agent's data in {folder}. Set HEARTH_DATA_DIR to the agent's data folder, or run this "
                    "as the user that the agent runs as.",
                    folder=data_dir,
                ),
                code=ErrorCode.not_found,
            )
        with reading(database) as session:
            row = jobs.row_of(session, job)
            found = [files.get(session, file_id) for file_id in files.result_ids(session, row.id)]
            number, name, model, status = row.number, row.suffix, row.fine_tuned_model, row.status
    except (DatabaseError, PermissionError) as error:
        reason = error.orig if isinstance(error, DatabaseError) else error.strerror
        raise AgentError(
            _(
                "The agent's database in {folder} cannot be read: {reason}. Run this as the user that the agent runs "
                "as, with sudo if need be.",
                folder=data_dir,
                reason=reason,
            ),
            code=ErrorCode.store_unavailable,
        ) from error
    if not found:
        raise AgentError(
            _("Job #{number} has no results: it is {status}. There may be some when it has ended.",
              number=number, status=_(STATUS_WORDS[status])),
            code=ErrorCode.not_found,
        )  # fmt: skip
    return Results(folder=f"{name or 'job'}-{number}", model=model, files=found)


def copy_results(results: Results, data_dir: Path, target: Path) -> None:
    """Copy every file, each whole or not at all; one that is there already, and the same, stays. Raises AgentError."""
    try:
        target.mkdir(exist_ok=True)
        _must_be_ours(target)
        missing = [stored for stored in results.files if not _is_there(stored, target)]
        needed = sum(stored.file.bytes for stored in missing)
        free = shutil.disk_usage(target).free
        if free < needed:
            raise _no_room(target, needed, free)
        for stored in missing:
            _copy(stored, data_dir / stored.path, target / stored.file.filename)
    except FileNotFoundError as error:
        raise AgentError(
            _("{file} is gone from the agent's disk, so it cannot be copied.", file=error.filename),
            code=ErrorCode.not_found,
        ) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _no_room(target, needed, shutil.disk_usage(target).free) from error
        raise AgentError(
            _("The results cannot be copied to {folder}: {reason}. Go to a folder that you may write to, then run "
              "this again.", folder=target, reason=error.strerror),
            code=ErrorCode.not_allowed,
        ) from error  # fmt: skip


def _must_be_ours(target: Path) -> None:
    """Refuse a folder that somebody else has laid out: with sudo, its links would be followed with root's rights."""
    found = target.lstat()
    if not stat.S_ISDIR(found.st_mode) or (hasattr(os, "geteuid") and found.st_uid != os.geteuid()):
        raise AgentError(
            _("{folder} is there already, and is a link or somebody else's. Go to another folder, then run this again.",
              folder=target),
            code=ErrorCode.not_allowed,
        )  # fmt: skip


def told(results: Results) -> list[str]:
    """Return what is there now, and how it is run, in lines."""
    lines = [f"./{results.folder}/", *(f"- {it.file.filename}, {_size(it.file.bytes)}" for it in results.files)]
    names = {it.file.filename for it in results.files}
    if results.model is not None and "Modelfile" in names:
        lines += [
            "",
            _("Run it with Ollama:"),
            "",
            *(f"  {line}" for line in (f"cd {results.folder}", *_in_ollama(results.model))),
        ]
    return lines


def _in_ollama(model: str) -> tuple[str, str]:
    return f"ollama create {model} -f Modelfile", f"ollama run {model}"


def _is_there(stored: StoredFile, target: Path) -> bool:
    path = target / stored.file.filename
    if not path.exists():
        return False
    if path.stat().st_size == stored.file.bytes and _sha256(path) == stored.file.sha256:
        return True
    raise AgentError(
        _("{path} is there already and is another file. Move it away, then run this again.", path=path),
        code=ErrorCode.invalid_request,
    )


def _copy(stored: StoredFile, source: Path, target: Path) -> None:
    """Copy to a name beside it first, hashed on the way: half a file never has the name of a whole one."""
    number, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    part = Path(name)
    digest = hashlib.sha256()
    try:
        with source.open("rb") as reading_from, os.fdopen(number, "wb") as writing_to:
            while chunk := reading_from.read(CHUNK):
                digest.update(chunk)
                writing_to.write(chunk)
        if digest.hexdigest() != stored.file.sha256:
            raise AgentError(
                _("{file} is not as the job left it: its content has changed on the agent's disk. It was not copied.",
                  file=source),
                code=ErrorCode.internal,
            )  # fmt: skip
        part.chmod(0o644)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _no_room(target: Path, needed: int, free: int) -> AgentError:
    return AgentError(
        _("The results have {needed}, and the disk of {folder} has {free} free. Free some space, or go to a folder on "
          "another disk, then run this again.", needed=_size(needed), folder=target, free=_size(free)),
        code=ErrorCode.insufficient_disk,
    )  # fmt: skip


def _size(byte_count: int) -> str:
    return f"{byte_count} B" if byte_count < MIB else f"{byte_count / MIB:.0f} MiB"
