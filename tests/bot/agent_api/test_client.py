"""On whose behalf the agent is asked: what answers a person names them, the bot's own work does not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientResponse, FormData

from bot.agent_api.client import AgentClient
from bot.agent_api.transport import Address
from bot.commands import COMMANDS
from bot.errors import AgentRefusedError
from shared.jobs import JobStatus
from shared.people import HEADER_LIMIT, RequestedBy, header_of
from tests.bot.harness import Bot, dataset
from tests.fakes.agent_server import KEY, FakeAgent

LINES = {  # of every command, so that a new one is not forgotten
    "finetune": [
        "/finetune file:file-1",
        "/finetune change:{plan}",
        "/finetune forget:{plan}",
        "/finetune plan:{plan}",
    ],
    "dataset": ["/dataset", "/dataset file-1", "/dataset help"],
    "models": ["/models", "/models allow:org/name"],
    "status": [
        "/status",
        "/status #1",
        "/status #1 answers",
        "/status #1 details",
        "/status #1 files",
        "/status #1 slower",
        "/status #1 save",
    ],
    "queue": ["/queue"],
    "jobs": ["/jobs"],
    "plot": ["/plot #1"],
    "log": ["/log #1", "/log #1 file"],
    "pause": ["/pause", "/pause #1"],
    "resume": ["/resume", "/resume #1"],
    "cancel": ["/cancel #1 keep", "/cancel #1 keep-epoch", "/cancel #1 yes", "/cancel #1"],
    "retry": ["/retry #1"],
    "delete": ["/delete #1", "/delete #1 yes"],
    "chat": ["/chat #1", "/chat new", "/chat end"],
    "share": ["/share #1"],
    "try": ["/try #1", "/try #1 Who are you?"],
    "gpu": ["/gpu"],
    "pair": ["/pair", "/pair ABCD-2345"],
    "allow": ["/allow chat"],
    "deny": ["/deny chat"],
    "who": ["/who", "/who take:test:chat:room"],
    "settings": ["/settings", "/settings zone", "/settings zone Berlin", "/settings files no"],
    "help": ["/help", "/help results", "/help people"],
}


class OnBehalfOnly(AgentClient):
    """Takes it for a bug if somebody's command asks without naming them."""

    @asynccontextmanager
    async def _ask(
        self,
        method: str,
        path: str,
        *,
        data: FormData | str | None = None,
        headers: dict[str, str] | None = None,
        patience_s: float | None = None,
    ) -> AsyncIterator[ClientResponse]:
        assert self._person is not None, path
        async with super()._ask(method, path, data=data, headers=headers, patience_s=patience_s) as response:
            yield response


@pytest.fixture
def watched(agent: FakeAgent, bot: Bot) -> Bot:
    """A bot whose commands may ask on somebody's behalf alone; live cards are kept by another client."""
    client = OnBehalfOnly(
        lambda _who: Address(url=agent.url, key=KEY), transport=bot.core.agent._wire._transport, clock=bot.clock
    )
    bot.core = replace(bot.core, agent=client)
    return bot


async def test_every_request_that_answers_a_command_names_who_asked(agent: FakeAgent, watched: Bot) -> None:
    bot = watched
    assert list(LINES) == [command.name for command in COMMANDS]
    job = agent.add_job(status=JobStatus.running)
    agent.step(job.id, 5)
    await bot.say("/finetune", dataset())
    plan = next(iter(agent.plans))
    for name, lines in LINES.items():
        for line in lines:
            bot.core.bursts._purses.clear()
            reply = await bot.say(line.format(plan=plan), name="Mia", private=name not in {"allow", "deny"})
            assert "went wrong" not in reply.text, line


async def test_what_a_person_is_shown_never_comes_from_a_request_without_them(agent: FakeAgent, watched: Bot) -> None:
    bot = watched
    agent.people.own("test", "owner", "Ada")
    agent.add_job(status=JobStatus.running)
    for lines in LINES.values():
        for line in lines:
            bot.core.bursts._purses.clear()
            await bot.say(line.format(plan="ftplan-1"), person="eve", name="Eve")
    assert agent.jobs["ftjob-1"].status is JobStatus.running
    assert not agent.paused
    assert not agent.files
    assert {who.person for _, _, who in agent.requests if who is not None} == {"eve"}
    shown = " ".join(reply.text for reply in bot.chat.messages.values())
    assert "toast" not in shown
    assert "CPU" not in shown


async def test_uploads_and_plans_name_who_asked_and_from_where(agent: FakeAgent, bot: Bot) -> None:
    where: dict[str, Any] = {
        "chat_id": "room",
        "rights_chat_id": "parent",
        "server": "home",
        "roles": ("crew",),
        "private": False,
    }
    await bot.say("/finetune", dataset(), name="Mia", **where)
    wanted = RequestedBy(
        platform="test", person="mia", chat="parent", server="home", roles=("crew",), name="Mia", private=False
    )
    asked = {(method, path.split("/")[2]): who for method, path, who in agent.requests if who is not None}
    assert asked["POST", "files"] == asked["POST", "fine_tuning"] == asked["GET", "agent"] == wanted
    assert agent.plan_requests[0].requested_by == wanted


async def test_the_feed_is_the_bots_own_and_card_and_result_are_asked_for_in_their_persons_name(
    agent: FakeAgent, bot: Bot
) -> None:
    await bot.say("/finetune sample")
    await bot.press("Start")
    await bot.until(lambda: not bot.core.requests.unanswered())
    del agent.requests[:]
    agent.step("ftjob-1", 20)
    await bot.until(lambda: "training 44 %" in bot.chat.last.text, step_s=1)
    agent.succeed("ftjob-1")
    await bot.until(lambda: bot.chat.last.text.startswith("✓ toast is ready"), step_s=1)
    assert agent.requests
    assert {who.person for _, _, who in agent.requests if who is not None} == {"mia"}
    assert {path for _, path, who in agent.requests if who is None} <= {"/v1/agent", "/v1/agent/events"}


async def test_agent_that_is_away_is_away_for_all(agent: FakeAgent, bot: Bot) -> None:
    await agent.stop()
    await bot.say("/jobs")
    assert bot.core.agent.lost_since is not None
    assert bot.core.agent.lost_since == bot.core.on_behalf_of(bot.call("/jobs").requested_by).agent.lost_since


def test_a_person_with_every_role_fits_into_the_header(bot: Bot) -> None:
    roles = tuple(str(10**18 + number) for number in range(400))
    asked = bot.call("/jobs", roles=roles, name="🦉\u202e" * 100).requested_by
    assert len(header_of(asked)) < HEADER_LIMIT
    assert "\u202e" not in (asked.name or "")


@pytest.mark.parametrize(
    "word", ["../agent", "a/b", "%2e%2e", "?x", "#", "..", ".", "a\\..\\b", "\N{GREEK SMALL LETTER ALPHA}"]
)
async def test_a_word_in_a_path_names_one_thing_and_reaches_no_other_route(
    agent: FakeAgent, bot: Bot, word: str
) -> None:
    await bot.until(lambda: bool(agent.feeds))
    agent.asked.clear()
    reply = await bot.say(f"/finetune file:{word}")
    assert not reply.buttons
    assert set(agent.asked) <= {f"/v1/files/{word}"}
    assert "is the name of nothing" in " ".join(reply.text.split()) or agent.asked


async def test_an_agent_of_before_there_were_themes_is_asked_for_a_plot_without_one(agent: FakeAgent, bot: Bot) -> None:
    agent.step(agent.add_job().id, 20)
    assert (await bot.core.agent.plot("ftjob-1", dark=True)).png
    agent.themes = False
    assert (await bot.core.agent.plot("ftjob-1", dark=True)).png
    assert agent.plotted == ["dark", "light"]


async def test_a_plot_that_is_refused_for_another_reason_is_not_asked_for_twice(agent: FakeAgent, bot: Bot) -> None:
    with pytest.raises(AgentRefusedError):
        await bot.core.agent.plot("ftjob-7", dark=True)
