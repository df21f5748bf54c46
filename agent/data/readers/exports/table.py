"""The exports that are known, in the order in which a file is tried for them, and how one is found."""

from collections.abc import Callable, Iterator
from itertools import chain, islice

from agent.data.readers.chat_export import ChatExport
from agent.data.readers.containers import Upload
from agent.data.readers.decoding import Decoder
from agent.data.readers.exports import (
    api_batch,
    argilla,
    bedrock,
    chatgpt,
    claude,
    clock_chat,
    conversation_lists,
    discord,
    doccano,
    gemini,
    imessage,
    label_studio,
    message_table,
    messenger,
    open_assistant,
    roleplay,
    slack,
    squad,
    stack_exchange,
    telegram,
    ultra_feedback,
    unknown_markup,
    webui,
)
from agent.data.readers.exports.export import LOOKED_AT, Content, Row, RowExport, TextExport, whole_text
from agent.data.readers.exports.talk import row_by_row
from agent.data.readers.raw_row import RawRow
from agent.data.readers.unclear import same_name
from agent.data.readers.whatsapp import looks_like_whatsapp, read_whatsapp
from shared.mapping import Mapping


def _object(read: Callable[[Row], ChatExport]) -> Callable[[Iterator[RawRow]], ChatExport]:
    """Return what reads a file that is one object."""
    return lambda rows: read(next(rows).value or {})


ROW_EXPORTS = (
    RowExport(fits=discord.is_json, read=_object(discord.read_json)),
    RowExport(fits=telegram.is_json, read=_object(telegram.read_json)),
    RowExport(fits=messenger.is_thread, read=_object(messenger.read_thread)),
    RowExport(fits=slack.is_channel, read=lambda rows: slack.read_channel(row.value for row in rows if row.value)),
    RowExport(fits=chatgpt.fits, read=row_by_row(chatgpt.turns, left_out=chatgpt.left_out)),
    RowExport(fits=claude.fits, read=row_by_row(claude.turns, left_out=claude.left_out)),
    RowExport(fits=roleplay.fits, read=roleplay.read),
    RowExport(fits=webui.fits, read=row_by_row(webui.turns)),
    RowExport(fits=open_assistant.is_tree, read=row_by_row(open_assistant.tree_turns)),
    RowExport(fits=open_assistant.is_flat, read=open_assistant.read_flat),
    RowExport(fits=api_batch.fits, read=api_batch.read),
    RowExport(fits=gemini.fits, read=row_by_row(gemini.turns, *gemini.READ)),
    RowExport(fits=bedrock.fits, read=row_by_row(bedrock.turns, *bedrock.READ)),
    RowExport(fits=ultra_feedback.fits, read=ultra_feedback.read),
    RowExport(fits=squad.is_article, read=squad.read_articles),
    RowExport(fits=squad.is_flat, read=squad.read_flat),
    RowExport(fits=label_studio.is_json, read=row_by_row(label_studio.task_turns)),
    RowExport(fits=label_studio.is_short, read=row_by_row(label_studio.short_turns, *label_studio.OF_THE_TOOL)),
    RowExport(fits=doccano.fits, read=doccano.read),
    RowExport(fits=argilla.fits, read=row_by_row(argilla.turns)),
    RowExport(fits=argilla.is_flat, read=row_by_row(argilla.flat_turns)),
    RowExport(fits=conversation_lists.fits, read=row_by_row(conversation_lists.turns)),
    RowExport(fits=message_table.fits, read=message_table.read),
    RowExport(fits=message_table.is_object, read=message_table.read_object),
)
TEXT_EXPORTS = (
    TextExport(
        fits=looks_like_whatsapp,
        read=lambda upload, decoder: read_whatsapp(whole_text(upload, decoder).splitlines()),
    ),
    TextExport(fits=discord.is_text, read=discord.read_text),
    TextExport(fits=imessage.is_text, read=imessage.read_text),
    TextExport(fits=clock_chat.is_text, read=clock_chat.read_text),
    TextExport(fits=lambda head: unknown_markup.is_html(head) and discord.is_html(head), read=discord.read_html),
    TextExport(fits=lambda head: unknown_markup.is_html(head) and telegram.is_html(head), read=telegram.read_html),
    TextExport(fits=unknown_markup.is_html, read=unknown_markup.refuse_html),
    TextExport(fits=stack_exchange.is_dump, read=stack_exchange.read_dump),
    TextExport(fits=unknown_markup.is_xml, read=unknown_markup.refuse_xml),
)


def text_export(upload: Upload, decoder: Decoder) -> Content | None:
    """Return what a text holds as one of the exports; None where it is none. Raises AgentError."""
    if not upload.is_text:
        return None
    head = upload.head_text
    found = next((it for it in TEXT_EXPORTS if it.fits(head)), None)
    return None if found is None else found.read(upload, decoder)


def row_export(rows: Iterator[RawRow], mapping: Mapping | None) -> tuple[Content, bool]:
    """Return rows as what they are, and whether they are one of the exports. Raises AgentError.

    Columns that a person has named, and that are there, are read as said.
    """
    first = list(islice(rows, LOOKED_AT))
    values = [row.value for row in first if row.value]
    again = chain(first, rows)
    if not values or _names_columns(values[0], mapping):
        return again, False
    found = find_row_export(values)
    return (again, False) if found is None else (found.read(again), True)


def find_row_export(values: list[Row]) -> RowExport | None:
    """Return which export the first rows of a file are of."""
    return next((it for it in ROW_EXPORTS if it.fits(values)), None)


def _names_columns(row: Row, mapping: Mapping | None) -> bool:
    named = (mapping.question, mapping.answer, mapping.text) if mapping is not None else ()
    return any(same_name(name, key) for name in named if name is not None for key in row)
