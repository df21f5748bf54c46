"""On whose behalf a request is made."""

from typing import Annotated

from pydantic import StringConstraints

from shared.schema import Request

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[\w.:@+-]+$")]


class RequestedBy(Request):
    """A person as a chat platform knows them. Without it, a request acts for the owner of the key."""

    platform: Identifier  # discord, telegram, terminal
    person: Identifier  # the platform's id of the person
    chat: Identifier  # the platform's id of the channel or chat
