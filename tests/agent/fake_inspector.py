"""An inspector that reads nothing: it counts lines, and finds in each file what its tests need."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from agent.base_models.card import BaseModelCard
from agent.data.findings import Findings, Mended
from agent.data.readers.unclear import UnclearError
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.inspections import (
    Choice,
    DatasetForm,
    Fix,
    LengthHistogram,
    Question,
    ReadingProgress,
    SampleRow,
    TokenCounts,
)
from shared.mapping import Mapping

MODEL = "smollm2-135m"
CARD = BaseModelCard(
    name=MODEL, revision="r1", folder="/nowhere", architecture="LlamaForCausalLM", parameters=134_515_008,
    hidden_size=576, intermediate_size=1536, layers=30, vocab_size=49152, context_length=8192,
    linear_parameters=106_168_320, lora_parameters_per_rank=305_280, weights_bytes=269_000_000, license="apache-2.0",
    chat_template="{{ messages }}", eos_tokens=["<|im_end|>"], gguf_problem=None,
)  # fmt: skip

FRAGE = Mapping(question="frage", answer="antwort")  # how a file is read in which the inspector sees a “frage”


class FakeInspector:
    """Counts lines. With its gate closed, it takes as long as a test wants."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()
        self.models: list[str] = []  # those it was asked about
        self.cards: dict[str, BaseModelCard] = {}  # of those that are not the usual one

    async def inspect(
        self,
        *,
        dataset: Path,
        model: str,
        mapping: Mapping | None,
        report_reading: Callable[[ReadingProgress], None],
        training: Path | None = None,
    ) -> tuple[BaseModelCard, Findings]:
        report_reading(ReadingProgress(rows=1, bytes=10, of=100))
        self.asked.set()
        self.models.append(model)
        await self.gate.wait()
        lines = (await asyncio.to_thread(dataset.read_bytes)).splitlines()
        if b"broken" in lines[0]:
            raise AgentError("Line 1 is not JSON. Mend it and send it again.", code=ErrorCode.dataset_broken)
        if b"frage" in lines[0] and mapping is None:
            raise UnclearError("Which columns?", Question(about="columns", choices=[Choice(mapping=FRAGE)]))
        rows = len(lines)
        tokens = TokenCounts(total=rows * 20, trained=rows * 10, median=20, p95=20, longest=20, longest_answer=10)
        sample = SampleRow(line=1, parts=[("Question?", False), ("Toast.", True)])
        findings = Findings(
            form=DatasetForm.prompt_completion,
            rows=rows,
            dropped_count=0,
            dropped=[],
            tokens=tokens,
            sample=sample,
            lengths=LengthHistogram(width=20, kept=[0, rows], cut=[0, 0], lost=[0, 0], max_length=64, saves_all=20),
            notes=[],
        )
        return self.cards.get(model, CARD), findings

    async def mend(
        self, *, dataset: Path, model: str, fixes: list[Fix], output: Path, limit_bytes: int, mapping: Mapping | None
    ) -> Mended:
        lines = (await asyncio.to_thread(dataset.read_bytes)).splitlines(keepends=True)
        kept = list(dict.fromkeys(lines))
        await asyncio.to_thread(output.write_bytes, b"".join(kept))
        return Mended(rows=len(kept), removed=len(lines) - len(kept), changed=0)
