"""Which rows of a plan train and which are held out: a part of the dataset, or a validation file of its own. Pure."""

from dataclasses import dataclass

from agent.data.findings import ValidationRows
from agent.data.split_sizes import split_sizes
from agent.errors import AgentError
from agent.methods.record import TrainingMethod
from agent.plan.cut_rows import Left, left_at
from shared.errors import ErrorCode
from shared.language import _, ngettext


@dataclass(frozen=True, kw_only=True)
class Parts:
    """How many rows of tokens each part has."""

    train: int
    validation: int
    test: int  # 0: validation doubles as test
    length: float = 1.0  # of a held-out row, in those that train
    notes: tuple[str, ...] = ()

    @property
    def held_out(self) -> float:
        """Return what the held-out rows of a file of their own are, in rows that train; 0: they are of the dataset."""
        return self.validation * self.length if self.notes else 0.0


def parts_of(
    rows: int, left: Left, validation: ValidationRows | None, max_length: int, method: TrainingMethod
) -> Parts:
    """Return the parts of `rows` rows, `left` of which max_length leaves.

    Raises AgentError where nothing of a validation file is left.
    """
    if validation is None:
        train, held, test = (round(left.rows * size) for size in split_sizes(rows))
        return Parts(train=train, validation=held, test=test)
    found = validation.findings
    held_left = left_at(found, max_length)
    own = (found.judged if method.judged else found.rows) - validation.copies
    if round(held_left.rows * own) < 1:
        raise AgentError(
            _(
                "No row of the validation file {filename} keeps an answer that can be measured, of {n} rows at "
                "{max_length} tokens. Send other rows, or leave validation_file out.",
                filename=validation.file.filename,
                n=found.rows,
                max_length=max_length,
            ),
            code=ErrorCode.dataset_too_small,
            param="validation_file",
        )
    return Parts(
        train=round(left.rows * rows),
        validation=round(held_left.rows * own),
        test=0,
        length=held_left.tokens / left.tokens if left.tokens else 1.0,
        notes=_notes(own, validation),
    )


def _notes(own: int, validation: ValidationRows) -> tuple[str, ...]:
    name, found = validation.file.filename, validation.findings
    notes = [
        ngettext(
            "Held out is the {n} row of {filename}: it chooses the best step and gives the verdict, which is "
            "optimistic.",
            "Held out are the {n} rows of {filename}: they choose the best step and give the verdict, which is "
            "optimistic.",
            own,
            filename=name,
        )
    ]
    if validation.copies:
        notes.append(
            ngettext(
                "{n} row of {filename} is trained on as well, and measures nothing: it is left out.",
                "{n} rows of {filename} are trained on as well, and measure nothing: they are left out.",
                validation.copies,
                filename=name,
            )
        )
    if found.dropped_count:
        notes.append(
            ngettext(
                "{n} row of {filename} cannot be used: {reason}",
                "{n} rows of {filename} cannot be used; the first: {reason}",
                found.dropped_count,
                filename=name,
                reason=found.dropped[0].reason,
            )
        )
    return tuple(notes)
