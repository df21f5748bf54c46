"""From dropping a file to a started job in at most three taps, on Discord."""

import pytest

from shared.inspections import Question
from tests.bot.discord_ui.harness import Story
from tests.bot.questions import COLUMNS, PEOPLE


@pytest.mark.parametrize(
    ("question", "taps"),
    [
        (None, ["Start"]),
        (COLUMNS, ["Yes, read it so", "Start"]),
        (PEOPLE, ["Without Tom", "Mia Lund", "Start"]),
    ],
    ids=["clear", "columns", "people"],
)
async def test_from_a_dropped_file_to_a_started_job_in_three_taps(
    bot: Story, question: Question | None, taps: list[str]
) -> None:
    bot.agent.question = question
    await bot.mia.slash("finetune", file=("tickets.csv", b"Kunde,Antwort\n"), channel=bot.team)
    await bot.until(lambda: bot.last().labels)
    card = bot.last()
    for number, tap in enumerate(taps):
        await bot.mia.press(tap, message=card)
        if number + 2 < len(taps):  # the same question, without somebody: nothing else tells that it came
            await bot.settled()
        elif number + 1 < len(taps):
            await bot.until(lambda: card.labels[:1] == ["Start"])
    await bot.until(lambda: bot.agent.jobs)
    assert len(taps) <= 3
    assert len(bot.shown()) == 1, "all of it in one message"
