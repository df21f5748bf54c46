"""Who asked what, where, with which files: the one thing a front-end hands to `dispatch`."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bot.core.chat import Chat
from bot.words.time_zone import in_zone
from shared.language import best, speaking
from shared.people import ROLES_LIMIT, GrantKind, RequestedBy


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file that came with the call, read as it is passed on."""

    name: str
    size: int | None  # bytes, if the platform says
    open: Callable[[], AsyncIterator[bytes]]
    reference: str | None = None  # by which its front-end opens it again later; None: it cannot


Reopen = Callable[[str, str], Awaitable[Attachment]]  # platform, reference → the file; raises BadCallError


@dataclass(frozen=True, kw_only=True)
class Named:
    """A person or role that a message names: by a mention, or by answering what that person wrote. Never a bot."""

    id: str  # the platform's
    name: str = ""  # as others read it; proves nothing
    kind: GrantKind = GrantKind.person


@dataclass(frozen=True, kw_only=True)
class Call:
    """One command from one person."""

    platform: str
    person: str  # the platform's id of the person
    chat_id: str
    chat: Chat
    command: str  # without the slash; empty for a message that is no command
    said: str = ""  # the words of such a message
    arguments: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    message_id: str | None = None  # the message whose button was pressed
    asked_in: str | None = None  # the message that a person wrote it in, and may edit; of a file's button, that file's
    id: str | None = None  # the platform's id of what came in; delivered twice, it is one call
    name: str = ""  # what the person is called there; theirs to choose, so never trusted
    rights_chat_id: str | None = None  # the chat that rights are given to: of a topic or thread, the one it belongs to
    chat_name: str = ""  # what that chat is called
    server: str | None = None  # the guild or group that the chat belongs to
    server_name: str = ""
    roles: tuple[str, ...] = ()  # the platform's ids of the roles that the person has there
    private: bool = False  # nobody else reads along
    mentioned: tuple[Named, ...] = ()  # whom the message names, or else whose message it answers
    locale: str | None = None  # the person's language, as the platform says it: de, pt-BR
    language: str = ""  # the one that they set, in place of the platform's
    zone: str = ""  # the time zone that they set; empty: this machine's
    asked_at: float | None = None  # seconds since 1970, of a call that was kept; None: now
    kept_as: int | None = None  # under which it is kept until it is answered

    @property
    def requested_by(self) -> RequestedBy:
        """Return on whose behalf the agent is asked."""
        return RequestedBy(
            platform=self.platform,
            person=self.person,
            chat=self.rights_chat_id or self.chat_id,
            server=self.server,
            roles=self.roles[:ROLES_LIMIT],
            name=self.name or None,
            private=self.private,
            language=best(self.language or self.locale),
        )

    @contextmanager
    def addressed(self) -> Iterator[None]:
        """Speak the person's language within the block, and show and read times in their zone."""
        with speaking(self.language or self.locale), in_zone(self.zone):
            yield
