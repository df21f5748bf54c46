"""A person with a phone: writes, sends files, presses buttons, edits. What reaches the bot, Telegram decides."""

import itertools
import re

from tests.fakes.telegram_server.messages import Json, Shown
from tests.fakes.telegram_server.server import ME, FakeTelegram

_COMMAND = re.compile(r"/\w+")


class Person:
    """One account, in a private chat with the bot unless a group is named."""

    _taps = itertools.count(1)

    def __init__(self, server: FakeTelegram, id: int, name: str, *, language: str = "en") -> None:
        self._server = server
        self.id = id
        self.json: Json = {"id": id, "is_bot": False, "first_name": name, "language_code": language}
        server.world.chats[id] = {"id": id, "type": "private", "first_name": name}

    def say(
        self, text: str, *, chat: int | None = None, topic: int | None = None, reply_to: int | None = None,
        as_group: bool = False, **more: object,
    ) -> Shown:  # fmt: skip
        return self._send(text, chat=chat, topic=topic, reply_to=reply_to, as_group=as_group, **more)

    def send_file(
        self, name: str, content: bytes = b'{"messages": []}\n', *, caption: str = "", chat: int | None = None,
        topic: int | None = None, reply_to: int | None = None,
    ) -> Shown:  # fmt: skip
        file = self._server.world.store(name, content)
        return self._send(caption, chat=chat, topic=topic, reply_to=reply_to, document=file)

    def press(self, label: str, *, chat: int | None = None, message_id: int | None = None) -> str:
        """Press the newest button of that name, or that of a message; return the tap's id."""
        for message in reversed(self._server.world.of(self.id if chat is None else chat)):
            for button in (button for row in message.buttons for button in row):
                if button["text"] == label and message_id in {None, message.id}:
                    return self.press_line(button["callback_data"], message)
        raise AssertionError(f"no button {label}:\n{self._server.transcript(self.id if chat is None else chat)}")

    def press_line(self, line: str, message: Shown) -> str:
        """Send what a button of a message carries, or what somebody forged."""
        tap = f"tap-{next(self._taps)}"
        self._server.methods.taps[tap] = self._server.clock()
        self._server.deliver(
            "callback_query",
            {
                "id": tap, "from": self.json, "chat_instance": "1", "data": line,
                "message": self._server.world.json(message),
            },
        )  # fmt: skip
        return tap

    def edit(self, message: Shown, text: str) -> None:
        message.text = text
        body = self._server.world.json(message) | {"edit_date": int(self._server.clock())}
        self._server.deliver("edited_message", body)

    def _send(self, text: str, *, chat: int | None, as_group: bool = False, **more: object) -> Shown:
        where = self.id if chat is None else chat
        message = Shown(
            id=self._server.world.next_id(), chat=where, author=self.json, date=int(self._server.clock()), text=text,
            sender_chat=self._server.world.chats[where] if as_group else None, **more,  # type: ignore[arg-type]
        )  # fmt: skip
        self._server.world.messages[where, message.id] = message
        if self._reaches_the_bot(message):
            self._server.deliver("message", self._server.world.json(message))
        return message

    def _reaches_the_bot(self, message: Shown) -> bool:
        """Say what privacy mode lets through: commands, answers to the bot, and all in private."""
        answered = self._server.world.messages.get((message.chat, message.reply_to or 0))
        return (
            message.chat > 0 or bool(_COMMAND.match(message.text)) or (answered is not None and answered.author == ME)
        )
