"""Rows that say how good an answer is: both answers of a pair, and labelled ones, as tokens."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from agent.base_models.card import BaseModelCard
from agent.data.chat_template import ChatTemplate, TokenizedRow
from agent.data.inspect import inspect_dataset
from agent.data.judged_rows import judged_rows
from agent.data.reading import find_reading
from agent.data.usable_rows import Drops, KeptRow
from agent.errors import AgentError

ASKED = {"role": "user", "content": "Is the shop open?"}


def said(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def read(folder: Path, card: BaseModelCard, rows: list[Any]) -> tuple[list[KeptRow], Drops]:
    drops = Drops()
    return list(judged_rows(find_reading(saved(folder, rows)), ChatTemplate(card), drops)), drops


def saved(folder: Path, rows: list[Any]) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def texts(card: BaseModelCard, tokens: TokenizedRow | None) -> tuple[str, str]:
    """Return all of a row, and what of it is learned."""
    assert tokens is not None
    tokenizer = Tokenizer.from_file(str(Path(card.folder) / "tokenizer.json"))
    learned = [label for label in tokens.labels if label != -100]
    whole, answer = (tokenizer.decode(ids, skip_special_tokens=False) for ids in (tokens.input_ids, learned))
    return whole, answer


PAIRS = [
    {"prompt": "Is the shop open?", "chosen": "Until six.", "rejected": "No idea."},
    {"prompt": [ASKED], "chosen": [said("Until six.")], "rejected": [said("No idea.")]},
    {"chosen": [ASKED, said("Until six.")], "rejected": [ASKED, said("No idea.")]},
    {"input": {"messages": [ASKED]}, "preferred_output": [said("Until six.")],
     "non_preferred_output": [said("No idea.")]},
    {"conversations": [{"from": "human", "value": "Is the shop open?"}],
     "chosen": {"from": "gpt", "value": "Until six."}, "rejected": {"from": "gpt", "value": "No idea."}},
]  # fmt: skip


@pytest.mark.parametrize("row", PAIRS, ids=["texts", "turns", "talks", "openai", "sharegpt"])
def test_both_answers_of_a_pair_are_read_in_each_of_its_forms(
    tmp_path: Path, smollm2_card: BaseModelCard, row: dict[str, Any]
) -> None:
    kept, drops = read(tmp_path, smollm2_card, [row] * 6)
    assert (len(kept), drops.count) == (6, 0)
    for tokens, answer in ((kept[0].tokens, "Until six."), (kept[0].worse, "No idea.")):
        whole, learned = texts(smollm2_card, tokens)
        assert "Is the shop open?" in whole
        assert learned == f"{answer}<|im_end|>"


def test_of_two_talks_only_what_differs_is_learned(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    begun = [ASKED, said("It is."), {"role": "user", "content": "Until when?"}]
    row = {"chosen": [*begun, said("Six.")], "rejected": [*begun, said("Never.")]}
    kept, _ = read(tmp_path, smollm2_card, [row] * 6)
    assert texts(smollm2_card, kept[0].tokens)[1] == "Six.<|im_end|>"
    assert texts(smollm2_card, kept[0].worse)[1] == "Never.<|im_end|>"


def test_a_pair_that_tells_nothing_apart_is_left_out_with_its_line(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    same = {"prompt": "Is the shop open?", "chosen": "Yes.", "rejected": "Yes."}
    alone = {"prompt": "Is the shop open?", "chosen": "Yes.", "rejected": ""}
    kept, drops = read(tmp_path, smollm2_card, [*PAIRS[:1] * 6, same, alone])
    assert len(kept) == 6
    assert [(drop.line, "no worse answer" in drop.reason) for drop in drops.first] == [(7, True), (8, True)]


def labelled(labels: list[bool]) -> Iterator[dict[str, Any]]:
    for n, good in enumerate(labels):
        yield {"prompt": f"Is shop {n} open?", "completion": "Until six." if good else "No idea.", "label": good}


def test_labelled_answers_are_read_good_and_bad(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    kept, drops = read(tmp_path, smollm2_card, list(labelled([True, False] * 4)))
    assert ([row.wanted for row in kept], drops.count) == ([True, False] * 4, 0)
    assert texts(smollm2_card, kept[1].tokens)[1] == "No idea.<|im_end|>"


def test_an_inspection_counts_bad_answers_beside_the_rows_and_drops_none(
    tmp_path: Path, smollm2_card: BaseModelCard
) -> None:
    found = inspect_dataset(saved(tmp_path, list(labelled([True, False, True] * 6))), smollm2_card)
    assert (found.rows, found.bad, found.judged, found.dropped_count) == (12, 6, 18, 0)
    with pytest.raises(AgentError, match=r"2 rows are usable.* 9 answers are labelled as bad\."):
        inspect_dataset(saved(tmp_path, list(labelled([True] * 2 + [False] * 9))), smollm2_card)


def test_an_inspection_of_pairs_knows_how_long_the_worse_talks_are(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    rows = [{"prompt": f"Is shop {n} open?", "chosen": "Until six.", "rejected": "No idea. " * 9} for n in range(20)]
    found = inspect_dataset(saved(tmp_path, rows), smollm2_card)
    assert (found.rows, found.judged) == (20, 20)
    assert found.worse_share > 2
