"""An agent without a GPU: a real aiohttp server on port 0 that speaks the contract from the shared models.

`facts` is what it says, `script` what it knows and how its jobs go on, `rights` who may do what (as the real agent
decides it), `server` the wire and its switches; `datasets`, `jobs`, `machine` and `people` are the routes.
"""

from tests.fakes.agent_server.answers import refusal
from tests.fakes.agent_server.facts import ALT_TEXT, KEY, NOW, PNG, REASONS, RESULT, SETTINGS
from tests.fakes.agent_server.server import FakeAgent, Gate, running_agent

__all__ = [
    "ALT_TEXT", "KEY", "NOW", "PNG", "REASONS", "RESULT", "SETTINGS", "FakeAgent", "Gate", "refusal", "running_agent"
]  # fmt: skip
