"""Which base model a person means: its id, a link, or a part of its name, which is the best that has it."""

import re

from bot.agent_api.client import AgentClient
from bot.words.option_names import DEFAULT_MODEL


async def find_model(agent: AgentClient, word: str | None) -> str | None:
    """Return the id that is meant; the word itself where nothing that is known has it, for the agent to say so."""
    if word is None or word == DEFAULT_MODEL or "/" in word or ":" in word:
        return word
    known = [model.id for model in (await agent.models()).data if model.kind == "base"]  # the best first
    if word in known:
        return word
    part = _squeezed(word)
    return next((it for it in known if part and part in _squeezed(it)), word)


def _squeezed(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
