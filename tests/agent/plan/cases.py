"""Models, data and machines to make plans for."""

from agent.base_models.card import BaseModelCard
from agent.base_models.known import KNOWN
from agent.base_models.shape import ModelShape
from agent.data.findings import Findings
from agent.machine.gpu import Machine
from agent.plan.duration import MeasuredRun
from agent.plan.resolve import make_plan
from shared.files import FileObject, FilePurpose
from shared.inspections import DatasetForm, SampleRow, TokenCounts
from shared.plans import Plan, PlanRequest

FILE = FileObject(
    id="file-1", bytes=10, created_at=0, filename="Mia's Support.jsonl", purpose=FilePurpose.fine_tune, sha256="0" * 64
)
SMALLEST = min(KNOWN, key=lambda model: model.parameters)


def card_of(shape: ModelShape, *, name: str) -> BaseModelCard:
    """Return the card that describing a model of this shape would give."""
    return BaseModelCard(
        name=name, revision="r1", folder="/nowhere", architecture="LlamaForCausalLM", parameters=shape.parameters,
        hidden_size=shape.hidden_size, intermediate_size=shape.intermediate_size, layers=shape.layers,
        vocab_size=shape.vocab_size, context_length=shape.context_length, linear_parameters=shape.linear_parameters,
        lora_parameters_per_rank=shape.lora_parameters(1), weights_bytes=2 * shape.parameters, license=None,
        chat_template="{{ messages }}", eos_tokens=["</s>"], gguf_problem=None, shape=shape,
    )  # fmt: skip


def findings(rows: int = 104, *, longest: int = 130, trained_share: float = 0.5) -> Findings:
    """Return what an inspection of short questions and answers finds."""
    total = max(10, rows * longest * 6 // 10)
    tokens = TokenCounts(
        total=total, trained=max(1, round(total * trained_share)), median=longest // 2, p95=longest, longest=longest,
        longest_answer=max(1, round(longest * trained_share)),
    )  # fmt: skip
    return Findings(
        form=DatasetForm.messages, rows=rows, dropped_count=0, dropped=[], tokens=tokens,
        sample=SampleRow(line=1, parts=[]), answer_starts=[20] * 101, notes=[],
    )  # fmt: skip


def machine(*, device: str = "cpu", free_mib: int = 20_000) -> Machine:
    """Return a machine with so much memory and plenty of disk."""
    return Machine(
        device="cuda" if device == "cuda" else "cpu", name="CPU (2 cores)", cores=2, memory_total_mib=free_mib,
        memory_free_mib=free_mib, disk_free_mib=2_000_000,
    )  # fmt: skip


def planned(
    request: PlanRequest, card: BaseModelCard, data: Findings, on: Machine, measured: list[MeasuredRun] | None = None
) -> Plan:
    """Make a plan of nothing else in the queue. Raises AgentError."""
    return make_plan(
        request, plan_id="ftplan-1", file=FILE, findings=data, card=card, machine=on, queue_position=1,
        queue_wait_minutes=0, now=0, measured=measured or [],
    )  # fmt: skip
