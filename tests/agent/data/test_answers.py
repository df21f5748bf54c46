"""Where the answers of a talk stand: found, or not found, and never with somebody's next question in them."""

from agent.data.answers import find_answers

OPENING, END = "<a>", "</a>"


def talk(*ends: str) -> str:
    return "".join(f"<q>Question {n}</q><a>Answer {n}.{end}" for n, end in enumerate(ends))


def test_each_answer_is_found_with_its_end_of_turn() -> None:
    full = talk(END, END, END)
    spans = find_answers(full, OPENING, [f"Answer {n}." for n in range(3)], [END])
    assert spans is not None
    assert [full[begin:end] for begin, end in spans] == [f"Answer {n}.</a>" for n in range(3)]


def test_an_answer_whose_end_a_template_leaves_out_is_not_learned_with_the_next_question() -> None:
    assert find_answers(talk(END, "", END), OPENING, [f"Answer {n}." for n in range(3)], [END]) is None
