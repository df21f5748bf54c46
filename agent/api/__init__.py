"""The agent over HTTP: OpenAI's files and fine-tuning API, and the routes which that lacks.

Rights, limits and plans are decided in other rooms.
"""

from agent.api.app import build_app
from agent.api.services import SERVICES, Services

__all__ = ["SERVICES", "Services", "build_app"]
