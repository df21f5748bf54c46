"""What befalls a running job's trainer, told to the agent's own code, in a folder of the story's own."""

import asyncio
import signal
import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from agent.running.aftermath import Aftermath
from agent.running.job_spec import make_spec
from agent.running.trainer_watch import TrainerExit
from agent.settings import AgentSettings
from agent.store.running_jobs import Claim
from tests.agent.running_agent import MACHINE, source_for

if TYPE_CHECKING:
    from agent.store import Store


class Dead:
    """A trainer that is gone."""

    def alive(self) -> bool:
        return False

    def signal(self, number: signal.Signals) -> None:
        return

    def outcome(self) -> str:
        return "killed by SIGKILL"

    def may_be_killed(self) -> bool:
        return True


class Fates:
    """Job folders, and what the agent makes of a trainer that left one."""

    def __init__(self, do: Callable[..., Any], *, clock: Callable[[], float], boot: Callable[[], str]) -> None:
        self._do = do
        self._data_dir = tempfile.TemporaryDirectory()
        self._settings = AgentSettings.model_validate({"hearth_data_dir": self._data_dir.name})
        self._runner = asyncio.Runner()
        self._aftermath = Aftermath(
            store=cast("Store", self),  # all that it asks of one is `run`
            settings=self._settings,
            machine=lambda: MACHINE,
            clock=clock,
            boot=boot,
        )

    async def run(self, function: Any, *arguments: Any, **keywords: Any) -> Any:
        """Run one transaction, as a store does."""
        return self._do(function, *arguments, **keywords)

    def begin(self, claim: Claim) -> None:
        """Make the job's folder, as the supervisor does before the first start."""
        folder = self._settings.job_folder(claim.job.id)
        if not folder.spec.exists():
            folder.create(make_spec(claim, self._settings, MACHINE, source_for(claim.plan.plan.model, self._settings)))

    def get_further(self, job_id: str) -> None:
        """Leave a checkpoint behind the newest."""
        checkpoints = self._settings.job_folder(job_id).checkpoints
        (checkpoints / f"step-{1 + len(list(checkpoints.iterdir()))}").mkdir()

    def settled(self, job_id: str, gone: TrainerExit) -> bool:
        """Say whether nothing more is to be started for a job whose trainer left without a last word."""
        folder = self._settings.job_folder(job_id)
        return self._runner.run(self._aftermath.settles(job_id, folder, gone, Dead()))

    def wind_up(self, job_id: str) -> None:
        """End a job that was cancelled while it had no trainer."""
        self._runner.run(self._aftermath.wind_up(job_id))

    def forget(self) -> None:
        """Remove the folders."""
        self._runner.close()
        self._data_dir.cleanup()
