"""The closing report: everything needed to judge a run, and to repeat it, on one page of Markdown. Pure."""

from collections.abc import Mapping

from agent.base_models.card import BaseModelCard
from agent.job_folder.spec import JobSpec
from shared.language import _, apart, decimal, ngettext
from shared.results import JobResult


def verdict(*, base_loss: float, final_loss: float, test_rows: int, optimistic: bool) -> str:
    """Say in a sentence or two what the training achieved. Losses: nats per trained token."""
    drop = 1 - final_loss / base_loss if base_loss > 0 else 0.0
    before, after = apart(base_loss, final_loss, 2)
    if drop >= 0.25:
        said = _("It learned your data well")
    elif drop >= 0.05:
        said = _("It learned something of your data")
    elif drop > 0 or before == after:
        said = _("It hardly changed")
    else:
        said = _("It got worse than the base model")
    text = ngettext(
        "{said}: the loss on {n} row it never trained on went from {before} to {after}.",
        "{said}: the loss on {n} rows it never trained on went from {before} to {after}.",
        test_rows,
        said=said,
        before=before,
        after=after,
    )
    if optimistic:
        text += " " + _("Those rows also decided when to stop, so the figure is optimistic.")
    return text


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
        equal += " " + _("{undecided} more part where it was itself undecided.", undecided=checked.undecided)
    merged = (
        _("Merged onto the NF4 weights.") if checked.merge_target == "nf4" else _("Merged onto the 16-bit weights.")
    )
    if checked.second_try:
        merged += " " + _("Both ways were tried, and the better one kept.")
    return [
        *([] if result.optimistic else [kept_apart]),
        equal,
        _("The prompt's tokens are the same as in training.")
        if checked.template_tokens_equal
        else _("The prompt's tokens are NOT the same as in training."),
        _("It ends its turn wherever the trained model did.")
        if checked.stops
        else _("It does not always end its turn where the trained model did."),
        merged,
    ]


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
