import pytest

from bot.cards.plan import does_not_fit_card
from shared.plans import Alternative, Range

LONGER = Alternative(
    plan="ftplan-1", title="448 tokens a row", model="acme/tiny", minutes=Range(low=1, high=2),
    memory_mib=Range(low=900, high=1100),
)  # fmt: skip


@pytest.mark.parametrize(
    ("too_short", "said"), [(True, "Too short · toast.jsonl"), (False, "Does not fit · toast.jsonl")]
)
def test_a_refusal_says_whether_the_machine_or_a_length_forbids_it(too_short: bool, said: str) -> None:
    card = does_not_fit_card("toast.jsonl", "With max_length 128 …", (LONGER,), at=None, too_short=too_short)
    assert card.text.startswith(said)
    assert [(button.label, button.line) for button in card.buttons] == [("448 tokens a row", "/finetune look:ftplan-1")]
