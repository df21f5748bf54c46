"""What was found in a dataset: the worst of it, what mends it, and what a person does not want to read again. Pure."""

from collections.abc import Set as AbstractSet

from bot.core.blocks import Block, Items, Note
from bot.core.reply import Button
from bot.words.format import count
from shared.inspections import Finding, FindingCode, Fix, Inspection, Severity
from shared.language import N_, _, ngettext

FINDINGS_SHOWN = 5
FIXES_SHOWN = 3
FIX = "fix:"  # before the name of a fix: mend the file
IGNORE = "ignore"  # as the last word of /dataset: what is shown and mere advice is not shown again
UNIGNORE = "unignore"  # the same: all is shown again
MARKS = {Severity.serious: "‼ ", Severity.warning: "! ", Severity.note: "- "}
FIXES = {
    Fix.redact: N_("Mask private data"),
    Fix.clean: N_("Clean characters"),
    Fix.dedupe: N_("Remove copies"),
    Fix.dedupe_near: N_("Remove near copies"),
    Fix.drop_placeholders: N_("Drop placeholders"),
    Fix.drop_cut: N_("Drop cut answers"),
    Fix.drop_short: N_("Drop short answers"),
    Fix.trim: N_("Trim spaces"),
}
ADVICE = frozenset(  # about rows that are learned as they stand; all else says what is learned, or may harm somebody
    (
        FindingCode.placeholders,
        FindingCode.exact_copies,
        FindingCode.near_copies,
        FindingCode.leakage,
        FindingCode.contradictions,
        FindingCode.repeated_answers,
        FindingCode.label_balance,
        FindingCode.unseen_characters,
        FindingCode.loose_spaces,
        FindingCode.markup,
        FindingCode.mixed_formatting,
        FindingCode.mixed_languages,
        FindingCode.short_answers,
        FindingCode.long_answers,
        FindingCode.few_rows,
        FindingCode.changing_knowledge,
    )
)


def is_advice(finding: Finding) -> bool:
    """Say whether a person may leave a finding at that: it is not serious, and changes nothing that is learned."""
    return finding.code in ADVICE and finding.severity is not Severity.serious


def heeded(inspection: Inspection, ignored: AbstractSet[str]) -> Inspection:
    """Return an inspection without the advice that is ignored."""
    kept = [it for it in inspection.findings if not (is_advice(it) and it.code.value in ignored)]
    return inspection.model_copy(update={"findings": kept})


def advice_shown(inspection: Inspection) -> list[str]:
    """Return the codes of the advice that a card shows."""
    return [it.code.value for it in inspection.findings[:FINDINGS_SHOWN] if is_advice(it)]


def findings_block(inspection: Inspection, *, ignored: int) -> list[Block]:
    """Return the worst of what was found; the report has all. `ignored`: how many findings are left out."""
    shown = inspection.findings[:FINDINGS_SHOWN]
    hidden = len(inspection.findings) - len(shown)
    notes = [ngettext("and {n} more in the report", "and {n} more in the report", hidden)] if hidden > 0 else []
    if ignored:
        notes.append(ngettext("{n} finding is ignored.", "{n} findings are ignored.", ignored))
    if inspection.sampled is not None and shown:
        notes.append(_("Lengths and near copies: {n} rows drawn.", n=count(inspection.sampled)))
    items = tuple(f"{MARKS[finding.severity]}{finding.message}" for finding in shown)
    return [
        *([Items(heading=_("What I found"), items=items, mark="")] if items else []),
        *([Note(text="\n".join(notes))] if notes else []),
    ]


def findings_buttons(inspection: Inspection, name: str, *, ignored: int) -> list[Button]:
    """Return the most useful fixes, each once, and the taps to ignore advice; `name`: of the file in a command."""
    fixes = dict.fromkeys(finding.fix for finding in inspection.findings if finding.fix is not None)
    return [
        *(Button(label=_(FIXES[fix]), line=f"/dataset {name} {FIX}{fix.value}") for fix in list(fixes)[:FIXES_SHOWN]),
        *(
            [Button(label=_("Ignore from now on"), line=f"/dataset {name} {IGNORE}")]
            if advice_shown(inspection)
            else []
        ),
        *([Button(label=_("Show ignored"), line=f"/dataset {name} {UNIGNORE}")] if ignored else []),
    ]
