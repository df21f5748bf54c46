"""A validation file beside a training file: whether it can be held out, and which of its rows are trained on too."""

from collections.abc import Iterator
from pathlib import Path

from agent.data.chat_template import ChatTemplate
from agent.data.checks.survey import Survey
from agent.data.reading import Reading, find_reading
from agent.data.usable_rows import Drops, chat_rows
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _, ngettext


def count_copies(survey: Survey, reading: Reading, training: Path, template: ChatTemplate) -> int:
    """Return how many of the surveyed rows of a validation file the training file has as well, word for word.

    Raises AgentError where it has no others, or where the rows of the two have different forms.
    """
    trained = find_reading(training, reading.mapping)
    if trained.form is not reading.form:
        raise AgentError(
            _(
                "Its rows have the form {form}, those of the training file {trained}. Send both in one form.",
                form=reading.form.value,
                trained=trained.form.value,
            ),
            code=ErrorCode.dataset_unknown_form,
        )
    held = list(_identities(reading, template))
    seen = set(held).intersection(_identities(trained, template))
    copies = sum(identity in seen for identity in held)
    if copies == len(held):
        raise AgentError(
            ngettext(
                "Its {n} row is in the training file as well, so it would measure nothing. Send others, or leave "
                "validation_file out: a part of the training rows is held out then.",
                "All {n} of its rows are in the training file as well, so they would measure nothing. Send others, or "
                "leave validation_file out: a part of the training rows is held out then.",
                copies,
            ),
            code=ErrorCode.dataset_too_small,
        )
    return survey.rows * copies // len(held)  # a row may be several examples


def check_some(survey: Survey) -> None:
    """Raise AgentError for a validation file without a usable row."""
    if survey.rows:
        return
    why = survey.drops.first[0].reason if survey.drops.first else ""
    raise AgentError(
        _(
            "No row of it is usable. {why} Mend it, or leave validation_file out: a part of the training rows is held "
            "out then.",
            why=why,
        ),
        code=ErrorCode.dataset_too_small,
    )


def _identities(reading: Reading, template: ChatTemplate) -> Iterator[int]:
    for row in chat_rows(reading, template, Drops()):
        yield row.identity
