from dataclasses import replace

from bot.core.capabilities import Capabilities
from bot.core.pages import pages
from bot.core.reply import Button, Copy, Image, Reply
from bot.following.results import bytes_file

LIMITS = Capabilities(
    text_length=20, upload_bytes=None, edits_per_second=1, buttons=True, images=True, alt_text=False,
    caption_length=30, files_per_message=2,
)  # fmt: skip
FILES = tuple(bytes_file(name, b"x") for name in "abc")
PICTURE = Image(file=bytes_file("p.png", b""), alt_text="words")
BUTTONS = (Button(label="Log", line="/log"),)


def test_what_fits_stays_one_message() -> None:
    reply = Reply(summary="short", image=PICTURE, buttons=BUTTONS)
    assert pages(reply, LIMITS) == [reply]


def test_a_long_text_is_split_and_the_rest_goes_with_its_last_part() -> None:
    first, last = pages(Reply(summary="one two three\nfour five six", buttons=BUTTONS, mention="7"), LIMITS)
    assert (first.text, first.buttons, first.mention) == ("one two three", (), None)
    assert (last.text, last.buttons, last.mention) == ("four five six", BUTTONS, "7")


def test_files_follow_apart_where_a_platform_wants_them_so() -> None:
    main, *after = pages(Reply(summary="x", files=FILES), LIMITS)
    assert main.files == ()
    assert [[file.name for file in page.files] for page in after] == [["a", "b"], ["c"]]
    assert all(page.quiet for page in after)
    together = replace(LIMITS, files_per_message=None)
    assert pages(Reply(summary="x", files=FILES), together)[0].files == FILES


def test_a_picture_goes_first_if_all_its_words_do_not_fit_beside_it() -> None:
    copy = (Copy(intro="Run it", lines=("ollama run mia-support",)),)
    before, main = pages(Reply(summary="short", image=PICTURE, copy=copy), LIMITS)
    assert (before.image, before.text, before.quiet) == (PICTURE, "", True)
    assert (main.image, main.text, main.copy) == (None, "short", copy)


def test_a_live_card_stays_one_message() -> None:
    card = Reply(summary="line\n" * 50, image=PICTURE, milestone="1")
    assert pages(card, LIMITS) == [card]


def test_files_that_are_too_large_together_go_apart() -> None:
    limits = replace(LIMITS, files_per_message=10, upload_bytes=100)
    reply = Reply(
        title="T", files=tuple(bytes_file(f"f{n}", b"x" * size) for n, size in enumerate((60, 30, 10, 50, 20)))
    )
    assert [[file.name for file in page.files] for page in pages(reply, limits)[1:]] == [
        ["f0", "f1", "f2"],
        ["f3", "f4"],
    ]
