"""The example settings name every variable that the agent and the bot read."""

from pathlib import Path

from agent.settings import AgentSettings
from bot.settings import Settings, setting_name

EXAMPLE = Path("deploy/env.example").read_text(encoding="utf-8")


def test_every_setting_is_explained_in_the_example() -> None:
    names = {name.upper() for name in AgentSettings.model_fields}
    names |= {setting_name(name) for name in Settings.model_fields}
    missing = {name for name in names if f"#{name}=" not in EXAMPLE}
    assert missing == set()


def test_every_example_has_words_before_it() -> None:
    blocks = [block for block in EXAMPLE.split("\n\n") if "=" in block and "---" not in block.splitlines()[0]]
    assert all(block.startswith("# ") for block in blocks)
