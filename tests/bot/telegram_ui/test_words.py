"""Words on Telegram: what stands beside a file, and what is said to the bot among others."""

from tests.bot.telegram_ui.harness import TEAM, Story


async def test_options_in_a_caption_go_to_the_file(bot: Story) -> None:
    bot.mia.send_file("rows.jsonl", caption="train this please, 5 epochs, name toast")
    await bot.planned()
    wanted = bot.agent.plan_requests[0]
    assert (wanted.method.hyperparameters.n_epochs, wanted.suffix) == (5, "toast")


async def test_another_caption_is_no_wish_to_train(bot: Story) -> None:
    bot.mia.send_file("rows.jsonl", caption="look at what I found")
    await bot.says("Teach a model rows.jsonl")


async def test_words_after_the_plan_change_it_also_in_a_group_as_an_answer_to_the_bot(bot: Story) -> None:
    bot.telegram.world.add_group(TEAM)
    bot.mia.say("/finetune sample", chat=TEAM)
    await bot.planned(chat=TEAM)
    bot.mia.say("epochs 7", chat=TEAM)  # to nobody: Telegram does not hand it on
    await bot.settled()
    assert len(bot.agent.plan_requests) == 1
    bot.mia.say("epochs 7", chat=TEAM, reply_to=bot.last(TEAM).id)
    await bot.until(lambda: len(bot.agent.plan_requests) == 2)
    assert bot.agent.plan_requests[1].method.hyperparameters.n_epochs == 7


async def test_change_is_a_panel_that_stays_one_message(bot: Story) -> None:
    bot.mia.send_file("rows.jsonl", caption="/finetune")
    await bot.planned()
    messages = len(bot.shown())
    bot.mia.press("Change")
    await bot.says("Change · toast")
    bot.mia.press("Thorough")
    await bot.until(lambda: "(thorough)" in bot.last().text)
    bot.mia.press("Start")
    await bot.until(lambda: bot.agent.jobs)
    assert len(bot.shown()) == messages
