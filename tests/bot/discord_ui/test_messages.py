"""Words written on Discord: heard where they are for the bot, and hidden from it everywhere else."""

from tests.bot.discord_ui.harness import Story
from tests.fakes.discord_server.people import Person

ROWS = ("rows.jsonl", b'{"messages": []}\n')
TOM = 8
SILENT = 1 << 12  # SUPPRESS_NOTIFICATIONS


async def test_words_written_directly_are_answered(bot: Story) -> None:
    where = bot.mia.direct
    await bot.mia.write("train this, 5 epochs", ROWS, channel=where)
    await bot.planned(channel=where)
    assert bot.agent.plan_requests[0].method.hyperparameters.n_epochs == 5
    await bot.mia.write("make it 7 epochs", channel=where)
    await bot.until(lambda: len(bot.shown(where)) == 2)
    await bot.planned(channel=where)
    assert bot.agent.plan_requests[1].method.hyperparameters.n_epochs == 7
    await bot.mia.write("which models are there", channel=where)
    await bot.says("Models", channel=where)
    await bot.mia.write("/gpu", channel=where)
    await bot.until(lambda: "Free" in bot.flat(where))


async def test_a_file_sent_directly_is_planned_and_nothing_starts(bot: Story) -> None:
    await bot.mia.write("", ROWS, channel=bot.mia.direct)
    await bot.planned(channel=bot.mia.direct)
    assert not bot.agent.jobs


async def test_on_a_server_words_are_answered_that_name_the_bot_and_no_others(bot: Story) -> None:
    await bot.mia.write("how far is it", channel=bot.team)
    await bot.settled()
    assert not bot.shown()
    await bot.mia.write("which models are there", channel=bot.team, naming_the_bot=True)
    await bot.says("Models")


async def test_who_may_do_nothing_here_reads_whom_to_ask(bot: Story) -> None:
    bot.agent.people.own("discord", str(bot.mia.id), "Mia")
    tom = Person(bot.discord, TOM, "Tom")
    await tom.write("hello", channel=tom.direct)
    await bot.says("Hello!", channel=tom.direct)
    assert "It belongs to Mia" in bot.flat(tom.direct)


async def test_a_message_that_a_resumed_gateway_repeats_is_answered_once(bot: Story) -> None:
    await bot.mia.write("", ROWS, channel=bot.mia.direct)
    await bot.planned(channel=bot.mia.direct)
    repeated = next(it for it in bot.discord.gateway.told if it[1] == "MESSAGE_CREATE")
    await bot.discord.gateway.dispatch(repeated[1], repeated[2])
    await bot.settled()
    assert len(bot.agent.plan_requests) == 1


async def test_a_german_is_answered_in_german_once_discord_has_said_so(bot: Story) -> None:
    hans = Person(bot.discord, 9, "Hans", locale="de")
    await hans.slash("gpu")
    await bot.until(lambda: bot.shown(hans.direct))
    await hans.write("hilfe", channel=hans.direct)
    await bot.until(lambda: "/finetune" in bot.flat(hans.direct))
    assert "Bring einem Sprachmodell" in bot.flat(hans.direct)


async def test_a_chat_that_is_set_quiet_gets_its_messages_without_sound(bot: Story) -> None:
    where = bot.mia.direct
    for line, flag in (("/gpu", 0), ("/settings quiet yes", SILENT), ("/gpu", SILENT)):
        before = len(bot.shown(where))
        await bot.mia.write(line, channel=where)
        await bot.until(lambda before=before: len(bot.shown(where)) > before)  # type: ignore[misc]
        assert bot.shown(where)[-1].flags & SILENT == flag


async def test_a_language_that_is_set_goes_before_the_one_that_discord_says(bot: Story) -> None:
    await bot.mia.write("/settings language de", channel=bot.mia.direct)
    await bot.until(lambda: "Deutsch" in bot.flat(bot.mia.direct))
    await bot.mia.slash("gpu")
    await bot.until(lambda: "Frei" in bot.flat(bot.mia.direct))
