"""The closing report: everything needed to judge a run, and to repeat it, on one page of Markdown. Pure."""

from collections.abc import Mapping

from agent.base_models.card import BaseModelCard
from agent.job_folder import JobSpec
from shared.results import JobResult


def verdict(*, base_loss: float, final_loss: float, test_rows: int, optimistic: bool) -> str:
    """Say in a sentence or two what the training achieved. Losses: nats per trained token."""
    drop = 1 - final_loss / base_loss if base_loss > 0 else 0.0
    if drop >= 0.25:
        said = "It learned your data well"
    elif drop >= 0.05:
        said = "It learned something of your data"
    elif drop > 0:
        said = "It hardly changed"
    else:
        said = "It got worse than the base model"
    text = f"{said}: the loss on {test_rows} rows it never trained on went from {base_loss:.2f} to {final_loss:.2f}."
    if optimistic:
        text += " Those rows also decided when to stop, so the figure is optimistic."
    return text


def write_report(spec: JobSpec, card: BaseModelCard, result: JobResult, versions: Mapping[str, str]) -> str:
    """Return the report as Markdown."""
    checked = result.verification
    lines = [
        f"# {spec.name}, tuned from {spec.base_model} (job #{spec.number})",
        "",
        result.verdict,
        "",
        "![Loss plot](loss.png)",
        "",
        "## Before and after",
        "",
    ]
    for answer in result.answers:
        lines += [
            f"**{_inline(answer.question)}**", "",
            f"- base model: {_inline(answer.base)}",
            f"- tuned model: {_inline(answer.tuned)}", "",
        ]  # fmt: skip
    if result.advice:
        lines += ["## Advice", ""]
        lines += [f"- **{advice.title}.** {advice.message} {advice.suggestion}" for advice in result.advice] + [""]
    lines += ["## Use it", "", *_use(result)]
    lines += [
        "## How it was checked", "",
        f"- Read back in llama.cpp, {checked.agreed} of {checked.prompts} held-out answers equal the trained model's."
        + (f" {checked.undecided} more part where it was itself undecided." if checked.undecided else ""),
        f"- The prompt's tokens are {'the same' if checked.template_tokens_equal else 'NOT the same'} as in training.",
        f"- It {'ends' if checked.stops else 'does not always end'} its turn wherever the trained model did.",
        f"- Merged onto the {'NF4' if checked.merge_target == 'nf4' else '16-bit'} weights."
        + (" Both ways were tried, and the better one kept." if checked.second_try else ""),
        "", "## To repeat it", "",
        f"- dataset sha256 `{spec.dataset_sha256}`, form {spec.form.value}, seed {spec.seed}",
        f"- base model {spec.base_model}, revision `{card.revision}`, licence {card.license or 'not stated'}",
        f"- {result.steps} steps of {result.trained_tokens} trained tokens in {result.train_seconds:.0f} s",
        f"- {result.tokens_per_s:.0f} tokens/s, {result.peak_memory_mib} MiB at the peak",
        "", "| setting | value |", "|---|---|",
    ]  # fmt: skip
    lines += [f"| {name} | {value} |" for name, value in spec.settings.model_dump().items()]
    lines += ["", "Libraries: " + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".", ""]
    return "\n".join(lines)


def _use(result: JobResult) -> list[str]:
    ollama, name = result.ollama, result.name_by_hand
    by_hand = ["```", f"ollama create {name} -f Modelfile", f"ollama run {name}", "```", ""]
    if ollama is not None and ollama.status == "created":
        there = ["It is in Ollama on the machine that trained it:", "", "```", f"ollama run {ollama.run}", "```", ""]
        return [*there, "Elsewhere, in a folder that holds the GGUF and the Modelfile:", "", *by_hand]
    why = [_inline(ollama.message), ""] if ollama is not None else []
    return [*why, "In the folder that holds the GGUF and the Modelfile:", "", *by_hand]


def _inline(text: str) -> str:
    return " ".join(text.split()).replace("<", "&lt;") or "(nothing)"
