"""A message that people write, as what was asked. Discord hides its words unless it is direct or names the bot.

With the Message Content intent it hides none; then words in a thread of a job or of a talk are heard as well.

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


def by_a_person(message: Message) -> bool:
    """Say whether a person wrote it: no bot, no webhook, and not Discord itself."""
    return not message.author.bot and message.webhook_id is None and not message.is_system()


def for_the_bot(message: Message, me: ClientUser) -> bool:
    """Say whether a person's message is written to the bot directly, or names it."""
    return message.guild is None or any(user.id == me.id for user in message.mentions)


def to_nobody_else(message: Message, me: ClientUser) -> bool:
    """Say whether a message in a thread may be for the bot: it says something, and to no other by name or as an answer.

    Whose message it answers stands in its mentions, unless that person was not to be notified.
    """
    answered = message.reference.resolved if message.reference is not None else None
    to_another = isinstance(answered, Message) and answered.author.id not in (me.id, message.author.id)
    named = message.mentions or message.role_mentions or message.mention_everyone
    says = bool(message.content or message.attachments)
    return isinstance(message.channel, Thread) and says and not named and not to_another


def begun_by(me: ClientUser, channel: object) -> bool:
    """Say whether a channel is a thread that the bot began, which it does for jobs alone."""
    return isinstance(channel, Thread) and channel.owner_id == me.id


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
