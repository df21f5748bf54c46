"""An interaction as what was asked: who, where, with which files. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from discord import Interaction, Member, Role, TextChannel, Thread, User

from bot.core.call import Call, Named
from bot.core.chat import Chat
from bot.discord_ui import texts
from bot.discord_ui.files import Sent
from bot.discord_ui.place import DiscordPlace
from bot.words.arguments import quoted, split_words
from shared.language import _
from shared.people import GrantKind, RequestedBy

PLATFORM = "discord"
CHARACTER, MORE, FORM_FILE = "character", "more", "file"  # fields of the form behind Change that are no options


@dataclass(frozen=True, kw_only=True)
class DiscordRequest:
    """What was asked, wherever it was."""

    command: str
    arguments: tuple[str, ...] = ()
    files: tuple[Sent, ...] = ()
    mentioned: tuple[Named, ...] = ()


def place_of(interaction: Interaction) -> DiscordPlace | None:
    """Return where an interaction happened; None: in a kind of channel that nobody writes in."""
    channel = interaction.channel
    if channel is None:
        return None
    if isinstance(channel, Thread):
        return DiscordPlace(channel=channel.parent_id, thread=channel.id)
    return DiscordPlace(channel=channel.id)


def missing_permissions(interaction: Interaction) -> list[str]:
    """Return what the bot lacks there to follow up with messages of its own, as Discord names it."""
    if interaction.guild_id is None:
        return []
    allowed = interaction.app_permissions
    if isinstance(interaction.channel, Thread):
        send = {texts.SEND_IN_THREADS: allowed.send_messages_in_threads}
    else:
        send = {texts.SEND: allowed.send_messages}
    return [_(name) for name, given in {texts.VIEW: allowed.view_channel, **send}.items() if not given]


def requested_by(interaction: Interaction) -> RequestedBy:
    """Return on whose behalf the agent is asked; rights are given to the channel, also of what is said in a thread."""
    user, place = interaction.user, place_of(interaction)
    roles = user._roles if isinstance(user, Member) else ()  # noqa: SLF001 -- `roles` leaves out what is not cached yet
    return RequestedBy(
        platform=PLATFORM,
        person=str(user.id),
        chat=str(place.channel if place is not None else interaction.channel_id),
        server=str(interaction.guild_id) if interaction.guild_id is not None else None,
        roles=tuple(str(role) for role in roles),
        name=user.display_name,
        private=interaction.guild_id is None,
    )


def call_of(
    interaction: Interaction, place: DiscordPlace, asked: DiscordRequest, chat: Chat, *, pressed: int | None = None
) -> Call:
    """Return the call that an interaction is."""
    person = requested_by(interaction)
    return Call(
        platform=PLATFORM,
        person=person.person,
        chat_id=str(place),
        chat=chat,
        command=asked.command,
        arguments=asked.arguments,
        attachments=tuple(file.attachment() for file in asked.files),
        message_id=str(pressed) if pressed is not None else None,
        id=str(interaction.id),
        name=interaction.user.display_name,
        rights_chat_id=person.chat,
        chat_name=_chat_name(interaction),
        server=person.server,
        server_name=interaction.guild.name if interaction.guild is not None else "",
        roles=person.roles,
        private=person.private,
        mentioned=asked.mentioned,
        locale=str(interaction.locale),
    )


def named(whom: Member | User | Role) -> tuple[Named, ...]:
    """Return a person or role that was chosen. A bot is nobody."""
    if isinstance(whom, Role):
        if whom.is_default():  # everybody on the server
            return (Named(id=str(whom.guild.id), name=whom.guild.name, kind=GrantKind.server),)
        return (Named(id=str(whom.id), name=whom.name, kind=GrantKind.role),)
    return () if whom.bot else (Named(id=str(whom.id), name=whom.display_name),)


def read_line(line: str) -> DiscordRequest:
    """Read what a button carries, as it would be typed."""
    command, *arguments = split_words(line.removeprefix("/")) or ("",)
    return DiscordRequest(command=command, arguments=tuple(arguments))


def read_form(data: Mapping[str, Any]) -> DiscordRequest:
    """Read a submitted form: its id is a line, and each field that was filled in goes behind it as an option."""
    asked = read_line(str(data.get("custom_id", "")))
    words: list[str] = []
    files: tuple[Sent, ...] = ()
    known = data.get("resolved", {}).get("attachments", {})
    for field in map(_field, data.get("components", [])):
        if field["custom_id"] == FORM_FILE:
            files = tuple(_sent(known[chosen]) for chosen in field.get("values") or [] if chosen in known)
            continue
        name, value = field["custom_id"], str(field.get("value") or next(iter(field.get("values") or []), "")).strip()
        if value and name == CHARACTER:
            words.append(quoted(name, value))
        elif value and name == MORE:
            words += split_words(value)
        elif value:
            words.append(f"{name}:{'-'.join(value.split())}")
    return replace(asked, arguments=(*asked.arguments, *words), files=files)


def _chat_name(interaction: Interaction) -> str:
    """Return what the channel is called; of a thread, the one it belongs to."""
    channel = interaction.channel.parent if isinstance(interaction.channel, Thread) else interaction.channel
    return f"#{channel.name}" if isinstance(channel, TextChannel) else ""


def _field(component: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the field inside its label."""
    inner = component.get("component") or next(iter(component.get("components", [])), component)
    return inner if "custom_id" in inner else {"custom_id": ""}


def _sent(attachment: Mapping[str, Any]) -> Sent:
    return Sent(id=int(attachment["id"]), name=attachment["filename"], size=attachment["size"], url=attachment["url"])
