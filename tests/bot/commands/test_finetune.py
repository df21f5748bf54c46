from bot.core.call import Attachment
from bot.core.reply import Reply, Weight
from bot.words.format import clock_time
from shared.errors import ErrorCode
from shared.jobs import JobStatus
from shared.mapping import Mapping
from shared.plans import Preset
from tests.bot.harness import Bot, dataset, fits
from tests.bot.questions import COLUMNS
from tests.fakes.agent_server import NOW, FakeAgent, refusal


def fits_a_phone(reply: Reply) -> bool:
    """Say whether the title fits, and so does all below it."""
    return fits(reply.title) and fits(reply.text.removeprefix(reply.title))


async def test_the_plan_card_says_what_was_understood_and_what_would_be_done(bot: Bot) -> None:
    reply = await bot.say("/finetune", dataset())
    assert len(bot.chat.messages) == 1  # "Reading …" became the card
    assert bot.chat.edits[0][1] is reply
    assert reply.title == "mia.jsonl · 104 chat rows → toast"
    assert reply.summary.splitlines() == [
        "Learns from smollm2-135m · 5 epochs",
        "3 to 5 min · 1.1 of 5.3 GiB RAM · starts now",
    ]
    for said in ["7 rows left out\n", "line 7: the answer is empty", "and 4 more", "A small model: it learns a style"]:
        assert said in reply.text
    assert fits_a_phone(reply)
    assert [button.label for button in reply.buttons] == ["Start", "Change", "See a row", "Check data", "Not now"]
    assert [button.label for button in reply.buttons if button.weight is Weight.primary] == ["Start"]
    assert all(len(button.line.encode()) <= 64 and len(button.label) <= 20 for button in reply.buttons)


async def test_what_the_plan_card_leaves_out_is_a_tap_behind_it(bot: Bot) -> None:
    await bot.say("/finetune", dataset())
    assert "It learns the answers: 61 % of the text." in (await bot.press("Check data")).text
    row = (await bot.press("See a row")).text
    assert "› I am Toast" in row
    assert "  Who are you?" in row


async def test_options_and_person_reach_the_agent(agent: FakeAgent, bot: Bot) -> None:
    await bot.say("/finetune name:support epochs:2 seed:7", dataset())
    request = agent.plan_requests[0]
    assert (request.suffix, request.seed) == ("support", 7)
    assert request.method.hyperparameters.n_epochs == 2
    assert request.requested_by is not None
    assert (request.requested_by.platform, request.requested_by.person, request.requested_by.chat) == (
        "test",
        "mia",
        "room",
    )


async def test_a_file_name_arrives_as_it_was(agent: FakeAgent, bot: Bot) -> None:
    await bot.say("/finetune", dataset('Grüße "an" alle.jsonl'))
    assert next(iter(agent.files.values()))[0].filename == "Grüße 'an' alle.jsonl"


async def test_the_sample_is_sent_whole(agent: FakeAgent, bot: Bot) -> None:
    await bot.say("/finetune sample")
    file, content = next(iter(agent.files.values()))
    assert file.filename == "toast.jsonl"
    assert content.count(b"\n") > 50


async def test_a_wrong_option_starts_nothing_and_sends_nothing(agent: FakeAgent, bot: Bot) -> None:
    reply = await bot.say("/finetune epochs:1000", dataset())
    assert "above 0 to 50" in reply.text.replace("\n", " ")
    assert not agent.files


async def test_a_file_over_the_limit_is_refused_before_it_is_sent(agent: FakeAgent, bot: Bot) -> None:
    agent.file_size_limit = 2**20
    large = Attachment(name="large.jsonl", size=3 * 2**20, open=dataset().open)
    text = (await bot.say("/finetune", large)).text.replace("\n", " ")
    assert "large.jsonl has 3.0 MiB; the agent takes files up to 1.0 MiB" in text
    assert not agent.files


async def test_a_dataset_that_cannot_be_read_says_why_in_the_same_message(agent: FakeAgent, bot: Bot) -> None:
    agent.inspection_error = refusal(ErrorCode.dataset_broken, "Line 41 is not JSON: a quote is missing.")
    reply = await bot.say("/finetune", dataset())
    assert reply.text == "Line 41 is not JSON: a quote is missing."
    assert len(bot.chat.messages) == 1


async def test_without_a_file_it_says_how(bot: Bot) -> None:
    assert "/finetune sample" in (await bot.say("/finetune")).text.replace("\n", " ")
    assert "One dataset at a time" in (await bot.say("/finetune", dataset(), dataset())).text
    assert "Options look like" in (await bot.say("/finetune quickly", dataset())).text.replace("\n", " ")


async def test_start_turns_the_plan_card_into_the_live_card(agent: FakeAgent, bot: Bot) -> None:
    await bot.say("/finetune sample")
    reply = await bot.press("Start")
    assert len(bot.chat.messages) == 1
    assert reply.live
    assert reply.text.startswith("toast · waiting\nPlace 1 of 1 in the queue")
    assert reply.text.endswith("\n\n#1")
    assert agent.job_requests[0].requested_by is not None


async def test_two_taps_on_start_make_one_job_and_one_card(agent: FakeAgent, bot: Bot) -> None:
    plan = await bot.say("/finetune sample")
    for _ in range(2):
        await bot.say(plan.buttons[0].line, message_id="m1")
    assert len(agent.jobs) == 1
    assert len(bot.chat.messages) == 1


async def test_a_start_at_a_time_is_on_the_plan_and_on_the_waiting_card(agent: FakeAgent, bot: Bot) -> None:
    plan = await bot.say("/finetune sample at:+2h")
    at = NOW + 7200
    assert f" · starts {clock_time(at, now=NOW)}\n" in plan.text
    assert plan.buttons[0].line.endswith(f" at:{at}")
    assert all(len(f"{button.line}{'x' * (24 - len('2'))}".encode()) <= 64 for button in plan.buttons)
    panel = await bot.press("Change")
    assert f" · starts {clock_time(at, now=NOW)}" in panel.text
    await bot.press("Start")
    assert agent.job_requests[0].start_at == at
    assert f"Starts {clock_time(at, now=NOW)}, as asked" in bot.chat.messages["m1"].text


async def test_a_time_counts_from_when_it_was_typed_and_not_from_when_the_pc_is_back(
    agent: FakeAgent, bot: Bot
) -> None:
    await agent.stop()
    await bot.say("/finetune sample at:+2h")
    bot.clock.advance(3600)
    await agent.restart()
    await bot.until(lambda: bool(bot.chat.last.buttons) and bot.chat.last.buttons[0].label == "Start", step_s=1)
    assert bot.chat.last.buttons[0].line.endswith(f" at:{NOW + 7200}")


async def test_not_now_on_the_plan_card_starts_nothing_and_says_so(agent: FakeAgent, bot: Bot) -> None:
    await bot.say("/finetune sample")
    reply = await bot.press("Not now")
    assert "Nothing was started." in reply.text
    assert not agent.jobs
    again = await bot.press("Show it again")
    assert again.title == "toast.jsonl · 104 chat rows → toast"
    assert len(bot.chat.messages) == 1


async def test_a_plan_the_agent_forgot_is_said(bot: Bot) -> None:
    assert "There is no ftplan-9" in (await bot.say("/finetune change:ftplan-9")).text


async def test_hostile_text_reaches_the_card_without_control_characters(agent: FakeAgent, bot: Bot) -> None:
    reply = await bot.say("/finetune", dataset("x\x1b[2J\u202ey.jsonl"))
    assert "\x1b" not in reply.text
    assert "\u202e" not in reply.text


async def test_a_job_behind_another_shows_its_place(agent: FakeAgent, bot: Bot) -> None:
    agent.add_job(status=JobStatus.queued, queue_position=1)
    await bot.say("/finetune sample")
    assert "Place 2 of 2" in (await bot.press("Start")).text


async def test_a_plan_that_does_not_fit_shows_what_would_and_a_tap_shows_it_whole(agent: FakeAgent, bot: Bot) -> None:
    agent.too_little_memory = True
    reply = await bot.say("/finetune model:acme/large preset:thorough", dataset())
    assert agent.plan_requests[0].preset is Preset.thorough
    for said in ["Does not fit · mia.jsonl", "needs about 9.1 GiB", "1. 512 tokens a row", "2. smollm2-135m"]:
        assert said in reply.text
    assert fits_a_phone(reply)
    assert [button.label for button in reply.buttons] == ["512 tokens a row", "smollm2-135m"]
    assert all(len(button.line.encode()) <= 64 for button in reply.buttons)
    card = await bot.say(reply.buttons[0].line)
    assert card.title == "mia.jsonl · 104 chat rows → toast"
    assert "5 epochs (thorough)" in card.text
    agent.too_little_memory = False
    await bot.say(card.buttons[0].line)
    assert len(agent.jobs) == 1


async def test_a_character_stays_when_a_job_is_repeated(agent: FakeAgent, bot: Bot) -> None:
    await bot.say('/finetune system:"You are Ruth."', dataset())
    await bot.press("Start")
    await bot.say("/retry #1 epochs:2")
    assert agent.plan_requests[-1].mapping == Mapping(character="You are Ruth.")
    await bot.say('/retry #1 system:"You are Mia."')
    assert agent.plan_requests[-1].mapping == Mapping(character="You are Mia.")
    await bot.say("/retry #1", dataset("other.jsonl"))  # how a file is read, and by whom, is of that file
    assert agent.plan_requests[-1].mapping is None


async def test_a_character_and_a_text_that_is_learned_whole_do_not_go_together(agent: FakeAgent, bot: Bot) -> None:
    await bot.say("/finetune text:body", dataset())
    await bot.press("Start")
    reply = await bot.say('/retry #1 character:"You are Ruth."')
    assert "in a text that is learned whole nobody" in reply.text.replace("\n", " ")
    agent.question = COLUMNS
    await bot.say('/finetune system:"You are Ruth."', dataset("tickets.csv"))
    assert "nobody does" in (await bot.press("Only Unsere Antwort")).text.replace("\n", " ")
