"""What is wrong with a dataset: a table of rules from what was seen to findings. Pure.

Each finding quotes its figures and says why it matters. No rule fires without its count.
"""

from collections.abc import Callable, Iterator

from agent.data.checks import loss_rules, row_rules, text_rules
from agent.data.checks.rule_input import RuleInput
from shared.inspections import DatasetForm, Finding, FindingCode, Severity

Rule = Callable[[RuleInput], Iterator[Finding]]
RULES: tuple[Rule, ...] = (  # in the order in which findings of one severity are told
    text_rules.secrets,
    text_rules.special_tokens,
    row_rules.no_end_of_turn,
    row_rules.answers_cut,
    loss_rules.answers_left_out,
    loss_rules.thoughts_not_shown,
    text_rules.tools_not_shown,
    text_rules.placeholders,
    text_rules.personal_data,
    row_rules.few_rows,
    row_rules.exact_copies,
    row_rules.leakage,
    row_rules.near_copies,
    row_rules.few_trained_tokens,
    row_rules.repeated_answers,
    row_rules.label_balance,
    text_rules.converted,
    text_rules.part_read,
    text_rules.unseen_characters,
    text_rules.markup,
    text_rules.unusable,
    loss_rules.unread_columns,
    loss_rules.answers_apart,
    loss_rules.base_system_text,
    loss_rules.own_system_text,
    row_rules.one_side_learned,
    text_rules.changing_knowledge,
    row_rules.contradictions,
    row_rules.mixed_languages,
    row_rules.mixed_formatting,
    row_rules.long_answers,
    text_rules.short_answers,
    text_rules.loose_spaces,
)
OF_ANSWERS = {  # nothing of this is wrong with a text that is learned as a whole
    FindingCode.label_balance,
    FindingCode.contradictions,
    FindingCode.changing_knowledge,
    FindingCode.mixed_formatting,
    FindingCode.short_answers,
    FindingCode.long_answers,
    FindingCode.few_rows,  # they are passages, cut by us
}


def judge(seen: RuleInput) -> list[Finding]:
    """Return what was found, the worst first."""
    found = [finding for rule in RULES for finding in rule(seen)]
    if seen.form is DatasetForm.text:
        found = [finding for finding in found if finding.code not in OF_ANSWERS]
    order = list(Severity)
    return sorted(found, key=lambda finding: order.index(finding.severity))
