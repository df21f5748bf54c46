"""All the ways in which a person can ask, and what is left unanswered."""

from pathlib import Path

import pytest

from tests.bot.telegram_ui.harness import MIA, TEAM, Story, running_bot
from tests.fakes.telegram_server import Person


async def test_a_command_may_answer_the_file_that_it_means(bot: Story) -> None:
    file = bot.mia.send_file("rows.jsonl")
    await bot.says("Teach a model rows.jsonl (17 B)?")
    bot.mia.say("/finetune name:mia", reply_to=file.id)
    await bot.says("rows.jsonl · ")


async def test_a_file_without_a_word_gets_two_buttons(bot: Story) -> None:
    file = bot.mia.send_file("rows.jsonl")
    await bot.says("Teach a model")
    assert (bot.last().labels, bot.last().reply_to) == (["Fine-tune", "No"], file.id)
    bot.mia.press("Fine-tune")
    await bot.says("rows.jsonl · ")
    assert len(bot.shown()) == 1


async def test_no_leaves_the_file_alone(bot: Story) -> None:
    bot.mia.send_file("rows.jsonl")
    await bot.says("Teach a model")
    bot.mia.press("No")
    await bot.says("All right, I leave that file alone.")
    assert bot.last().labels == []
    assert bot.telegram.downloads == 0


async def test_the_buttons_of_a_file_that_was_deleted_say_so(bot: Story) -> None:
    file = bot.mia.send_file("rows.jsonl")
    await bot.says("Teach a model")
    del bot.telegram.world.messages[MIA, file.id]
    bot.mia.press("Fine-tune")
    await bot.until(lambda: bot.telegram.methods.alerts)
    assert "Send your dataset along" in bot.telegram.methods.alerts[0][1]


async def test_a_link_with_a_payload_opens_the_help_with_its_sample_button(bot: Story) -> None:
    bot.mia.say("/start sample")
    await bot.says("Hearth\nTeach a language model your own style")
    assert bot.last().labels == ["Try the sample"]
    bot.mia.press("Try the sample")
    await bot.says("toast.jsonl · ")


async def test_settings_and_chatter_are_answered_in_private(bot: Story) -> None:
    bot.mia.say("/settings")
    await bot.says("Settings")
    bot.mia.press("Language")
    await bot.until(lambda: bot.last().labels == ["English", "Deutsch", "Back"])
    bot.mia.say("The weather is nice.")
    await bot.says("I did not quite get that")
    assert bot.last().labels == ["Try the sample", "How it stands", "What I can do"]
    bot.mia.say("hello?")
    await bot.says("Hearth\nTeach a language model your own style")


async def test_a_chat_that_is_set_quiet_gets_its_messages_without_sound(bot: Story) -> None:
    bot.mia.say("/gpu")
    await bot.says("Free")
    assert not bot.last().silent
    bot.mia.say("/settings quiet yes")
    await bot.says("Settings")
    bot.mia.say("/gpu")
    await bot.until(lambda: bot.last().text.startswith("Free"))
    assert bot.last().silent


async def test_the_menu_lists_the_commands_of_the_table(bot: Story) -> None:
    await bot.until(lambda: len(bot.telegram.methods.menus) == 4)
    listed = [command.name for command in bot.core.commands]
    menus = {scope: [entry["command"] for entry in menu] for scope, menu in bot.telegram.methods.menus.items()}
    private = [*listed, "start"]
    assert menus == {
        "all_private_chats": private, "all_private_chats de": private,
        "all_group_chats": listed, "all_group_chats de": listed,
    }  # fmt: skip


async def test_a_german_phone_shows_menu_answers_and_alerts_in_german(bot: Story) -> None:
    await bot.until(lambda: len(bot.telegram.methods.menus) == 4)
    menu = {entry["command"]: entry["description"] for entry in bot.telegram.methods.menus["all_private_chats de"]}
    assert (menu["cancel"], menu["start"]) == ("einen Job beenden", "was das hier ist")
    await bot.until(lambda: len(bot.telegram.methods.described) == 4)
    assert "auf der GPU zu Hause" in bot.telegram.methods.described["short_description de"]
    hans = Person(bot.telegram, 9, "Hans", language="de")
    hans.send_file("rows.jsonl", caption="/finetune")
    await bot.says("rows.jsonl · ", chat=9)
    assert bot.last(9).labels == ["Start", "Ändern", "Zeile ansehen", "Daten prüfen", "Nicht jetzt"]
    hans.send_file("rows.jsonl")
    await bot.says("Ein Modell mit rows.jsonl", chat=9)
    bot.mia.say("/gpu")
    await bot.says("Free")


async def test_in_a_group_only_what_is_meant_for_the_bot_is_answered(bot: Story) -> None:
    bot.telegram.world.add_group(TEAM)
    bot.telegram.everything = True
    for text in ["hello", "/jobs@other_bot", "/finetune@other_bot sample"]:
        bot.mia.say(text, chat=TEAM)
    bot.mia.send_file("rows.jsonl", chat=TEAM)
    bot.mia.send_file("rows.jsonl", chat=TEAM, caption="look at this")
    await bot.settled()
    assert bot.shown(TEAM) == []
    asked = bot.mia.say("/jobs@Hearth_Bot", chat=TEAM)
    await bot.says("No jobs yet", chat=TEAM)
    assert bot.last(TEAM).reply_to == asked.id


async def test_in_a_group_a_file_may_answer_the_bot(bot: Story) -> None:
    bot.telegram.world.add_group(TEAM)
    bot.mia.say("/help", chat=TEAM)
    await bot.says("Hearth\nTeach a language model", chat=TEAM)
    bot.mia.send_file("rows.jsonl", chat=TEAM, reply_to=bot.last(TEAM).id)
    await bot.says("Teach a model rows.jsonl", chat=TEAM)


async def test_who_writes_as_the_group_is_asked_to_show_themselves(bot: Story) -> None:
    bot.telegram.world.add_group(TEAM)
    bot.mia.say("/finetune sample", chat=TEAM, as_group=True)
    await bot.says("I cannot see who you are", chat=TEAM)
    assert not bot.agent.files


async def test_an_update_that_comes_twice_starts_one_job_also_in_the_next_bot(story: Story, tmp_path: Path) -> None:
    async with running_bot(story, tmp_path):
        story.mia.say("/finetune sample")
        await story.planned()
        story.mia.press("Start")
        update = story.telegram.updates[-1]
        await story.until(lambda: story.agent.jobs)
        await story.until(lambda: not story.core.requests.unanswered())
        story.telegram.replay(update)
        await story.settled()
    story.telegram.replay(update)
    async with running_bot(story, tmp_path):
        await story.settled()
    assert len(story.agent.job_requests) == 1
    assert len(story.shown()) == 1


async def test_a_call_is_written_down_before_telegram_may_forget_it(story: Story, tmp_path: Path) -> None:
    await story.agent.stop()
    async with running_bot(story, tmp_path):
        story.mia.say("/finetune sample")
        await story.until(lambda: not story.telegram.updates)  # confirmed
        assert len(story.core.requests.unanswered()) == 1


async def test_who_asked_is_known_with_group_language_and_name(bot: Story) -> None:
    bot.telegram.world.add_group(TEAM, topics=(45,))
    ada = Person(bot.telegram, 8, "Ada", language="de")
    await bot.agent.stop()
    ada.say("/finetune sample", chat=TEAM, topic=45)
    await bot.until(lambda: bot.core.requests.unanswered())
    kept = bot.core.requests.unanswered()[0]
    assert (kept.person, kept.chat_id) == ("8", f"{TEAM}:45")
    asker = kept.asker
    assert (asker.name, asker.chat_name, asker.server, asker.private, asker.locale) == (
        "Ada", "Team", str(TEAM), False, "de"
    )  # fmt: skip
    assert asker.rights_chat_id == str(TEAM)


async def test_a_refusal_of_a_tap_is_for_that_person_alone(bot: Story) -> None:
    card = await bot.starts_a_job()
    bot.agent.succeed("ftjob-1")
    line = next(button["callback_data"] for row in card.buttons for button in row if button["text"] == "Stop")
    await bot.until(lambda: len(bot.shown()) == 4, step_s=0.5)
    bot.mia.press_line(line, card)
    await bot.until(lambda: bot.telegram.methods.alerts[-1][1])
    assert "has ended already" in bot.telegram.methods.alerts[-1][1]
    assert bot.telegram.methods.alerts[-1][2]
    assert len(bot.shown()) == 4


@pytest.mark.parametrize("line", ["x", "/nonsense", "/finetune plan:ftplan-99", "/cancel #99 yes", "no\n/cancel"])
async def test_a_forged_or_stale_button_is_refused_in_words_and_answered(bot: Story, line: str) -> None:
    bot.mia.say("/help")
    await bot.says("Hearth\nTeach a language model")
    bot.mia.press_line(line, bot.last())
    await bot.until(lambda: not bot.telegram.methods.taps)
    assert bot.telegram.methods.alerts[0][1]
    assert not bot.agent.jobs


async def test_while_the_agent_is_slow_there_is_a_first_word_and_a_tap_gets_it_as_a_notice(bot: Story) -> None:
    bot.mia.say("/finetune sample")
    await bot.planned()
    bot.agent.delay_s = 3600
    bot.mia.say("/jobs")
    await bot.says("One moment, I am asking the agent")
    bot.mia.press("Start")
    await bot.until(lambda: bot.telegram.methods.alerts)
    assert bot.telegram.methods.alerts[0][1:] == ("One moment, I am asking the agent …", False)
    assert len(bot.shown()) == 2
