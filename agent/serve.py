"""The agent as a server: opens everything, serves, closes. Loads no ML library; the trainer it starts outlives it."""

import asyncio
import contextlib
import logging
import os
import signal
import stat
import sys
import time
from collections.abc import AsyncIterator
from functools import partial
from importlib.metadata import version

from aiohttp import web
from filelock import FileLock, Timeout
from pydantic import ValidationError

from agent.admission.disk import Disk
from agent.api import Services, build_app
from agent.api.explain import explain
from agent.api.upload import remove_leftovers
from agent.auth.key_files import read_or_create_key
from agent.auth.keys import BOT, OWNER
from agent.base_models.catalog import find_base_model, list_with_known, names_by_size
from agent.chat.answerer import Answerer
from agent.errors import AgentError
from agent.intake.inspector import Inspector
from agent.intake.intake import Intake
from agent.job_folder.durable import replace_file
from agent.machine.gpu import read_machine
from agent.machine.retention import EndedJob, Retention, RetentionRules
from agent.plan.resolve import make_plan
from agent.running.event_pruning import prune_events
from agent.running.held_memory import held_now
from agent.running.supervisor import Supervisor
from agent.scheduling.timers import Timers
from agent.settings import AgentSettings
from agent.store import Store, inspections, jobs, keys, people, plans
from agent.store.store import DATABASE
from shared.paths import ADDRESS_FILE

log = logging.getLogger("agent")

LOCK = "agent.lock"
BAD_SETTING = 2


def main() -> int:
    """Read the settings and serve until SIGTERM; return the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        settings = AgentSettings()
    except ValidationError as error:
        refusal = explain(error, AgentSettings)
        name = refusal.param or ""
        print(refusal.message.replace(name, name.upper(), 1), file=sys.stderr)
        return BAD_SETTING
    os.umask(0o077)  # datasets and models are nobody else's business, a trainer's files included
    data_dir = settings.hearth_data_dir
    for folder in (data_dir, settings.files_dir, settings.jobs_dir, settings.base_models_dir):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with FileLock(data_dir / LOCK, timeout=0):
            return asyncio.run(serve(settings))
    except Timeout:
        print(f"Another agent uses {data_dir}. Stop it, or set HEARTH_DATA_DIR.", file=sys.stderr)
    except KeyboardInterrupt:
        return 0
    except (OSError, AgentError) as error:
        print(f"The agent cannot start: {str(error).rstrip('.')}.", file=sys.stderr)
    return 1


async def serve(settings: AgentSettings) -> int:
    """Open everything, serve until told to stop, close everything."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl+C raises KeyboardInterrupt instead
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with _services(settings) as (services, supervisor, timers), _site(services):
        await _offer_pairing(services)
        work = asyncio.create_task(_work(supervisor, timers), name="work")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
        crashed = work.done()
        for task in (work, stopping):
            task.cancel()
        outcome, _ = await asyncio.gather(work, stopping, return_exceptions=True)
    if crashed:
        log.error("the agent's work ended", exc_info=outcome if isinstance(outcome, BaseException) else None)
        return 1
    log.info("stopped; a trainer, if one runs, goes on and is taken up again at the next start")
    return 0


async def _offer_pairing(services: Services) -> None:
    """While nobody owns the machine, print how to become its owner.

    The code is printed unless stdout is a regular file, since log files are kept and sent to others. What is behind a
    pipe is not known here: a service manager that reads stdout keeps the code in its own log.
    """
    if (await services.store.run(people.load)).owners:
        return
    code = services.pairing.renew()
    line = f"This machine has no owner. To become it, say /pair {code} to the bot, in a private chat."
    if _console_is_a_file():
        line = "This machine has no owner. Its pairing code is not logged: “hearth-agent pairing-code” prints it."
    with contextlib.suppress(OSError):  # nobody reads what we print
        print(line, flush=True)


def _console_is_a_file() -> bool:
    try:
        return stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)
    except (AttributeError, OSError, ValueError):  # there is none, or it is closed
        return False


async def _work(supervisor: Supervisor, timers: Timers) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(supervisor.run(), name="supervisor")
        tasks.create_task(timers.run(), name="timers")


@contextlib.asynccontextmanager
async def _services(settings: AgentSettings) -> AsyncIterator[tuple[Services, Supervisor, Timers]]:
    data_dir = settings.hearth_data_dir
    store = await Store.open(data_dir / DATABASE)
    machine = partial(read_machine, data_dir)
    answerer = Answerer(store=store, settings=settings, machine=machine, clock=time.time)
    held = partial(held_now, jobs_dir=settings.jobs_dir, chat=answerer.holder)
    intake = Intake(
        store=store,
        data_dir=data_dir,
        inspector=Inspector(settings),
        make_plan=make_plan,
        machine=machine,
        clock=time.time,
        other_models=partial(names_by_size, settings),
        held=held,
    )
    supervisor = Supervisor(
        store=store,
        settings=settings,
        machine=machine,
        model_source=lambda name: find_base_model(name, settings),
        clock=time.time,
        make_way=answerer.make_way,
    )
    retention = Retention(
        rules=RetentionRules(keep_days=settings.hearth_keep_days, floor_mib=settings.hearth_disk_floor_mib),
        data_dir=data_dir,
        base_models=settings.base_models_dir,
        clock=time.time,
    )
    services = Services(
        settings=settings,
        key=await _keys(settings, store),
        store=store,
        intake=intake,
        answerer=answerer,
        held=held,
        machine=machine,
        check_model=partial(find_base_model, settings=settings),
        base_models=partial(list_with_known, settings),
        signs=supervisor.signs,
        warnings=retention.warnings,
        disk=Disk(data_dir, floor_mib=settings.hearth_disk_floor_mib),
        clock=time.time,
        started_at=int(time.time()),
        version=version("hearth"),
    )
    try:
        await remove_leftovers(settings, store)
        await intake.resume()
        yield services, supervisor, Timers(sweep=partial(_sweep, retention, store, settings))
    finally:
        await intake.close()
        await answerer.close()
        await store.close()


async def _keys(settings: AgentSettings, store: Store) -> str:
    """Return the owner's key; leave the bots' beside it, unless that was revoked."""
    owner = read_or_create_key(settings.key_file)
    known = [owner]
    await store.run(keys.keep, OWNER, owner, now=time.time())
    if await store.run(keys.may_keep, BOT.name):
        known.append(read_or_create_key(settings.bot_key_file))
        await store.run(keys.keep, BOT, known[-1], now=time.time())
    given = settings.hearth_agent_key.get_secret_value() if settings.hearth_agent_key else None
    if given is not None and given not in known and await store.run(keys.find, given) is None:
        log.warning(
            "HEARTH_AGENT_KEY is what a bot reads; the agent makes its keys itself, and none of them is that one. The "
            "owner's is in %s, the bots' in %s",
            settings.key_file,
            settings.bot_key_file,
        )
    return owner


async def _sweep(retention: Retention, store: Store, settings: AgentSettings) -> None:
    ended = [
        EndedJob(folder=settings.job_folder(job_id), finished_at=finished_at)
        for job_id, finished_at in (await store.run(jobs.ended)).items()
    ]
    needed = set()
    for name in await store.run(jobs.models_in_use):
        with contextlib.suppress(AgentError):  # a local model that was taken away meanwhile
            needed.add(find_base_model(name, settings).cache)
    await asyncio.to_thread(retention.sweep, ended, needed)
    await store.run(plans.forget_expired, now=time.time())
    await store.run(inspections.forget_old, now=time.time())
    await prune_events(store, settings, now=time.time())


@contextlib.asynccontextmanager
async def _site(services: Services) -> AsyncIterator[None]:
    settings = services.settings
    runner = web.AppRunner(build_app(services), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    address = settings.hearth_data_dir / ADDRESS_FILE
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
        host, port = runner.addresses[0][:2]
        bound = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        replace_file(address, bound.encode())
        log.info("hearth agent %s serves on http://%s; the key is in %s", services.version, bound, settings.key_file)
        yield
    finally:
        address.unlink(missing_ok=True)
        await runner.cleanup()
