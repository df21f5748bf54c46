"""A Telegram chat as a Chat. Each post is one message, each edit one request; how fast is counted in `budget`."""

import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from telegram import InputMediaDocument, InputMediaPhoto, LinkPreviewOptions, Message, ReplyParameters
from telegram.constants import ChatAction, ParseMode
from telegram.error import BadRequest, TelegramError

from bot.core.capabilities import Capabilities
from bot.core.reply import Reply
from bot.errors import ChatClosedError, MessageGoneError
from bot.telegram_ui.actions import shown
from bot.telegram_ui.connection import TelegramConnection
from bot.telegram_ui.files import content, spooled
from bot.telegram_ui.layout import cut, length
from bot.telegram_ui.limits import ALERT_LENGTH, capabilities
from bot.telegram_ui.outbound import keyboard, render
from bot.telegram_ui.place import TelegramPlace
from bot.telegram_ui.texts import without_media
from bot.telegram_ui.trouble import NO_CAPTION, NO_TEXT, ChatMovedError, NoMediaError, reason, says
from bot.words.format import plain

logger = logging.getLogger(__name__)

T = TypeVar("T")

PLOT_NAME = "loss.png"
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class TelegramChat:
    """One chat or topic."""

    def __init__(
        self, line: TelegramConnection, place: TelegramPlace, *, answers: int | None = None, person: int | None = None
    ) -> None:
        """`answers`: the message that posts are shown as answers to; `person`: who wrote it."""
        self._line = line
        self._place = place
        self._answers = answers
        self._person = person
        self._posted: set[str] | None = None  # since the group has moved; None: it has not

    @property
    def capabilities(self) -> Capabilities:
        """Return what a chat can show."""
        return capabilities(self._line.limits)

    async def post(self, reply: Reply) -> str:
        """Send a picture with its caption, a file, an album, or a text. What is private goes to the person alone."""
        if reply.private and self._person is not None and not self._place.private:
            with contextlib.suppress(ChatClosedError):  # who never wrote to the bot cannot be written to
                await TelegramChat(self._line, TelegramPlace(chat=self._person)).post(reply)
                return ""
        with contextlib.suppress(ChatMovedError):
            return await self._post_here(reply)
        return await self._post_here(reply)

    async def _post_here(self, reply: Reply) -> str:
        try:
            message = await self._post(reply)
        except NoMediaError as error:
            logger.warning("chat %s: %s", self._place, error)
            message = await self._post(without_media(reply))
        message_id = str(message.message_id) if message is not None else ""
        if self._posted is not None:
            self._posted.add(message_id)
        return message_id

    async def _post(self, reply: Reply) -> Message | None:
        if reply.files:
            async with shown(self._line, self._place, ChatAction.UPLOAD_DOCUMENT):
                return await self._files(reply)
        if reply.image is not None:
            async with shown(self._line, self._place, ChatAction.UPLOAD_PHOTO):
                picture = await content(reply.image.file)
                return await self._send(lambda chat: self._photo(chat, reply, picture))
        return await self._send(lambda chat: self._text(chat, reply))

    async def _files(self, reply: Reply) -> Message | None:
        if len(reply.files) > 1:
            return await self._album(reply)
        async with spooled(reply.files[0]) as document:
            return await self._send(lambda chat: self._document(chat, reply, document))

    async def edit(self, message_id: str, reply: Reply) -> None:
        """Replace a message, which may get a picture but never loses one."""
        if self._posted is not None and message_id not in self._posted:  # there it would be another message
            raise MessageGoneError(message_id)
        if reply.image is not None and not reply.image.shown:
            try:
                await self._edit_picture(int(message_id), reply)
            except NoMediaError as error:
                logger.warning("chat %s: %s", self._place, error)
            else:
                return
        await self._send(lambda chat: self._edit_words(chat, int(message_id), reply), patient=not reply.live)

    async def next_best(self, person: str) -> str | None:
        """Return the group of a topic; of a group, the person's own chat."""
        if self._place.topic is not None:
            return str(self._place.chat)
        return person if person.isdecimal() and str(self._place.chat) != person else None

    async def _edit_picture(self, message_id: int, reply: Reply) -> None:
        assert reply.image is not None
        media = InputMediaPhoto(
            await content(reply.image.file),
            caption=render(reply, self._place),
            parse_mode=ParseMode.HTML,
            filename=PLOT_NAME,
        )
        await self._send(lambda chat: self._edit_media(chat, message_id, reply, media), patient=not reply.live)

    async def _album(self, reply: Reply) -> Message | None:
        """Send files as one album, which has no buttons and no text. It counts as a message a file."""
        async with contextlib.AsyncExitStack() as stack:
            media = [
                InputMediaDocument(
                    await stack.enter_async_context(spooled(file, in_album=True)),
                    disable_content_type_detection=True,
                )
                for file in reply.files
            ]
            sent = await self._send(lambda chat: self._media_group(chat, reply, media), messages=len(media))
        return sent[0] if sent else None

    async def _media_group(self, chat: int, reply: Reply, media: list[InputMediaDocument]) -> tuple[Message, ...]:
        return await self._line.bot.send_media_group(
            chat,
            media,
            message_thread_id=self._place.topic,
            disable_notification=_silent(reply),
            read_timeout=60,
            write_timeout=60,
        )

    async def _send(
        self, request: Callable[[int], Awaitable[T]], *, patient: bool = True, messages: int = 1
    ) -> T | None:
        try:
            return await self._line.send(self._place.chat, request, patient=patient, messages=messages)
        except ChatMovedError as moved:
            self._place, self._answers, self._posted = replace(self._place, chat=moved.to), None, set()
            raise

    async def _text(self, chat: int, reply: Reply) -> Message:
        return await self._line.bot.send_message(
            chat,
            render(reply, self._place),
            parse_mode=ParseMode.HTML,
            link_preview_options=NO_PREVIEW,
            message_thread_id=self._place.topic,
            reply_markup=keyboard(reply),
            reply_parameters=self._reply_parameters(),
            disable_notification=_silent(reply),
        )

    async def _photo(self, chat: int, reply: Reply, picture: bytes) -> Message:
        return await self._line.bot.send_photo(
            chat,
            picture,
            caption=render(reply, self._place),
            parse_mode=ParseMode.HTML,
            filename=PLOT_NAME,
            message_thread_id=self._place.topic,
            reply_markup=keyboard(reply),
            reply_parameters=self._reply_parameters(),
            disable_notification=_silent(reply),
        )

    async def _document(self, chat: int, reply: Reply, document: object) -> Message:
        return await self._line.bot.send_document(
            chat,
            document,  # type: ignore[arg-type]  # an InputFile is taken, though the signature does not say so
            caption=render(reply, self._place) or None,
            parse_mode=ParseMode.HTML,
            disable_content_type_detection=True,
            message_thread_id=self._place.topic,
            reply_markup=keyboard(reply),
            disable_notification=_silent(reply),
            read_timeout=60,
            write_timeout=60,
        )

    async def _edit_media(self, chat: int, message_id: int, reply: Reply, media: InputMediaPhoto) -> None:
        await self._line.bot.edit_message_media(
            media, chat_id=chat, message_id=message_id, reply_markup=keyboard(reply)
        )

    async def _edit_words(self, chat: int, message_id: int, reply: Reply) -> None:
        """Edit the text, or the caption of what has become a picture. Which it is, Telegram knows best."""
        first, second = self._edit_text, self._edit_caption
        if reply.image is not None:
            first, second = second, first
        try:
            await first(chat, message_id, reply)
        except BadRequest as error:
            if not says(error, NO_TEXT, NO_CAPTION):
                raise
            await second(chat, message_id, reply)

    async def _edit_text(self, chat: int, message_id: int, reply: Reply) -> None:
        await self._line.bot.edit_message_text(
            render(reply, self._place),
            chat_id=chat,
            message_id=message_id,
            parse_mode=ParseMode.HTML,
            link_preview_options=NO_PREVIEW,
            reply_markup=keyboard(reply),
        )

    async def _edit_caption(self, chat: int, message_id: int, reply: Reply) -> None:
        await self._line.bot.edit_message_caption(
            chat_id=chat,
            message_id=message_id,
            caption=render(reply, self._place, caption=True),
            parse_mode=ParseMode.HTML,
            reply_markup=keyboard(reply),
        )

    def _reply_parameters(self) -> ReplyParameters | None:
        return ReplyParameters(self._answers, allow_sending_without_reply=True) if self._answers is not None else None


class TelegramPressedChat(TelegramChat):
    """The chat of a button that was pressed. The tap itself is answered once, with what is for that person alone."""

    def __init__(
        self,
        line: TelegramConnection,
        place: TelegramPlace,
        *,
        query_id: str,
        answers: int | None,
        becomes: int | None = None,
    ) -> None:
        """`becomes`: the message that turns into the first answer, in place of a new one."""
        super().__init__(line, place, answers=answers)
        self._query_id = query_id
        self._becomes = becomes
        self._open = True

    async def post(self, reply: Reply) -> str:
        """Show a new message, or a notice to the person who pressed."""
        text = plain(reply.text).replace("\n", " ")
        whole = length(text) <= ALERT_LENGTH or not self._place.private
        if self._open and (reply.passing or (reply.private and whole)):
            await self.close(cut(text, ALERT_LENGTH), alert=reply.private)
            return ""
        if self._becomes is not None:
            message_id, self._becomes = str(self._becomes), None
            with contextlib.suppress(ChatMovedError):
                await self.edit(message_id, reply)
                return message_id
        return await super().post(reply)

    async def close(self, text: str | None = None, *, alert: bool = False) -> None:
        """Answer the tap, unless that was done: until then the button spins. A tap that is too old needs no answer."""
        if not self._open:
            return
        self._open = False
        try:
            await self._line.bot.answer_callback_query(self._query_id, text=text, show_alert=alert)
        except TelegramError as error:
            logger.info("a tap was not answered: %s", reason(error))


def _silent(reply: Reply) -> bool:
    """Say whether nobody's phone should ring: for a live card, a part of another message, or a chat that is set so."""
    return reply.live or reply.quiet or reply.silent
