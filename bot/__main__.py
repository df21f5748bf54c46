"""Start the bot: read the settings, open the core, and talk in the terminal until told to stop."""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import AsyncIterator

import aiohttp

from bot.agent_client import AgentClient
from bot.call import Attachment
from bot.chat import Chat
from bot.clock import SystemClock
from bot.commands import COMMANDS
from bot.core import Core
from bot.database import DATABASE, Database
from bot.errors import SettingsError, StorageError
from bot.follow import Follow
from bot.keeper import Keeper
from bot.requests import Requests
from bot.settings import Settings, load_settings
from bot.subscriptions import Subscriptions
from bot.terminal_ui.app import CHAT_ID, PLATFORM, open_screen, run_piped, run_prompt
from bot.terminal_ui.chat import TerminalChat
from bot.terminal_ui.inbound import reopen_file
from bot.terminal_ui.screen import PromptScreen


def main() -> int:
    """Run until the end of input or SIGTERM. 0: all went well; 1: a job failed; 2: I cannot begin."""
    try:
        settings = load_settings()
        _prepare(settings)
    except SettingsError as error:
        sys.stderr.write(f"{error.message}\n")
        return 2
    try:
        return asyncio.run(_until_stopped(settings))
    except StorageError as error:
        sys.stderr.write(f"{error.message}\n")
        return 2
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
        async with _open_core(settings, chat) as (core, keeper):
            if isinstance(screen, PromptScreen):
                talking = asyncio.create_task(run_prompt(core, chat, screen))
            else:
                talking = asyncio.create_task(run_piped(core, chat, screen))
            return await _first_to_end(
                talking, asyncio.create_task(core.follow.run()), asyncio.create_task(keeper.run())
            )


@contextlib.asynccontextmanager
async def _open_core(settings: Settings, terminal: Chat) -> AsyncIterator[tuple[Core, Keeper]]:
    def open_chat(platform: str, chat_id: str) -> Chat | None:
        return terminal if (platform, chat_id) == (PLATFORM, CHAT_ID) else None

    async def reopen(_platform: str, reference: str) -> Attachment:
        return reopen_file(reference)

    clock = SystemClock()
    async with aiohttp.ClientSession() as session:
        with Database(settings.bot_dir / DATABASE) as database:
            subscriptions = Subscriptions(database)
            agent = AgentClient(settings.agent_address, session=session, clock=clock)
            follow = Follow(agent=agent, subscriptions=subscriptions, open_chat=open_chat, clock=clock)
            core = Core(
                agent=agent,
                subscriptions=subscriptions,
                requests=Requests(database),
                follow=follow,
                clock=clock,
                commands=COMMANDS,
            )
            yield core, Keeper(core, open_chat=open_chat, reopen=reopen)


async def _first_to_end(talking: "asyncio.Task[int]", *serving: "asyncio.Task[None]") -> int:
    """Return how the talk ended; what serves it never ends by itself, so if it does, its error is ours."""
    try:
        await asyncio.wait({talking, *serving}, return_when=asyncio.FIRST_COMPLETED)
        for service in serving:
            if service.done():
                service.result()
        return await talking
    finally:
        for task in (talking, *serving):
            task.cancel()
        await asyncio.gather(talking, *serving, return_exceptions=True)


if __name__ == "__main__":
    sys.exit(main())
