"""Whether a job is somebody's to act on, asked before a question is put to them. The agent alone decides in the end."""

from bot.cards.job import job_name
from bot.core.call import Call
from bot.dispatch.command import Core
from bot.dispatch.greeting import named
from bot.dispatch.job_reference import is_theirs
from bot.errors import AgentRefusedError
from bot.words.format import one_line
from shared.errors import ErrorCode
from shared.jobs import Job
from shared.language import _
from shared.people import Role


async def refuse_unless_theirs(call: Call, core: Core, job: Job) -> None:
    """Raise not_allowed for a job of somebody else, unless the person acts on anybody's."""
    me = await core.agent.me()
    asked = job.requested_by
    if is_theirs(job, call) or me.role in (Role.owner, Role.admin):
        return
    raise AgentRefusedError(
        _(
            "{job} was started by {who}. Only they, the owner of this machine ({owner}) and its admins may do that.",
            job=job_name(job),
            who=one_line(asked.name or "") if asked is not None and asked.name else _("somebody else"),
            owner=named(me),
        ),
        code=ErrorCode.not_allowed,
    )
