"""Pages become pictures: Discord's by SimCord's preview of the real message, Telegram's by a page of our own."""

import io
from collections.abc import Mapping
from pathlib import Path

import discord
import simcord
from discord.ext import commands
from playwright.async_api import Browser, async_playwright

from bot.core.reply import Reply
from bot.discord_ui.outbound import attached_name, card
from bot.terminal_ui.layout import PIPE
from bot.terminal_ui.outbound import render
from tests.screens.stories import ASKED
from tests.screens.telegram import Sent, page

WIDTHS = {"phone": 390, "desktop": 860}  # CSS pixels
SCALE = 2
CHAT: dict[str, tuple[Sent, ...]] = {  # the cards of a whole story, and what the person sends before each
    "plan": (Sent(file="toast.jsonl", words="train this, call it toast"),),
    "live-half": (),
    "result": (),
    "talk-answer": (Sent(words=ASKED),),
}
CARD = "#preview-app[aria-busy=false] #focused-content:not([hidden])"  # of SimCord's page, once it stands still


async def draw(cards: Mapping[str, Reply], folder: Path, executable: str) -> None:
    """Draw each card as each front-end shows it; the terminal's is a text."""
    async with async_playwright() as engine:
        browser = await engine.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        try:
            for name, reply in cards.items():
                (folder / f"{name}-terminal.txt").write_text(render(reply, [], PIPE) + "\n", encoding="utf-8")
                await _telegram(browser, folder / name, reply)
            if CHAT.keys() <= cards.keys():
                await _phone(browser, folder / "phone.png", cards)
            await _discord(browser, folder, cards)
        finally:
            await browser.close()


async def _telegram(browser: Browser, stem: Path, reply: Reply) -> None:
    for width_name, width in WIDTHS.items():
        view = await browser.new_page(viewport={"width": width, "height": 200}, device_scale_factor=SCALE)
        await view.set_content(await page(reply))
        await view.screenshot(path=stem.with_name(f"{stem.name}-telegram-{width_name}.png"), full_page=True)
        await view.close()


async def _phone(browser: Browser, path: Path, cards: Mapping[str, Reply]) -> None:
    """Draw the whole story as one chat: the picture of the README."""
    chat: list[Reply | Sent] = []
    for name, before in CHAT.items():
        chat += [*before, cards[name]]
    view = await browser.new_page(viewport={"width": WIDTHS["phone"], "height": 200}, device_scale_factor=SCALE)
    await view.set_content(await page(*chat))
    await view.screenshot(path=path, full_page=True)


async def _discord(browser: Browser, folder: Path, cards: Mapping[str, Reply]) -> None:
    bot = commands.Bot("!", intents=discord.Intents.default())

    async with simcord.run(bot) as env:
        guild = env.create_guild()
        mia = guild.add_member(env.create_user("mia"))
        for name, reply in cards.items():
            channel = guild.create_text_channel(name)
            room = bot.get_channel(channel.id)
            assert isinstance(room, discord.TextChannel)
            await room.send(view=card(reply), files=await _files(reply))
            for width_name, width in WIDTHS.items():
                async with env.preview(channel, viewers=[mia], display="fixed", width=width) as preview:
                    view = await browser.new_page(viewport={"width": 1500, "height": 1400}, device_scale_factor=SCALE)
                    await view.goto(preview.url)
                    shown = view.locator(CARD).first
                    await shown.wait_for()
                    await shown.screenshot(path=folder / f"{name}-discord-{width_name}.png")
                    await view.close()


async def _files(reply: Reply) -> list[discord.File]:
    if reply.image is None:
        return []
    content = b"".join([chunk async for chunk in reply.image.file.open()])
    return [discord.File(io.BytesIO(content), filename=attached_name(reply.image.file.name))]
