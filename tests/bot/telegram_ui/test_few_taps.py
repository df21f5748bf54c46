"""From dropping a file to a started job in at most three taps, on Telegram."""

import pytest

from shared.inspections import Question
from tests.bot.questions import COLUMNS, PEOPLE
from tests.bot.telegram_ui.harness import Story


@pytest.mark.parametrize(
    ("question", "caption", "taps"),
    [
        (None, "", [("Teach a model", "Fine-tune"), ("tickets.csv · ", "Start")]),
        (
            COLUMNS,
            "",
            [("Teach a model", "Fine-tune"), ("Which columns?", "Unsere… → Kunde"), ("tickets.csv · ", "Start")],
        ),
        (PEOPLE, "", [("Teach a model", "Fine-tune"), ("Who is the", "Mia Lund"), ("tickets.csv · ", "Start")]),
        (
            PEOPLE,
            "/finetune",
            [("Who is the", "Without Tom"), ("Who is the", "Mia Lund"), ("tickets.csv · ", "Start")],
        ),
    ],
    ids=["clear", "columns", "people", "one person left out"],
)
async def test_from_a_dropped_file_to_a_started_job_in_three_taps(
    bot: Story, question: Question | None, caption: str, taps: list[tuple[str, str]]
) -> None:
    bot.agent.question = question
    bot.mia.send_file("tickets.csv", caption=caption)
    for asked, tap in taps:
        await bot.says(asked)
        await bot.settled()  # where the same is asked twice, nothing else tells that the second has come
        bot.mia.press(tap, message_id=bot.last().id)
    await bot.until(lambda: bot.agent.jobs)
    assert len(taps) <= 3
