"""How long a run takes: from finished runs on this machine, else from a stated model. Always a range. Pure."""

from dataclasses import dataclass

from shared.hyperparameters import ResolvedSettings
from shared.plans import Range

# Trained parameters times tokens a second. CPU: SmolLM2-135M in NF4 with fp32 compute, 100 to 120 tokens/s a core.
# GPU: a T4 at the low end, an RTX 4090 at the high one (torchtune: Llama 3.1 8B QLoRA, 2,413 tokens/s).
CPU_RATE_A_CORE = (0.9e10, 1.7e10)
GPU_RATE = (2e12, 2e13)
# Seconds that a GPU waits to be told what to do, for each layer of each batch: all that counts for a small model.
# H200: 0.0125 with SmolLM2-135M, 0.018 to 0.021 with 1B to 8B parameters. A desktop's processor tells it faster.
GPU_WAIT_A_LAYER_S = (0.005, 0.02)
START_S = {"cpu": (25.0, 60.0), "cuda": (25.0, 90.0)}  # imports, weights into memory
# A step with DoRA over one without: 1.27 (fp32) and 1.41 (NF4) at 512 tokens, 1.8 and 1.9 with dropout, of four layers
# 576 wide on one core. It measures each matrix once a batch, so that small batches are slowed down most.
DORA, DORA_WITH_DROPOUT = (1.2, 2.0), (1.6, 2.5)
INT8 = (1.0, 2.0)  # over NF4: 1.13 there; LLM.int8 finds outliers in each product, which costs small models most
ANSWER_TOKENS = 900  # generated to compare base, tuned and exported model
MEASURED_SPREAD = 0.25


@dataclass(frozen=True, kw_only=True)
class MeasuredRun:
    """A finished job on this machine."""

    parameters: int
    device: str  # the machine's name then
    tokens_per_s: float
    family: str = ""  # config.json's model_type
    memory_ratio: float | None = None  # measured over estimated; None: not known


def estimate_minutes(
    *,
    parameters: int,
    layers: int,
    tokens: float,
    evaluated_tokens: float,
    batches: float,
    evaluated_batches: float,
    device: str,
    device_name: str,
    cores: int,
    measured: list[MeasuredRun],
    slower: tuple[float, float] = (1.0, 1.0),
) -> Range:
    """Estimate minutes from start to a verified model.

    `tokens` and `batches`, those computed at once, count every epoch; prompts are tokens too. `slower` is by what
    factor at least and at most a step takes longer than one of plain LoRA.
    """
    rates = _measured_rates(parameters, device_name, measured)
    slow, fast = rates or _usual_rates(device, cores)
    work = parameters * (tokens + evaluated_tokens / 3)  # no backward pass in an evaluation
    waits = layers * (batches + evaluated_batches / 3) if device == "cuda" and rates is None else 0.0
    wait_low, wait_high = (waits * seconds for seconds in GPU_WAIT_A_LAYER_S)
    answers = parameters * ANSWER_TOKENS * 2
    start_low, start_high = START_S[device]
    export_s = parameters / 20e6  # streaming merge and Q8_0, and reading it back
    least, most = slower
    low = start_low + least * max(work / fast, wait_low) + answers / fast + export_s
    high = start_high + most * max(work / slow, wait_high) + answers * 3 / slow + export_s * 3
    return Range(low=round(low / 60, 1), high=round(high / 60, 1))


def slower_by(settings: ResolvedSettings) -> tuple[float, float]:
    """Return by what factor at least and at most a step takes longer than one of plain LoRA."""
    if settings.load_in_8bit:
        return INT8
    if not settings.use_dora:
        return 1.0, 1.0
    return DORA_WITH_DROPOUT if settings.lora_dropout else DORA


def _measured_rates(parameters: int, device_name: str, measured: list[MeasuredRun]) -> tuple[float, float] | None:
    """Return the slowest and the fastest that models of about this size were trained here; None before any was."""
    alike = [
        run for run in measured if run.device == device_name and parameters / 3 <= run.parameters <= parameters * 3
    ]
    rates = [run.tokens_per_s * run.parameters for run in alike]
    return (min(rates) * (1 - MEASURED_SPREAD), max(rates) * (1 + MEASURED_SPREAD)) if rates else None


def _usual_rates(device: str, cores: int) -> tuple[float, float]:
    if device == "cuda":
        return GPU_RATE
    return CPU_RATE_A_CORE[0] * cores, CPU_RATE_A_CORE[1] * cores
