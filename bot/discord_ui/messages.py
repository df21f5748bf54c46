"""A message that people write, as what was asked. Discord hides its words unless it is direct or names the bot.

https://docs.discord.com/developers/events/gateway#message-content-intent
"""

import re

from discord import ClientUser, Member, Message, TextChannel, Thread

from bot.core.call import Call
from bot.core.chat import Chat
from bot.discord_ui.files import Sent
from bot.discord_ui.inbound import PLATFORM
from bot.discord_ui.place import DiscordPlace
from bot.words.arguments import split_words
from bot.words.plain_words import asks_to_train

_COMMAND = re.compile(r"/(\w{1,32})(?:\s+(.*))?", re.DOTALL)


def for_the_bot(message: Message, me: ClientUser) -> bool:
    """Say whether a message is one that the bot answers: a person's, written to it directly or naming it."""
    if message.author.bot or message.webhook_id is not None:
        return False
    return message.guild is None or any(user.id == me.id for user in message.mentions)


def place_of_message(message: Message) -> DiscordPlace:
    """Return where it was written."""
    channel = message.channel
    if isinstance(channel, Thread):
        return DiscordPlace(channel=channel.parent_id, thread=channel.id)
    return DiscordPlace(channel=channel.id)


def call_of_message(message: Message, place: DiscordPlace, chat: Chat, me: ClientUser, *, locale: str | None) -> Call:
    """Return the call that it is: a command that was written out, a file to learn from, or words."""
    said = re.sub(rf"<@!?{me.id}>", " ", message.content).strip()
    files = tuple(Sent.of(file, (message.channel.id, message.id)).attachment() for file in message.attachments)
    command, words = _asked(said, with_file=bool(files))
    author = message.author
    channel = message.channel.parent if isinstance(message.channel, Thread) else message.channel
    return Call(
        platform=PLATFORM,
        person=str(author.id),
        chat_id=str(place),
        chat=chat,
        command=command,
        said="" if command else said,
        arguments=words,
        attachments=files if command else (),
        id=str(message.id),
        name=author.display_name,
        rights_chat_id=str(place.channel),
        chat_name=f"#{channel.name}" if isinstance(channel, TextChannel) else "",
        server=str(message.guild.id) if message.guild is not None else None,
        server_name=message.guild.name if message.guild is not None else "",
        roles=tuple(str(role) for role in author._roles) if isinstance(author, Member) else (),  # noqa: SLF001
        private=message.guild is None,
        locale=locale,
    )


def _asked(said: str, *, with_file: bool) -> tuple[str, tuple[str, ...]]:
    """Return the command that words stand for and what follows it; no command: they are words."""
    typed = _COMMAND.fullmatch(said)
    if typed is not None:
        return typed[1].lower(), split_words(typed[2] or "")
    if with_file:
        return "finetune", asks_to_train(said) or ()
    return "", ()
