"""Which key a request came with: looked up for each one, so that a revoked key is of no use from then on."""

import asyncio
import contextlib

from aiohttp import web

from agent.api.services import Services
from agent.auth.keys import OWNER, Key, same
from agent.errors import AgentError
from agent.store import keys

USE_NOTED_S = 60.0  # a key's use is noted at most so often

GIVEN = web.RequestKey("given", str)  # the secret that a request came with
KEY = web.RequestKey("key", Key)


class Keyring:
    """The keys that hold now."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._noted_at: dict[str, float] = {}  # by name, by the loop's clock

    async def find(self, given: str) -> Key | None:
        """Return the key with this secret, and note its use; None where none holds."""
        if same(given, self._services.key):
            key: Key | None = OWNER
        else:
            key = await self._services.store.run(keys.find, given)
        if key is not None:
            await self._note(key.name)
        return key

    async def _note(self, name: str) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._noted_at.get(name, -USE_NOTED_S) < USE_NOTED_S:
            return
        self._noted_at[name] = now
        with contextlib.suppress(AgentError):  # a full disk must not refuse what frees it
            await self._services.store.run(keys.note_use, name, now=self._services.clock())


KEYRING = web.AppKey("keyring", Keyring)
