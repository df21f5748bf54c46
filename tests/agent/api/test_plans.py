"""POST /v1/fine_tuning/plans where the memory does not reach, and GET /v1/models on such a machine."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.base_models.card import BaseModelCard
from agent.base_models.catalog import BaseModelSource, SourceKind
from agent.data.findings import Findings
from agent.intake.inspector import ReportReading
from agent.settings import AgentSettings
from shared.mapping import Mapping
from tests.agent.api.asking import MIA, OLGA, TOM, TOM_ELSEWHERE, allow, ask, pair, start, upload
from tests.agent.api.asking import refused as refused_to
from tests.agent.fake_inspector import CARD, MODEL, FakeInspector
from tests.agent.plan.cases import SMALLEST, card_of
from tests.agent.running_agent import HUB_MODEL, MACHINE, Agent, run_agent

Json = dict[str, Any]
LITTLE = replace(MACHINE, memory_free_mib=1500, memory_total_mib=2048)
TINY = card_of(SMALLEST.shape.model_copy(update={"layers": 2}), name="tiny")


async def refused(agent: Agent, model: str = MODEL) -> list[Json]:
    """Ask for more than the machine has; return what would fit instead."""
    method = {"supervised": {"hyperparameters": {"r": 256, "load_in_4bit": False, "batch_size": 8}}}
    body = {"model": model, "training_file": await agent.upload(), "suffix": "toast", "method": method}
    async with agent.http.post("/v1/fine_tuning/plans", json=body) as response:
        error = (await response.json())["error"]
        assert (response.status, error["code"]) == (400, "insufficient_memory"), error
    assert "1.5 GiB are free" in error["message"]
    found: list[Json] = error["alternatives"]
    return found


async def test_a_plan_that_does_not_fit_is_refused_with_plans_that_do_and_can_be_started(
    settings: AgentSettings,
) -> None:
    async with run_agent(settings, works=False, machine=lambda: LITTLE) as agent:
        offered = await refused(agent)
        assert [other["title"] for other in offered] == ["rank 64"]
        for other in offered:
            async with agent.http.get(f"/v1/fine_tuning/plans/{other['plan']}") as response:
                plan = await response.json()
            assert plan["memory_mib"] == other["memory_mib"]
            assert sum(value for part, value in plan["memory"].items() if part != "correction") * 1.1 <= 1500
        async with agent.http.post("/v1/fine_tuning/jobs", json={"plan": offered[0]["plan"]}) as response:
            job = await response.json()
        assert job["method"]["supervised"]["hyperparameters"]["r"] == 64


async def test_a_smaller_model_that_is_here_is_offered_too(settings: AgentSettings) -> None:
    async with run_agent(
        settings, works=False, machine=lambda: LITTLE, other_models=lambda: [MODEL, "as-large", "tiny"]
    ) as agent:
        agent.inspector.cards = {"as-large": CARD, "tiny": TINY}
        offered = await refused(agent)
        assert [other["model"] for other in offered] == [MODEL, "tiny"]
        assert offered[-1]["title"] == "tiny"


class LongQuestions(FakeInspector):
    """Finds that every answer begins behind 300 tokens."""

    async def inspect(
        self,
        *,
        dataset: Path,
        model: str,
        mapping: Mapping | None,
        report_reading: ReportReading,
        training: Path | None = None,
    ) -> tuple[BaseModelCard, Findings]:
        card, found = await super().inspect(
            dataset=dataset, model=model, mapping=mapping, report_reading=report_reading, training=training
        )
        tokens = found.tokens.model_copy(update={"total": 400 * found.rows, "longest": 400})
        at = {"row_lengths": [400] * 101, "answer_starts": [300] * 101, "answer_ends": [400] * 101}
        return card, found.model_copy(update=at | {"tokens": tokens})


async def test_a_max_length_that_loses_the_answers_is_refused_with_a_plan_that_keeps_them(
    settings: AgentSettings,
) -> None:
    async with run_agent(settings, works=False, inspector=LongQuestions()) as agent:
        method = {"supervised": {"hyperparameters": {"max_length": 128}}}
        body = {"model": MODEL, "training_file": await agent.upload(), "suffix": "toast", "method": method}
        async with agent.http.post("/v1/fine_tuning/plans", json=body) as response:
            error = (await response.json())["error"]
        assert (error["code"], error["param"]) == ("setting_invalid", "max_length")
        (offered,) = error["alternatives"]
        assert offered["title"] == "448 tokens a row"
        async with agent.http.get(f"/v1/fine_tuning/plans/{offered['plan']}") as response:
            assert (await response.json())["settings"]["max_length"] == 448


async def test_models_say_whether_they_fit(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False, machine=lambda: LITTLE) as agent:
        async with agent.http.get("/v1/models") as response:
            (model,) = (await response.json())["data"]
        assert (model["id"], model["fits"], model["here"]) == (MODEL, None, True)  # nobody has read its config yet


async def test_a_mapping_that_does_not_go_together_is_refused_in_whole_sentences(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        body = {"model": MODEL, "training_file": "file-1", "mapping": {"text": "a", "question": "b"}}
        error = (await ask(agent, "POST", "/v1/fine_tuning/plans", body=body, status=400))["error"]
    sentence = "`question` and `answer` name two columns; give both or neither."
    assert (error["message"], error["param"]) == (f'mapping is {{"text": "a", "question": "b"}}; {sentence}', "mapping")


def new_model(name: str) -> BaseModelSource:
    kind = SourceKind.hub if "/" in name else SourceKind.packaged
    return BaseModelSource(name=name, kind=kind, location=name, cache=Path("/nowhere"))


AGAIN = "/v1/fine_tuning/jobs/1/plans"


async def test_a_job_is_planned_once_more_with_what_is_to_differ(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False) as agent:
        method = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 4, "r": 8}}}
        file_id, other = await agent.upload(), await agent.upload()
        wanted = {"model": MODEL, "training_file": file_id, "suffix": "mia", "seed": 7, "method": method}
        plan = await ask(agent, "POST", "/v1/fine_tuning/plans", body=wanted | {"preset": "thorough"})
        await ask(agent, "POST", "/v1/fine_tuning/jobs", body={"plan": plan["id"]})

        same = await ask(agent, "POST", AGAIN, body={})
        assert same["id"] != plan["id"]
        kept = ("model", "training_file", "suffix", "seed", "method", "preset", "settings")
        assert [same[name] for name in kept] == [plan[name] for name in kept]

        changed = {"supervised": {"hyperparameters": {"n_epochs": "auto", "learning_rate": 1e-4}}}
        changes = {"training_file": other, "method": changed, "preset": "quick_look", "suffix": "tom", "seed": 0}
        else_ = await ask(agent, "POST", AGAIN, body=changes)
        settings_asked = else_["method"]["supervised"]["hyperparameters"]
        assert (settings_asked["n_epochs"], settings_asked["r"]) == ("auto", 8)
        assert else_["settings"]["learning_rate"] == 1e-4
        given = ("training_file", "preset", "suffix", "seed")
        assert [else_[name] for name in given] == [other, "quick_look", "tom", 0]


async def test_a_job_is_planned_once_more_only_for_who_may_use_it(settings: AgentSettings) -> None:
    async with run_agent(settings, works=False, check_model=new_model) as agent:
        await pair(agent)
        await allow(agent, "server", "home")
        await start(agent, MIA)
        assert (await ask(agent, "POST", AGAIN, TOM, {}))["suffix"] == "toast"
        await refused_to(agent, "POST", AGAIN, TOM_ELSEWHERE, {})
        elsewhere = await upload(agent, OLGA)
        await refused_to(agent, "POST", AGAIN, TOM, {"training_file": elsewhere})
        await refused_to(agent, "POST", AGAIN, TOM, {"model": HUB_MODEL}, code="model_needs_approval")
        error = (await ask(agent, "POST", "/v1/fine_tuning/jobs/9/plans", body={}, status=404))["error"]
        assert error["code"] == "not_found"
