"""What can go wrong on the bot's side of the wire. Each text is what the person reads."""

from shared.errors import ErrorCode, HearthError


class BotError(HearthError):
    """Base of the bot's own errors."""


class AgentUnreachableError(BotError):
    """No answer from the agent: not started, asleep, or the network is down."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code=ErrorCode.agent_unreachable)


class AgentRefusedError(BotError):
    """The agent answered with an error body, or with something that is not its protocol."""


class JobUnknownError(AgentRefusedError):
    """The agent does not know the job."""


class BadCallError(BotError):
    """What the person typed cannot be done as it stands."""

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message, code=ErrorCode.invalid_request, param=param)


class SettingsError(BotError):
    """A setting from the environment is not usable; the bot does not start."""

    def __init__(self, message: str, *, param: str) -> None:
        super().__init__(message, code=ErrorCode.setting_invalid, param=param)


class StorageError(BotError):
    """The bot's own database cannot be read or written: a full disk, no rights."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code=ErrorCode.internal)


class FrontEndError(BotError):
    """A front-end cannot serve and never will with these settings, as with a token that was revoked."""

    def __init__(self, message: str, *, param: str) -> None:
        super().__init__(message, code=ErrorCode.setting_invalid, param=param)


class ChatError(Exception):
    """A front-end could not show a message. Every front-end turns its library's errors into one of these."""


class ChatBusyError(ChatError):
    """The platform asks to wait before the next message."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"asked to wait {retry_after_s:.1f} s")
        self.retry_after_s = retry_after_s


class ChatClosedError(ChatError):
    """Nothing can be shown in that chat until somebody changes it: deleted, locked, or the bot may not write there."""


class MessageGoneError(ChatError):
    """The message to edit is not there any more: deleted, or from an earlier session."""
