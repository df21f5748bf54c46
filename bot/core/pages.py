"""One reply as the messages that a platform needs for it. Pure."""

from dataclasses import replace

from bot.core.capabilities import Capabilities
from bot.core.reply import File, Reply
from bot.words.format import split_message


def pages(reply: Reply, limits: Capabilities) -> list[Reply]:
    """Split a reply into messages; the last one that is not quiet is the reply proper.

    A text that is too long is split, and everything else goes with its last part. A picture whose caption would be too
    long goes before the text, and files go after it, where a platform wants them apart. A live card stays one message.
    """
    if reply.live:
        return [reply]
    before, main = list[Reply](), reply
    if len(reply.text) > limits.text_length:
        *first, last = split_message(reply.text, limits.text_length)
        before = [Reply(summary=text, private=reply.private) for text in first]
        main = replace(reply, title="", summary=last, blocks=())
    after: list[Reply] = []
    if main.image is not None and limits.caption_length is not None and _length(main, limits) > limits.caption_length:
        before.append(Reply(image=main.image, quiet=True))
        main = replace(main, image=None)
    if limits.files_per_message is not None:
        after = [Reply(files=files, quiet=True) for files in _batches(main.files, limits)]
        main = replace(main, files=())
    return [*before, main, *after]


def _length(reply: Reply, limits: Capabilities) -> int:
    """Return about how many characters a reply takes with all that is said beside its text."""
    copied = sum(len(copy.intro) + sum(map(len, copy.lines)) + 2 + len(copy.lines) for copy in reply.copy)
    described = len(reply.image.alt_text) + 2 if reply.image is not None and not limits.alt_text else 0
    return len(reply.text) + copied + described


def _batches(files: tuple[File, ...], limits: Capabilities) -> list[tuple[File, ...]]:
    """Return the files that go together: so many, and together no larger than one may be."""
    batches, room = list[tuple[File, ...]](), 0
    for file in files:
        size = file.size or 0
        together = batches and len(batches[-1]) < (limits.files_per_message or 1)
        if together and (limits.upload_bytes is None or size <= room):
            batches[-1] = (*batches[-1], file)
        else:
            batches, room = [*batches, (file,)], limits.upload_bytes or 0
        room -= size
    return batches
