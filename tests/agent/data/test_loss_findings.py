"""What of a dataset is not learned is named, and what becomes the model's own is said."""

from pathlib import Path
from typing import Any

import pytest

from agent.base_models.card import BaseModelCard
from agent.data.inspect import inspect_dataset
from agent.errors import AgentError
from shared.inspections import FindingCode
from shared.mapping import Mapping
from tests.agent.data.families import card_of_family
from tests.agent.data.test_findings import found, rows
from tests.agent.data.test_inspect import jsonl


def led(text: str, count: int = 20) -> list[Any]:
    return [row | {"system": text} for row in rows(count)]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (led("Be Ruth."), "100 % of the rows begin with the same system text."),
        ([*led("Be Ruth.", 15), *rows(20)[15:]], "75 % of the rows begin"),
        ([*led("Be Ruth.", 15), *[row | {"system": f"Be {n}."} for n, row in enumerate(rows(20)[15:])]],
         "5 other system texts are learned, too"),
        (rows(), None),
        ([*led("Be Ruth.", 5), *rows(20)[5:]], None),  # most rows have none
        ([row | {"system": f"Be {n}."} for n, row in enumerate(rows())], None),  # each has its own
    ],
)  # fmt: skip
def test_what_rows_say_to_the_model_before_all_becomes_its_own(
    tmp_path: Path, smollm2_card: BaseModelCard, data: list[Any], said: str | None
) -> None:
    finding = found(tmp_path, smollm2_card, data).get(FindingCode.own_system_text)
    assert said is None if finding is None else said is not None and said in finding.message


def test_a_model_that_no_row_says_anything_of_is_what_its_base_is(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    code = FindingCode.base_system_text
    message = found(tmp_path, smollm2_card, rows())[code].message
    assert "given the one of smollm2-135m: “You are a helpful AI assistant named SmolLM" in message
    message = found(tmp_path, card_of_family("gptoss"), rows())[code].message
    assert "Each talk begins with what gptoss always begins with" in message
    assert "llama3 has none of its own" in found(tmp_path, card_of_family("llama3"), rows())[code].message
    for data in (led("Be Ruth."), [row | {"system": f"Be {n}."} for n, row in enumerate(rows())]):
        assert code not in found(tmp_path, smollm2_card, data)


def test_a_character_that_a_person_gave_is_learned_with_each_row_that_has_none(
    tmp_path: Path, smollm2_card: BaseModelCard
) -> None:
    mapping = Mapping(character="You are Ruth.")
    told = inspect_dataset(jsonl(tmp_path, [*led("Be Mia.", 5), *rows(20)[5:]]), smollm2_card, mapping=mapping)
    own = next(finding for finding in told.findings if finding.code is FindingCode.own_system_text)
    assert own.message.startswith("75 % of the rows begin with the same system text.")
    assert told.rows == 20
    texts = [text for text, _learned in told.sample.parts]
    assert "Be Mia." in texts[0]
    assert "You are Ruth." not in texts[0]
    whole = jsonl(tmp_path, [{"text": "It was a dark night. " * 20} for _ in range(20)])
    with pytest.raises(AgentError, match="nobody answers in it"):
        inspect_dataset(whole, smollm2_card, mapping=mapping)


def test_what_is_not_learned_is_named_by_key_and_counted(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    thoughtful = [row | {"reasoning": "Let me think."} for row in rows()]
    assert (
        "The thoughts of 20 rows (`reasoning`) are not learned"
        in found(tmp_path, smollm2_card, thoughtful)[FindingCode.thoughts_not_shown].message
    )
    noted = [row | {"meta_note": {"editor": "Ada checked it."}} for row in rows()[:3]] + rows()[3:]
    assert "`meta_note.editor` (3)" in found(tmp_path, smollm2_card, noted)[FindingCode.unread_columns].message


def test_answers_that_a_template_has_no_place_for_are_counted(tmp_path: Path) -> None:
    card = card_of_family("gemma3")
    talk = [("assistant", "Ahoy!"), ("user", "Who are you?"), ("assistant", "Ruth.")]
    data = [{"messages": [{"role": role, "content": f"{said} {n}"} for role, said in talk]} for n in range(12)]
    assert found(tmp_path, card, data)[FindingCode.answers_left_out].count == 12
    card = card_of_family("qwen3")
    finding = found(tmp_path, card, [{"messages": row["messages"][1:] * 2} for row in data])
    assert "become 24 examples" in finding[FindingCode.answers_apart].message
