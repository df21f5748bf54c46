"""Connect to Telegram, take updates in, and have each answered."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from pydantic import SecretStr
from telegram import Bot, CallbackQuery, Document, MaybeInaccessibleMessage, Message, Update, User
from telegram.error import InvalidToken
from telegram.request import HTTPXRequest

from bot.core.call import Attachment, Call
from bot.core.chat import Chat
from bot.core.clock import Clock
from bot.core.reply import Reply
from bot.dispatch.command import Core
from bot.dispatch.dispatch import take_in, take_in_known
from bot.dispatch.edited import take_in_edit
from bot.errors import FrontEndError
from bot.kept.chat_moves import Move
from bot.telegram_ui import texts
from bot.telegram_ui.actions import typing_while
from bot.telegram_ui.certificates import trusted
from bot.telegram_ui.chat import TelegramChat, TelegramPressedChat
from bot.telegram_ui.connection import TelegramConnection
from bot.telegram_ui.files import Downloads
from bot.telegram_ui.inbound import DECLINED, OFFERED, Kind, TelegramRequest, file_name, read_message, read_press
from bot.telegram_ui.limits import CLOUD, LOCAL, Limits, refusal
from bot.telegram_ui.place import TelegramPlace
from bot.telegram_ui.polling import connect, updates
from bot.telegram_ui.receipt import Receipt, ReceiptChat
from shared.language import _, speaking
from shared.people import RequestedBy

logger = logging.getLogger(__name__)

PLATFORM = "telegram"
CLOUD_BASE = "https://api.telegram.org"
CONNECTIONS = 32


class TelegramFrontEnd:
    """One bot account."""

    platform = PLATFORM

    def __init__(self, token: SecretStr, *, api_base: str | None, clock: Clock, limits: Limits | None = None) -> None:
        base = api_base or CLOUD_BASE
        self._bot = Bot(
            token.get_secret_value(),
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=HTTPXRequest(
                connection_pool_size=CONNECTIONS, read_timeout=15, pool_timeout=30, httpx_kwargs={"verify": trusted()}
            ),
            get_updates_request=HTTPXRequest(
                connection_pool_size=1, read_timeout=15, httpx_kwargs={"verify": trusted()}
            ),
        )
        self._clock = clock
        self._limits = limits or (LOCAL if api_base else CLOUD)
        self._line = TelegramConnection(self._bot, self._limits, clock)
        self._calls: set[asyncio.Task[None]] = set()  # being answered
        self._turns: WeakValueDictionary[tuple[int, int], asyncio.Lock] = WeakValueDictionary()  # of one message each
        self._downloads = Downloads(self._bot, self._limits, local=api_base is not None)

    async def run(self, core: Core) -> None:
        """Connect and serve until cancelled. Raise FrontEndError if Telegram does not know the token."""
        known = {int(move.chat_id): int(move.to_id) for move in core.follow.moves.of(PLATFORM)}
        self._line.tell_moves(partial(_moved, core), known=known)
        try:
            await connect(self._bot, core.commands, self._clock)
            async for update in updates(self._bot, self._clock):
                try:
                    with _addressing(core, update.effective_user):
                        self._begin(self._take_in(update, core))
                except Exception:  # else it would come again, and all that came after it wait
                    logger.exception("update %d cannot be read; I leave it", update.update_id)
        except InvalidToken:
            self._line.refused = True
            raise FrontEndError(_(texts.NOT_LET_IN), param="TELEGRAM_TOKEN") from None
        finally:
            for call in self._calls:
                call.cancel()
            await asyncio.gather(*self._calls, return_exceptions=True)
            await self._line.close()
            await self._bot.shutdown()

    def open_chat(self, chat_id: str) -> Chat | None:
        """Return a chat by its id, connected or not."""
        place = TelegramPlace.read(chat_id)
        return TelegramChat(self._line, place) if place is not None else None

    async def as_now(self, who: RequestedBy) -> RequestedBy:
        """Return a person as they were: Telegram has no roles."""
        return who

    async def reopen(self, reference: str) -> Attachment:
        """Return a file that was sent before, by a fresh link."""
        _path, byte_count = await self._downloads.look_up(reference)
        return self._attachment("file", byte_count, reference)

    def _begin(self, answering: Coroutine[Any, Any, None] | None) -> None:
        """Have an update answered, in the language spoken now."""
        if answering is not None:
            call = asyncio.create_task(answering)
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)

    # --- what comes in

    def _take_in(self, update: Update, core: Core) -> Coroutine[Any, Any, None] | None:
        """Write down what must not get lost; return what answers the update, or None if it is not for us."""
        if update.callback_query is not None:
            return self._take_in_press(update.update_id, update.callback_query, core)
        message = update.message or update.edited_message
        if message is not None and self._note_move(message):
            return None
        if message is None or message.from_user is None:
            return None
        if message.from_user.is_bot and message.sender_chat is None:  # who writes as a group is shown as a bot, too
            return None
        return self._take_in_message(update.update_id, message, core, edited=update.edited_message is not None)

    def _note_move(self, message: Message) -> bool:
        """Note a group that became a supergroup, which either of them says; say whether it was that."""
        if message.migrate_to_chat_id is not None:
            self._line.note_move(message.chat.id, message.migrate_to_chat_id)
        if message.migrate_from_chat_id is not None:
            self._line.note_move(message.migrate_from_chat_id, message.chat.id)
        return message.migrate_to_chat_id is not None or message.migrate_from_chat_id is not None

    def _take_in_message(
        self, update_id: int, message: Message, core: Core, *, edited: bool
    ) -> Coroutine[Any, Any, None] | None:
        asked = read_message(message, my_id=self._bot.id, my_name=self._bot.username)
        if asked is None or message.from_user is None:
            return None
        place, moved = self._place_now(message)
        about_a_file = not moved and (asked.kind is Kind.file or not place.private)
        answers = message.message_id if about_a_file else None
        receipt = None if asked.document is None or moved else Receipt(self._line, place.chat, message.message_id)
        chat = ReceiptChat(self._line, place, answers=answers, person=message.from_user.id, receipt=receipt)
        asked_in = None if moved else message.message_id
        call = self._call(asked, message.from_user, place, chat, update_id, asked_in=asked_in)
        known = self._known(asked, message)
        if edited:
            receipt, answering = None, take_in_edit(call, core)
        elif known is not None:
            answering = take_in_known(call, core, known)
        elif receipt is not None:
            answering = take_in(call, core, arrived=receipt.seen)
        else:
            answering = take_in(call, core)
        answering = typing_while(answering if receipt is None else receipt.around(answering), self._line, place)
        turn = self._turns.setdefault((message.chat.id, message.message_id), asyncio.Lock())
        return _in_turn(turn, answering)

    def _known(self, asked: TelegramRequest, message: Message) -> Reply | None:
        """Return the answer to what is about Telegram itself, or None if the core has to find one."""
        if message.sender_chat is not None:
            return replace(texts.said(_(texts.ANONYMOUS)), refusal=True)
        if asked.document is not None:
            too_large = refusal(file_name(asked.document), asked.document.file_size, self._limits)
            if too_large is not None:
                return replace(texts.said(too_large), refusal=True)
            if asked.kind is Kind.file:
                return texts.offer(file_name(asked.document), asked.document.file_size)
        if asked.kind is Kind.other and message.text is None:
            return texts.said(_(texts.NO_DATASET))
        return None

    def _take_in_press(self, update_id: int, query: CallbackQuery, core: Core) -> Coroutine[Any, Any, None]:
        message = query.message
        place, moved = self._place_now(message)
        answered = None
        if isinstance(message, Message) and message.reply_to_message is not None and not (place.private or moved):
            answered = message.reply_to_message.message_id
        offered = message is not None and query.data in {OFFERED, DECLINED}
        shown_in = message.message_id if message is not None and not moved else None  # whose buttons these are
        chat = TelegramPressedChat(
            self._line,
            place,
            query_id=query.id,
            answers=answered,
            becomes=shown_in if offered else None,
        )
        asked = read_press(query)
        if message is None or (asked is None and not offered):
            return chat.close(_(texts.UNKNOWN_BUTTON), alert=True)
        declined = asked is None
        asked = asked or TelegramRequest(kind=Kind.other)
        file = message.reply_to_message if offered and not moved and isinstance(message, Message) else None
        asked_in = file.message_id if file is not None else None
        call = self._call(asked, query.from_user, place, chat, update_id, pressed=shown_in, asked_in=asked_in)
        known = texts.said(_(texts.LEFT_ALONE))
        answering = take_in_known(call, core, known) if declined else take_in(call, core)
        return typing_while(_then_close(answering, chat), self._line, place)

    def _place_now(self, message: MaybeInaccessibleMessage | None) -> tuple[TelegramPlace, bool]:
        """Return where a message is; or, and True, where its group is by now, which does not have that message."""
        place = (
            TelegramPlace.of(message)
            if isinstance(message, Message)
            else TelegramPlace(chat=message.chat.id if message else 0)
        )
        now = self._line.now(place.chat)
        return replace(place, chat=now), now != place.chat

    def _call(
        self,
        asked: TelegramRequest,
        person: User,
        place: TelegramPlace,
        chat: Chat,
        update_id: int,
        *,
        pressed: int | None = None,
        asked_in: int | None = None,
    ) -> Call:
        return Call(
            platform=PLATFORM,
            person=str(person.id),
            chat_id=str(place),
            chat=chat,
            command=asked.command,
            said=asked.said,
            arguments=asked.arguments,
            attachments=(self._attached(asked.document),) if asked.document is not None else (),
            message_id=str(pressed) if pressed is not None else None,
            asked_in=str(asked_in) if asked_in is not None else None,
            id=str(update_id),
            name=person.full_name,
            rights_chat_id=str(place.chat),
            chat_name=asked.chat_name,
            server=None if place.private else str(place.chat),
            server_name=asked.chat_name,
            mentioned=asked.mentioned,
            private=place.private,
            locale=person.language_code,
        )

    def _attached(self, document: Document) -> Attachment:
        return self._attachment(file_name(document), document.file_size, document.file_id)

    def _attachment(self, name: str, byte_count: int | None, file_id: str) -> Attachment:
        return Attachment(name=name, size=byte_count, open=partial(self._downloads.read, file_id), reference=file_id)


def _addressing(core: Core, person: User | None) -> AbstractContextManager[None]:
    if person is None:
        return speaking(None)
    return core.preferences.addressing(PLATFORM, str(person.id), person.language_code)


def _moved(core: Core, chat: int, to: int) -> None:
    core.follow.chat_moved(Move(platform=PLATFORM, chat_id=str(chat), to_id=str(to)))


async def _in_turn(turn: asyncio.Lock, answering: Coroutine[Any, Any, None]) -> None:
    """Have a message answered before what it is edited into is heard."""
    async with turn:
        await answering


async def _then_close(answering: Coroutine[Any, Any, None], chat: TelegramPressedChat) -> None:
    try:
        await answering
    finally:
        await chat.close()
