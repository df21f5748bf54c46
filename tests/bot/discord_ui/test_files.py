"""Files in and out: links that expire, sizes that are not what was said, and what did not get through."""

from pathlib import Path

from bot.discord_ui.files import Spooled, batches
from bot.discord_ui.limits import REQUEST_BYTES
from tests.bot.discord_ui.harness import ROWS, Story, running_bot

MIB = 2**20


async def test_the_bytes_arrive_as_they_were_sent(bot: Story) -> None:
    content = bytes(range(256)) * 2000
    await bot.mia.slash("finetune", file=("rows.jsonl", content), channel=bot.team)
    await bot.planned()
    assert [stored for _, stored in bot.agent.files.values()] == [content]


async def test_a_file_on_a_message_is_found_by_a_fresh_link_after_days(story: Story, tmp_path: Path) -> None:
    await story.agent.stop()
    async with running_bot(story, tmp_path):
        await story.mia.menu("Fine-tune on this file", story.mia.send(ROWS, channel=story.team))
        await story.says("Queued until the PC is back")
    story.clock.advance(3 * 86_400)
    await story.agent.restart()
    async with running_bot(story, tmp_path):
        await story.says("rows.jsonl · ")


async def test_a_message_that_was_deleted_meanwhile_is_asked_for_once_more(story: Story, tmp_path: Path) -> None:
    await story.agent.stop()
    message = story.mia.send(ROWS, channel=story.team)
    async with running_bot(story, tmp_path):
        await story.mia.menu("Fine-tune on this file", message)
        await story.says("Queued until the PC is back")
    del story.discord.world.messages[message.id]
    await story.agent.restart()
    async with running_bot(story, tmp_path):
        await story.until(lambda: "not in the chat any more" in story.flat())
    assert not story.agent.files


async def test_a_slash_commands_file_is_fetched_later_as_long_as_its_link_holds(story: Story, tmp_path: Path) -> None:
    await story.agent.stop()
    async with running_bot(story, tmp_path):
        await story.mia.slash("finetune", file=ROWS, channel=story.team)
        await story.says("Queued until the PC is back")
    story.clock.advance(8 * 3600)
    await story.agent.restart()
    async with running_bot(story, tmp_path):
        await story.says("rows.jsonl · ")
    assert [stored for _, stored in story.agent.files.values()] == [ROWS[1]]


async def test_a_link_that_expires_before_the_download_is_said_in_words(bot: Story) -> None:
    gate = bot.agent.gate("GET", "/v1/agent")
    await bot.mia.slash("finetune", file=ROWS, channel=bot.team)
    await gate.reached.wait()
    bot.clock.advance(25 * 3600)
    gate.open.set()
    await bot.until(lambda: "has expired. Send it once more." in bot.flat())


async def test_a_file_that_is_larger_than_was_said_is_cut_off(bot: Story) -> None:
    message = bot.mia.send(("rows.jsonl", b"x" * 5000), channel=bot.team)
    message.attachments[0].said_size = 1024
    await bot.mia.menu("Fine-tune on this file", message)
    await bot.until(lambda: "larger than the 1.0 KiB" in bot.flat())
    assert not bot.agent.plans


async def test_files_that_do_not_get_through_are_said_and_the_result_is_not_told_twice(bot: Story) -> None:
    bot.discord.rest.upload_bytes = 1500
    await bot.starts_a_job()
    bot.agent.succeed("ftjob-1")
    await bot.until(lambda: not bot.core.subscriptions.undelivered(), step_s=0.5)
    assert "Its files did not get through. Try /status #1 files." in bot.flat()
    assert bot.flat().count(" is ready ·") == 1


async def test_a_boosted_server_takes_larger_files(story: Story, tmp_path: Path) -> None:
    story.discord.world.boost_tier = 2
    async with running_bot(story, tmp_path):
        await story.mia.slash("jobs", channel=story.team)
        await story.says("No jobs yet")
        team, direct = (story.front_end.open_chat(str(it)) for it in (story.team, story.mia.direct))
        assert team is not None
        assert direct is not None
        assert (team.capabilities.upload_bytes, direct.capabilities.upload_bytes) == (50 * MIB, 10 * MIB)


def test_files_share_messages_of_at_most_ten_within_what_one_request_may_have() -> None:
    def sizes(*mib: int) -> list[list[int]]:
        files = [Spooled(name="x", size=it * MIB, content=None) for it in mib]  # type: ignore[arg-type]
        return [[it.size // MIB for it in batch] for batch in batches(files)]

    assert sizes(*[1] * 12) == [[1] * 10, [1, 1]]
    assert sizes(9, 9, 9, 30) == [[9, 9], [9], [30]]
    assert REQUEST_BYTES < 25 * MIB
