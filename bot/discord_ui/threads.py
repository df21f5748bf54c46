"""The thread of a job: begun at its card with the first file, kept awake while that changes, and found again."""

import contextlib

import discord
from discord import Client, TextChannel, Thread

from bot.discord_ui.limits import THREAD_MINUTES
from bot.discord_ui.place import DiscordPlace

HAS_THREAD = 160004  # a message begins one only once; the one that it has is archived


class Threads:
    """The threads of one bot account. Beyond a restart Discord knows them, each by its name."""

    def __init__(self) -> None:
        self._cards: dict[tuple[int, str], int] = {}  # by channel and name, too
        self._begun: dict[tuple[int, str], int] = {}  # by channel and name; the gateway may not have told of them yet
        self._without: set[int] = set()  # channels in which there may be none
        self._said: set[int] = set()  # those of which it was said
        self._lost: set[tuple[int, str]] = set()  # threads that were deleted or locked: no other is begun

    async def keep(self, client: Client, place: DiscordPlace, name: str, card_id: str) -> None:
        """Keep a job's thread awake, if it has one: it is begun, at the card, when there is something to put in it."""
        channel = _channel_for(client, place, name)
        if channel is None or (channel.id, name) in self._lost:
            return
        self._cards[channel.id, name] = int(card_id)
        if _awake(client, channel, name) is not None:
            return
        begun = self._begun.get((channel.id, name))
        if begun is not None:
            thread = channel.get_thread(begun)  # somebody may have given it another name
            if thread is None or thread.archived:
                await wake(client, begun)

    async def room(self, client: Client, place: DiscordPlace, name: str, message_id: str) -> int:
        """Return a job's thread, begun if there is none; or the room itself, where there can be none.

        It begins at the job's card, or at the given message where no card is known or it is gone.
        """
        channel = _channel_for(client, place, name)
        if channel is None or (channel.id, name) in self._lost:
            return place.room
        known = _awake(client, channel, name) or self._begun.get((channel.id, name))
        if known is not None:
            return known
        with contextlib.suppress(discord.NotFound):
            card_id = self._cards.get((channel.id, name), int(message_id))
            return await self._begin(client, channel, name, card_id) or place.room
        return await self._begin(client, channel, name, int(message_id)) or place.room

    def newly_forbidden(self, place: DiscordPlace) -> bool:
        """Say whether there may be no threads in a channel, the first time that this is asked since it is so."""
        news = place.channel in self._without - self._said
        self._said |= {place.channel} & self._without
        return news

    def lose(self, place: DiscordPlace, name: str) -> None:
        """Do without a job's thread from now on: somebody has deleted or locked it."""
        self._lost.add((place.channel, name))

    async def _begin(self, client: Client, channel: TextChannel, name: str, message_id: int) -> int | None:
        message = channel.get_partial_message(message_id)
        try:
            thread = await message.create_thread(name=name, auto_archive_duration=THREAD_MINUTES)
        except discord.Forbidden:
            self._without.add(channel.id)
            return None
        except discord.HTTPException as error:
            if error.code != HAS_THREAD:
                raise
            await wake(client, message_id)  # a thread has the id of the message that it was begun at
            self._begun[channel.id, name] = message_id
            return message_id
        self._begun[channel.id, name] = thread.id
        self._without.discard(channel.id)
        self._said.discard(channel.id)
        return thread.id


async def wake(client: Client, room: int) -> None:
    """Take a thread out of the archive. Only that may be changed without the right to manage threads."""
    thread = await client.fetch_channel(room)
    if isinstance(thread, Thread):
        await thread.edit(archived=False)


def _awake(client: Client, channel: TextChannel, name: str) -> int | None:
    """Return the thread of that name that the bot began and that is not archived."""
    mine = [thread for thread in channel.threads if client.user is not None and thread.owner_id == client.user.id]
    return next((thread.id for thread in mine if thread.name == name), None)


def _channel_for(client: Client, place: DiscordPlace, name: str) -> TextChannel | None:
    """Return the channel that a thread of this name belongs in; None inside a thread, in private, and for no name."""
    channel = client.get_channel(place.channel)
    return channel if place.thread is None and name and isinstance(channel, TextChannel) else None
