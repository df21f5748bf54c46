"""Pairing and rights as they look in Telegram: by answering, naming and forwarding, and deny by default."""

from bot.dispatch.rate_limit import CALLS
from shared.people import GrantKind, Role
from tests.bot.telegram_ui.harness import MIA, TEAM, Story
from tests.fakes.telegram_server import Person
from tests.fakes.telegram_server.messages import Json, Shown

CODE = "ABCD-2345"
EVE = 66


def owned(bot: Story) -> Person:
    """Give the machine to Mia, and let the team use it; return a stranger."""
    bot.agent.people.own("telegram", str(MIA), "Mia")
    bot.agent.people.grant("telegram", GrantKind.chat, str(TEAM), "Team")
    bot.telegram.world.add_group(TEAM)
    return Person(bot.telegram, EVE, "Eve")


def people(bot: Story) -> list[tuple[str, str, str]]:
    return [(grant.kind.value, grant.id, grant.name) for grant in bot.agent.people.grants]


async def alert(bot: Story) -> str:
    """Return the one alert; a tap that went well is answered without."""
    alerts = bot.telegram.methods.alerts
    await bot.until(lambda: any(as_alert for _, _, as_alert in alerts))
    [text] = [text for _, text, as_alert in alerts if as_alert]
    return text


async def test_pairing_from_the_first_hello_to_a_group_that_may(bot: Story) -> None:
    bot.agent.people.guard(CODE)
    bot.mia.say("/start")
    await bot.until(lambda: "no owner yet" in bot.flat())
    bot.mia.say("hello?")
    await bot.says("Hello!")
    bot.mia.say(f"/pair {CODE}")
    await bot.says("This machine is yours now")
    assert people(bot) == [("person", str(MIA), "Mia")]
    bot.telegram.world.add_group(TEAM)
    tom = Person(bot.telegram, 8, "Tom")
    tom.say("/jobs", chat=TEAM)
    await bot.says("You may not see its jobs", chat=tom.id)
    assert bot.shown(TEAM) == []
    bot.mia.say("/allow", chat=TEAM)
    await bot.says("Whom do I let use this machine?", chat=TEAM)
    assert bot.last(TEAM).labels == ["This chat"]
    bot.mia.press("This chat", chat=TEAM)
    await bot.says("Whoever writes in Team may use this", chat=TEAM)
    tom.say("/jobs", chat=TEAM)
    await bot.says("No jobs yet", chat=TEAM)
    tom.say("/jobs")
    await bot.until(lambda: bot.shown(8) and "Ask the owner of this machine" in bot.flat(8))


async def test_strangers_cancel_press_is_answered_privately_and_nothing_happens(bot: Story) -> None:
    eve = owned(bot)
    card = await bot.starts_a_job(chat=TEAM)
    bot.agent.step("ftjob-1", 5)
    bot.agent.people.take_away("telegram", GrantKind.chat, str(TEAM))
    shown = len(bot.shown(TEAM))
    line = next(button["callback_data"] for row in card.buttons for button in row if button["text"] == "Stop")
    eve.press_line(f"{line} yes", card)
    assert "You may not" in await alert(bot)
    await bot.settled()
    assert bot.agent.jobs["ftjob-1"].status == "running"
    assert len(bot.shown(TEAM)) == shown


async def test_members_press_on_anothers_job_is_refused_privately(bot: Story) -> None:
    owned(bot)
    card = await bot.starts_a_job(chat=TEAM)
    Person(bot.telegram, 8, "Tom").press_line("/cancel #1 yes", card)
    assert "was started by Mia" in await alert(bot)
    assert bot.agent.jobs["ftjob-1"].status == "queued"


async def test_commands_from_a_group_that_is_not_allowed_do_nothing(bot: Story) -> None:
    eve = owned(bot)
    other = bot.telegram.world.add_group(TEAM - 5)
    for number, line in enumerate(("/finetune sample", "/pause", "/jobs"), 1):
        eve.say(line, chat=other)
        await bot.until(lambda n=number: len(bot.shown(eve.id)) == n)  # type: ignore[misc]
    assert bot.flat(eve.id).count("Ask the owner of this machine (Mia) to allow you, or this chat,") == 3
    assert bot.shown(other) == []
    assert not bot.agent.files
    assert not bot.agent.paused


async def test_who_never_wrote_to_the_bot_is_refused_in_one_answer_in_the_group(bot: Story) -> None:
    eve = owned(bot)
    other = bot.telegram.world.add_group(TEAM - 5)
    bot.telegram.methods.blocked.add(eve.id)
    asked = eve.say("/finetune sample", chat=other)
    await bot.says("You may not", chat=other)
    assert [message.reply_to for message in bot.shown(other)] == [asked.id]


async def test_a_stranger_in_a_group_is_answered_only_when_commanding(bot: Story) -> None:
    eve = owned(bot)
    bot.telegram.everything = True
    eve.say("hello", chat=TEAM)
    await bot.settled()
    assert bot.shown(TEAM) == []


async def test_answering_a_message_with_allow_means_who_wrote_it(bot: Story) -> None:
    eve = owned(bot)
    said = eve.say("may I?", chat=TEAM)
    bot.mia.say("/allow as:admin", chat=TEAM, reply_to=said.id)
    await bot.says("Eve may use this machine now", chat=TEAM)
    bot.mia.say("/deny", chat=TEAM, reply_to=said.id)
    await bot.says("Eve may not use this machine", chat=TEAM)
    assert bot.agent.people.grants[-1].role is Role.denied


async def test_a_forwarded_message_and_a_contact_mean_the_person_and_not_who_sent_it(bot: Story) -> None:
    eve = owned(bot)
    forwarded = put(bot, "may I?", forwarded_from=eve.json)
    bot.mia.say("/allow", reply_to=forwarded.id)
    await bot.says("Eve may use this machine now")
    contact = put(bot, "", contact={"phone_number": "1", "first_name": "Tom", "last_name": "T", "user_id": 8})
    bot.mia.say("/allow", reply_to=contact.id)
    await bot.says("Tom T may use this machine now")
    assert people(bot)[-2:] == [("person", str(EVE), "Eve"), ("person", "8", "Tom T")]


async def test_a_mention_that_tells_its_person_is_believed_and_a_bare_name_is_not(bot: Story) -> None:
    eve = owned(bot)
    bot.mia.say("/allow Eve 🦉", chat=TEAM, mentions=(eve.json,))
    await bot.says("Eve may use this machine now", chat=TEAM)
    bot.mia.say("/allow @tom", chat=TEAM)
    await bot.says("I cannot tell who “@", chat=TEAM)
    assert people(bot)[-1] == ("person", str(EVE), "Eve")
    assert len(people(bot)) == 3


async def test_in_a_topic_allow_means_the_group_and_not_who_opened_the_topic(bot: Story) -> None:
    owned(bot)
    bot.telegram.world.add_group(TEAM, topics=(45,))
    bot.telegram.world.messages[TEAM, 45] = Shown(
        id=45, chat=TEAM, author=Person(bot.telegram, EVE, "Eve").json, date=0, topic=45
    )
    bot.mia.say("/allow", chat=TEAM, topic=45)
    await bot.says("Whom do I let use this machine?", chat=TEAM)
    Person(bot.telegram, 8, "Tom").say("/jobs", chat=TEAM, topic=45)  # the group is allowed, and so is its topic
    await bot.says("No jobs yet", chat=TEAM)
    assert len(people(bot)) == 2


async def test_answering_the_bot_with_allow_means_nobody(bot: Story) -> None:
    owned(bot)
    bot.mia.say("/help", chat=TEAM)
    await bot.says("Hearth", chat=TEAM)
    bot.mia.say("/allow", chat=TEAM, reply_to=bot.last(TEAM).id)
    await bot.says("Whom do I let use this machine?", chat=TEAM)


async def test_the_owner_is_called_to_say_yes_to_a_new_model_and_the_member_told(bot: Story) -> None:
    owned(bot)
    bot.agent.people.new_models.add("org/llama")
    tom = Person(bot.telegram, 8, "Tom")
    tom.send_file("rows.jsonl", caption="/finetune model:org/llama name:tom", chat=TEAM)
    await bot.says("Tom wants to teach org/llama", chat=TEAM)
    assert bot.last(TEAM).pings == [str(MIA)]
    tom.press("Yes, allow it", chat=TEAM)
    assert "Only the owner" in await alert(bot)
    bot.mia.press("Yes, allow it", chat=TEAM)
    await bot.says("You may teach org/llama", chat=TEAM)
    assert bot.last(TEAM).pings == ["8"]
    tom.press("Plan it", chat=TEAM)
    await bot.says("rows.jsonl · ", chat=TEAM)


async def test_a_burst_of_one_person_leaves_the_others_their_answers(bot: Story) -> None:
    eve = owned(bot)
    for _ in range(200):
        eve.say("/jobs", chat=TEAM)
    bot.mia.say("/gpu", chat=TEAM)
    await bot.until(lambda: "Disk free" in bot.flat(TEAM), step_s=0.5)
    assert len(bot.shown(TEAM)) <= CALLS + 2
    assert bot.flat(eve.id).count("That was a lot at once") == 1
    assert bot.telegram.flood.refused == 0


async def test_a_group_sees_what_the_model_said_only_on_request(bot: Story) -> None:
    owned(bot)
    await bot.starts_a_job(chat=TEAM)
    bot.agent.succeed("ftjob-1")
    await bot.until(lambda: " is ready ·" in bot.flat(TEAM), step_s=0.5)
    assert "Five naps" not in bot.flat(TEAM)
    bot.mia.press("Show answers", chat=TEAM)
    await bot.until(lambda: "Five naps" in bot.flat(TEAM), step_s=0.5)


def put(bot: Story, text: str, **fields: Json) -> Shown:
    """Put a message of Mia's into her chat with the bot, without having it read."""
    message = Shown(
        id=bot.telegram.world.next_id(), chat=MIA, author=bot.mia.json, date=0, text=text, **fields  # type: ignore[arg-type]
    )  # fmt: skip
    bot.telegram.world.messages[MIA, message.id] = message
    return message
