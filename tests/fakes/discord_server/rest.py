"""What a bot may ask of channels, messages and threads: https://docs.discord.com/developers/resources/message."""

from collections.abc import Awaitable, Callable

from tests.fakes.discord_server.markup import pings, read
from tests.fakes.discord_server.rules import (
    EPHEMERAL,
    FILES,
    V2,
    Flood,
    Json,
    RefusedError,
    check,
    check_commands,
    read_layout,
)
from tests.fakes.discord_server.world import (
    ATTACH_FILES,
    DIRECT,
    ME,
    THREAD,
    Channel,
    Shown,
    Stored,
    World,
    moment,
    user_json,
)

Uploads = dict[int, tuple[str, bytes]]
Tell = Callable[[str, Json], Awaitable[None]]
UPLOAD_BYTES = 10 * 2**20
REQUEST_BYTES = 25 * 2**20
NONCE_S = 300.0


class Rest:
    """Each method returns its result or raises RefusedError."""

    def __init__(self, world: World, flood: Flood, tell: Tell) -> None:
        self.world = world
        self.flood = flood
        self._tell = tell
        self.commands: list[Json] = []
        self.synced = 0
        self.upload_bytes = UPLOAD_BYTES
        self._nonces: dict[tuple[int, str], tuple[float, int]] = {}

    def put_commands(self, body: list[Json]) -> list[Json]:
        check_commands(body)
        self.synced += 1
        more: Json = {"application_id": str(ME), "version": "1", "default_member_permissions": None, "description": ""}
        self.commands = [{**more, "type": 1, "id": str(self.world.next_id()), **command} for command in body]
        return self.commands

    def open_direct(self, body: Json) -> Json:
        person = int(body["recipient_id"])
        for channel in self.world.channels.values():
            if channel.type == DIRECT and channel.owner == person:
                return self.world.channel_json(channel)
        return self.world.channel_json(self.world.add_channel(type=DIRECT, owner=person))

    def get_member(self, person_id: int) -> Json:
        """Return a member of the server with their roles."""
        if person_id not in self.world.members:
            raise RefusedError(404, 10007, "Unknown Member")
        user = user_json(person_id, self.world.people[person_id])
        return {"user": user, "roles": self.world.members[person_id], "joined_at": moment(0), "flags": 0}

    def get_channel(self, channel_id: int) -> Json:
        return self.world.channel_json(self._channel(channel_id))

    async def patch_channel(self, channel_id: int, body: Json) -> Json:
        channel = self._channel(channel_id)
        if set(body) != {"archived"}:
            raise RefusedError(403, 50013, "Missing Permissions")
        if channel.locked:
            raise RefusedError(400, 160005, "Thread is locked")
        channel.archived = body["archived"]
        await self._tell("THREAD_UPDATE", self.world.channel_json(channel))
        return self.world.channel_json(channel)

    async def start_thread(self, channel_id: int, message_id: int, body: Json) -> Json:
        channel = self._channel(channel_id)
        if channel.type == DIRECT:
            raise RefusedError(400, 50024, "Cannot execute action on this channel type")
        if not channel.threads_allowed:
            raise RefusedError(403, 50013, "Missing Permissions")
        self.message(channel_id, message_id)
        if message_id in self.world.channels:
            raise RefusedError(400, 160004, "A thread has already been created for this message")
        check(1 <= len(body["name"]) <= 100, "thread name")
        check(body["auto_archive_duration"] in {60, 1440, 4320, 10080}, "auto_archive_duration")
        thread = Channel(
            id=message_id, type=THREAD, name=body["name"], parent=channel_id, owner=ME,
            minutes=body["auto_archive_duration"],
        )  # fmt: skip
        self.world.channels[thread.id] = thread
        await self._tell("THREAD_CREATE", {**self.world.channel_json(thread), "newly_created": True})
        return self.world.channel_json(thread)

    # --- messages

    def post(self, channel_id: int, body: Json, uploads: Uploads) -> Json:
        channel = self._writable(channel_id)
        nonce = body.get("nonce")
        before = self._nonces.get((channel_id, str(nonce)))
        if body.get("enforce_nonce") and before is not None and self.world.clock() - before[0] < NONCE_S:
            return self.world.message_json(self.world.messages[before[1]])
        message = Shown(
            id=self.world.next_id(), channel=channel_id, author=self.world.me, sent_at=self.world.clock(), nonce=nonce
        )
        self.fill(message, body, uploads)
        self.flood.count_post(channel_id)
        if channel.type == THREAD:
            channel.archived = False  # who writes wakes it up
        self.world.messages[message.id] = message
        if nonce is not None:
            self._nonces[channel_id, str(nonce)] = self.world.clock(), message.id
        return self.world.message_json(message)

    def edit(self, channel_id: int, message_id: int, body: Json, uploads: Uploads) -> Json:
        channel, message = self._writable(channel_id), self.message(channel_id, message_id)
        if message.author != self.world.me:
            raise RefusedError(403, 50005, "Cannot edit a message authored by another user")
        if channel.archived:
            raise RefusedError(400, 50083, "Thread is archived")
        self.flood.count_edit(channel_id, message.sent_at)
        self.fill(message, body, uploads)
        message.edits.append(self.world.clock())
        return self.world.message_json(message)

    def delete(self, channel_id: int, message_id: int) -> None:
        self.message(channel_id, message_id)
        del self.world.messages[message_id]

    def get(self, channel_id: int, message_id: int) -> Json:
        return self.world.message_json(self.message(channel_id, message_id))

    def message(self, channel_id: int, message_id: int) -> Shown:
        message = self.world.messages.get(message_id)
        if message is None or message.channel != channel_id or message.seen_by is not None:
            raise RefusedError(404, 10008, "Unknown Message")
        return message

    def fill(self, message: Shown, body: Json, uploads: Uploads) -> None:
        """Put a body into a new or an edited message, if all of it is allowed."""
        channel = self.world.channels.get(message.channel)
        if uploads and channel is not None and not channel.permissions & ATTACH_FILES:
            raise RefusedError(403, 50013, "Missing Permissions")
        flags = message.flags | body.get("flags", 0)
        check(not (message.flags & V2 and "flags" in body and not body["flags"] & V2), "the V2 flag stays")
        kept = self._attachments(message, body, uploads)
        layout, content = message.layout, body.get("content") or ("" if "content" in body else message.content)
        if flags & V2:
            check(not content and not body.get("embeds"), "content and embeds are not allowed with components V2")
            if "components" in body:
                layout = read_layout(body["components"])
            names = {f"attachment://{file.name}" for file in kept}
            named = [*layout.files, *(url for url, _ in layout.pictures)]
            check(names.issuperset(named), f"no attachment for {set(named) - names}")
        else:
            check(content, "Cannot send an empty message")
            check(len(content) <= 2000, "content too long")
        new = not message.edits and message.id not in self.world.messages
        if new or message.thinking:  # an edit notifies nobody
            seen = read("\n".join([content, *layout.texts]))
            message.pings = [] if flags & EPHEMERAL else pings(seen, body.get("allowed_mentions"))
        message.flags, message.content, message.layout, message.attachments = flags & ~(1 << 7), content, layout, kept
        message.components = body.get("components", message.components)

    def _attachments(self, message: Shown, body: Json, uploads: Uploads) -> list[Stored]:
        if sum(len(content) for _, content in uploads.values()) > REQUEST_BYTES:
            raise RefusedError(413, 40005, "Request entity too large")
        if any(len(content) > self.upload_bytes for _, content in uploads.values()):
            raise RefusedError(400, 40005, "Request entity too large")
        given = body.get("attachments")
        if given is None:
            return list(message.attachments)
        old = {str(file.id): file for file in message.attachments}
        check(len(given) <= FILES, "too many attachments")
        check({int(it["id"]) for it in given if str(it["id"]) not in old} <= set(uploads), "unknown attachment")
        return [old.get(str(it["id"])) or self.world.store(*uploads[int(it["id"])]) for it in given]

    def _channel(self, channel_id: int) -> Channel:
        channel = self.world.channels.get(channel_id)
        if channel is None:
            raise RefusedError(404, 10003, "Unknown Channel")
        return channel

    def _writable(self, channel_id: int) -> Channel:
        channel = self._channel(channel_id)
        if not channel.sends and channel.type == DIRECT:
            raise RefusedError(403, 50007, "Cannot send messages to this user")
        if not channel.sends:
            raise RefusedError(403, 50001, "Missing Access")
        if channel.locked:
            raise RefusedError(400, 160005, "Thread is locked")
        return channel
