"""Whatever is sent to a route, within its schema or beside it: it is answered, and the agent lives on."""

import pytest

from agent.settings import AgentSettings
from tests.agent.api.schema_story import ask_everything, goes_on

pytestmark = pytest.mark.process

NEVER_WELL = {
    "GET /v1/files/{file_id}/download",  # nobody guesses a signature
    "POST /v1/people/pair",  # nor a code
    "POST /v1/fine_tuning/jobs/{job_id}/pause",  # nothing runs
    "POST /v1/fine_tuning/jobs/{job_id}/steer",  # nor is anything paused that still is when its turn comes
}


async def test_any_request_is_answered_and_leaves_an_agent_that_starts_again(settings: AgentSettings) -> None:
    answers = await ask_everything(settings, dice=0, examples=2, short=True)
    assert answers.wrong == {}
    silent = {name for name, seen in answers.statuses.items() if not any(200 <= status < 300 for status in seen)}
    assert silent == NEVER_WELL  # a request that is refused at the door tries nothing behind it
    await goes_on(settings)
