"""A Reply as one card: within Discord's counts, safe in every part, and pinging one person at most."""

from typing import Any

from bot.core.blocks import Fields, Items, Note, Quote, Words
from bot.core.reply import Button, Copy, Image, Moment, Reply
from bot.discord_ui.outbound import attached_name, card, pings, render
from bot.following.results import bytes_file
from tests.fakes.discord_server.markup import pings as notified
from tests.fakes.discord_server.markup import read
from tests.fakes.discord_server.rules import Layout, read_layout

NASTY = "<b> @everyone <@8> <@&9> [a](https://x.yz) *bold* _it_ `x` ``` ~~s~~ ||p|| \\ \u202egnp.exe"


async def layout(reply: Reply) -> Layout:
    components: list[dict[str, Any]] = card(reply).to_components()  # type: ignore[no-untyped-call]
    return read_layout(components)


async def test_text_is_safe_in_every_part() -> None:
    reply = Reply(
        title=NASTY,
        summary=f"# {NASTY}\n- {NASTY}",
        blocks=(
            Words(heading=NASTY, text=f"## {NASTY}"),
            Fields(fields=((NASTY, f"# {NASTY}"),)),
            Items(items=(f"# {NASTY}",), below=(f"- {NASTY}",)),
            Quote(by=NASTY, words=f"> {NASTY}"),
            Note(text=f"-# {NASTY}"),
        ),
        copy=(Copy(intro=NASTY, lines=(NASTY, "second")),),
        buttons=(Button(label="Long", line="/finetune " + "ä" * 100),),
    )
    seen = read(render(reply))
    assert seen.kinds() == {"bold", "block", "block_style", "start"}
    ours = [source for kind, source in seen.spans if kind in {"block_style", "start"}]
    assert ours == ["### ", "- ", "> ", "> ", "-# "]
    assert notified(seen, None) == []
    assert "[a](https://x.yz) *bold* _it_ `x` ``` ~~s~~ ||p|| \\ gnp.exe" in seen.text
    assert ("block", "/finetune " + "ä" * 100) in seen.spans


async def test_lines_to_copy_stay_exactly_as_they_are() -> None:
    line = "ollama run mia@v1 && echo '<done>' *.py"
    assert ("block", line) in read(render(Reply(summary="x", copy=(Copy(intro="Run", lines=(line,)),)))).spans


async def test_a_link_of_ours_is_there_to_be_tapped_and_nothing_is_fetched_for_it() -> None:
    url = "https://hearth.example.org/v1/files/file-1/download?expires=9&signature=a_b"
    assert render(Reply(summary="x", copy=(Copy(intro="Here", lines=(url,), link=True),))).endswith(f"Here\n<{url}>")


async def test_a_text_that_is_too_long_loses_whole_lines_at_its_end() -> None:
    shown = await layout(Reply(summary="\n".join(f"line {number} *_*" for number in range(1000))))
    assert shown.visible.startswith("line 0 *_*\nline 1 *_*\n")
    assert shown.visible.endswith("*_*\n…")
    assert 3800 < len(shown.texts[0]) <= 4000


async def test_a_picture_has_its_words_and_no_more_of_them_than_discord_takes() -> None:
    picture = Image(file=bytes_file("loss of toast.png", b""), alt_text="words " * 400)
    shown = await layout(Reply(summary="x", image=picture))
    assert shown.pictures[0][0] == "attachment://loss_of_toast.png"
    assert len(shown.pictures[0][1]) == 1024


async def test_buttons_stand_three_a_row_each_line_once() -> None:
    buttons = tuple(Button(label=str(number), line=f"/plot #{number % 7}") for number in range(9))
    shown = await layout(Reply(summary="x", buttons=buttons))
    assert [len(row) for row in shown.rows] == [3, 3, 1]
    many = tuple(Button(label=str(number), line=f"/plot #{number}") for number in range(60))
    assert len((await layout(Reply(summary="x", buttons=many))).buttons) == 24


async def test_a_line_that_names_a_moment_ticks_instead() -> None:
    moment = Moment(words="Starts in 5 min (14:02 CET)", before="Starts ", at=1_790_000_000)
    shown = render(Reply(title="Waiting", summary=f"{moment.words}\nPlace 1", moments=(moment,)))
    assert shown == "### Waiting\nStarts <t:1790000000:R>\nPlace 1"


async def test_a_mention_is_of_a_number_and_of_nobody_else() -> None:
    for mention, told in (("7", ["7"]), ('7"><@8>', []), ("everyone", []), (None, [])):
        reply = Reply(summary="Done @everyone <@8>", mention=mention)
        assert notified(read(render(reply)), dict(pings(reply).to_dict())) == told


def test_a_name_that_discord_would_change_is_changed_before() -> None:
    assert attached_name("my model (1).gguf") == "my_model__1_.gguf"
    assert attached_name("SPOILER_plot.png") == "plot.png"
    assert attached_name("ä") == "_"
