"""What a platform can show and how much of it: declared by its front-end, obeyed by the core."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """The limits of one chat."""

    text_length: int  # characters a message may have
    upload_bytes: int | None  # the largest file it takes; None: no limit
    edits_per_second: float  # per chat, over all its cards
    buttons: bool
    images: bool
    alt_text: bool  # words that belong to a picture without standing in the message
    card_interval_s: float = 0.0  # at least so long between two edits of one card
    card_images: bool = False  # a live card shows its plot, replaced in place
    caption_length: int | None = None  # characters beside a picture; None: as many as without one
    dark: bool = False  # its ground is dark for most people: a white picture would be a slab
    streams: bool = True  # an edit takes the place of what was there: an answer can be watched as it is said
    sounds: bool = True  # a message makes one, unless it is sent without
    files_per_message: int | None = None  # files are messages of their own, of so many each; None: beside the text
