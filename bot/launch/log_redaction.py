"""Logs without secrets: whatever a library writes into a message or a traceback, a token does not get out."""

import logging

HIDDEN = "[hidden]"


class RedactingFormatter(logging.Formatter):
    """Formats a record as ever and takes the secrets out of the whole of it, traceback included."""

    def __init__(self, form: str, secrets: list[str]) -> None:
        super().__init__(form)
        self._secrets = [secret for secret in secrets if secret]

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, or lines, of a record."""
        text = super().format(record)
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return text
