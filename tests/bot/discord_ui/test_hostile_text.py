"""Names, rows and errors come from anybody: whatever they hold, it is read as written and notifies nobody."""

import re

import pytest

from bot.discord_ui.markup import UNLINKED
from shared.errors import ErrorCode
from shared.jobs import JobStatus
from tests.bot.discord_ui.harness import ROWS, Story
from tests.fakes.agent_server import refusal
from tests.fakes.discord_server.markup import read

HOSTILE = [
    "@everyone",
    "@here",
    "<@7>",
    "<@!7>",
    "<@&9100>",
    "<#1234>",
    "</finetune:1>",
    "<t:1790000000:R>",
    "<:cat:123456789012345678>",
    "**bold** __under__ ~~gone~~ ||hidden||",
    "[free model](https://example.com)",
    "`code` ```block```",
    "\\<@7> \\\\<@7>",
    "# heading",
    "-# small",
    "- list",
    "> quote",
    "1. first",
]


@pytest.mark.parametrize("text", HOSTILE)
async def test_what_a_file_and_an_error_say_reads_literally_and_notifies_nobody(bot: Story, text: str) -> None:
    bot.agent.inspection_error = refusal(ErrorCode.dataset_broken, f"Line 1: {text}\n{text}")
    name = re.sub("[/#?]", "", text) + ".jsonl"  # Discord's own names hold none of these
    await bot.mia.slash("finetune", file=(name, ROWS[1]), channel=bot.team)
    await bot.until(lambda: "Line 1" in bot.flat())
    message = bot.last()
    assert message.pings == []
    seen = read(message.markdown)
    assert seen.kinds() <= {"bold"}
    words = " ".join(message.text.replace(UNLINKED, "@").split())
    assert words == " ".join(f"Line 1: {text} {text}".split())


async def test_what_a_model_says_and_is_asked_reads_literally_and_notifies_nobody(bot: Story) -> None:
    bot.agent.succeed(bot.agent.add_job(status=JobStatus.running).id)
    bot.agent.says = "\n".join(HOSTILE)
    await bot.mia.slash("try", job="#1", words="@everyone <@7> **bold**", channel=bot.team)
    await bot.until(lambda: "1. first" in bot.flat())
    message = bot.last()
    assert message.pings == []
    seen = read(message.markdown)
    assert seen.kinds() <= {"bold", "block_style"}
    assert [source for kind, source in seen.spans if kind == "block_style"] == ["### ", "> "], "our own alone"
    assert bot.agent.questions[-1].messages[0].content == "@everyone <@7> **bold**"


async def test_invisible_and_reversing_characters_do_not_reach_the_channel(bot: Story) -> None:
    bot.agent.inspection_error = refusal(ErrorCode.dataset_broken, "a\u202eb\u200bc\x1b[31md\x00e")
    await bot.mia.slash("finetune", file=ROWS, channel=bot.team)
    await bot.until(lambda: bot.flat().startswith("a"))
    assert not set(bot.last().text) & {"\u202e", "\u200b", "\x1b", "\x00"}


async def test_a_name_of_the_commands_options_notifies_nobody(bot: Story) -> None:
    await bot.mia.slash("finetune", file=ROWS, channel=bot.team, options="@everyone <@&9100>")
    await bot.until(lambda: "I cannot read" in bot.flat())
    assert all(message.pings == [] for message in bot.shown())


async def test_a_line_that_is_on_no_button_of_the_message_is_let_alone(bot: Story) -> None:
    card = await bot.starts_a_job()
    await bot.mia.press_line("/cancel #1 yes", card)
    await bot.settled()
    assert "cancelled" not in bot.flat()
    assert len(bot.shown()) == 1
