"""Open the database and run functions in it: one thread, one function, one transaction."""

import asyncio
import contextvars
import copy
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

OF_THE_DISK = {  # what is wrong with the file, and not with what was asked of it
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
}
RETRY_S = 2.0  # between two tries of who is patient
BUSY_S = 60.0  # how long a transaction waits for another program that has the file locked

DATABASE = "hearth.sqlite3"  # in the agent's data folder
MIGRATIONS = Path(__file__).parent / "migrations"
RING = "ring"  # set in Session.info by what others may wait for


class StoreUnavailableError(AgentError):
    """The database cannot take or give anything now; nothing of the transaction was kept."""

    def __init__(self, cause: OperationalError) -> None:
        full = _sqlite_code(cause) == sqlite3.SQLITE_FULL
        super().__init__(
            _("The agent's disk is full, so nothing can be stored. Free some space on the GPU machine, then try again.")
            if full
            else _(
                "The agent's database cannot be used now ({reason}). Is its disk well? Try again in a moment.",
                reason=cause.orig,
            ),
            code=ErrorCode.insufficient_disk if full else ErrorCode.store_unavailable,
        )


class Bell:
    """Wakes whoever waits for news. Listen first, then read, then wait: so that nothing is missed."""

    def __init__(self) -> None:
        self._news = asyncio.Event()

    def listen(self) -> asyncio.Event:
        """Return an event that the next ring sets."""
        return self._news

    def ring(self) -> None:
        """Wake everyone who listened before now."""
        self._news.set()
        self._news = asyncio.Event()


class Store:
    """The database. Its functions live in the modules beside this one and take a Session first."""

    def __init__(self, engine: sa.Engine, executor: ThreadPoolExecutor) -> None:
        self._engine = engine
        self._executor = executor
        self._retry_s: float | None = None  # None: whoever asks is told at once that it failed
        self.bell = Bell()  # rung after each commit that brought events or a finished inspection

    @classmethod
    async def open(cls, path: Path) -> "Store":
        """Open the SQLite file, made if missing, and bring its tables up to date."""
        engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)))
        sa.event.listen(engine, "connect", _prepare_connection)
        sa.event.listen(engine, "begin", _begin_immediate)
        executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        store = cls(engine, executor)
        try:
            await asyncio.get_running_loop().run_in_executor(executor, _migrate, engine)
        except OperationalError as error:
            await store.close()
            if _sqlite_code(error) not in OF_THE_DISK:
                raise
            raise StoreUnavailableError(error) from error
        except BaseException:
            await store.close()
            raise
        return store

    def patient(self, retry_s: float = RETRY_S) -> "Store":
        """Return this store for those who must not give up: while the disk refuses, they wait instead of fail."""
        patient = copy.copy(self)
        patient._retry_s = retry_s  # noqa: SLF001 -- its own class
        return patient

    async def run(self, func: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `func(session, …)` in the store's thread, inside one transaction; commit, then return its value.

        Raises StoreUnavailableError, unless it is patient.
        """
        complained = False
        while True:
            try:
                return await self._run_once(lambda session: func(session, *args, **kwargs))
            except StoreUnavailableError as error:
                if self._retry_s is None:
                    raise
                if not complained:
                    log.warning("the database cannot be used, and is tried again: %s", error)
                complained = True
                await asyncio.sleep(self._retry_s)

    async def _run_once(self, func: Callable[[Session], T]) -> T:
        def transact() -> tuple[T, bool]:
            with Session(self._engine, expire_on_commit=False) as session, session.begin():
                value = func(session)
                session.flush()
                rings = bool(session.info.get(RING))
            return value, rings

        try:
            here = contextvars.copy_context()  # with the language that is spoken in it
            value, rings = await asyncio.get_running_loop().run_in_executor(self._executor, here.run, transact)
        except OperationalError as error:
            if _sqlite_code(error) not in OF_THE_DISK:
                raise
            raise StoreUnavailableError(error) from error
        if rings:
            self.bell.ring()
        return value

    async def close(self) -> None:
        """Close the file. Whatever was committed is on disk already."""
        await asyncio.get_running_loop().run_in_executor(self._executor, self._engine.dispose)
        self._executor.shutdown()


def _sqlite_code(error: OperationalError) -> int | None:
    code = getattr(error.orig, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF  # without the extended part


def _prepare_connection(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we send BEGIN ourselves: sqlite3's own comes too late and is deferred
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_S * 1000:.0f}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def newest_revision() -> str:
    """Return the revision of these tables; its file is named after it."""
    return max(path.name for path in (MIGRATIONS / "versions").glob("*.py")).partition("_")[0]


def _migrate(engine: sa.Engine) -> None:
    """Bring the tables up to date. Alembic, a tenth of a start, is imported only where they are not."""
    with engine.begin() as connection:
        if _revision(connection) == newest_revision():
            return
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision(connection: sa.Connection) -> str | None:
    """Return which revision the tables have; None before the first."""
    version = sa.table("alembic_version", sa.column("version_num"))
    if not sa.inspect(connection).has_table(version.name):
        return None
    return connection.scalar(sa.select(version.c.version_num))
