"""Names, errors and answers that somebody else wrote: shown as they are, they mark up nothing and ping nobody."""

from bot.core.reply import Button, Copy, Image, Reply
from bot.following.results import bytes_file
from bot.telegram_ui.layout import cut, length
from bot.telegram_ui.outbound import keyboard, render
from bot.telegram_ui.place import TelegramPlace
from shared.errors import ErrorCode
from shared.jobs import JobError, JobStatus
from shared.results import Answer
from tests.bot.telegram_ui.harness import TEAM, Story
from tests.fakes.agent_server import RESULT
from tests.fakes.telegram_server.markup import parse

NASTY = (
    "<b>x</b> @everyone @mia_99 [a](tg://user?id=8) *bold* _it_ \u202egnp.exe &lt; \x1b[31m <a href='tg://user?id=8'>"
)
HERE = TelegramPlace(chat=TEAM)


async def test_a_nasty_file_name_is_shown_and_marks_up_nothing(bot: Story) -> None:
    bot.telegram.world.add_group(TEAM)
    bot.mia.send_file("<b>@mia_99</b>\u202e & *x*.jsonl", caption="/finetune", chat=TEAM)
    await bot.planned(chat=TEAM)
    shown = bot.last(TEAM)
    assert "<b>@\u2060mia_99</b> & *x*.jsonl · " in shown.text
    assert shown.pings == []


async def test_nasty_answers_and_errors_are_shown_and_ping_nobody(bot: Story) -> None:
    bot.telegram.world.add_group(TEAM)
    await bot.starts_a_job(chat=TEAM)
    answers = [Answer(question=NASTY, base=NASTY, tuned=NASTY)]
    bot.agent.end("ftjob-1", JobStatus.succeeded, result=RESULT.model_copy(update={"answers": answers}), stage=None)
    await bot.until(lambda: " is ready ·" in bot.flat(TEAM), step_s=0.5)
    await bot.starts_a_job(chat=TEAM)
    error = JobError(code=ErrorCode.training_diverged, message=NASTY)
    bot.agent.end("ftjob-2", JobStatus.failed, error=error)
    await bot.until(lambda: " did not finish" in bot.flat(TEAM), step_s=0.5)
    assert {ping for message in bot.shown(TEAM) for ping in message.pings} == {"7"}
    assert "<a href='tg://user?id=8'>" in bot.flat(TEAM)
    assert "\u202e" not in bot.flat(TEAM)


def test_a_link_of_ours_stands_bare_to_be_tapped() -> None:
    url = "https://hearth.example.org/v1/files/file-1/download?expires=9&signature=a_b"
    shown = parse(render(Reply(summary="x", copy=(Copy(intro="Here", lines=(url,), link=True),)), HERE), "HTML")
    assert shown.text.endswith(f"Here\n{url}")
    assert not [span for span in shown.spans if url in span]


async def test_what_a_model_says_and_is_asked_marks_up_nothing_and_pings_nobody(bot: Story) -> None:
    bot.telegram.world.add_group(TEAM)
    bot.agent.succeed(bot.agent.add_job(status=JobStatus.running).id)
    bot.agent.says = NASTY
    bot.mia.say(f"/try #1 {NASTY}", chat=TEAM)
    await bot.until(lambda: bot.flat(TEAM).count("@\u2060everyone") == 2)
    assert [message.pings for message in bot.shown(TEAM)] == [[]]
    assert "<a href='tg://user?id=8'>" in bot.flat(TEAM)
    assert "\u202e" not in bot.flat(TEAM)


def test_a_text_is_safe_in_every_part() -> None:
    reply = Reply(
        title="<b> @everyone &lt; *bold*",
        summary=NASTY,
        copy=(Copy(intro=NASTY, lines=(NASTY, NASTY)),),
        buttons=(Button(label="Long", line=f"/finetune {NASTY}"),),
    )
    shown = parse(render(reply, HERE), "HTML")
    assert shown.pings == []
    assert {tag for tag, _ in shown.spans} == {"b", "pre", "code"}
    assert "[a](tg://user?id=8) *bold* _it_ gnp.exe &lt;" in shown.text


def test_a_mention_is_of_a_number_and_of_nothing_else() -> None:
    assert parse(render(Reply(summary="Done", mention="7"), HERE), "HTML").pings == ["7"]
    assert parse(render(Reply(summary="Done", mention='7"><b>'), HERE), "HTML").pings == []
    assert parse(render(Reply(summary="Done", mention="7"), TelegramPlace(chat=7)), "HTML").pings == []


def test_lines_to_copy_stay_exactly_as_they_are() -> None:
    line = "ollama run mia@v1 && echo '<done>'"
    shown = parse(render(Reply(summary="x", copy=(Copy(intro="Run", lines=(line,)),)), HERE), "HTML")
    assert ("code", line) in shown.spans


def test_a_card_with_a_picture_fits_into_a_caption_line_by_line() -> None:
    picture = Image(file=bytes_file("p.png", b""), alt_text="words " * 40)
    text = "\n".join(f"line {number} &<>" for number in range(200))
    shown = parse(render(Reply(summary=text, image=picture, milestone="1"), HERE), "HTML").text
    assert 900 < length(shown) <= 1024
    assert shown.endswith("&<>\n…")
    assert length(parse(render(Reply(summary=text, image=picture), HERE), "HTML").text) <= 1024


def test_a_text_is_counted_as_telegram_counts() -> None:
    assert length("a🙂") == 3
    assert length(cut("🙂" * 3000, 4096)) <= 4096


def test_three_buttons_a_row_and_too_long_ones_become_a_line_to_type() -> None:
    buttons = tuple(Button(label=str(number), line=f"/plot #{number}") for number in range(7))
    markup = keyboard(Reply(summary="x", buttons=buttons))
    assert markup is not None
    assert [len(row) for row in markup.inline_keyboard] == [3, 3, 1]
    long = Reply(summary="x", buttons=(Button(label="Again", line="/finetune " + "ä" * 40),))
    assert keyboard(long) is None
    assert ("code", "/finetune " + "ä" * 40) in parse(render(long, HERE), "HTML").spans
