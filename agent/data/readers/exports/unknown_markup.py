"""HTML and XML of which nothing is known: refused, with what to send instead, lest names and marks are learned."""

import re
from typing import NoReturn

from agent.data.readers.containers import Upload
from agent.data.readers.decoding import Decoder
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _

_HTML = re.compile(r"(?:<!--.{0,2000}?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_XML = re.compile(r"<\?xml\b[^>]{0,200}>\s*", re.IGNORECASE)


def is_html(head: str) -> bool:
    """Say whether a text is a page of HTML."""
    return _HTML.match(_XML.sub("", head, count=1)) is not None


def refuse_html(_upload: Upload, _decoder: Decoder) -> NoReturn:
    """Raise AgentError: what a page says cannot be told from what it is made of."""
    raise AgentError(
        _(
            "The file is an HTML page, and who says what cannot be told from it. Export a chat as JSON instead "
            "(Discord, Telegram, Instagram, ChatGPT) or as text (iMessage); of any other page send its text."
        ),
        code=ErrorCode.dataset_unknown_form,
    )


def is_xml(head: str) -> bool:
    """Say whether a text is XML."""
    return _XML.match(head) is not None


def refuse_xml(_upload: Upload, _decoder: Decoder) -> NoReturn:
    """Raise AgentError: of XML only dumps of Stack Exchange are read."""
    raise AgentError(
        _(
            "The file is XML, of which only Posts.xml of a Stack Exchange dump is read. Export it as JSON, JSONL or "
            "CSV and send that."
        ),
        code=ErrorCode.dataset_unknown_form,
    )
