"""Files in and out: their limits in words before a byte moves, links that expire, and a local server without limits."""

from pathlib import Path

from bot.telegram_ui.limits import LOCAL, Limits
from shared.mapping import Mapping
from tests.bot.telegram_ui.harness import Story, running_bot

SMALL = Limits(download_bytes=1024, upload_bytes=1500)


async def test_a_file_above_the_limit_is_refused_in_words_before_any_download(story: Story, tmp_path: Path) -> None:
    async with running_bot(story, tmp_path, limits=SMALL):
        for caption in ["/finetune", ""]:
            story.mia.send_file("big.jsonl", b"x" * 4096, caption=caption)
            await story.says("big.jsonl has 4.0 KiB, and Telegram")
            assert "files of up to 1.0 KiB" in story.flat()
            assert "TELEGRAM_API_BASE" in story.flat()
        asked = story.mia.send_file("big.jsonl", b"x" * 4096)
        story.mia.say("/finetune", reply_to=asked.id)
        await story.until(lambda: len(story.shown()) == 4)
    assert "getFile" not in story.telegram.called
    assert story.telegram.downloads == 0
    assert not story.agent.files


async def test_a_file_that_is_larger_than_was_said_is_cut_off(story: Story, tmp_path: Path) -> None:
    async with running_bot(story, tmp_path, limits=SMALL):
        file = story.mia.send_file("rows.jsonl").document
        await story.says("Teach a model")
        assert file is not None
        file.content = b"x" * 5000
        story.mia.press("Fine-tune")
        await story.until(lambda: "larger than the 1.0 KiB" in story.flat())
    assert not story.agent.plans


async def test_what_telegram_itself_finds_too_large_is_said_in_words(bot: Story) -> None:
    bot.telegram.methods.download_bytes = 10
    bot.mia.send_file("rows.jsonl", caption="/finetune")
    await bot.until(lambda: "no file as large as this one" in bot.flat())


async def test_a_file_that_is_gone_from_telegram_is_asked_for_once_more(bot: Story) -> None:
    file = bot.mia.send_file("rows.jsonl").document
    await bot.says("Teach a model")
    assert file is not None
    del bot.telegram.world.files[file.id]
    bot.mia.press("Fine-tune")
    await bot.until(lambda: "not in the chat any more" in bot.flat())


async def test_the_bytes_arrive_as_they_were_sent(bot: Story) -> None:
    content = bytes(range(256)) * 2000
    bot.mia.send_file("rows.jsonl", content, caption="/finetune")
    await bot.planned()
    assert [stored for _, stored in bot.agent.files.values()] == [content]


async def test_what_stands_in_quotes_arrives_as_one_even_in_those_of_a_phone(bot: Story) -> None:
    bot.mia.send_file("rows.jsonl", caption="/finetune system:“You are Ruth, a pirate.” epochs:3")
    await bot.planned()
    assert bot.agent.plan_requests[0].mapping == Mapping(character="You are Ruth, a pirate.")
    assert bot.agent.plan_requests[0].method.hyperparameters.n_epochs == 3


async def test_a_local_server_lifts_the_limits_and_its_paths_are_read_from_disk(story: Story, tmp_path: Path) -> None:
    story.telegram.methods.local_dir, story.telegram.methods.download_bytes = str(tmp_path), 2**40
    (tmp_path / "rows.jsonl").write_bytes(b"{}\n" * 9_000_000)
    async with running_bot(story, tmp_path / "bot", limits=LOCAL):
        story.mia.send_file("rows.jsonl", b"x" * 25_000_000, caption="/finetune")
        await story.planned()
        assert [len(stored) for _, stored in story.agent.files.values()] == [27_000_000]
        (tmp_path / "rows.jsonl").unlink()
        story.mia.send_file("rows.jsonl", caption="/finetune")
        await story.until(lambda: "I cannot read that" in story.flat())


async def test_a_path_on_our_disk_is_never_read_for_a_server_that_is_not_ours(story: Story, tmp_path: Path) -> None:
    story.telegram.methods.local_dir = str(tmp_path)
    (tmp_path / "rows.jsonl").write_bytes(b"secret")
    async with running_bot(story, tmp_path / "bot"):
        story.front_end._downloads._local = False
        story.mia.send_file("rows.jsonl", caption="/finetune")
        await story.until(lambda: "not in the chat any more" in story.flat())
    assert not story.agent.plans


async def test_results_above_the_limit_stay_and_the_others_are_sent(story: Story, tmp_path: Path) -> None:
    async with running_bot(story, tmp_path, limits=SMALL):
        await story.starts_a_job()
        story.agent.succeed("ftjob-1")
        await story.until(lambda: len(story.shown()) == 3, step_s=0.5)
        names = [message.document.name for message in story.shown() if message.document]
        assert names == ["Modelfile"]
        assert "toast.gguf, 2.0 KiB. On the GPU machine" in story.flat()
        assert "hearth-agent results 1" in story.flat()


async def test_results_above_the_limit_come_as_links_that_expire_where_the_agent_makes_links(
    story: Story, tmp_path: Path
) -> None:
    story.agent.public_url = "https://hearth.example.org"
    async with running_bot(story, tmp_path, limits=SMALL):
        await story.starts_a_job()
        story.agent.succeed("ftjob-1")
        await story.until(lambda: len(story.shown()) == 3, step_s=0.5)
        assert "https://hearth.example.org/v1/files/file-" in story.flat()
        assert "signature=00ff" in story.flat()
        assert "hearth-agent results" not in story.flat()


async def test_the_log_comes_as_a_file_after_its_last_lines(bot: Story) -> None:
    await bot.starts_a_job()
    bot.mia.say("/log #1 file")
    await bot.until(lambda: len(bot.shown()) == 3)
    assert bot.shown()[1].text.startswith("Log · #1 toast")
    document = bot.last().document
    assert document is not None
    assert document.name == "toast-1.log.txt"
