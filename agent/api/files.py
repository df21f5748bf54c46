"""/v1/files: datasets in, results out."""

import asyncio
from urllib.parse import quote

from aiohttp import web

from agent.api.authorization import ASKER
from agent.api.queries import FilesQuery
from agent.api.route import Route, answer, read_query
from agent.api.services import services_of
from agent.api.upload import receive
from agent.auth.keys import in_nobodys_name
from agent.errors import AgentError
from agent.store import files
from agent.store.files import StoredFile
from shared.errors import ErrorCode
from shared.files import FileDeleted, FileList, FileObject
from shared.language import _
from shared.people import Action


async def create_file(request: web.Request) -> web.Response:
    """Take an upload; answer when it is on disk."""
    services = services_of(request)
    return answer(await receive(request, services))


async def list_files(request: web.Request) -> web.Response:
    """List the files; to a member, those of their own and of the chat they ask from."""
    query = read_query(request, FilesQuery)
    asker = request[ASKER]
    if asker.who is None and not asker.key.is_owner:
        raise in_nobodys_name(asker.key)
    page, more = await services_of(request).store.run(
        files.listing,
        limit=query.limit,
        after=query.after,
        purpose=query.purpose,
        order=query.order,
        near=None if asker.sees_all else asker.who,
    )
    return answer(FileList(data=page, has_more=more))


async def get_file(request: web.Request) -> web.Response:
    """Describe one file."""
    stored = await services_of(request).store.run(files.get, request.match_info["file_id"])
    return answer(stored.file)


async def delete_file(request: web.Request) -> web.Response:
    """Delete a file that no unfinished job uses."""
    services = services_of(request)
    file_id = request.match_info["file_id"]
    path = await services.store.run(files.delete, file_id)
    await asyncio.to_thread((services.settings.hearth_data_dir / path).unlink, missing_ok=True)
    return answer(FileDeleted(id=file_id))


async def get_content(request: web.Request) -> web.StreamResponse:
    """Send the bytes, or the range of them that was asked for."""
    stored = await services_of(request).store.run(files.get, request.match_info["file_id"])
    return await send_content(request, stored)


async def send_content(request: web.Request, stored: StoredFile) -> web.StreamResponse:
    """Return the bytes of a file, or the range of them that was asked for, to be saved and never shown."""
    path = services_of(request).settings.hearth_data_dir / stored.path
    if not await asyncio.to_thread(path.is_file):
        raise AgentError(
            _("The bytes of {filename} are gone from the agent's disk.", filename=stored.file.filename),
            code=ErrorCode.not_found,
        )
    _check_range(request, stored.file.bytes)
    response = web.FileResponse(path, chunk_size=256 * 1024)
    response.content_type = "application/octet-stream"
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(stored.file.filename, safe='')}"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _check_range(request: web.Request, size: int) -> None:
    """Refuse here what FileResponse would refuse without an error body."""
    try:
        wanted = request.http_range
    except ValueError:
        wanted = slice(size, None)
    if wanted.start is not None and wanted.start >= size > 0:
        raise web.HTTPRequestRangeNotSatisfiable(
            text=_(
                "The range “{asked}” cannot be served: the file has {size} bytes, and one range at a time is sent.",
                asked=request.headers.get("Range", "")[:60],
                size=size,
            ),
            headers={"Content-Range": f"bytes */{size}"},
        )


ROUTES = (
    Route(
        method="POST",
        path="/v1/files",
        handler=create_file,
        action=Action.start_job,
        summary="Upload a dataset",
        form=True,
        answer=FileObject,
    ),
    Route(
        method="GET",
        path="/v1/files",
        handler=list_files,
        action=Action.see_file,
        summary="List files",
        query=FilesQuery,
        answer=FileList,
    ),
    Route(
        method="GET",
        path="/v1/files/{file_id}",
        handler=get_file,
        action=Action.see_file,
        summary="Describe a file",
        answer=FileObject,
    ),
    Route(
        method="DELETE",
        path="/v1/files/{file_id}",
        handler=delete_file,
        action=Action.delete_file,
        summary="Delete a file",
        answer=FileDeleted,
    ),
    Route(
        method="GET",
        path="/v1/files/{file_id}/content",
        handler=get_content,
        action=Action.see_file,
        summary="Download a file, or a range of it",
        media="application/octet-stream",
    ),
)
