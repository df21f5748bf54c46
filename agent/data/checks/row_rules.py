"""Findings from what rows are to the model and to each other. Pure; the rules behind them are those of the seeds."""

from collections import Counter
from collections.abc import Iterator

from agent.data.checks.copies import kept_together, leaked
from agent.data.checks.rule_input import RuleInput, finding
from agent.data.split_sizes import FEW_ROWS, SOLID_ROWS
from agent.data.usable_rows import SHOWN
from shared.inspections import DatasetForm, Finding, FindingCode, Fix, Severity
from shared.language import _, decimal, grouped, ngettext

THIN_SHARE = 0.1  # of the tokens trained
MINORITY = 0.05  # from this share on, a second format is no accident
SECOND_LANGUAGE = 0.02
REPEATED = 0.1  # of the rows with one answer
OUTLIER = 8  # times the median answer
SERIOUS, WARNING, NOTE = Severity.serious, Severity.warning, Severity.note


def no_end_of_turn(seen: RuleInput) -> Iterator[Finding]:
    """Rows that do not teach the model to stop."""
    rows = [row for row in seen.sample if not row.stops]
    if rows and seen.form is not DatasetForm.text:  # which has no turns
        yield finding(
            FindingCode.no_end_of_turn, SERIOUS, (row.line for row in rows),
            ngettext("{n} row does not teach the model to stop{looked}.",
                     "{n} rows do not teach the model to stop{looked}.", len(rows), looked=seen.looked),
            _("Without the end-of-turn token among what is learned, a model talks on for ever."),
            count=len(rows),
        )  # fmt: skip


def answers_cut(seen: RuleInput) -> Iterator[Finding]:
    """Whole or in part, at the length a plan would choose."""
    cut = [row for row in seen.sample if row.end > seen.max_length]
    if cut:
        lost = sum(row.start >= seen.max_length for row in cut)
        longest = max(row.end for row in cut)
        message = ngettext("{n} answer is cut at {length} tokens, {lost} whole{looked}.",
                           "{n} answers are cut at {length} tokens, {lost} whole{looked}.", len(cut),
                           length=grouped(seen.max_length), lost=grouped(lost), looked=seen.looked)  # fmt: skip
        if longest <= seen.card.context_length:
            message += " " + _("max_length {longest} would keep them.", longest=longest)
        else:
            most = grouped(seen.card.context_length)
            message += " " + _("{name} reads {length} at most.", name=seen.card.name, length=most)
        yield finding(
            FindingCode.answers_cut, SERIOUS if len(cut) > 0.05 * len(seen.sample) else WARNING,
            (row.line for row in cut), message,
            _("A cut answer has lost its end: the model learns not to finish. A lost one teaches nothing."),
            count=len(cut), fix=Fix.drop_cut,
        )  # fmt: skip


def few_trained_tokens(seen: RuleInput) -> Iterator[Finding]:
    """Mostly questions."""
    total, trained = (sum(row.length for row in seen.sample), sum(row.trained for row in seen.sample))
    if trained < THIN_SHARE * total:
        yield finding(
            FindingCode.few_trained_tokens, WARNING, [],
            _("Only {percent} % of the text is learned; the rest is questions.",
              percent=decimal(100 * trained / total, 1)),
            _("The model learns from the answers alone. Time and memory go into reading the rest."),
            count=seen.survey.rows,
        )  # fmt: skip


def exact_copies(seen: RuleInput) -> Iterator[Finding]:
    """Over all rows."""
    if count := len(seen.exact):
        yield finding(
            FindingCode.exact_copies, WARNING if count >= 0.01 * seen.survey.rows else NOTE, seen.exact[:SHOWN],
            ngettext("{n} row is an exact copy of another.", "{n} rows are exact copies of another.", count),
            _("Copies are learned by heart. The rule: remove duplicate examples."),
            count=count, fix=Fix.dedupe,
        )  # fmt: skip


def near_copies(seen: RuleInput) -> Iterator[Finding]:
    """In the sample."""
    if count := len(seen.near):
        yield finding(
            FindingCode.near_copies, WARNING if count >= 0.02 * len(seen.sample) else NOTE,
            (row.line for row in seen.near),
            ngettext("{n} row is nearly the same as another{looked}.",
                     "{n} rows are nearly the same as another{looked}.", count, looked=seen.looked),
            _("At least 80 % of their words in threes are the same. Diverse rows teach more than variations of one. "
              "A few of a kind are kept on one side when rows are held out."),
            count=count, fix=Fix.dedupe_near,
        )  # fmt: skip


def leakage(seen: RuleInput) -> Iterator[Finding]:
    """From the trained rows to the held-out ones."""
    near = [(row, first) for row, first in seen.pairs if seen.sample[row].identity != seen.sample[first].identity]
    identities = [row.identity for row in seen.sample]
    if rows := leaked(identities if seen.survey.sampled else kept_together(identities, seen.pairs), near):
        yield finding(
            FindingCode.leakage, WARNING, (seen.sample[row].line for row in rows),
            ngettext("{n} held-out row has a near copy among the trained ones{looked}.",
                     "{n} held-out rows have a near copy among the trained ones{looked}.", len(rows),
                     looked=seen.looked),
            _("What was trained on cannot test: the figure gets too good. The rule: no leakage between the parts."),
            count=len(rows), fix=Fix.dedupe_near,
        )  # fmt: skip


def contradictions(seen: RuleInput) -> Iterator[Finding]:
    """Find the same question with other answers."""
    answers: dict[int, set[int]] = {}
    for row in seen.sample:
        answers.setdefault(row.question, set()).add(row.answer)
    rows = [row for row in seen.sample if len(answers[row.question]) > 1]
    if rows and len(answers) >= 0.5 * len(seen.sample):  # below, the question is a mere frame
        questions = len({row.question for row in rows})
        yield finding(
            FindingCode.contradictions, NOTE, (row.line for row in rows),
            ngettext("{n} question is asked more than once, with other answers{looked}.",
                     "{n} questions are asked more than once, with other answers{looked}.", questions,
                     looked=seen.looked),
            _("Fine if each answer is good. If one is right and one is wrong, the model learns to guess."),
            count=len(rows),
        )  # fmt: skip


def repeated_answers(seen: RuleInput) -> Iterator[Finding]:
    """One answer to many questions."""
    (answer, count), *_rest = seen.answers.most_common(1)
    if count > max(2, REPEATED * len(seen.sample)) and not seen.labels:
        yield finding(
            FindingCode.repeated_answers, WARNING, (row.line for row in seen.sample if row.answer == answer),
            ngettext("{n} row has one and the same answer{looked}.", "{n} rows have one and the same answer{looked}.",
                     count, looked=seen.looked),
            _("What is said most often is said to everything. The rule: do not over-represent any one pattern."),
            count=count,
        )  # fmt: skip


def label_balance(seen: RuleInput) -> Iterator[Finding]:
    """Of answers that are labels."""
    if not seen.labels:
        return
    (most, often), (_least, seldom) = seen.labels.most_common()[0], seen.labels.most_common()[-1]
    if often > 0.6 * seen.labels.total() or often > 10 * seldom:
        yield finding(
            FindingCode.label_balance, WARNING, (row.line for row in seen.sample if row.label == most),
            _("The answers are {n} labels; one has {percent} % of the rows, the rarest {seldom}.", n=len(seen.labels),
              percent=round(100 * often / seen.labels.total()), seldom=grouped(seldom)),
            _("Saying the frequent label always is an easy way to be right. The rule: keep the data balanced."),
            count=often,
        )  # fmt: skip


def mixed_formatting(seen: RuleInput) -> Iterator[Finding]:
    """With Markdown and without."""
    marked = [row for row in seen.sample if row.markdown]
    plain = [row for row in seen.sample if not row.markdown]
    fewer = min(marked, plain, key=len)
    if len(fewer) >= MINORITY * len(seen.sample):
        yield finding(
            FindingCode.mixed_formatting, NOTE, (row.line for row in fewer),
            _("{marked} answers use Markdown (headings, bold, code, tables), {plain} do not{looked}.",
              marked=grouped(len(marked)), plain=grouped(len(plain)), looked=seen.looked),
            _("The model will mix them as well. The rule: do not mix formats, some with Markdown, some without."),
            count=len(fewer),
        )  # fmt: skip


def mixed_languages(seen: RuleInput) -> Iterator[Finding]:
    """Of the answers."""
    languages = Counter(row.language for row in seen.sample if row.language is not None)
    if len(languages) < 2:
        return
    main = languages.most_common(1)[0][0]
    known = {code: count for code, count in languages.most_common() if count >= SECOND_LANGUAGE * languages.total()}
    if len(known) > 1:
        shares = ", ".join(f"{code} {round(100 * n / languages.total())} %" for code, n in known.items())
        others = [row for row in seen.sample if row.language in known and row.language != main]
        yield finding(
            FindingCode.mixed_languages, NOTE, (row.line for row in others),
            _("The answers are in several languages: {shares} (of {n} looked at).", shares=shares,
              n=grouped(languages.total())),
            _("Fine if you want them all. A small model that learns two languages learns each half as well."),
            count=len(others),
        )  # fmt: skip


def long_answers(seen: RuleInput) -> Iterator[Finding]:
    """Far beyond the usual."""
    lengths = sorted(row.trained for row in seen.sample)
    median = lengths[len(lengths) // 2]
    rows = [row for row in seen.sample if row.trained > max(OUTLIER * median, 200)]
    if rows:
        yield finding(
            FindingCode.long_answers, NOTE, (row.line for row in rows),
            ngettext("{n} answer has over {times} times the usual {median} tokens{looked}.",
                     "{n} answers have over {times} times the usual {median} tokens{looked}.", len(rows), times=OUTLIER,
                     median=grouped(median), looked=seen.looked),
            _("They weigh as much as many others. The rule: no extremely long and short answers in one batch."),
            count=len(rows),
        )  # fmt: skip


def few_rows(seen: RuleInput) -> Iterator[Finding]:
    """Below a hundred."""
    n = max(seen.survey.rows, seen.survey.judged)
    if n < FEW_ROWS:
        yield finding(
            FindingCode.few_rows, WARNING, [],
            ngettext("{n} row is few: {few} is a start, {solid} good ones are a solid base.",
                     "{n} rows are few: {few} is a start, {solid} good ones are a solid base.", n,
                     few=FEW_ROWS, solid=SOLID_ROWS),
            _("Expect a style, no knowledge. The rule: below 100 examples, try examples in the prompt first."),
            count=seen.survey.rows,
        )  # fmt: skip


def one_side_learned(seen: RuleInput) -> Iterator[Finding]:
    """Of pairs and labels."""
    if seen.form is DatasetForm.preference:
        text = _("Each row is a better and a worse answer: it can learn from both, or the better ones alone.")
    elif seen.form is DatasetForm.labelled:
        text = _("Each answer is labelled good or bad: it can learn from both, or the good ones alone.")
    else:
        return
    yield finding(
        FindingCode.one_side_learned, NOTE, [], text,
        _("Training on examples comes first; what is bad is never learned as if it were good."),
        count=seen.survey.judged,
    )  # fmt: skip
