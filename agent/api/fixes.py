"""/v1/files/{id}/fixes: a dataset mended with one tap, as a new file that names its parent."""

import asyncio
import logging
from pathlib import Path, PurePath

from aiohttp import web

from agent.admission.bounds import Use
from agent.api.authorization import ASKER, check_model
from agent.api.route import Route, answer, read_body
from agent.api.services import services_of
from agent.api.upload import STAGED, Received, record
from agent.job_folder.durable import file_sha256
from agent.store import files
from agent.store.ids import new_id
from shared.files import FixedFile, FixRequest
from shared.people import Action

log = logging.getLogger(__name__)


async def create_fix(request: web.Request) -> web.Response:
    """Mend a dataset; asked twice, it is the same new file."""
    services, asker = services_of(request), request[ASKER]
    body = await read_body(request, FixRequest)
    await check_model(request, body.model)
    stored = await services.store.run(files.get, request.match_info["file_id"])
    file_id = new_id("file")
    staged = services.settings.files_dir / f"{STAGED}{file_id}"
    try:
        limit_bytes = services.settings.hearth_file_limit_mib << 20
        # What is mended may be longer than what it is made from, so the child's own limit is the file limit.
        with services.in_flight.inside(Use.inspection, asker.party), services.disk.room(2 * stored.file.bytes):
            mended = await services.intake.mend(stored, body, output=staged, limit_bytes=limit_bytes)
        received = await asyncio.to_thread(_measure, staged, mended_name(stored.file.filename))
        file = await services.store.run(files.made_from, stored.file.id, received.sha256, body.requested_by)
        if file is None:
            file = await record(file_id, staged, received, asker, services, parent=stored.file.id)
    finally:
        await asyncio.to_thread(staged.unlink, missing_ok=True)
    log.info("%s: %s of %s, for %s", file.id, ", ".join(body.fixes), stored.file.id, body.requested_by or "the owner")
    return answer(FixedFile(file=file, rows=mended.rows, removed=mended.removed, changed=mended.changed))


def mended_name(filename: str) -> str:
    """Return support-2.jsonl for support.csv and support-3.jsonl for support-2.jsonl."""
    stem = PurePath(filename).name.split(".")[0]
    base, dash, number = stem.rpartition("-")
    if dash and number.isdecimal() and 1 < int(number) < 1000:
        return f"{base}-{int(number) + 1}.jsonl"
    return f"{stem}-2.jsonl"


def _measure(path: Path, name: str) -> Received:
    path.chmod(0o600)
    return Received(filename=name, size=path.stat().st_size, sha256=file_sha256(path))


ROUTES = (
    Route(
        method="POST",
        path="/v1/files/{file_id}/fixes",
        handler=create_fix,
        action=Action.start_job,
        summary="Make a mended copy of a dataset",
        body=FixRequest,
        answer=FixedFile,
    ),
)
