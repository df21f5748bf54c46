"""Answers from finished models: one at a time, kept warm for a while, put away whenever a training needs the memory."""

import asyncio
import contextlib
import logging
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from agent.chat.child_process import Child, ChildDiedError
from agent.chat.memory_check import ALL_LAYERS, CONTEXT, ModelShare, find_room, refuse_while_starting
from agent.chat.protocol import Load, ModelReply, Question
from agent.chat.refusals import made_way, refused, too_slow
from agent.children.environment import child_environment
from agent.children.sandbox import Policy, Sandbox
from agent.data.redact import redact
from agent.errors import AgentError
from agent.machine.gpu import MIB, Machine
from agent.running.held_memory import Holder
from agent.running.task_line import TaskLine
from agent.scheduling.task import Task, Training
from agent.settings import AgentSettings
from agent.store import Store, tuned_models
from agent.store.tuned_models import TunedModel
from shared.errors import ErrorCode
from shared.language import _
from shared.machine import TaskKind

log = logging.getLogger(__name__)

CHILD = (sys.executable, "-m", "agent.chat.child")


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long what may take."""

    turn_s: float = 60.0  # for the question before this one
    load_s: float = 180.0
    answer_s: float = 180.0
    idle_s: float = 240.0  # that a model stays in memory after its last answer


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """The model in memory."""

    child: Child
    gguf: Path
    beside_a_trainer: bool  # so it has few threads and no GPU
    gpu_mib: int = 0  # of its weights there


def ram_free_mib() -> int:
    """Return the memory that can be used without swapping."""
    return int(psutil.virtual_memory().available) // MIB


class Answerer:
    """The one place that loads finished models. It ends its child when the agent ends."""

    def __init__(
        self,
        *,
        store: Store,
        settings: AgentSettings,
        machine: Callable[[], Machine],
        clock: Callable[[], float],
        ram_free: Callable[[], int] = ram_free_mib,
        command: Sequence[str] = CHILD,
        patience: Patience | None = None,
        sandbox: Sandbox | None = None,
    ) -> None:
        self._store = store
        self._settings = settings
        self._machine = machine
        self._clock = clock
        self._ram_free = ram_free
        self._command = tuple(command)
        self._patience = patience or Patience()
        self._sandbox = sandbox or Sandbox(on=settings.hearth_sandbox)
        self._scratch: Path | None = None  # the child's temporary folder, once there is a child
        self._tasks = TaskLine()
        self._loaded: Loaded | None = None
        self._ways = 0  # how often a model was put away for something else
        self._made_way_at = 0.0  # seconds since 1970
        self._idle: asyncio.TimerHandle | None = None
        self._endings: set[asyncio.Task[None]] = set()

    @property
    def pid(self) -> int | None:
        """Return the process that holds a model now."""
        holder = self.holder()
        return holder.pid if holder is not None else None

    def holder(self) -> Holder | None:
        """Return the process that holds a model now, and the weights that it has on the GPU."""
        loaded = self._loaded
        if loaded is None or not loaded.child.alive:
            return None
        return Holder(pid=loaded.child.pid, gpu_mib=loaded.gpu_mib)

    @property
    def task(self) -> Task | None:
        """Return what it is at now."""
        return self._tasks.current

    async def ask(
        self, model: TunedModel, question: Question, heard: Callable[[str], None] | None = None
    ) -> ModelReply:
        """Return a model's answer; `heard` gets each piece as it is said, where the question asks for pieces.

        Raises AgentError: model_busy, model_failed, insufficient_memory, not_found.
        """
        async with self._turn_of(model):
            self._stop_idling()
            ways = self._ways
            try:
                loaded = await self._load(model, ways)
                line = await loaded.child.tell(question, limit_s=self._patience.answer_s, heard=heard)
            except TimeoutError:
                await self._put_away()
                raise too_slow(model, self._patience.answer_s) from None
            except ChildDiedError as error:
                await self._put_away()
                raise self._died(model, ways, error) from error
            except BaseException:
                await self._put_away()  # whoever asked is gone, and the answer must not be taken for the next one's
                raise
            self._keep_warm()
        if line.said is None:
            raise refused(model, line.too_long, line.problem)
        return line.said

    async def make_way(self) -> None:
        """Put away whatever is loaded, now, also in the middle of an answer; return when its memory is free."""
        self._ways += 1
        self._made_way_at = self._clock()
        await self._put_away()

    async def close(self) -> None:
        """End the child."""
        await self.make_way()
        if self._endings:
            await asyncio.wait(self._endings)
        if self._scratch is not None:
            await asyncio.to_thread(shutil.rmtree, self._scratch, ignore_errors=True)

    @contextlib.asynccontextmanager
    async def _turn_of(self, model: TunedModel) -> AsyncIterator[None]:
        task = Task(kind=TaskKind.answer, job_id=model.job_id, number=model.number)
        async with contextlib.AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self._tasks.turn(task, patience_s=self._patience.turn_s))
            except TimeoutError:
                raise AgentError(
                    _("Another question is still being answered, and only one is at a time. Ask again in a minute."),
                    code=ErrorCode.model_busy,
                ) from None
            yield

    async def _load(self, model: TunedModel, ways: int) -> Loaded:
        """Return the model in memory, loading it unless it is there."""
        now = self._clock()
        training = await self._store.run(tuned_models.training, self._tasks.worker, now=now)
        refuse_while_starting(training, made_way_at=self._made_way_at, now=now)
        gguf = await asyncio.to_thread(find_gguf, model, self._settings.hearth_data_dir)
        beside = training is not None
        loaded = self._loaded
        if loaded is not None and loaded.child.alive and (loaded.gguf, loaded.beside_a_trainer) == (gguf, beside):
            return loaded
        await self._put_away()
        load, environment = await self._prepared(model, gguf, training)
        command = self._sandbox.wrap(self._command, gguf_policy(gguf, scratch=Path(environment["TMPDIR"])))
        child = await Child.spawn(command, environment)
        if self._ways != ways:
            await child.end()
            raise made_way(model)
        gpu_mib = (await asyncio.to_thread(gguf.stat)).st_size // MIB if load.gpu_layers else 0
        self._loaded = Loaded(child=child, gguf=gguf, beside_a_trainer=beside, gpu_mib=gpu_mib)
        try:
            await child.tell(load, limit_s=self._patience.load_s)
        except TimeoutError:
            raise too_slow(model, self._patience.load_s) from None
        return self._loaded

    async def _prepared(self, model: TunedModel, gguf: Path, training: Training | None) -> tuple[Load, dict[str, str]]:
        """Say how the model is to be loaded, and in what environment: built from nothing, offline."""
        machine = await asyncio.to_thread(self._machine)
        size = (await asyncio.to_thread(gguf.stat)).st_size
        room = find_room(
            model,
            gguf_bytes=size,
            machine=machine,
            ram_free_mib=self._ram_free(),
            threads=self._settings.hearth_threads or machine.cores,
            training=training,
        )
        load = Load(
            gguf=str(gguf),
            context=min(CONTEXT, model.context_length),
            threads=room.threads,
            gpu_layers=ALL_LAYERS if room.on_gpu else 0,
        )
        self._scratch = self._scratch or Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="hearth-chat-"))
        return load, _environment(gguf, room, machine) | {"TMPDIR": str(self._scratch)}

    def _keep_warm(self) -> None:
        self._idle = asyncio.get_running_loop().call_later(self._patience.idle_s, self._cool)

    def _stop_idling(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _cool(self) -> None:
        task = asyncio.create_task(self._put_away())
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)

    async def _put_away(self) -> None:
        self._stop_idling()
        loaded, self._loaded = self._loaded, None
        if loaded is not None:
            await loaded.child.end()

    def _died(self, model: TunedModel, ways: int, error: ChildDiedError) -> AgentError:
        if self._ways != ways:
            return made_way(model)
        log.error("the child that held %s died: %s", model.name, redact(str(error)))
        return AgentError(
            _(
                "llama.cpp could not run {model}: its process ended by itself, perhaps for want of memory. Ask again; "
                "the agent's log has the details.",
                model=model.name,
            ),
            code=ErrorCode.model_failed,
        )


def gguf_policy(gguf: Path, *, scratch: Path) -> Policy:
    """Return what may be reached to answer from a model."""
    return Policy(read=(gguf,), write=(scratch,))


def find_gguf(model: TunedModel, data_dir: Path) -> Path:
    """Return where a model lies; raise not_found when its file was deleted."""
    path = data_dir / model.gguf if model.gguf is not None else None
    if path is None or not path.is_file():
        raise AgentError(
            _(
                "The model file of {model} was deleted from the agent's disk, so it cannot be loaded. /retry #{number} "
                "trains it again.",
                model=model.name,
                number=model.number,
            ),
            code=ErrorCode.not_found,
            param="model",
        )
    return path


def _environment(gguf: Path, room: ModelShare, machine: Machine) -> dict[str, str]:
    return child_environment(offline=True) | {
        "HOME": str(gguf.parent / "nobody"),  # is not there: no cache or setting of anybody is read or left
        "CUDA_CACHE_DISABLE": "1",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "CUDA_VISIBLE_DEVICES": (machine.gpu or "") if room.on_gpu else "",
        "OMP_NUM_THREADS": str(room.threads),
    }
