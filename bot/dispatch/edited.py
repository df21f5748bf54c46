"""A message that was edited changes the plan that it led to, by the options that are new in it, and nothing else."""

import logging
from dataclasses import replace

from bot.core.call import Call
from bot.dispatch.command import Core
from bot.dispatch.dispatch import take_in
from bot.errors import StorageError
from bot.words.option_words import is_option, option_words, said_options

logger = logging.getLogger(__name__)


async def take_in_edit(call: Call, core: Core) -> None:
    """Answer a call whose message reads so by now; `call.asked_in` is that message. Never raises, unless cancelled."""
    try:
        led_to = core.offers.led_to(call)
    except StorageError as error:
        logger.warning("an edit is not heard: %s", error)
        return
    if led_to is None:
        return
    offer, before = led_to
    now = _options(call)
    changed = tuple(option for option in now if option not in before)
    if changed:
        core.offers.reword(offer, now)
        meant = replace(call, command="finetune", said="", arguments=(offer.named, *changed), attachments=())
        await take_in(meant, core)


def _options(call: Call) -> tuple[str, ...]:
    if call.command == "finetune":
        return tuple(word for word in option_words(call.arguments) if is_option(word))
    return () if call.command else said_options(call.said) or ()
