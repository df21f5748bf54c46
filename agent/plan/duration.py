"""How long a run takes: from finished runs on this machine, else from a stated model. Always a range. Pure."""

from dataclasses import dataclass

from shared.plans import Range

# Trained parameters times tokens a second. CPU: SmolLM2-135M in NF4 with fp32 compute, 100 to 120 tokens/s a core.
# GPU: a T4 at the low end, an RTX 4090 at the high one (torchtune: Llama 3.1 8B QLoRA, 2,413 tokens/s).
CPU_RATE_A_CORE = (0.9e10, 1.7e10)
GPU_RATE = (2e12, 2e13)
START_S = {"cpu": (25.0, 60.0), "cuda": (25.0, 90.0)}  # imports, weights into memory
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
    tokens: float,
    evaluated_tokens: float,
    device: str,
    device_name: str,
    cores: int,
    measured: list[MeasuredRun],
) -> Range:
    """Estimate minutes from start to a verified model. `tokens` counts every epoch, prompts included."""
    slow, fast = _rates(parameters, device, device_name, cores, measured)
    work = parameters * (tokens + evaluated_tokens / 3)  # no backward pass in an evaluation
    answers = parameters * ANSWER_TOKENS * 2
    start_low, start_high = START_S[device]
    export_s = parameters / 20e6  # streaming merge and Q8_0, and reading it back
    low = start_low + (work + answers) / fast + export_s
    high = start_high + (work + answers * 3) / slow + export_s * 3
    return Range(low=round(low / 60, 1), high=round(high / 60, 1))


def _rates(
    parameters: int, device: str, device_name: str, cores: int, measured: list[MeasuredRun]
) -> tuple[float, float]:
    alike = [
        run for run in measured if run.device == device_name and parameters / 3 <= run.parameters <= parameters * 3
    ]
    rates = [run.tokens_per_s * run.parameters for run in alike]
    if rates:
        return min(rates) * (1 - MEASURED_SPREAD), max(rates) * (1 + MEASURED_SPREAD)
    if device == "cuda":
        return GPU_RATE
    return CPU_RATE_A_CORE[0] * cores, CPU_RATE_A_CORE[1] * cores
