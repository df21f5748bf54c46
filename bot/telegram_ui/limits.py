"""How much Telegram takes, and what is said of a file that is too large. Figures: https://core.telegram.org/bots/api."""

from dataclasses import dataclass

from bot.core.capabilities import Capabilities
from bot.words.format import clip, one_line, size
from shared.language import _

TEXT_LENGTH = 4096  # after the markup was taken out
CAPTION_LENGTH = 1024
ALERT_LENGTH = 200
CALLBACK_BYTES = 64
FILES_AN_ALBUM = 10
BUTTONS_A_ROW = 3  # what a phone shows whole
MARKUP_ROOM = 600  # of a text, for what stands below it: lines to copy


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Of one Bot API server."""

    download_bytes: int | None = 20 * 2**20  # "20 MB"; the server's own constant is 20 << 20
    upload_bytes: int = 50_000_000
    group_messages: int = 18  # a minute, edits included; Telegram stops at 20
    private_messages: int = 5  # in 5 seconds


CLOUD = Limits()
LOCAL = Limits(download_bytes=None, upload_bytes=2_000_000_000)


def capabilities(limits: Limits) -> Capabilities:
    """Return what a chat can show."""
    return Capabilities(
        text_length=TEXT_LENGTH - MARKUP_ROOM,
        upload_bytes=limits.upload_bytes,
        edits_per_second=0.25,  # 15 a minute, so that a group has room for answers
        buttons=True,
        images=True,
        alt_text=False,
        card_interval_s=4.0,
        card_images=True,
        caption_length=CAPTION_LENGTH,
        files_per_message=FILES_AN_ALBUM,
    )


def refusal(name: str, byte_count: int | None, limits: Limits) -> str | None:
    """Return what is said of a file that cannot be fetched, or None if it can."""
    limit = limits.download_bytes
    if limit is None or (byte_count is not None and byte_count <= limit):
        return None
    if byte_count is None:
        return None  # the download itself counts
    return _(
        "{name} has {size}, and Telegram gives bots files of up to {limit}. Nothing was "
        "downloaded. Send fewer rows, or have the owner of this bot run a local Bot API server "
        "(TELEGRAM_API_BASE): it has no such limit.",
        name=clip(one_line(name), 60),
        size=size(byte_count),
        limit=size(limit),
    )
