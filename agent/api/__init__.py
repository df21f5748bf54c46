"""The agent over HTTP: OpenAI's files and fine-tuning API, and what that lacks beside it."""

from agent.api.app import build_app
from agent.api.services import SERVICES, Services

__all__ = ["SERVICES", "Services", "build_app"]
