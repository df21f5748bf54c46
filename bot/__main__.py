"""Start the bot: read the settings, open the core, and talk in the terminal until told to stop."""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import AsyncIterator

import aiohttp

from bot.agent_client import AgentClient
from bot.chat import Chat
from bot.clock import SystemClock
from bot.commands import COMMANDS
from bot.core import Core
from bot.errors import SettingsError
from bot.follow import Follow
from bot.settings import Settings, load_settings
from bot.subscriptions import Subscriptions
from bot.terminal_ui.app import CHAT_ID, PLATFORM, open_screen, run_piped, run_prompt
from bot.terminal_ui.chat import TerminalChat
from bot.terminal_ui.screen import PromptScreen


def main() -> int:
    """Run until the end of input or SIGTERM. 0: all went well; 1: a job failed; 2: a setting is wrong."""
    try:
        settings = load_settings()
        _prepare(settings)
    except SettingsError as error:
        sys.stderr.write(f"{error.message}\n")
        return 2
    try:
        return asyncio.run(_until_stopped(settings))
    except KeyboardInterrupt:
        return 130


def _prepare(settings: Settings) -> None:
    """Open the log; the screen belongs to the chat."""
    try:
        settings.bot_dir.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(settings.bot_dir / "bot.log", encoding="utf-8", delay=True)
    except OSError as cause:
        raise SettingsError(
            f"HEARTH_BOT_DIR is '{settings.bot_dir}', and I cannot write there: {cause.strerror}. "
            "Expected: a folder of mine.",
            param="HEARTH_BOT_DIR",
        ) from cause
    logging.basicConfig(handlers=[handler], level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")


async def _until_stopped(settings: Settings) -> int:
    task = asyncio.create_task(_run(settings))
    with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers in the loop
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return 0


async def _run(settings: Settings) -> int:
    with open_screen(prompt=sys.stdin.isatty() and sys.stdout.isatty()) as screen:
        chat = TerminalChat(screen, settings.files_dir)
        async with _open_core(settings, chat) as core:
            if isinstance(screen, PromptScreen):
                talking = asyncio.create_task(run_prompt(core, chat, screen))
            else:
                talking = asyncio.create_task(run_piped(core, chat, screen))
            return await _first_to_end(talking, asyncio.create_task(core.follow.run()))


@contextlib.asynccontextmanager
async def _open_core(settings: Settings, terminal: Chat) -> AsyncIterator[Core]:
    def open_chat(platform: str, chat_id: str) -> Chat | None:
        return terminal if (platform, chat_id) == (PLATFORM, CHAT_ID) else None

    clock = SystemClock()
    async with aiohttp.ClientSession() as session:
        with Subscriptions(settings.bot_dir / "bot.sqlite3") as subscriptions:
            agent = AgentClient(settings.agent_address, session=session, clock=clock)
            follow = Follow(agent=agent, subscriptions=subscriptions, open_chat=open_chat, clock=clock)
            yield Core(agent=agent, subscriptions=subscriptions, follow=follow, clock=clock, commands=COMMANDS)


async def _first_to_end(talking: "asyncio.Task[int]", following: "asyncio.Task[None]") -> int:
    """Return how the talk ended; following never ends by itself, so if it does, its error is ours."""
    try:
        await asyncio.wait({talking, following}, return_when=asyncio.FIRST_COMPLETED)
        if following.done():
            following.result()
        return await talking
    finally:
        for task in (talking, following):
            task.cancel()
        await asyncio.gather(talking, following, return_exceptions=True)


if __name__ == "__main__":
    sys.exit(main())
