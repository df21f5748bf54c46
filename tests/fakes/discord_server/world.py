"""What is on the server: people, channels, threads, messages as people see them and as the API writes them."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

from bot.words.format import size
from tests.fakes.discord_server.markup import as_shown
from tests.fakes.discord_server.rules import LOADING, V2, Json, Layout

ME = 4242
GUILD = 9000
ALL_PERMISSIONS = (1 << 53) - 1
ATTACH_FILES = 1 << 15
LINK_S = 24 * 3600
EPOCH_MS = 1_420_070_400_000
TEXT_CHANNEL, DIRECT, THREAD = 0, 1, 11


def user_json(id: int, name: str, *, bot: bool = False) -> Json:
    return {
        "id": str(id), "username": name.lower(), "global_name": name, "discriminator": "0", "avatar": None, "bot": bot
    }  # fmt: skip


def moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


@dataclass(kw_only=True)
class Stored:
    """A file on the server's CDN."""

    id: int
    name: str
    content: bytes
    said_size: int | None = None  # what the server says of it, if that is not so


@dataclass(kw_only=True)
class Channel:
    """A text channel, a thread of one, or a talk with one person."""

    id: int
    type: int = TEXT_CHANNEL
    name: str = "general"
    parent: int | None = None
    owner: int | None = None
    archived: bool = False
    locked: bool = False  # by a moderator: nobody but they may write in it, or wake it up
    minutes: int = 1440
    permissions: int = ALL_PERMISSIONS  # of the bot
    threads_allowed: bool = True
    sends: bool = True  # the bot may write


@dataclass(kw_only=True)
class Shown:
    """A message as it reads now."""

    id: int
    channel: int
    author: Json
    sent_at: float
    flags: int = 0
    content: str = ""
    components: list[Json] = field(default_factory=list)
    layout: Layout = field(default_factory=Layout)
    attachments: list[Stored] = field(default_factory=list)
    pings: list[str] = field(default_factory=list)
    edits: list[float] = field(default_factory=list)
    seen_by: int | None = None  # one person alone
    nonce: str | None = None
    because: str = ""  # the command that it answers

    @property
    def text(self) -> str:
        return self.layout.visible or self.content

    @property
    def markdown(self) -> str:
        return "\n".join(self.layout.texts)

    @property
    def labels(self) -> list[str]:
        return [button["label"] for button in self.layout.buttons]

    @property
    def files(self) -> list[str]:
        return [url.removeprefix("attachment://") for url in self.layout.files]

    @property
    def thinking(self) -> bool:
        return bool(self.flags & LOADING)


class World:
    """One server, its channels and what was said in them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.url = ""
        self.people: dict[int, str] = {}
        self.roles: dict[int, str] = {GUILD: "@everyone"}
        self.members: dict[int, list[str]] = {}  # the roles that each has on the server
        self.channels: dict[int, Channel] = {}
        self.messages: dict[int, Shown] = {}
        self.files: dict[int, Stored] = {}
        self.boost_tier = 0
        self.me = user_json(ME, "Hearth", bot=True)
        self._serials = itertools.count(1)

    def next_id(self) -> int:
        return ((int(self.clock() * 1000) - EPOCH_MS) << 22) + next(self._serials)

    def add_channel(self, **how: object) -> Channel:
        channel = Channel(id=self.next_id(), **how)  # type: ignore[arg-type]
        self.channels[channel.id] = channel
        return channel

    def remove(self, channel: Channel) -> None:
        """Delete a channel with its threads, or one thread; what was said there is gone."""
        for gone in [it for it in self.channels.values() if it is channel or it.parent == channel.id]:
            del self.channels[gone.id]
            for message in self.of(gone.id):
                del self.messages[message.id]

    def store(self, name: str, content: bytes) -> Stored:
        file = Stored(id=self.next_id(), name=name, content=content)
        self.files[file.id] = file
        return file

    def of(self, channel: int) -> list[Shown]:
        return [message for message in self.messages.values() if message.channel == channel]

    # --- as the API writes it

    def file_json(self, file: Stored) -> Json:
        until = f"{int(self.clock()) + LINK_S:x}"
        url = f"{self.url}/cdn/{file.id}/{quote(file.name, safe='')}?ex={until}&is=0&hm={_signature(file.id, until)}"
        size = len(file.content) if file.said_size is None else file.said_size
        return {"id": str(file.id), "filename": file.name, "size": size, "url": url, "proxy_url": url}

    def file_at(self, file_id: int, until: str, signature: str) -> Stored | None:
        if signature != _signature(file_id, until) or int(until, 16) < self.clock():
            return None
        return self.files.get(file_id)

    def message_json(self, message: Shown) -> Json:
        attachments = [self.file_json(file) for file in message.attachments]
        urls = {f"attachment://{it['filename']}": it["url"] for it in attachments}
        return {
            "id": str(message.id), "channel_id": str(message.channel), "author": message.author,
            "content": message.content, "timestamp": moment(message.sent_at), "edited_timestamp": None, "tts": False,
            "mention_everyone": False, "mentions": [], "mention_roles": [], "attachments": attachments, "embeds": [],
            "pinned": False, "type": 0, "flags": message.flags, "nonce": message.nonce,
            "components": [_resolved(part, urls) for part in message.components],
        }  # fmt: skip

    def channel_json(self, channel: Channel) -> Json:
        body: Json = {"id": str(channel.id), "type": channel.type, "name": channel.name}
        if channel.type == DIRECT:
            people = [user_json(one, name) for one, name in self.people.items() if one == channel.owner]
            return {**body, "recipients": people, "last_message_id": None}
        body |= {"guild_id": str(GUILD), "position": 0, "permission_overwrites": [], "nsfw": False, "topic": None}
        if channel.type == THREAD:
            body |= {
                "parent_id": str(channel.parent), "owner_id": str(channel.owner), "message_count": 0, "member_count": 1,
                "thread_metadata": {
                    "archived": channel.archived, "auto_archive_duration": channel.minutes, "locked": channel.locked,
                    "archive_timestamp": moment(self.clock()),
                },
            }  # fmt: skip
        return body

    def guild_json(self) -> Json:
        channels = list(self.channels.values())
        roles = [
            {"id": str(role), "name": name, "color": 0, "colors": {"primary_color": 0}, "hoist": False, "position": n,
             "permissions": "0", "managed": False, "mentionable": True, "flags": 0}
            for n, (role, name) in enumerate(self.roles.items())
        ]  # fmt: skip
        return {
            "id": str(GUILD), "name": "Team", "owner_id": "7", "roles": roles, "emojis": [], "stickers": [],
            "features": [], "premium_tier": self.boost_tier, "member_count": 3, "voice_states": [], "presences": [],
            "members": [{"user": self.me, "roles": [], "joined_at": moment(0), "flags": 0, "deaf": False}],
            "channels": [self.channel_json(it) for it in channels if it.type == TEXT_CHANNEL],
            "threads": [self.channel_json(it) for it in channels if it.type == THREAD and not it.archived],
            "stage_instances": [], "guild_scheduled_events": [],
        }  # fmt: skip

    # --- as people read it

    def transcript(self, channel: int) -> str:
        """Return a channel as a person scrolls through it."""
        return "\n\n".join(self._told(message) for message in self.of(channel))

    def _told(self, message: Shown) -> str:
        head = message.author["global_name"]
        head += f" (edited {len(message.edits)}x)" if message.edits else ""
        head += f" (only {self.people.get(message.seen_by, '?')} sees this)" if message.seen_by else ""
        lines = [*([message.because] if message.because else []), f"{head}:", *self.on_screen(message)]
        thread = self.channels.get(message.id)
        lines += [f"thread {thread.name}:", *self.transcript(thread.id).splitlines()] if thread else []
        return "\n".join(lines)

    def on_screen(self, message: Shown) -> list[str]:
        """Return a message as a phone shows it."""
        source = message.markdown or message.content
        lines = ["is thinking …"] if message.thinking else []
        lines += as_shown(source, people=self.people, now=self.clock()).splitlines()
        lines += [f"[picture: {alt}]" for _, alt in message.layout.pictures]
        sizes = {file.name: len(file.content) for file in message.attachments}
        names = message.files if message.flags & V2 else list(sizes)
        lines += [f"[file {name}, {size(sizes[name])}]" for name in names]
        return [*lines, *("  ".join(f"[{label}]" for label in row) for row in message.layout.rows)]


def _signature(file_id: int, until: str) -> str:
    return f"{hash((file_id, until)) & 0xFFFFFFFF:x}"


def _resolved(part: Json, urls: dict[str, str]) -> Json:
    """Return a component with what Discord fills in: where its files are."""
    part = {**part}
    if "components" in part:
        part["components"] = [_resolved(inner, urls) for inner in part["components"]]
    if "items" in part:
        part["items"] = [{**item, "media": _media(item["media"], urls)} for item in part["items"]]
    if "file" in part:
        part["file"] = _media(part["file"], urls)
    return part


def _media(media: Json, urls: dict[str, str]) -> Json:
    url = urls.get(media["url"], media["url"])
    return {"url": url, "proxy_url": url, "width": 1, "height": 1, "content_type": "image/png"}
