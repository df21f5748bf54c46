"""Fixtures of the bad inputs."""

from tests.agent.conftest import settings

__all__ = ["settings"]
