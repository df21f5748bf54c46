"""Which channels and messages go without pictures: the bot may be allowed to write there, and not to attach files."""

from dataclasses import replace

from bot.core.reply import Reply


class Pictures:
    """What Discord refused. Beyond a restart it is simply tried again."""

    def __init__(self) -> None:
        self._refused: set[int] = set()  # channels and threads
        self._bare: set[int] = set()  # messages whose picture was left out

    def refuse(self, room: int) -> None:
        """Note that no picture may be sent there."""
        self._refused.add(room)

    def allow(self, room: int) -> None:
        """Note that files may be attached there, as Discord says with each interaction."""
        self._refused.discard(room)

    def left_out(self, message_id: int) -> None:
        """Note that a message was shown without the picture that it was to have."""
        self._bare.add(message_id)

    def possible(self, reply: Reply, room: int, message_id: int | None = None) -> Reply:
        """Return a reply as it can be shown: without a picture where none may be sent, or where none arrived before."""
        if reply.image is None:
            return reply
        if room in self._refused:
            if message_id is not None:
                self._bare.add(message_id)
            return replace(reply, image=None)
        if message_id in self._bare and reply.image.shown:
            return replace(reply, image=None)
        if message_id is not None:
            self._bare.discard(message_id)
        return reply
