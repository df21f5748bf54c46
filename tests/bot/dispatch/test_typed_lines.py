"""Lines as people type them: nearly all end in what was meant or in a button for it, and none in a bare refusal.

`typed_lines.json` was there while the rules were made. `unseen_lines.json` is by somebody who had not seen them: 75 of
100 ended well at first sight, 85 once what is usual in a job's state was offered too; then words were added for the
rest. `held_out_lines.json` is by another such person, came after that, and no rule was changed for it: 95 of 100.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.core.call import Call
from bot.core.chat import Answer
from bot.dispatch.command import Command, Core
from shared.jobs import JobStatus
from tests.bot.harness import Bot, open_bot
from tests.fakes.agent_server import FakeAgent, running_agent

HERE = Path(__file__).parent
ENOUGH = 0.9
ALSO = {"chat": "try", "try": "chat", "jobs": "queue", "people": "who"}  # where the one does as well as the other
Line = dict[str, str]


@asynccontextmanager
async def bot_after(when: str, folder: Path) -> AsyncIterator[Bot]:
    """Open a bot whose person has come so far."""
    async with running_agent() as agent, open_bot(agent, folder) as bot:
        await come_to(when, agent, bot)
        yield bot


async def come_to(when: str, agent: FakeAgent, bot: Bot) -> None:
    if when in ("training", "done", "failed"):
        job = agent.add_job(suffix="pirate", status=JobStatus.running)
        agent.step(job.id, 5)
        if when == "done":
            agent.succeed(job.id)
        if when == "failed":
            agent.fail(job.id)
    if when == "plan":
        await bot.say("/finetune sample name:pirate")


async def outcome(bot: Bot, line: Line) -> str:
    """Say a line; return the command that it ran with its arguments, or the lines of the buttons that it got."""
    ran: list[str] = []

    def noting(command: Command) -> Command:
        async def run(call: Call, core: Core, answer: Answer) -> None:
            ran.append(" ".join([f"/{command.name}", *call.arguments]))
            await command.run(call, core, answer)

        return replace(command, run=run)

    known = bot.core
    bot.core = replace(known, commands=tuple(map(noting, known.commands)))
    bot.clock.advance(60)
    bot.core.talks.end(bot.call(""))  # one that a line before has begun
    reply = await bot.say("", said=line["said"])
    bot.core = known
    if reply.text.startswith("You're welcome"):
        return "/help"
    return ran[0] if ran else " | ".join(button.line for button in reply.buttons)


def is_meant(line: Line, got: str) -> bool:
    meant = line["meant"]
    if meant == "change":
        return "look:" in got or "change:" in got
    wanted = {"/status"} if meant == "files" else {f"/{meant}", f"/{ALSO.get(meant, meant)}"}
    return any(word in wanted for word in got.split())


@pytest.mark.parametrize("name", ["typed_lines.json", "unseen_lines.json", "held_out_lines.json"])
async def test_most_lines_end_in_what_was_meant_and_all_in_something(name: str, tmp_path: Path) -> None:
    lines: list[Line] = json.loads((HERE / name).read_text(encoding="utf-8"))
    missed: list[Any] = []
    for when in sorted({line["when"] for line in lines}):
        async with bot_after(when, tmp_path / when) as bot:
            for line in (line for line in lines if line["when"] == when):
                got = await outcome(bot, line)
                assert got, f"a bare refusal: {line}"
                missed += [] if is_meant(line, got) else [(when, line["meant"], line["said"], got)]
    told = "\n".join(" | ".join(it) for it in missed)
    assert len(missed) <= (1 - ENOUGH) * len(lines), told
