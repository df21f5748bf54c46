"""A row as it lies in a file, before anybody knows what it means."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from shared.language import N_

NOT_LEARNED = "not_learned"  # the key under which a row keeps what else an export says, named as it stands there
UNITS = (N_("Line"), N_("Row"))  # what a line number may count, for the catalogue


@dataclass(frozen=True, kw_only=True)
class RawRow:
    """One row, or why it is none."""

    line: int  # 1-based line of the file; in a JSON array the number of the row
    value: dict[str, Any] | None
    problem: str | None = None
    unit: Literal["Line", "Row"] = "Line"  # what `line` counts
    columns: Mapping[str, str] = field(default_factory=dict)  # what a person calls a key of `value`, if otherwise
