"""Inspection: the whole child against a plain datasets.load_dataset and a tokenizer map of the same file.

The plain side only tokenizes; ours also renders the template, marks what is trained, and finds all that it finds. Of
100,000 rows and more ours tokenizes a sample of 20,000. The card's time is what a person waits for: a real agent takes
the file in, reads it and makes the plan; the first time on a machine it gets to know the model as well.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from agent.base_models.card import BaseModelCard
from agent.base_models.catalog import PACKAGED
from agent.children.environment import child_environment
from agent.data.findings import InspectReply, InspectRequest
from agent.intake.inspector import Inspector
from agent.settings import AgentSettings
from bot.agent_api.client import AgentClient
from bot.agent_api.dataset_upload import inspect, upload
from bot.agent_api.transport import Address, Transport
from bot.cards.plan import plan_card
from bot.core.call import Attachment
from bot.core.clock import SystemClock
from bot.following.results import bytes_file
from shared.plans import PlanRequest
from tests.bench.figure import Bar, Figure, median
from tests.bench.processes import run_agent

AGAINST = "load_dataset + tokenizer map"
SIZES = (999, 100_000, 1_000_000)
MEMORY = Bar(limit=600)


def run(work: Path, rounds: int, data: Path) -> Iterator[Figure]:
    """Measure both sides in turns, on files made of the words of `data`."""
    work.mkdir(parents=True)
    card = asyncio.run(Inspector(AgentSettings(hearth_data_dir=work)).describe(PACKAGED))
    for rows in SIZES:
        path = write_rows(work / f"{rows}.jsonl", data.read_text(encoding="utf-8").split(), rows=rows)
        ours, theirs = [], []
        for number in range(rounds if rows < 10_000 else 1):
            ours.append(measure([sys.executable, "-m", "agent.children", "agent.data.inspect"], _request(path, card)))
            cache = work / f"cache-{rows}-{number}"
            plain = [sys.executable, "-m", "tests.bench.inspection", str(path), card.folder, str(cache)]
            theirs.append(measure(plain, ""))
        our_s, their_s = (median([seconds for seconds, _ in side]) for side in (ours, theirs))
        mib = path.stat().st_size / 2**20
        what = f"inspection of {rows} rows, {mib:.1f} MiB"
        for unit, amount in (("rows/s", rows), ("MiB/s", mib)):
            yield Figure(what=what, ours=amount / our_s, unit=unit, theirs=amount / their_s, against=AGAINST)
        if rows == SIZES[0]:
            yield from _cards(work / "cards", path, their_s)
        our_mib, their_mib = (max(peak for _, peak in side) for side in (ours, theirs))
        yield Figure(
            what=f"{what}, peak memory", ours=our_mib, unit="MiB", theirs=their_mib, against=AGAINST, bar=MEMORY
        )


def _cards(work: Path, path: Path, their_s: float) -> Iterator[Figure]:
    with run_agent(work) as server:
        for model in ("seen for the first time", "known"):
            seconds = asyncio.run(_to_a_card(path.name, path.read_bytes(), Address(url=server.url, key=server.key)))
            what = f"from upload to card, {SIZES[0]} rows, model {model}"
            yield Figure(what=what, ours=seconds, unit="s", theirs=their_s, against=AGAINST)


async def _to_a_card(name: str, content: bytes, address: Address) -> float:
    began = time.monotonic()
    async with Transport() as transport:
        agent = AgentClient(lambda _who: address, transport=transport, clock=SystemClock())
        sent = Attachment(name=name, size=len(content), open=bytes_file(name, content).open)
        file = await upload(agent, sent)
        inspection = await inspect(agent, file, model=PACKAGED)
        plan = await agent.plan(PlanRequest(model=PACKAGED, training_file=file.id))
    card = plan_card(
        file.filename, inspection, plan, "1", at=None, now=time.time(), machine_paused=False
    )  # fmt: skip
    assert card.text
    return time.monotonic() - began


def write_rows(path: Path, words: list[str], *, rows: int | None = None, size: int | None = None) -> Path:
    """Write so many rows, or so many bytes, of answers with about 55 words each."""
    dice = random.Random(1)
    written = number = 0
    with path.open("wb") as file:
        while (rows is None or number < rows) and (size is None or written < size):
            answer = " ".join(dice.choices(words, k=int(dice.lognormvariate(4, 0.8)) + 1))
            line = json.dumps({"instruction": f"Say something, number {number}", "output": answer}).encode() + b"\n"
            file.write(line)
            written += len(line)
            number += 1
    return path


def measure(command: list[str], request: str) -> tuple[float, float]:
    """Run a process; return its seconds, imports included, and the most MiB it had resident."""
    environment = child_environment(offline=True) | {"PYTHONSAFEPATH": ""}
    began = time.monotonic()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(request.encode())
        process.stdin.close()
        lines = process.stdout.read().splitlines()
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0 or (request and InspectReply.model_validate_json(lines[-1]).findings is None):
        sys.exit(f"{' '.join(command)} failed: {lines[-1:]}")
    return time.monotonic() - began, usage.ru_maxrss / 1024


def _request(path: Path, card: BaseModelCard) -> str:
    return InspectRequest(dataset=str(path), card=card).model_dump_json()


def plain(path: str, folder: str, cache: str) -> None:
    """Do what a script does: load, and tokenize every row in batches."""
    from datasets import disable_progress_bars, load_dataset
    from transformers import AutoTokenizer

    disable_progress_bars()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    rows = load_dataset("json", data_files=path, split="train", cache_dir=cache)
    rows.map(lambda batch: tokenizer([f"{q}\n{a}" for q, a in zip(batch["instruction"], batch["output"], strict=True)]),
             batched=True)  # fmt: skip


if __name__ == "__main__":
    plain(*sys.argv[1:])
