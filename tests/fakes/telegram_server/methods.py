"""The methods of the Bot API that the bot uses: https://core.telegram.org/bots/api#available-methods."""

import json
from typing import Any

from tests.fakes.telegram_server.messages import Chats, Json, Shown
from tests.fakes.telegram_server.rules import (
    ACTIONS,
    COMMAND_DESCRIPTION,
    DESCRIPTION,
    PHOTO_BYTES,
    REACTIONS,
    SHORT_DESCRIPTION,
    Flood,
    RefusedError,
    bad,
    read_buttons,
)
from tests.fakes.telegram_server.rules import read_text as read

LINK_S = 3600.0  # for which the way to a file can be used
CALLBACK_S = 900.0

Upload = tuple[str, bytes]
Fields = dict[str, str]


class Methods:
    """What a bot may ask; each method returns its result or raises RefusedError."""

    def __init__(self, world: Chats, flood: Flood, me: Json) -> None:
        self._world = world
        self._flood = flood
        self._me = me
        self.menus: dict[str, list[Json]] = {}  # by scope
        self.blocked: set[int] = set()
        self.kicked: set[int] = set()  # groups that the bot was thrown out of
        self.muted: set[int] = set()  # where it may not write
        self.texts_only: set[int] = set()  # where it may send no photos and documents
        self.no_reactions: set[int] = set()  # where its admins allow none
        self.closed: set[tuple[int, int]] = set()  # topics
        self.moved: dict[int, int] = {}  # groups that became supergroups
        self.taps: dict[str, float] = {}  # unanswered, by id: when
        self.alerts: list[tuple[str, str, bool]] = []  # answered: id, text, whether as an alert
        self.actions: list[tuple[int, int | None, str, float]] = []  # shown: chat, topic, which, when
        self.paths: dict[str, tuple[str, float]] = {}  # where a file can be had: its id, until when
        self.described: dict[str, str] = {}  # what the bot says it is for
        self.upload_bytes = 50_000_000
        self.download_bytes = 20 * 2**20
        self.local_dir = ""  # set: a local server, which names files on its own disk

    def get_me(self, _fields: Fields, _uploads: dict[str, Upload]) -> Json:
        return self._me

    def delete_webhook(self, _fields: Fields, _uploads: dict[str, Upload]) -> bool:
        return True

    def set_my_commands(self, fields: Fields, _uploads: dict[str, Upload]) -> bool:
        commands = json.loads(fields["commands"])
        for command in commands:
            if not 1 <= len(command["description"]) <= COMMAND_DESCRIPTION or not command["command"].islower():
                raise bad("BOT_COMMAND_INVALID")
        scope = json.loads(fields.get("scope", '{"type": "default"}'))["type"]
        self.menus[" ".join(filter(None, [scope, fields.get("language_code")]))] = commands
        return True

    def set_my_description(self, fields: Fields, _uploads: dict[str, Upload]) -> bool:
        return self._describe(fields, "description", DESCRIPTION)

    def set_my_short_description(self, fields: Fields, _uploads: dict[str, Upload]) -> bool:
        return self._describe(fields, "short_description", SHORT_DESCRIPTION)

    def _describe(self, fields: Fields, name: str, limit: int) -> bool:
        if len(fields[name]) > limit:
            raise bad("DESCRIPTION_TOO_LONG")
        self.described[" ".join(filter(None, [name, fields.get("language_code")]))] = fields[name]
        return True

    def send_message(self, fields: Fields, _uploads: dict[str, Upload]) -> Json:
        return self._send(fields, "text")

    def send_photo(self, fields: Fields, uploads: dict[str, Upload]) -> Json:
        if len(uploads["photo"][1]) > PHOTO_BYTES:
            raise bad("PHOTO_INVALID_DIMENSIONS")
        return self._send(fields, "caption", photo=uploads["photo"][1], pictures=1)

    def send_document(self, fields: Fields, uploads: dict[str, Upload]) -> Json:
        name, content = uploads["document"]
        if len(content) > self.upload_bytes:
            raise RefusedError(413, "Request Entity Too Large")
        if not content:
            raise bad("file must be non-empty")
        return self._send(fields, "caption", document=self._world.store(name, content))

    def send_media_group(self, fields: Fields, uploads: dict[str, Upload]) -> list[Json]:
        media = json.loads(fields["media"])
        if not 2 <= len(media) <= 10 or {it["type"] for it in media} != {"document"}:
            raise bad("Wrong number of messages or types in the group")
        contents = [uploads[it["media"].removeprefix("attach://")] for it in media]
        if sum(len(content) for _, content in contents) > self.upload_bytes:
            raise RefusedError(413, "Request Entity Too Large")
        if not all(content for _, content in contents):
            raise bad("file must be non-empty")
        album = self._world.next_id()
        return [
            self._send({**fields, "caption": ""}, "caption", document=self._world.store(name, content), album=album)
            for name, content in contents
        ]

    def edit_message_text(self, fields: Fields, _uploads: dict[str, Upload]) -> Json:
        message = self._mine(fields)
        if message.media:
            raise bad("there is no text in the message to edit")
        return self._edit(message, fields, "text")

    def edit_message_caption(self, fields: Fields, _uploads: dict[str, Upload]) -> Json:
        message = self._mine(fields)
        if not message.media:
            raise bad("there is no caption in the message to edit")
        return self._edit(message, fields, "caption")

    def edit_message_media(self, fields: Fields, uploads: dict[str, Upload]) -> Json:
        message, media = self._mine(fields), json.loads(fields["media"])
        content = uploads[media["media"].removeprefix("attach://")][1]
        if message.chat in self.texts_only:
            raise bad("not enough rights to send photos to the chat")
        edited = self._edit(message, {**media, **fields}, "caption", new_picture=content != message.photo)
        message.photo, message.pictures = content, message.pictures + 1
        return edited

    def edit_message_reply_markup(self, fields: Fields, _uploads: dict[str, Upload]) -> Json:
        message = self._mine(fields)
        message.buttons = read_buttons(fields.get("reply_markup"))
        return self._world.json(message)

    def answer_callback_query(self, fields: Fields, _uploads: dict[str, Upload]) -> bool:
        asked_at = self.taps.get(fields["callback_query_id"])
        if asked_at is None or self._flood.clock() - asked_at > CALLBACK_S:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        if len(fields.get("text", "")) > 200:
            raise bad("MESSAGE_TOO_LONG")
        del self.taps[fields["callback_query_id"]]
        self.alerts.append(
            (fields["callback_query_id"], fields.get("text", ""), fields.get("show_alert", "").lower() == "true")
        )
        return True

    def set_message_reaction(self, fields: Fields, _uploads: dict[str, Upload]) -> bool:
        chat, reactions = self._chat(fields), json.loads(fields.get("reaction", "[]"))
        message = self._world.messages.get((chat, int(fields["message_id"])))
        if message is None:
            raise bad("message to react not found")
        if len(reactions) != 1:  # no more than that for a bot; none takes it back, which ours never does
            raise bad("REACTIONS_TOO_MANY")
        if chat in self.no_reactions or reactions[0]["type"] != "emoji" or reactions[0]["emoji"] not in REACTIONS:
            raise bad("REACTION_INVALID")
        message.reactions.append(reactions[0]["emoji"])
        return True

    def send_chat_action(self, fields: Fields, _uploads: dict[str, Upload]) -> bool:
        chat = self._chat(fields)
        topic = int(fields["message_thread_id"]) if "message_thread_id" in fields else None
        if topic is not None and topic not in self._world.topics.get(chat, set()):
            raise bad("message thread not found")
        if fields["action"] not in ACTIONS:
            raise bad("wrong parameter action in request")
        if chat in self.muted:
            raise bad("not enough rights to send text messages to the chat")
        self.actions.append((chat, topic, fields["action"], self._flood.clock()))
        return True

    def get_file(self, fields: Fields, _uploads: dict[str, Upload]) -> Json:
        file = self._world.files.get(fields["file_id"])
        if file is None:
            raise bad("wrong file_id or the file is temporarily unavailable")
        if len(file.content) > self.download_bytes:
            raise bad("file is too big")
        path = f"documents/file_{self._world.next_id()}"
        self.paths[path] = (file.id, self._flood.clock() + LINK_S)
        return {
            "file_id": file.id, "file_unique_id": f"u{file.id}", "file_size": len(file.content),
            "file_path": f"{self.local_dir}/{file.name}" if self.local_dir else path,
        }  # fmt: skip

    # --- what they have in common

    def _send(self, fields: Fields, kind: str, **more: Any) -> Json:
        chat = self._chat(fields)
        parsed = read(fields.get(kind, ""), fields.get("parse_mode"), caption=kind == "caption")
        topic = int(fields["message_thread_id"]) if "message_thread_id" in fields else None
        if topic is not None and topic not in self._world.topics.get(chat, set()):
            raise bad("message thread not found")
        if topic is not None and (chat, topic) in self.closed:
            raise bad("TOPIC_CLOSED")
        if chat in self.texts_only and more:
            raise bad(f"not enough rights to send {'photos' if 'photo' in more else 'documents'} to the chat")
        if chat in self.muted:
            raise bad("not enough rights to send text messages to the chat")
        reply_to = json.loads(fields.get("reply_parameters", "{}")).get("message_id")
        message = Shown(
            id=self._world.next_id(), chat=chat, author=self._me, date=int(self._flood.clock()), text=parsed.text,
            spans=parsed.spans, pings=parsed.pings, buttons=read_buttons(fields.get("reply_markup")), topic=topic,
            reply_to=reply_to, silent=fields.get("disable_notification", "").lower() == "true", **more,
        )  # fmt: skip
        self._flood.count(chat)
        self._world.messages[chat, message.id] = message
        return self._world.json(message)

    def _edit(self, message: Shown, fields: Fields, kind: str, *, new_picture: bool = False) -> Json:
        parsed = read(fields.get(kind, ""), fields.get("parse_mode"), caption=kind == "caption")
        buttons = read_buttons(fields.get("reply_markup"))
        now = (parsed.text, parsed.spans, buttons)
        if now == (message.text, message.spans, message.buttons) and not new_picture:
            raise bad("message is not modified: specified new message content and reply markup are exactly the same")
        self._flood.count(message.chat)
        message.text, message.spans, message.buttons = now
        message.edits.append(self._flood.clock())  # an edit pings nobody
        return self._world.json(message)

    def _chat(self, fields: Fields) -> int:
        chat = int(fields["chat_id"])
        if chat in self.blocked:
            raise RefusedError(403, "Forbidden: bot was blocked by the user")
        if chat in self.kicked:
            raise RefusedError(403, "Forbidden: bot was kicked from the supergroup chat")
        if chat in self.moved:
            description = "Bad Request: group chat was upgraded to a supergroup chat"
            raise RefusedError(400, description, migrate_to_chat_id=self.moved[chat])
        if chat not in self._world.chats:
            raise bad("chat not found")
        return chat

    def _mine(self, fields: Fields) -> Shown:
        message = self._world.messages.get((self._chat(fields), int(fields["message_id"])))
        if message is None:
            raise bad("message to edit not found")
        if message.author != self._me:
            raise bad("message can't be edited")
        return message
