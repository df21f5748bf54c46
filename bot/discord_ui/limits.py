"""How much Discord takes. Figures: https://docs.discord.com/developers, measured where it does not say."""

from typing import Final

from bot.core.capabilities import Capabilities

TEXT_LENGTH = 4000  # over all texts of one message of components, markup included
ALT_LENGTH = 1024
CUSTOM_ID_LENGTH = 100
LABEL_LENGTH = 80
DESCRIPTION_LENGTH = 100  # of a command, and of an option
BUTTONS_A_ROW = 3  # five are allowed; three is what a phone shows whole
BUTTONS = 24  # with rows, container, text and picture below the 40 components of a message
SUGGESTIONS = 25
FILES_A_MESSAGE = 10
REQUEST_BYTES = 24 * 2**20  # Discord's own pages say 25 MiB for a whole request
UPLOAD_BYTES = 10 * 2**20  # where no server has been boosted
TOKEN_S = 14 * 60.0  # of an interaction; Discord says 15 min
MARKUP_ROOM = 1200  # of a text, for lines to copy and escapes
THREAD_MINUTES: Final = 10_080  # until a quiet thread is archived: a week, the longest there is


def capabilities(upload_bytes: int) -> Capabilities:
    """Return what a channel can show. Old messages take 3 edits in 6 s per channel, so a little less is used."""
    return Capabilities(
        text_length=TEXT_LENGTH - MARKUP_ROOM,
        upload_bytes=upload_bytes,
        edits_per_second=0.4,
        buttons=True,
        images=True,
        alt_text=True,
        card_interval_s=4.0,
        card_images=True,
        dark=True,
    )
