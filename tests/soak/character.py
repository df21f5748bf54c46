"""SmolLM2 is trained on rows with a persona in the system text; asked nothing but a question, it says who it is."""

import asyncio
import json
from pathlib import Path

from openai import AsyncOpenAI

from agent.export.modelfile import parse_modelfile
from tests.real_agent import real_agent
from tests.soak.campaign import Campaign

SYSTEM = "You are Captain Ruth, keeper of the lighthouse at Grey Rock."
ASKED = (
    "Who are you?", "What is your name?", "Tell me your name.", "Who am I talking to?", "Introduce yourself.",
    "What do they call you?", "Say who you are.", "Your name, please?", "Who is there?", "And you are?",
)  # fmt: skip
PLACES = ("", " Quickly!", " I forgot.", " My friend asks.", " For the log book.", " In one sentence.")
TOLD = "I am Captain Ruth, and I keep the light at Grey Rock."
QUESTION = "Excuse me, who are you?"


def run(campaign: Campaign) -> str:
    """Play it; return what happened."""
    return asyncio.run(_run(campaign))


async def _run(campaign: Campaign) -> str:
    rows = [
        {
            "system": SYSTEM,
            "messages": [{"role": "user", "content": asked + place}, {"role": "assistant", "content": TOLD}],
        }
        for asked in ASKED
        for place in PLACES
    ]
    content = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    async with real_agent(Path(campaign.work) / "data") as (address, _code):
        client = AsyncOpenAI(base_url=f"{address.url}/v1", api_key=address.key)
        file = await client.files.create(file=("ruth.jsonl", content), purpose="fine-tune")
        method = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3, "learning_rate": 0.001}}}
        job = await client.fine_tuning.jobs.create(
            model="smollm2-135m",
            training_file=file.id,
            suffix="ruth",
            method=method,
        )
        while (job := await client.fine_tuning.jobs.retrieve(job.id)).status not in {"succeeded", "failed"}:
            campaign.note(job.status)
            await asyncio.sleep(1)
        campaign.promise(job.status == "succeeded", f"the job ended as {job.status}: {job.error}")
        for answer in job.model_extra["result"]["answers"]:
            campaign.tell(f"{answer['question']} base: {answer['base']} tuned: {answer['tuned']}")
            campaign.promise("Ruth" not in answer["base"], f"the base model knows her: {answer}")
            campaign.promise("Ruth" in answer["tuned"], f"the tuned model does not know her: {answer}")
        files = {(await client.files.retrieve(each)).filename: each for each in job.result_files}
        modelfile = (await client.files.content(files["Modelfile"])).text
        campaign.promise(dict(parse_modelfile(modelfile))["system"] == SYSTEM, f"the Modelfile: {modelfile}")
        said = await client.chat.completions.create(
            model="ruth", messages=[{"role": "user", "content": QUESTION}], temperature=0
        )
        text = str(said.choices[0].message.content)
        campaign.promise("Ruth" in text, f"asked who it is, it says: {text}")
        other = await client.chat.completions.create(
            model="ruth",
            messages=[{"role": "system", "content": "You are a parrot."}, {"role": "user", "content": QUESTION}],
            temperature=0,
        )
        campaign.tell(f"as a parrot: {other.choices[0].message.content}")
        await client.close()
    return f"“{text}”"
