"""The closing report: everything needed to judge a run, and to repeat it, on one page of Markdown. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from agent.base_models.card import BaseModelCard
from agent.diagnosis.answer_signs import AnswerSigns
from agent.job_folder.spec import JobSpec
from shared.hyperparameters import Precision
from shared.inspections import DatasetForm
from shared.language import N_, _, decimal, ngettext
from shared.results import JobResult, ToolCalls, Verification

FEW_CALLS = 0.5  # of the calls name the right tool; with fewer the model is not ready
MERGED_ONTO: dict[Precision, str] = {
    "nf4": N_("Merged onto the NF4 weights."),
    "int8": N_("Merged onto the 8-bit weights."),
    "original": N_("Merged onto the 16-bit weights."),
}
MANY = 0.25  # of the answers show something, for the model not to be ready


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the training achieved, in a sentence or two."""

    text: str
    ready: bool  # the model can be used as it is


def verdict(
    learned: str,
    *,
    optimistic: bool,
    signs: AnswerSigns,
    form: DatasetForm,
    tool_calls: ToolCalls | None = None,
) -> Verdict:
    """Say what the training achieved, the worst first: what answers show counts before what losses say.

    `learned` is what the figures of held-out rows say.
    """
    if optimistic:
        learned += " " + _("Those rows also decided when to stop, so the figure is optimistic.")
    trouble = _trouble(signs, form) or _wrong_calls(tool_calls)
    return Verdict(text=f"{trouble} {learned}" if trouble else learned, ready=trouble is None)


def _trouble(signs: AnswerSigns, form: DatasetForm) -> str | None:
    """Return what is wrong with the answers, with its cause where the data shows it; None where little is."""
    many = MANY * signs.answers
    if signs.empty > many:
        return _("It is not ready: {n} of {answers} answers are empty.", n=signs.empty, answers=signs.answers)
    if signs.endless > many:
        said = _("It is not ready: {n} of {answers} answers do not end.", n=signs.endless, answers=signs.answers)
        if form is DatasetForm.text:
            said += " " + _("Your file was read as plain text, in which nothing ends an answer.")
        return said
    if signs.repeating > many:
        return _(
            "It is not ready: {n} of {answers} answers say the same again and again.",
            n=signs.repeating,
            answers=signs.answers,
        )
    if signs.by_heart > many:
        return _(
            "It learned by heart: {n} of {answers} answers are those of other questions, word for word.",
            n=signs.by_heart,
            answers=signs.answers,
        )
    return None


def _wrong_calls(calls: ToolCalls | None) -> str | None:
    if calls is None or calls.right_tool >= FEW_CALLS * calls.asked:
        return None
    return _(
        "It is not ready: {n} of {asked} held-out calls name the right tool.", n=calls.right_tool, asked=calls.asked
    )


def write_report(spec: JobSpec, card: BaseModelCard, result: JobResult, versions: Mapping[str, str]) -> str:
    """Return the report as Markdown."""
    lines = [
        "# "
        + _("{name}, tuned from {model} (job #{number})", name=spec.name, model=spec.base_model, number=spec.number),
        "",
        result.verdict,
        "",
        f"![{_('Loss plot')}](loss.png)",
        "",
        "## " + _("Before and after"),
        "",
    ]
    for answer in result.answers:
        lines += [
            f"**{_inline(answer.question)}**", "",
            "- " + _("base model: {answer}", answer=_inline(answer.base)),
            "- " + _("tuned model: {answer}", answer=_inline(answer.tuned)), "",
        ]  # fmt: skip
    if result.advice:
        lines += ["## " + _("Advice"), ""]
        lines += [f"- **{advice.title}.** {advice.message} {advice.suggestion}" for advice in result.advice] + [""]
    if result.adapted:
        lines += ["## " + _("What changed on the way"), "", *[f"- {change}" for change in result.adapted], ""]
    lines += ["## " + _("Use it"), "", *_use(result)]
    lines += ["## " + _("How it was checked"), "", *[f"- {line}" for line in _checks(result)], ""]
    lines += ["## " + _("To repeat it"), "", *[f"- {line}" for line in _recipe(spec, card, result)], ""]
    lines += [_("| setting | value |"), "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in spec.settings.model_dump().items()]
    known = ", ".join(f"{name} {version}" for name, version in versions.items())
    return "\n".join([*lines, "", _("Libraries: {libraries}.", libraries=known), ""])


def _checks(result: JobResult) -> list[str]:
    checked = result.verification
    kept_apart = _(
        "The loss in the first line is that of test rows, kept for the end. The held-out rows of the plot are others: "
        "they were looked at on the way."
    )
    equal = _(
        "Read back in llama.cpp, {agreed} of {prompts} held-out answers equal the trained model's.",
        agreed=checked.agreed,
        prompts=checked.prompts,
    )
    if checked.undecided:
        equal += " " + _(
            "{undecided} more differ where the trained model itself found two words as likely.",
            undecided=checked.undecided,
        )
    merged = _(MERGED_ONTO[checked.merge_target])
    if checked.second_try:
        merged += " " + _("Both ways were tried, and the better one kept.")
    return [
        *([] if result.optimistic else [kept_apart]),
        equal,
        *_prompts(checked),
        _("It ends its turn wherever the trained model did.")
        if checked.stops
        else _("It does not always end its turn where the trained model did."),
        *checked.tools_and_thoughts,
        merged,
    ]


def _prompts(checked: Verification) -> list[str]:
    if checked.template_tokens_equal is None and checked.tools_as_trained is False:
        return []  # that is said with the tools
    if checked.template_tokens_equal is False:
        return [_("The prompt's tokens are NOT the same as in training.")]
    return [_("The prompt's tokens are the same as in training.")]


def _recipe(spec: JobSpec, card: BaseModelCard, result: JobResult) -> list[str]:
    return [
        _("dataset sha256 `{hash}`, form {form}, seed {seed}", hash=spec.dataset_sha256, form=spec.form.value,
          seed=spec.seed),
        _("base model {model}, revision `{revision}`, licence {licence}", model=spec.base_model,
          revision=card.revision, licence=card.license or _("not stated")),
        ngettext("{n} step of {tokens} trained tokens in {seconds} s",
                 "{n} steps of {tokens} trained tokens in {seconds} s",
                 result.steps, tokens=result.trained_tokens, seconds=decimal(result.train_seconds, 0)),
        _("{speed} tokens/s, {memory} MiB at the peak", speed=decimal(result.tokens_per_s, 0),
          memory=result.peak_memory_mib),
    ]  # fmt: skip


def _use(result: JobResult) -> list[str]:
    ollama, name = result.ollama, result.name_by_hand
    by_hand = ["```", f"ollama create {name} -f Modelfile", f"ollama run {name}", "```", ""]
    if ollama is not None and ollama.status == "created":
        there = [_("It is in Ollama on the machine that trained it:"), "", "```", f"ollama run {ollama.run}", "```", ""]
        return [*there, _("Elsewhere, in a folder that holds the GGUF and the Modelfile:"), "", *by_hand]
    why = [_inline(ollama.message), ""] if ollama is not None else []
    return [*why, _("In the folder that holds the GGUF and the Modelfile:"), "", *by_hand]


def _inline(text: str) -> str:
    return " ".join(text.split()).replace("<", "&lt;") or _("(nothing)")
