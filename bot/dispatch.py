"""Find the command of a call, run it, and turn whatever goes wrong into an answer. The one place that catches all."""

import asyncio
import difflib
import logging
import secrets

from bot.call import Call
from bot.chat import Answer
from bot.core import Command, Core
from bot.errors import BadCallError, ChatError
from bot.format import clip, one_line, wrap
from bot.reply import Reply
from shared.errors import HearthError

logger = logging.getLogger(__name__)

ACKNOWLEDGE_AFTER_S = 0.7  # a person is answered within a second, whatever the agent does


async def dispatch(call: Call, core: Core) -> None:
    """Answer one call. Never raises, except when cancelled."""
    answer = Answer(call.chat)
    task = asyncio.create_task(_run(call, core, answer))
    try:
        await asyncio.wait({task}, timeout=ACKNOWLEDGE_AFTER_S)
        if not task.done():
            await _acknowledge(answer)
        await task
    finally:
        task.cancel()


async def _run(call: Call, core: Core, answer: Answer) -> None:
    try:
        await _find(call.command, core.commands).run(call, core, answer)
    except HearthError as error:
        await _say(answer, error.message)
    except ChatError as error:
        logger.warning("chat %s: %s", call.chat_id, error)
    except Exception:
        mark = secrets.token_hex(4)
        logger.exception("%s: /%s failed", mark, call.command)
        await _say(answer, f"Something went wrong on my side, not yours. My log has it under {mark}. Try once more.")


def _find(name: str, commands: tuple[Command, ...]) -> Command:
    by_name = {command.name: command for command in commands}
    if name in by_name:
        return by_name[name]
    if not name:
        raise BadCallError("I answer to commands. /help shows them.")
    near = difflib.get_close_matches(name, by_name, n=1, cutoff=0.5)
    hint = f"Did you mean /{near[0]}?" if near else "/help shows what I know."
    raise BadCallError(f"I know no /{clip(one_line(name), 20)}. {hint}")


async def _say(answer: Answer, text: str) -> None:
    try:
        await answer.show(Reply(text="\n".join(wrap(text))))
    except ChatError as error:
        logger.warning("could not answer: %s", error)


async def _acknowledge(answer: Answer) -> None:
    try:
        await answer.acknowledge(Reply(text="One moment, I am asking the agent …"))
    except ChatError as error:
        logger.warning("could not answer: %s", error)
