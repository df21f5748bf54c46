"""What is learned from at once, as a method's objective sees the rows on disk, and how it becomes a batch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from agent.pipeline.token_head import IGNORED, Batch
from agent.pipeline.token_rows import TokenRow, TokenRows


@dataclass(frozen=True, kw_only=True)
class Example:
    """One or two rows that are computed together."""

    rows: tuple[TokenRow, ...]
    reference: tuple[float, ...] = ()  # log-likelihood of each row's answer before the training, in nats


class Examples(Sequence[Example]):
    """The examples of one part. Their tokens stay on disk until they are asked for."""

    lengths: NDArray[np.int32]  # tokens of the longest row of each

    def __init__(self, rows: TokenRows) -> None:
        self.rows = rows
        self.reference: NDArray[np.float64] | None = None  # of shape (examples, rows of each)
        self.lengths = self._lengths(rows.lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, at: int) -> Example:  # type: ignore[override]  # nobody asks for a slice
        if not 0 <= at < len(self):
            raise IndexError(at)
        reference = () if self.reference is None else tuple(self.reference[at].tolist())
        return Example(rows=self._rows(int(at)), reference=reference)

    def _lengths(self, lengths: NDArray[np.int32]) -> NDArray[np.int32]:
        return lengths

    def _rows(self, at: int) -> tuple[TokenRow, ...]:
        return (self.rows[at],)


class Pairs(Examples):
    """Rows that lie two by two on disk: the better answer, then the worse one."""

    def _lengths(self, lengths: NDArray[np.int32]) -> NDArray[np.int32]:
        longest: NDArray[np.int32] = lengths.reshape(-1, 2).max(axis=1)
        return longest

    def _rows(self, at: int) -> tuple[TokenRow, ...]:
        return self.rows[2 * at], self.rows[2 * at + 1]


class WithAnotherAnswer(Examples):
    """Each row beside its question with the answer of the row before: what KTO measures its drift by."""

    def _rows(self, at: int) -> tuple[TokenRow, ...]:
        row, other = self.rows[at], self.rows[at - 1 if at else len(self) - 1]
        asked = next((place for place, label in enumerate(row.labels) if label != IGNORED), len(row.labels))
        answer = [label for label in other.labels if label != IGNORED]
        ids = [*row.input_ids[:asked], *answer][: max(len(row.input_ids), asked + 1)]
        return row, TokenRow(input_ids=ids, labels=[IGNORED] * asked + ids[asked:])


def collate_rows(rows: Sequence[TokenRow]) -> Batch:
    """Pad rows on the right. Returns input_ids, labels and attention_mask of shape (rows, longest)."""
    width = max(len(row.input_ids) for row in rows)
    blank, unlabelled = [0] * width, [IGNORED] * width
    return {
        "input_ids": torch.tensor([row.input_ids + blank[len(row.input_ids) :] for row in rows]),
        "labels": torch.tensor([row.labels + unlabelled[len(row.labels) :] for row in rows]),
        "attention_mask": torch.tensor([[1] * len(row.input_ids) + blank[len(row.input_ids) :] for row in rows]),
    }


def collate(examples: Sequence[Example]) -> Batch:
    """Return the rows of examples as one batch: the first of each, then the second of each, as TRL orders pairs.

    With `wanted`, of shape (examples), and where it is known `reference`, of shape (rows of each, examples).
    """
    rows = [example.rows[place] for place in range(len(examples[0].rows)) for example in examples]
    batch = collate_rows(rows) | {"wanted": torch.tensor([example.rows[0].wanted for example in examples])}
    if examples[0].reference:
        batch["reference"] = torch.tensor([example.reference for example in examples]).T
    return batch
