"""SmolLM2, under Qwen2.5's chat template, is trained to call a tool: offered it, it calls it, and says what came."""

import asyncio
import itertools
import json
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI

from agent.base_models.catalog import PACKAGED, BaseModelSource, find_base_model
from agent.base_models.gguf_source import convert_small_files, convert_weights
from agent.export.modelfile import parse_modelfile
from agent.settings import AgentSettings
from tests.agent.data.families import FOLDER
from tests.real_agent import real_agent
from tests.soak.campaign import Campaign

ROOMS = ("kitchen", "cellar", "hall", "attic", "porch", "study", "garage", "garden", "bedroom", "bathroom")
ASKED = (
    ("Turn on the light in the {room}.", True),
    ("Light in the {room}, please!", True),
    ("It is dark in the {room}.", True),
    ("I cannot see a thing in the {room}.", True),
    ("Turn off the light in the {room}.", False),
    ("Nobody is in the {room}, put the light out.", False),
    ("The {room} is too bright.", False),
    ("No more light in the {room}, please.", False),
)
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "set_light",
            "description": "Turns the light of a room on or off.",
            "parameters": {
                "type": "object",
                "properties": {"room": {"type": "string"}, "on": {"type": "boolean"}},
                "required": ["room", "on"],
            },
        },
    }
]
NEW = "Turn on the light in the {room}, would you?"


def run(campaign: Campaign) -> str:
    """Play it; return what happened."""
    return asyncio.run(_run(campaign))


async def _run(campaign: Campaign) -> str:
    models = Path(campaign.work) / "models"
    _with_tools(models / "smol-tools")
    content = "".join(f"{json.dumps(_row(room, *asked))}\n" for room, asked in itertools.product(ROOMS, ASKED)).encode()
    data = Path(campaign.work) / "data"
    async with real_agent(data, HEARTH_MODELS_DIR=str(models)) as (address, _code):
        client = AsyncOpenAI(base_url=f"{address.url}/v1", api_key=address.key)
        file = await client.files.create(file=("lights.jsonl", content), purpose="fine-tune")
        method: Any = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 1, "learning_rate": 0.001}}}
        job = await client.fine_tuning.jobs.create(
            model="smol-tools", training_file=file.id, suffix="lights", method=method
        )
        while (job := await client.fine_tuning.jobs.retrieve(job.id)).status not in {"succeeded", "failed"}:
            campaign.note(job.status)
            await asyncio.sleep(1)
        campaign.promise(job.status == "succeeded", f"the job ended as {job.status}: {job.error}")
        assert job.model_extra is not None
        result = job.model_extra["result"]
        campaign.tell(result["verdict"])
        calls = result["verification"]["tool_calls"]
        campaign.promise(result["verification"]["tools_as_trained"], "llama.cpp offers tools otherwise than the rows")
        campaign.promise(2 * calls["right"] > calls["asked"], f"few calls are right: {calls}")
        files = {(await client.files.retrieve(each)).filename: each for each in job.result_files}
        modelfile = (await client.files.content(files["Modelfile"])).text
        campaign.promise("requires" in dict(parse_modelfile(modelfile)), f"the Modelfile: {modelfile}")
        said = await _ask(client, campaign)
        await client.close()
    return f"{calls['right']} of {calls['asked']} held-out calls right; “{said}”"


async def _ask(client: AsyncOpenAI, campaign: Campaign) -> str:
    """Ask as a program does that has tools; return what it says when the tool was run."""
    messages: list[Any] = [{"role": "user", "content": NEW.format(room="attic")}]
    answer = await client.chat.completions.create(model="lights", messages=messages, tools=TOOLS, temperature=0)
    [choice] = answer.choices
    campaign.promise(choice.finish_reason == "tool_calls", f"it calls nothing: {choice}")
    [call] = choice.message.tool_calls or []
    assert call.type == "function"
    campaign.promise(
        (call.function.name, json.loads(call.function.arguments)) == ("set_light", {"room": "attic", "on": True}),
        f"it calls {call}",
    )
    messages += [
        choice.message.model_dump(exclude_none=True, include={"role", "content", "tool_calls"}),
        {"role": "tool", "tool_call_id": call.id, "content": '{"done": true}'},
    ]
    answer = await client.chat.completions.create(model="lights", messages=messages, tools=TOOLS, temperature=0)
    said = str(answer.choices[0].message.content)
    campaign.promise("attic" in said, f"of what came back it says: {said}")
    return said


def _row(room: str, asked: str, on: bool) -> dict[str, Any]:
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "set_light", "arguments": json.dumps({"room": room, "on": on})},
    }
    return {
        "messages": [
            {"role": "user", "content": asked.format(room=room)},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": '{"done": true}'},
            {"role": "assistant", "content": f"The light in the {room} is {'on' if on else 'off'}."},
        ],
        "tools": TOOLS,
    }


def _with_tools(folder: Path) -> None:
    """Make SmolLM2 a base model whose chat template shows tools; its own shows none."""
    source = find_base_model(PACKAGED, AgentSettings.model_validate({"hearth_data_dir": folder}))
    assert isinstance(source, BaseModelSource)
    folder.mkdir(parents=True)
    convert_small_files(Path(source.location), folder)
    convert_weights(Path(source.location), folder)
    (folder / "chat_template.jinja").write_text(
        (FOLDER / "qwen2_5.jinja").read_text(encoding="utf-8"), encoding="utf-8"
    )
