"""/v1/chats: a chat that goes on under another id takes along what is its own."""

import logging

from aiohttp import web

from agent.api.people import check_platform
from agent.api.route import Route, answer, read_body
from agent.api.services import services_of
from agent.errors import AgentError
from agent.store import chats
from shared.errors import ErrorCode
from shared.language import _
from shared.people import Action, ChatMove, ChatMoved

log = logging.getLogger(__name__)


async def move_chat(request: web.Request) -> web.Response:
    """Move what names a chat to its new id, all or nothing. Said twice, there is nothing left to move."""
    body = await read_body(request, ChatMove)
    check_platform(request, body.platform)
    if body.chat == body.to:
        raise AgentError(
            _("chat and to are both {chat}. Name the id of before, and the one from now on.", chat=body.chat),
            code=ErrorCode.invalid_request,
            param="to",
        )
    moved = await services_of(request).store.run(chats.move, body)
    went = f"{moved.grants} grants, {moved.files} files, {moved.plans} plans, {moved.jobs} jobs"
    log.info("moved: %s chat %s is now %s: %s", body.platform, body.chat, body.to, went)
    return answer(moved)


ROUTES = (
    Route(
        method="POST",
        path="/v1/chats/moves",
        handler=move_chat,
        summary="Say that a chat goes on under another id",
        body=ChatMove,
        answer=ChatMoved,
        action=Action.move_chat,
    ),
)
