"""A group that becomes a supergroup has another id: what it was allowed, what is shown there and kept goes along."""

from pathlib import Path

import pytest

from bot.core.reply import Reply
from bot.errors import MessageGoneError
from bot.kept.approvals import Wish
from shared.errors import ErrorCode, ErrorDetail
from shared.people import GrantKind
from tests.bot.telegram_ui.harness import MIA, TEAM, Story, running_bot
from tests.fakes.telegram_server import Person
from tests.fakes.telegram_server.messages import Shown
from tests.fakes.telegram_server.server import ME

TOM = 8
NEW = -1009988
MOVES = "/v1/chats/moves"


@pytest.fixture
def tom(story: Story) -> Person:
    """Mia owns the machine; Tom is of the team, which may use it."""
    story.agent.people.own("telegram", str(MIA), "Mia")
    story.agent.people.grant("telegram", GrantKind.chat, str(TEAM), "Team")
    story.telegram.world.add_group(TEAM, basic=True)
    return Person(story.telegram, TOM, "Tom")


async def toms_job(bot: Story, tom: Person) -> Shown:
    """Have Tom start a job in the group; return its live card."""
    tom.say("/finetune sample name:toast", chat=TEAM)
    await bot.planned(chat=TEAM)
    card = bot.last(TEAM)
    tom.press("Start", chat=TEAM, message_id=card.id)
    await bot.until(lambda: bot.agent.jobs and bot._is_live(card))
    return card


async def test_status_result_and_the_next_order_come_in_the_group_that_it_has_become(
    story: Story, tmp_path: Path, tom: Person
) -> None:
    async with running_bot(story, tmp_path) as bot:
        old = await toms_job(bot, tom)
        bot.agent.step("ftjob-1", 5)
        await bot.until(lambda: "training 11 %" in old.text, step_s=1)
        bot.telegram.upgrade(TEAM, NEW)
        bot.agent.step("ftjob-1", 10)
        await bot.until(lambda: "training 22 %" in bot.flat(NEW), step_s=1)
        tom.say("/status", chat=NEW)
        await bot.until(lambda: "Busy" in bot.flat(NEW) or "Free" in bot.flat(NEW), step_s=0.5)
        await bot.until(lambda: "training 22 %" in bot.last(NEW).text, step_s=0.5)
        bot.agent.succeed("ftjob-1")
        await bot.until(lambda: not bot.core.subscriptions.undelivered(), step_s=1)
        assert bot.flat(NEW).count(" is ready ·") == 1
        assert "You may not" not in bot.flat(NEW) + bot.flat(TOM)
        tom.say("/finetune sample name:second", chat=NEW)
        await bot.planned(chat=NEW)
        tom.press("Start", chat=NEW)
        await bot.until(lambda: len(bot.agent.jobs) == 2, step_s=0.2)
        asked = bot.agent.jobs["ftjob-2"].requested_by
        assert asked is not None
        assert asked.chat == str(NEW)
        assert [grant.id for grant in bot.agent.people.grants] == [str(MIA), str(NEW)]


async def test_a_group_that_moved_unseen_is_followed_by_telegrams_refusal(
    story: Story, tmp_path: Path, tom: Person
) -> None:
    async with running_bot(story, tmp_path) as bot:
        await toms_job(bot, tom)
        bot.telegram.upgrade(TEAM, NEW, said=False)
        bot.agent.step("ftjob-1", 5)
        await bot.until(lambda: "training 11 %" in bot.flat(NEW), step_s=1)
        await bot.settled()
        assert len(bot.shown(NEW)) == 1
        bot.agent.succeed("ftjob-1")
        await bot.until(lambda: not bot.core.subscriptions.undelivered(), step_s=1)
        assert bot.flat(NEW).count("toast · done") == 1
        assert [grant.id for grant in bot.agent.people.grants] == [str(MIA), str(NEW)]


async def test_no_message_of_the_new_group_is_taken_for_one_of_the_old(
    story: Story, tmp_path: Path, tom: Person
) -> None:
    async with running_bot(story, tmp_path) as bot:
        card = await toms_job(bot, tom)
        tom.press("Stop", chat=TEAM, message_id=card.id)
        await bot.says("Stop #1 toast?", chat=TEAM)
        question = bot.last(TEAM)
        bot.telegram.upgrade(TEAM, NEW, said=False)
        others = [Shown(id=it.id, chat=NEW, author=ME, date=0, text="of something else") for it in (card, question)]
        bot.telegram.world.messages |= {(NEW, other.id): other for other in others}
        bot.agent.step("ftjob-1", 5)
        await bot.until(lambda: "training 11 %" in bot.flat(NEW), step_s=1)
        tom.press("Yes, stop it", chat=TEAM, message_id=question.id)  # it can still be scrolled up to
        await bot.until(lambda: "Stopping #1 toast" in bot.flat(NEW), step_s=0.2)
        await bot.until(lambda: "toast · stopped" in bot.flat(NEW), step_s=0.5)
        assert [other.text for other in others] == ["of something else"] * 2
        assert "You may not" not in bot.flat(NEW) + bot.flat(TOM)


async def test_a_move_that_the_sleeping_pc_did_not_hear_of_is_told_before_anything_is_asked(
    story: Story, tmp_path: Path, tom: Person
) -> None:
    async with running_bot(story, tmp_path) as bot:
        await toms_job(bot, tom)
        await bot.agent.stop()
        tom.say("/cancel #1 yes", chat=TEAM)
        await bot.until(lambda: "Queued" in bot.flat(TEAM), step_s=0.5)
        bot.telegram.upgrade(TEAM, NEW)
        await bot.until(lambda: bot.core.follow.moves.untold(), step_s=0.2)
    bot.agent.asked.clear()
    async with running_bot(story, tmp_path) as bot:
        await bot.agent.restart()
        await bot.until(lambda: bot.agent.jobs["ftjob-1"].status == "cancelled", step_s=0.5)
        assert bot.agent.asked[0] == MOVES
        assert not bot.core.follow.moves.untold()
        assert "You may not" not in bot.flat(NEW) + bot.flat(TOM)
        await bot.until(lambda: "toast · stopped" in bot.flat(NEW), step_s=0.5)


async def test_a_wish_for_the_owners_yes_is_heard_in_the_new_group(story: Story, tmp_path: Path, tom: Person) -> None:
    async with running_bot(story, tmp_path) as bot:
        wish = Wish(
            model="org/m", platform="telegram", chat_id=str(TEAM), person=str(TOM), line="/finetune model:org/m"
        )
        number, _is_new = bot.core.requests.approvals.ask(wish, now=bot.clock.now())
        bot.telegram.upgrade(TEAM, NEW)
        await bot.settled()
        bot.mia.say(f"/models allow:{number}", chat=NEW)
        await bot.says("You may teach org/m", chat=NEW)


async def test_an_agent_that_knows_no_moves_is_told_once_and_asked_all_the_same(
    story: Story, tmp_path: Path, tom: Person, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_bot(story, tmp_path) as bot:
        bot.agent.refuse[MOVES] = ErrorDetail(message="There is no such route.", type="x", code=ErrorCode.not_found)
        bot.telegram.upgrade(TEAM, NEW)
        await bot.settled()
        for count in (1, 2):
            bot.mia.say("/gpu", chat=NEW)
            await bot.until(lambda n=count: bot.flat(NEW).count("Disk free") == n, step_s=0.2)  # type: ignore[misc]
        assert bot.agent.asked.count(MOVES) == 1
        assert "does not move chat" in caplog.text


async def test_while_the_agents_disk_is_full_a_move_is_tried_again(story: Story, tmp_path: Path, tom: Person) -> None:
    async with running_bot(story, tmp_path) as bot:
        bot.agent.refuse[MOVES] = ErrorDetail(message="full", type="x", code=ErrorCode.insufficient_disk)
        bot.telegram.upgrade(TEAM, NEW)
        await bot.settled()
        bot.mia.say("/gpu", chat=NEW)
        await bot.says("Free", chat=NEW)
        bot.agent.refuse.clear()
        tom.say("/gpu", chat=NEW)
        await bot.until(lambda: bot.flat(NEW).count("Disk free") == 2, step_s=0.2)


async def test_a_chat_that_moved_edits_what_it_posted_since_and_nothing_of_before(
    story: Story, tmp_path: Path, tom: Person
) -> None:
    async with running_bot(story, tmp_path) as bot:
        chat = bot.front_end.open_chat(str(TEAM))
        assert chat is not None
        before = await chat.post(Reply(summary="before"))
        bot.telegram.upgrade(TEAM, NEW, said=False)
        since = await chat.post(Reply(summary="since"))
        other = Shown(id=int(before), chat=NEW, author=ME, date=0, text="of something else")
        bot.telegram.world.messages[NEW, other.id] = other
        with pytest.raises(MessageGoneError):
            await chat.edit(before, Reply(summary="edited"))
        await chat.edit(since, Reply(summary="edited"))
        assert {message.text for message in bot.shown(NEW)} == {"edited", "of something else"}
