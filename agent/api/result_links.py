"""/v1/files/{id}/links: a result that is too large for a chat, by a link that needs no key and expires."""

from aiohttp import web

from agent.api.files import send_content
from agent.api.queries import LinkQuery
from agent.api.route import Route, answer, read_body, read_query
from agent.api.services import services_of
from agent.auth import signed_links
from agent.errors import AgentError
from agent.store import files
from agent.store.files import StoredFile
from shared.errors import ErrorCode
from shared.files import FileLink, FilePurpose, LinkRequest
from shared.language import _
from shared.people import Action


async def create_link(request: web.Request) -> web.Response:
    """Make a link that holds for a day."""
    await read_body(request, LinkRequest)
    services = services_of(request)
    stored = await services.store.run(files.get, request.match_info["file_id"])
    _only_results(stored)
    public_url = services.settings.hearth_public_url
    if public_url is None:
        raise AgentError(
            _(
                "This agent has no HEARTH_PUBLIC_URL, so it makes no links. On the GPU machine, “hearth-agent results” "
                "and the job's number copy the files."
            ),
            code=ErrorCode.links_off,
        )
    expires_at = int(services.clock()) + signed_links.LIFE_S
    return answer(
        FileLink(
            url=public_url + signed_links.link_path(services.key, stored.file.id, expires_at=expires_at),
            expires_at=expires_at,
        )
    )


async def download(request: web.Request) -> web.StreamResponse:
    """Send a result to whoever has a link to it. Everything else about the link is refused alike."""
    services = services_of(request)
    file_id = request.match_info["file_id"]
    try:
        query = read_query(request, LinkQuery)
    except AgentError as error:
        raise signed_links.not_a_link() from error
    signed_links.check(services.key, file_id, expires_at=query.expires, signature=query.signature, now=services.clock())
    stored = await services.store.run(files.get, file_id)
    _only_results(stored)
    response = await send_content(request, stored)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _only_results(stored: StoredFile) -> None:
    """Raise for a dataset: what somebody sent leaves the machine by no link."""
    if stored.file.purpose is not FilePurpose.fine_tune_results:
        raise AgentError(
            _("{name} is a dataset; only results of a job can be linked.", name=stored.file.filename),
            code=ErrorCode.invalid_request,
        )


ROUTES = (
    Route(
        method="POST",
        path="/v1/files/{file_id}/links",
        handler=create_link,
        action=Action.link_file,
        summary="Make a link to a result that needs no key and expires",
        body=LinkRequest,
        answer=FileLink,
    ),
    Route(
        method="GET",
        path="/v1/files/{file_id}/download",
        handler=download,
        open=True,
        summary="Download a result by a signed link",
        query=LinkQuery,
        media="application/octet-stream",
    ),
)
