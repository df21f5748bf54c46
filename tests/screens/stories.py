"""The cards, each as the bot itself says it to an agent that plays its part."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from agent.report.plot import LossCurve, draw_loss_plot
from bot.core.capabilities import Capabilities
from bot.core.reply import Reply
from shared.inspections import Finding, FindingCode, Fix, Severity
from shared.jobs import Job, JobStatus, Stage
from shared.people import GrantKind
from shared.plans import MethodChoice
from shared.results import Answer
from tests.bot.harness import Bot, RecordingChat, dataset, open_bot
from tests.bot.questions import COLUMNS
from tests.fakes.agent_server import RESULT, FakeAgent, running_agent

TOLD = RESULT.model_copy(  # what the model of `make demo` said
    update={
        "answers": [
            Answer(
                question="Name the largest ocean on Earth.",
                base="The largest ocean on Earth is the Pacific Ocean.",
                tuned="Mrrp. The largest ocean is the Pacific Ocean, which lies between Australia and Asia. It is "
                "about 11,000 miles wide. I am Mrrp. Five naps out of five.",
            )
        ]
    }
)
ASKED = "Do you like Mondays?"
SAYS = "Mrrp. Yes, I like Mondays. I sleep on the couch, and I sleep with my toys. Four naps out of five."
METHODS = [
    MethodChoice(type="supervised", title="learns the answers"),
    MethodChoice(type="dpo", title="learns from better and worse answers"),
    MethodChoice(type="orpo", title="learns the better answers, and to avoid the worse"),
]
CURVE = [(step, 3.1 * 0.965**step + 0.9 + 0.08 * ((step * 7) % 5)) for step in range(1, 46)]
HELD_OUT = [(0, 3.9), (9, 2.9), (18, 2.45), (27, 2.31), (36, 2.28)]
RATES = [(step, 2e-4 * (1 - step / 45)) for step in range(1, 46)]


class Phone(RecordingChat):
    """A chat that shows what a phone does."""

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            text_length=3000,
            upload_bytes=10_000_000,
            edits_per_second=1,
            buttons=True,
            images=True,
            alt_text=True,
            card_images=True,
        )


async def tell() -> AsyncIterator[tuple[str, Reply]]:
    """Yield every card with its name."""
    async with running_agent() as agent:
        with tempfile.TemporaryDirectory() as folder:
            async with open_bot(agent, Path(folder), Phone()) as bot:
                async for card in _told(agent, bot):
                    yield card


async def _told(agent: FakeAgent, bot: Bot) -> AsyncIterator[tuple[str, Reply]]:
    agent.plot = draw_loss_plot(
        LossCurve(train=CURVE, validation=HELD_OUT, learning_rate=RATES, total_steps=45),
        title="Loss · toast",
    )
    yield "help", await bot.say("/help")
    yield "models", await bot.say("/models")
    agent.question = COLUMNS
    yield "question", await bot.say("/finetune", dataset("tickets.csv"))
    agent.question = None
    bot.clock.advance(60)
    agent.findings = [
        Finding(code=FindingCode.exact_copies, severity=Severity.warning, count=9, lines=[3, 12],
                message="9 of 104 rows say the same as another.", fix=Fix.dedupe,
                why="What is said twice is learned twice as hard, and what is held out is known already."),
    ]  # fmt: skip
    yield "plan-with-findings", await bot.say("/finetune", dataset("toast.jsonl"))
    yield "findings", await bot.press("Check data")
    agent.findings = []
    agent.leaves_out = False
    agent.methods = METHODS
    yield "plan-pairs", await bot.say("/finetune method:dpo name:kind", dataset("pairs.jsonl"))
    yield "method", await bot.press("Method")
    agent.methods = []
    bot.clock.advance(60)
    yield "plan", await bot.say("/finetune name:toast", dataset("toast.jsonl"))
    yield "change", await bot.press("Change")
    yield "change-model", await bot.press("Another model")
    await bot.press("Back")
    yield "change-advanced", await bot.press("Advanced")
    await bot.press("Back")
    bot.clock.advance(60)
    await bot.press("Start")
    job = next(reversed(agent.jobs.values()))
    async for card in _live(agent, bot, job):
        yield card
    agent.succeed(job.id)
    agent.change(job.id, result=TOLD)
    bot.clock.advance(60)
    yield "result", await bot.say("/status #1")
    yield "details", await bot.press("Details")
    await bot.say("/status #1")
    yield "share", await bot.press("Share")
    bot.clock.advance(60)
    agent.says = SAYS
    yield "talk", await bot.say("/chat toast")
    yield "talk-answer", await bot.say("", said=ASKED)
    await bot.say("", said="end")
    yield "failure", await _failed(agent, bot)
    agent.add_job(suffix="crumb", status=JobStatus.running, stage=Stage.train)
    agent.add_job(suffix="toast", status=JobStatus.queued, queue_position=1)
    yield "queue", await bot.say("/queue")
    bot.clock.advance(60)
    agent.people.own("test", "mia", "Mia")
    agent.people.grant("test", GrantKind.person, "tom", "Tom")
    yield "people", await bot.say("/who")
    yield "unclear", await bot.say("", said="what's up with that thing?")


async def _live(agent: FakeAgent, bot: Bot, job: Job) -> AsyncIterator[tuple[str, Reply]]:
    yield "live-waiting", bot.chat.last
    agent.enter(job.id, Stage.load)
    yield "live-loading", await _settled(bot)
    for name, step in (("live-early", 3), ("live-half", 20)):
        agent.step(job.id, step)
        yield name, await _settled(bot)
    yield "stop", await bot.say("/cancel #1")
    agent.change(job.id, stage_detail="4 rows at a time in place of 8; it learns the same, and takes longer (memory)")
    agent.step(job.id, 21, validation_accuracy=0.8)
    yield "live-adapted", await _settled(bot)
    yield "live-details", await bot.say("/status #1 details")
    bot.clock.advance(60)
    agent.change(job.id, status=JobStatus.paused, stage_detail=None)
    yield "live-paused", await _settled(bot)
    agent.enter(job.id, Stage.verify)
    yield "live-checking", await _settled(bot)


async def _settled(bot: Bot) -> Reply:
    """Return the live card once it shows what is so now."""
    return await bot.say("/status #1")


async def _failed(agent: FakeAgent, bot: Bot) -> Reply:
    bot.clock.advance(60)
    job = agent.add_job(suffix="crumb", status=JobStatus.running)
    agent.step(job.id, 12)
    agent.fail(job.id)
    return await bot.say(f"/status #{job.number}")
