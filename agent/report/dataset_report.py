"""The full report on a dataset: one HTML file that loads nothing from elsewhere, its picture inside.

All that comes from a dataset is escaped; the samples were masked by the inspect child.
"""

import base64
from importlib.resources import files
from pathlib import PurePath

from jinja2 import Environment, StrictUndefined

from agent.report.length_plot import draw_lengths, lengths_in_words
from shared.inspections import Inspection, Severity
from shared.language import N_, _, decimal, grouped, ngettext, spoken

PAGE = files("agent.report") / "dataset_report.html"
SEVERITIES = {
    Severity.serious: N_("Serious"),
    Severity.warning: N_("Better mended"),
    Severity.note: N_("Good to know"),
}


def report_name(filename: str) -> str:
    """Return support-report.html for support.jsonl."""
    return f"{PurePath(filename).name.split('.')[0] or 'dataset'}-report.html"


def dataset_report(inspection: Inspection, filename: str) -> str:
    """Return the report on a completed inspection as HTML, in the language spoken."""
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True).from_string(
        PAGE.read_text("utf-8")
    )
    lengths = inspection.lengths
    return page.render(
        language=spoken(),
        title=_("Report on {name}", name=filename),
        inspection=inspection,
        figures=_figures(inspection),
        severities={severity: _(name) for severity, name in SEVERITIES.items()},
        samples=[*([inspection.sample] if inspection.sample else []), *inspection.more_samples],
        picture=base64.b64encode(draw_lengths(lengths, title=filename)).decode() if lengths else "",
        picture_words=lengths_in_words(lengths) if lengths else "",
        words=_words(inspection.dropped_count - len(inspection.dropped)),
    )


def _words(hidden_drops: int) -> dict[str, str]:
    return {
        "found": _("What was found"),
        "nothing": _("Nothing to complain about."),
        "tool": _("Is fine-tuning the right tool?"),
        "lengths": _("How long the rows are"),
        "samples": _("As the model sees it"),
        "marked": _("It learns what is marked. Personal data and secrets are masked here, not in the file."),
        "lines": _("Line"),
        "dropped": _("Rows left out"),
        "more": ngettext("and {n} more", "and {n} more", hidden_drops) if hidden_drops > 0 else "",
    }


def _figures(inspection: Inspection) -> list[tuple[str, str]]:
    rows = [
        (_("base model"), inspection.model),
        (_("form"), inspection.form.value if inspection.form else "–"),
        (_("rows kept"), grouped(inspection.rows)),
        (_("rows left out"), grouped(inspection.dropped_count)),
    ]
    if (tokens := inspection.tokens) is not None:
        share = decimal(100 * tokens.trained / max(1, tokens.total), 1)
        spread = _(
            "half have up to {median}, 95 % up to {p95}, the longest {longest}",
            median=grouped(tokens.median),
            p95=grouped(tokens.p95),
            longest=grouped(tokens.longest),
        )
        rows += [
            (_("tokens"), grouped(tokens.total)),
            (_("of them learned"), f"{grouped(tokens.trained)} ({share} %)"),
            (_("tokens of a row"), spread),
            (_("longest answer"), _("{n} tokens", n=grouped(tokens.longest_answer))),
        ]
    if inspection.sampled is not None:
        drawn = _("{n} rows, drawn with seed 42; copies and texts in all rows", n=grouped(inspection.sampled))
        rows.append((_("looked at closely"), drawn))
    return rows
