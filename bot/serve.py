"""Start the bot: read the settings, open the core, and serve every chat that is set up until told to stop.

A chat library is imported only where its token is set: each takes memory that a small machine may not have.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from logging.handlers import RotatingFileHandler

from pydantic import SecretStr

from bot.agent_api.client import AgentClient
from bot.agent_api.transport import Address, Transport
from bot.commands import COMMANDS
from bot.core.clock import SystemClock
from bot.dispatch.command import Core
from bot.dispatch.front_end import FrontEnd, FrontEnds
from bot.dispatch.resend import Resender
from bot.errors import SettingsError, StorageError
from bot.following.feed import FeedFollower
from bot.following.subscriptions import Subscriptions
from bot.kept.chat_moves import Moves
from bot.kept.database import DATABASE, Database
from bot.kept.ignored import Ignored
from bot.kept.offers import Offers
from bot.kept.preferences import Preferences
from bot.kept.requests import Requests
from bot.kept.talks import Talks
from bot.launch.event_loop import serve
from bot.launch.first_start import show_pairing
from bot.launch.log_redaction import RedactingFormatter
from bot.settings import Settings, load_settings
from bot.terminal_ui.app import Terminal, open_screen
from shared.people import TERMINAL, RequestedBy

logger = logging.getLogger(__name__)

LOG_BYTES = 4 * 1024 * 1024  # of bot.log; bot.log.1 and bot.log.2 hold what was before

HELP = """\
settings, from the environment or a file .env in this folder:
  TELEGRAM_TOKEN, DISCORD_TOKEN  the chats to serve; without any, this terminal is the chat
  HEARTH_AGENT_URL               where the agent is; otherwise the one of HEARTH_DATA_DIR
  HEARTH_AGENT_KEY               the key to it; otherwise the one in HEARTH_DATA_DIR
  HEARTH_DATA_DIR                the data folder of an agent on this machine
  HEARTH_BOT_DIR                 where I keep my small database and bot.log
  HEARTH_FILES_DIR               where this terminal's files are saved
  TELEGRAM_API_BASE              a local Bot API server
  DISCORD_API_BASE, DISCORD_GATEWAY  a server other than Discord's own

exit codes:
  0  all went well
  1  a job failed (where input is piped)
  2  a setting or argument is wrong, or nothing can be served
  130  stopped by Ctrl-C
"""
CHATTY = ("httpx", "httpcore", "telegram", "discord")  # each writes a line a request


def main() -> int:
    """Run until the end of input or SIGTERM. 0: all went well; 1: a job failed; 2: I can serve nothing."""
    _read_arguments()
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


def _read_arguments() -> None:
    """Show the help, or refuse whatever else was given: all that can be set is in the environment."""
    parser = argparse.ArgumentParser(
        prog="hearth-bot",
        description="Connects Discord, Telegram and, where somebody can type, this terminal to a Hearth agent.",
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _none, rest = parser.parse_known_args()
    if rest:
        parser.error(f"I do not know {rest[0]!r}: I take no arguments, only settings. --help lists them.")


def _prepare(settings: Settings) -> None:
    """Open the log; the screen belongs to the chat."""
    try:
        settings.bot_dir.mkdir(parents=True, exist_ok=True)
        handler = log_handler(settings)
    except OSError as cause:
        raise SettingsError(
            f"HEARTH_BOT_DIR is '{settings.bot_dir}', and I cannot write there: {cause.strerror}. "
            "Expected: a folder of mine.",
            param="HEARTH_BOT_DIR",
        ) from cause
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def log_handler(settings: Settings) -> logging.Handler:
    """Return what writes bot.log: without tokens, and within a size."""
    log = settings.bot_dir / "bot.log"
    handler = RotatingFileHandler(log, maxBytes=LOG_BYTES, backupCount=2, encoding="utf-8", delay=True)
    tokens = [token.get_secret_value() for token in (settings.telegram_token, settings.discord_token) if token]
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(name)s %(message)s", tokens))
    return handler


async def _until_stopped(settings: Settings) -> int:
    task = asyncio.create_task(_run(settings))
    with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers in the loop
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return 0


async def _run(settings: Settings) -> int:
    connected = _connected(settings)
    with _terminal(settings, alone=settings.telegram_token is None and settings.discord_token is None) as terminal:
        front_ends = FrontEnds([*connected, *([terminal] if terminal else [])])
        async with _open_core(settings, front_ends) as (core, keeper):
            return await serve(
                connected,
                core,
                talking=terminal.talk(core) if terminal else None,
                talk_decides=terminal is not None and terminal.decides,
                background={"the live cards": core.follow.run, "the kept requests": keeper.run}
                | _first_start(core, connected, terminal),
            )


def _first_start(
    core: Core, connected: list[FrontEnd], terminal: Terminal | None
) -> dict[str, Callable[[], Awaitable[None]]]:
    """Return what tells how to pair, where there are chats to pair in."""
    seen = terminal is not None and terminal.decides  # a person sits there
    tell = terminal.tell if terminal is not None and seen else None
    return {"the first start": partial(show_pairing, core, tell)} if connected else {}


def _connected(settings: Settings) -> list[FrontEnd]:
    """Return the front-ends whose token is set. One that cannot even be made is said, and left out."""
    wanted = {"Telegram": (settings.telegram_token, _telegram), "Discord": (settings.discord_token, _discord)}
    front_ends: list[FrontEnd] = []
    for name, (token, make) in wanted.items():
        if token is None:
            continue
        try:
            front_ends.append(make(settings, token))
        except Exception as error:
            logger.exception("%s cannot be served", name)
            sys.stderr.write(
                f"{name} is not served: I could not set it up ({type(error).__name__}). bot.log has why.\n"
            )
    return front_ends


def _telegram(settings: Settings, token: SecretStr) -> FrontEnd:
    from bot.telegram_ui.app import TelegramFrontEnd

    return TelegramFrontEnd(token, api_base=settings.telegram_api_base, clock=SystemClock())


def _discord(settings: Settings, token: SecretStr) -> FrontEnd:
    from bot.discord_ui.app import DiscordFrontEnd

    return DiscordFrontEnd(
        token,
        api_base=settings.discord_api_base,
        gateway=settings.discord_gateway,
        clock=SystemClock(),
        read_messages=settings.discord_read_messages,
    )


@contextlib.contextmanager
def _terminal(settings: Settings, *, alone: bool) -> Iterator[Terminal | None]:
    """Open the terminal, unless other chats are served and nobody could type here: a service has /dev/null."""
    if not alone and not _can_be_typed_at():
        yield None
        return
    with open_screen(prompt=sys.stdin.isatty() and sys.stdout.isatty()) as screen:
        yield Terminal(screen, settings.files_dir)


def _can_be_typed_at() -> bool:
    """Say whether input is a terminal, a pipe or a file."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (AttributeError, OSError, ValueError):  # no input at all
        return False
    return not stat.S_ISCHR(mode) or sys.stdin.isatty()


def _address(settings: Settings, front_ends: FrontEnds, who: RequestedBy | None) -> Address:
    """Return the agent's address with the key for who asks: the owner's for the terminal, and for all beside one."""
    at_terminal = who.platform == TERMINAL if who is not None else TERMINAL in front_ends.platforms
    return settings.agent_address(owner=at_terminal)


@contextlib.asynccontextmanager
async def _open_core(settings: Settings, front_ends: FrontEnds) -> AsyncIterator[tuple[Core, Resender]]:
    clock = SystemClock()
    async with Transport() as transport:
        with Database(settings.bot_dir / DATABASE) as database:
            subscriptions = Subscriptions(database)
            moves = Moves(database)
            preferences = Preferences(database)
            agent = AgentClient(partial(_address, settings, front_ends), transport=transport, clock=clock, moves=moves)
            follow = FeedFollower(
                agent=agent,
                subscriptions=subscriptions,
                open_chat=front_ends.open_chat,
                clock=clock,
                moves=moves,
                preferences=preferences,
                as_now=front_ends.as_now,
            )
            core = Core(
                agent=agent,
                subscriptions=subscriptions,
                requests=Requests(database),
                offers=Offers(database),
                talks=Talks(database, clock),
                preferences=preferences,
                ignored=Ignored(database),
                follow=follow,
                clock=clock,
                commands=COMMANDS,
            )
            yield (
                core,
                Resender(core, open_chat=front_ends.open_chat, reopen=front_ends.reopen, as_now=front_ends.as_now),
            )
