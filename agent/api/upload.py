"""Receive one upload: streamed to disk, hashed and measured on the way, recorded only when it is safe there."""

import asyncio
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import ValidationError

from agent.admission.bounds import Use
from agent.admission.disk import DiskReservation
from agent.api.authorization import ASKER, Asker, agreed, permit
from agent.api.explain import explain
from agent.api.services import Services
from agent.errors import AgentError
from agent.job_folder.durable import sync_folder
from agent.settings import AgentSettings
from agent.store import Store, files
from agent.store.ids import new_id
from shared.errors import ErrorCode
from shared.files import FileObject, FilePurpose
from shared.language import _
from shared.people import Action, RequestedBy

STAGED = ".incoming-"
CHUNK = 1024 * 1024
FIELDS = frozenset({"purpose", "requested_by", "sha256"})
FIELD_LIMIT = 8192  # bytes of a form field that is no file
FORM_OVERHEAD = 64 * 1024  # what a form may have around the file


@dataclass(frozen=True, kw_only=True)
class Received:
    """Bytes on disk."""

    filename: str
    size: int
    sha256: str


async def receive(request: web.Request, services: Services) -> FileObject:
    """Read the form, fields in any order; keep the file, or leave no trace of it. Raises AgentError."""
    limit_mib = services.settings.hearth_file_limit_mib
    if request.content_length is not None and request.content_length > limit_mib * 1024**2 + FORM_OVERHEAD:
        raise _too_large(limit_mib)
    file_id = new_id("file")
    staged = services.settings.files_dir / f"{STAGED}{file_id}"
    coming = request.content_length or 0
    await services.store.run(files.check_stored, request[ASKER].party, coming)
    try:
        with services.in_flight.inside(Use.upload, request[ASKER].party), services.disk.room(coming) as room:
            received, fields = await _read_form(request, staged, limit_mib, room)
        requested_by = agreed(request[ASKER].who, _check_fields(fields))
        _check_digest(fields.get("sha256"), received)
        await permit(request, requested_by, Action.start_job)  # again: the form may say who it is where no header did
        if received.size == 0:
            raise AgentError(
                _(
                    "{name} is empty. Send a file with at least one row.",
                    name=files.safe_name(received.filename),
                ),
                code=ErrorCode.dataset_empty,
                param="file",
            )
        return await record(file_id, staged, received, request[ASKER], services)  # as the form says who it is
    finally:
        await asyncio.to_thread(staged.unlink, missing_ok=True)


async def remove_leftovers(settings: AgentSettings, store: Store) -> None:
    """Remove what uploads that were cut off left behind, and bytes that no row knows. Only before serving."""
    known = await store.run(files.paths)
    await asyncio.to_thread(_sweep, settings, known)


def _sweep(settings: AgentSettings, known: set[str]) -> None:
    for pattern in (f"{STAGED}*", "file-*"):
        for path in settings.files_dir.glob(pattern):
            if path.relative_to(settings.hearth_data_dir).as_posix() not in known:
                path.unlink(missing_ok=True)


async def record(
    file_id: str,
    staged: Path,
    received: Received,
    asker: Asker,
    services: Services,
    parent: str | None = None,
) -> FileObject:
    """Give the bytes their name and their row: both, or neither."""
    target = services.settings.files_dir / file_id
    try:
        await asyncio.to_thread(_settle, staged, target)
        return await services.store.run(
            files.add,
            file_id=file_id,
            filename=received.filename,
            size=received.size,
            sha256=received.sha256,
            path=target.relative_to(services.settings.hearth_data_dir).as_posix(),
            now=int(services.clock()),
            requested_by=asker.who,
            party=asker.party,
            parent=parent,
        )
    except Exception:  # not CancelledError: the insert may be made all the same, and else the next start sweeps
        await asyncio.to_thread(target.unlink, missing_ok=True)
        raise


async def _read_form(
    request: web.Request, staged: Path, limit_mib: int, room: DiskReservation
) -> tuple[Received, dict[str, str]]:
    if not request.content_type.startswith("multipart/"):
        raise _bad_form(_("the body is {content_type}", content_type=request.content_type))
    received: Received | None = None
    fields: dict[str, str] = {}
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or not part.name:
                raise _bad_form(_("it has a part without a name"))
            if part.name == "file" and received is None:
                received = await _write_file(part, staged, limit_mib, room)
            elif part.name in FIELDS and part.name not in fields:
                fields[part.name] = await _read_field(part)
            else:
                raise _unknown_field(part.name, twice=part.name == "file" or part.name in fields)
    except (ValueError, AssertionError, HttpProcessingError) as error:  # what aiohttp raises for a form it cannot read
        raise _bad_form(_("it is cut off or malformed")) from error
    if received is None:
        raise _bad_form(_("it has no file in it"))
    return received, fields


async def _write_file(part: BodyPartReader, staged: Path, limit_mib: int, room: DiskReservation) -> Received:
    digest = hashlib.sha256()
    size = 0
    with _open_private(staged) as file:  # at once: cancelled in a thread, it would be opened after the clean-up
        while chunk := await part.read_chunk(CHUNK):
            size += len(chunk)
            if size > limit_mib * 1024**2:
                raise _too_large(limit_mib)
            digest.update(chunk)
            room.write(len(chunk))
            await asyncio.to_thread(file.write, chunk)
        await asyncio.to_thread(_sync, file)
    return Received(filename=part.filename or "file", size=size, sha256=digest.hexdigest())


async def _read_field(part: BodyPartReader) -> str:
    value = bytearray()
    while chunk := await part.read_chunk(FIELD_LIMIT):
        value += chunk
        if len(value) > FIELD_LIMIT:
            raise AgentError(
                _("{name} has more than {limit} bytes.", name=part.name, limit=FIELD_LIMIT),
                code=ErrorCode.invalid_request,
                param=part.name,
            )
    return value.decode("utf-8", errors="replace").strip()


def _check_fields(fields: dict[str, str]) -> RequestedBy | None:
    purpose = fields.get("purpose")
    if purpose != FilePurpose.fine_tune:
        was = "missing" if purpose is None else f"“{purpose[:60]}”"
        raise AgentError(
            _("purpose is {was}; for a dataset it must be “fine-tune”.", was=was),
            code=ErrorCode.invalid_request,
            param="purpose",
        )
    text = fields.get("requested_by")
    if not text:
        return None
    try:
        return RequestedBy.model_validate_json(text)
    except ValidationError as error:
        raise explain(error, RequestedBy) from error


def _check_digest(declared: str | None, received: Received) -> None:
    """Refuse bytes that are not those that were sent; who declares nothing has them taken as they are."""
    if declared and declared.lower() != received.sha256:
        raise AgentError(
            _(
                "The file arrived damaged: its SHA-256 is {arrived}…, and {declared}… was declared. Send it again.",
                arrived=received.sha256[:12],
                declared=declared[:12],
            ),
            code=ErrorCode.invalid_request,
            param="sha256",
        )


def _open_private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _settle(staged: Path, target: Path) -> None:
    staged.rename(target)
    sync_folder(target.parent)


def _too_large(limit_mib: int) -> AgentError:
    return AgentError(
        _(
            "The file is over the limit of {limit_mib} MiB. Send a smaller one; the agent's owner "
            "can raise HEARTH_FILE_LIMIT_MIB.",
            limit_mib=limit_mib,
        ),
        code=ErrorCode.file_too_large,
        param="file",
    )


def _bad_form(reason: str) -> AgentError:
    return AgentError(
        _(
            "The upload cannot be read: {reason}. Send a multipart form with the fields “purpose” and “file”.",
            reason=reason,
        ),
        code=ErrorCode.invalid_request,
        param="file",
    )


def _unknown_field(name: str, *, twice: bool) -> AgentError:
    message = (
        _("{name} is given twice", name=name[:60]) if twice else _("“{name}” is not a known field", name=name[:60])
    )
    return AgentError(
        _("{message}. An upload has the fields purpose, file, sha256 and requested_by.", message=message),
        code=ErrorCode.invalid_request,
        param=name[:60],
    )
