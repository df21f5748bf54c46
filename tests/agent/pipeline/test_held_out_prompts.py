"""A held-out row is asked as the finished model is asked by anybody: the same tokens, for every family."""

from contextlib import suppress

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from agent.data.character import Character
from agent.data.chat_template import ChatTemplate
from agent.data.held_out import HeldOutPrompt
from agent.data.turns import Message, RowProblem
from agent.export.finished_template import finished_template
from agent.pipeline.held_out_prompts import held_out_prompt
from tests.agent.data.families import OWN_FAMILIES, card_of_family, template_of
from tests.agent.data.test_families import talks

OWN = 'You are "Ruth"\\ of {{x}} {% y %}.\n\x0bEin Satz.'


@pytest.mark.parametrize("name", OWN_FAMILIES)
@given(talk=talks(), thinks=st.booleans(), has_own=st.booleans(), is_own=st.booleans())
@settings(max_examples=3, deadline=None, database=None, phases=[Phase.generate])
def test_its_prompt_is_what_the_finished_model_makes_of_its_messages(
    name: str, talk: list[Message], thinks: bool, has_own: bool, is_own: bool
) -> None:
    base, card = template_of(name), card_of_family(name)
    character = Character(system=OWN if has_own else None, thinks=thinks)
    if is_own:
        talk = [Message(role="system", content=OWN), *(turn for turn in talk if turn.role != "system")]
    source = finished_template(card.chat_template, system=character.system, thinks=thinks, habits=base.habits)
    finished = ChatTemplate(card.model_copy(update={"chat_template": source}))
    with suppress(RowProblem):  # then the row is not asked
        asked = held_out_prompt(talk, base, character)
        assert tokens_asked(finished, asked) == asked.prompt_ids


def tokens_asked(finished: ChatTemplate, asked: HeldOutPrompt) -> list[int]:
    """Return the tokens of what is sent to the finished model, by its own template."""
    sent = [Message(role=turn["role"], content=turn["content"]) for turn in asked.messages]
    ids: list[int] = finished._tokenizer.encode(
        finished.render(sent, add_generation_prompt=True), add_special_tokens=False
    ).ids
    return ids
