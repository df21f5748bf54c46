import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.reply import Button, File, Reply
from bot.errors import AgentRefusedError, MessageGoneError
from bot.following.results import bytes_file
from bot.terminal_ui.chat import TerminalChat
from bot.terminal_ui.outbound import render
from bot.terminal_ui.screen import PlainScreen, PromptScreen, RedrawingScreen
from shared.errors import ErrorCode


def live(text: str, milestone: str = "train 1") -> Reply:
    return Reply(summary=text, milestone=milestone, buttons=(Button(label="Cancel", line="/cancel #1"),))


PLAN = Reply(summary="A plan", buttons=(Button(label="Start", line="/finetune plan:1"),))


async def test_on_paper_a_live_card_is_printed_again_only_when_it_came_further(tmp_path: Path) -> None:
    out = io.StringIO()
    chat = TerminalChat(PlainScreen(out), tmp_path)
    card = await chat.post(live("10 %"))
    await chat.edit(card, live("11 %"))
    await chat.edit(card, live("20 %", "train 2"))
    await chat.edit(card, Reply(summary="Done"))
    assert [word for word in ("10 %", "11 %", "20 %", "Done") if word in out.getvalue()] == ["10 %", "20 %", "Done"]
    assert "\x1b" not in out.getvalue()


async def test_on_a_screen_the_last_message_is_redrawn_in_place(tmp_path: Path) -> None:
    out = io.StringIO()
    chat = TerminalChat(RedrawingScreen(out), tmp_path)
    card = await chat.post(live("10 %\nx"))
    await chat.edit(card, live("11 %\nx"))
    assert "\x1b[5A\r\x1b[J11 %" in out.getvalue()
    await chat.post(Reply(summary="Something else"))
    before = out.getvalue()
    await chat.edit(card, live("12 %"))
    assert out.getvalue() == before


async def test_with_a_prompt_the_live_card_stands_below_until_it_ends(tmp_path: Path) -> None:
    out = io.StringIO()
    screen = PromptScreen(out)
    chat = TerminalChat(screen, tmp_path)
    card = await chat.post(live("10 %"))
    await chat.edit(card, live("20 %"))
    assert "20 %" in screen.toolbar()
    assert out.getvalue() == ""
    await chat.edit(card, Reply(summary="Done"))
    assert screen.toolbar() == ""
    assert out.getvalue() == "Done\n\n"


async def test_a_live_card_does_not_take_the_numbers_of_a_plan(tmp_path: Path) -> None:
    chat = TerminalChat(PlainScreen(io.StringIO()), tmp_path)
    plan = await chat.post(PLAN)
    await chat.post(live("10 %"))
    assert chat.press(1) == (plan, "/finetune plan:1")
    assert chat.press(2) is None
    await chat.edit(plan, live("started"))
    assert chat.press(1) is None


async def test_a_message_of_an_earlier_session_is_gone(tmp_path: Path) -> None:
    old = await TerminalChat(PlainScreen(io.StringIO()), tmp_path).post(PLAN)
    with pytest.raises(MessageGoneError):
        await TerminalChat(PlainScreen(io.StringIO()), tmp_path).edit(old, PLAN)


async def test_hostile_text_moves_no_cursor(tmp_path: Path) -> None:
    out = io.StringIO()
    await TerminalChat(PlainScreen(out), tmp_path).post(Reply(summary="a\x1b[2Jb\u202ec"))
    assert out.getvalue() == "abc\n\n"


async def test_a_file_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    sent: File = bytes_file("../../evil.txt", b"x")
    out = io.StringIO()
    await TerminalChat(PlainScreen(out), tmp_path / "in" / "here").post(Reply(summary="files", files=(sent,)))
    assert (tmp_path / "in" / "here" / "evil.txt").read_bytes() == b"x"
    assert "evil.txt, 1 B" in out.getvalue()


RESULTS = Reply(
    summary="Your model is ready",
    files=(bytes_file("toast.gguf", b"x" * 100), bytes_file("Modelfile", b"y")),
    again="/status #1",
)


async def shown(reply: Reply, folder: Path) -> str:
    out = io.StringIO()
    await TerminalChat(PlainScreen(out), folder).post(reply)
    return " ".join(out.getvalue().split())


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_a_folder_that_cannot_be_made_is_said_and_the_result_still_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    assert await shown(RESULTS, tmp_path / "file" / "in") == (
        "Your model is ready The files could not be saved in ./file/in: Not a directory. "
        "They stay with the agent: /status #1."
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
async def test_a_full_disk_is_said_and_what_fits_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".toast.gguf.part").symlink_to("/dev/full")
    said = await shown(RESULTS, tmp_path)
    assert "Saved in ./: - Modelfile, 1 B" in said
    assert "toast.gguf could not be saved in ./: No space left on device." in said
    assert names(tmp_path) == ["Modelfile"]


async def test_a_file_that_the_agent_has_lost_is_named_and_the_others_saved(tmp_path: Path) -> None:
    async def lost() -> AsyncIterator[bytes]:
        yield b"the first half"
        raise AgentRefusedError("There is no file-3.", code=ErrorCode.not_found)

    reply = Reply(summary="x", files=(File(name="toast.gguf", size=9, open=lost), bytes_file("Modelfile", b"y")))
    said = await shown(reply, tmp_path)
    assert "toast.gguf is missing. There is no file-3." in said
    assert names(tmp_path) == ["Modelfile"]


def test_buttons_take_as_many_lines_as_a_phone_needs() -> None:
    labels = ("Try", "Train again", "Delete files")
    shown = render(Reply(summary="Done", buttons=tuple(Button(label=label, line="/x") for label in labels)), [])
    assert shown == "Done\n\n[1] Try  [2] Train again\n[3] Delete files"
