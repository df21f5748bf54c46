"""How a file is read: what form its rows have, found from the first of them and what a person said of it."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from agent.data.chat_rows import FORM_HINT, canonical, detect_form, label_beside
from agent.data.quoting import named_keys
from agent.data.readers.columns import ask_about_label, ask_for_columns
from agent.data.readers.formats import read_rows
from agent.data.readers.raw_row import RawRow
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.inspections import DatasetForm
from shared.language import _
from shared.mapping import Mapping

LOOKED_AT = 100  # rows, to find the form


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a file is read: what form its rows have, after what a person said of it."""

    dataset: Path
    form: DatasetForm
    mapping: Mapping | None = None


def find_reading(dataset: Path, mapping: Mapping | None = None) -> Reading:
    """Name the form of a file from its first rows.

    Raises AgentError: dataset_unknown_form, dataset_broken; UnclearError where a person has to say how it is read.
    """
    first: RawRow | None = None
    values: list[dict[str, Any]] = []
    found: DatasetForm | None = None
    for raw in islice(read_rows(dataset, mapping=mapping), LOOKED_AT):
        first = first or raw
        if raw.value is None:
            continue
        found = found or detect_form(set(raw.value))
        values.append(raw.value)
        if found is DatasetForm.text and mapping is not None and mapping.character is not None:
            raise _nobody_answers()
        if found is not None and label_beside(raw.value) is None:
            return Reading(dataset=dataset, form=found, mapping=mapping)
    if found is DatasetForm.labelled and all(isinstance(canonical(row).get("label"), bool | None) for row in values):
        return Reading(dataset=dataset, form=found, mapping=mapping)
    if found is not None:
        raise ask_about_label(values, *next(filter(None, map(label_beside, values))))
    if first is None:
        raise AgentError(_("The file has no rows. Send a dataset with at least ten."), code=ErrorCode.dataset_too_small)
    raise ask_for_columns(values) or _unknown(first)


def _nobody_answers() -> AgentError:
    return AgentError(
        _("This text is learned as a whole, and nobody answers in it who could be told who they are. Leave the "
          "character out."),
        code=ErrorCode.setting_invalid,
        param="mapping",
    )  # fmt: skip


def _unknown(first: RawRow) -> AgentError:
    if first.value is None:
        return AgentError(
            _(
                "{unit} {line} {problem}. Each row must be one JSON object.",
                unit=_(first.unit),
                line=first.line,
                problem=first.problem,
            ),
            code=ErrorCode.dataset_broken,
        )
    return AgentError(
        _(
            "The rows have the keys {keys}, which fit no form I know: {forms}. Rename the keys "
            "and send the file again.",
            keys=named_keys(first.value),
            forms=_(FORM_HINT),
        ),
        code=ErrorCode.dataset_unknown_form,
    )
