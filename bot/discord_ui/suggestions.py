"""What is offered while somebody types an option: jobs, datasets and models, or nothing while the agent is away."""

import asyncio
from collections.abc import Awaitable
from contextlib import AbstractContextManager
from typing import TypeVar

from discord import Interaction
from discord.app_commands import Choice

from bot.agent_api.client import AgentClient
from bot.cards.job import state
from bot.discord_ui.inbound import PLATFORM, requested_by
from bot.discord_ui.limits import SUGGESTIONS
from bot.dispatch.command import Core
from bot.words.format import clip, clock_time, one_line, size
from shared.errors import HearthError
from shared.files import FileList
from shared.jobs import FINISHED, JobList
from shared.models import ModelList

T = TypeVar("T")

PATIENCE_S = 1.5  # Discord shows an error after 3 s
NAME_LENGTH = 100


class Suggestions:
    """Answers each keystroke in time. What was chosen is checked by the command all the same."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def jobs(self, interaction: Interaction, typed: str) -> list[Choice[str]]:
        """Offer jobs, those that still go on first."""
        known = await _in_time(self._agent(interaction).jobs(limit=100)) or JobList(data=[], has_more=False)
        ordered = sorted(known.data, key=lambda job: (job.status in FINISHED, -job.number))
        with self._addressing(interaction):
            names = {f"#{job.number}": f"#{job.number} {one_line(job.suffix)} · {state(job)}" for job in ordered}
        return _matching(names, typed)

    async def datasets(self, interaction: Interaction, typed: str) -> list[Choice[str]]:
        """Offer datasets that were sent before, the newest first."""
        known = await _in_time(self._agent(interaction).datasets(limit=100)) or FileList(data=[])
        now = self._core.clock.now()
        with self._addressing(interaction):
            names = {
                file.id: f"{clip(one_line(file.filename), 60)} · {size(file.bytes)}, "
                f"{clock_time(file.created_at, now=now, zone=False)}"
                for file in known.data
            }
        return _matching(names, typed)

    async def models(self, interaction: Interaction, typed: str) -> list[Choice[str]]:
        """Offer base models, as one learns from them."""
        known = await _in_time(self._agent(interaction).models()) or ModelList(data=[])
        names = {model.id: one_line(model.id) for model in known.data if model.kind == "base"}
        return _matching(names, typed)

    def _addressing(self, interaction: Interaction) -> AbstractContextManager[None]:
        who = interaction.user
        return self._core.preferences.addressing(PLATFORM, str(who.id), str(interaction.locale))

    def _agent(self, interaction: Interaction) -> AgentClient:
        """Return the agent as whoever types may ask it: a stranger is shown nobody's jobs."""
        return self._core.agent.on_behalf_of(requested_by(interaction))


def _matching(names: dict[str, str], typed: str) -> list[Choice[str]]:
    """Return what fits, by value and name; a value that Discord could not carry is left out."""
    fitting = {value: name for value, name in names.items() if typed.lower() in name.lower()}
    choices = [Choice(name=clip(name, NAME_LENGTH), value=value) for value, name in fitting.items() if name]
    return [choice for choice in choices if len(choice.value) <= NAME_LENGTH][:SUGGESTIONS]


async def _in_time(answer: Awaitable[T]) -> T | None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await answer
    except (HearthError, TimeoutError):
        return None
