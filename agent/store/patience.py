"""The store for those who must not give up: what it cannot take now is tried again until it can."""

import asyncio
import logging
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy.orm import Session

from agent.store.store import Store, StoreUnavailableError

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

RETRY_S = 2.0


class PatientStore:
    """The same store; a full or failing disk makes its caller wait instead of fail."""

    def __init__(self, store: Store, *, retry_s: float = RETRY_S) -> None:
        self._store = store
        self._retry_s = retry_s

    async def run(self, func: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `func` in one transaction, as often as it takes."""
        complained = False
        while True:
            try:
                return await self._store.run(func, *args, **kwargs)
            except StoreUnavailableError as error:
                if not complained:
                    log.warning("the database cannot be used, and is tried again: %s", error)
                complained = True
                await asyncio.sleep(self._retry_s)
