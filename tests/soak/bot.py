"""kill -9 of a real bot at random moments: one job for each request, and one double result for each kill at most."""

import asyncio
import logging
from pathlib import Path

from tests.bot.terminal_ui.test_story import play, start
from tests.fakes.agent_server import FakeAgent, running_agent
from tests.soak.campaign import Campaign

KILLS = 100
LIFE_S = (0.3, 3.5)  # of a bot that is to be killed
RESULT = " is ready ·"
MAYBE_TOLD = "If you have not seen the result: /status"


def run(campaign: Campaign) -> str:
    """Play it; return what happened."""
    return asyncio.run(_run(campaign))


async def _run(campaign: Campaign) -> str:
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # that a bot was killed while it asked is no news
    kills = requests = doubles = 0
    async with running_agent() as agent:
        agent.autoplay = "succeeded"
        while kills < KILLS and campaign.has_time():
            requests += 1
            request = Request(campaign, agent, f"toast{requests}")
            await request.live(campaign.dice.randint(1, 4))
            request.check()
            kills += request.kills
            doubles += request.told() - 1
            campaign.note(f"{kills} kills, {requests} requests, {doubles} doubled results")
    return f"{kills} kills of the bot, {requests} requests, {doubles} doubled results"


class Request:
    """One `/finetune`, typed once, and all that bots said of it."""

    def __init__(self, campaign: Campaign, agent: FakeAgent, name: str) -> None:
        self._campaign = campaign
        self._agent = agent
        self._name = name
        self._folder: Path = campaign.work / name
        self._folder.mkdir()
        self.said = ""
        self.kills = 0

    async def live(self, kills: int) -> None:
        """Be killed so often, then come to the end without being killed."""
        typed = f"/finetune sample name:{self._name}\n1\n"
        for _ in range(kills):
            await self._killed(typed)
            typed = self._next_words()
        for _ in range(3):
            self._hear(await play(self._folder, self._agent.url, self._next_words()))
            if self.told():
                return

    async def _killed(self, typed: str) -> None:
        bot = await start(self._folder, self._agent.url)
        assert bot.stdin is not None
        assert bot.stdout is not None
        bot.stdin.write(typed.encode())
        reading = asyncio.create_task(bot.stdout.read())
        await asyncio.sleep(self._campaign.dice.uniform(*LIFE_S))
        bot.kill()
        self._hear((-9, (await reading).decode()))
        await bot.wait()
        bot._transport.close()  # type: ignore[attr-defined]
        self.kills += 1

    def _hear(self, heard: tuple[int | None, str]) -> None:
        self._campaign.tell(f"{self._name}: exit code {heard[0]}, said:\n{heard[1]}")
        self.said += heard[1]

    def _next_words(self) -> str:
        """Type what a person would: nothing once the job is there, Start for a plan, all anew when nothing is known."""
        if self._jobs():
            return ""
        if any(plan.suffix == self._name for plan in self._agent.plans.values()):
            return "1\n"
        return "" if "Reading" in self.said else f"/finetune sample name:{self._name}\n1\n"

    def _jobs(self) -> list[str]:
        return [job.id for job in self._agent.jobs.values() if job.suffix == self._name]

    def told(self) -> int:
        """Count the results that were shown."""
        return self.said.count(RESULT)

    def check(self) -> None:
        made = self._jobs()
        self._campaign.promise(len(made) == 1, f"{self._name} made the jobs {made}")
        told = self.told()
        known = told or MAYBE_TOLD in " ".join(self.said.split())
        self._campaign.promise(known, f"the result of {self._name} was never told")
        self._campaign.promise(told <= 1 + self.kills, f"{told} results of {self._name} after {self.kills} kills")
