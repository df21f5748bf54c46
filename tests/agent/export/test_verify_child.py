import pytest

from agent.data.held_out import HeldOutPrompt, ToolCall, TunedAnswer
from agent.errors import AgentError
from agent.export.verify_child import Agreement, Ending, check_calls, compare, read_calls, stops_like_trained
from agent.pipeline.verify import refuse_if_different
from shared.results import ToolCalls, Verification

TOLD = (("tide", "Bath"), ("tide", "York"), ("wind", "Bath"))
TOKENS = [*range(30), 2]


def trained(tokens: list[int], near: list[list[int]] | None = None) -> TunedAnswer:
    prompt = HeldOutPrompt(question="Q", messages=[], prompt_ids=[1], expected="A", expected_tokens=3)
    return TunedAnswer(prompt=prompt, tokens=tokens, near=near or [[token] for token in tokens], text="", stopped=True)


def never(prompt: list[int]) -> list[int]:
    raise AssertionError("nothing was undecided, so nothing is to be continued")


@pytest.mark.parametrize(
    ("exported", "meeting"),
    [
        (TOKENS[:-1], Agreement.agreed),
        ([*range(16), 99, 98], Agreement.agreed),  # sixteen equal tokens are enough
        ([*range(15), 99, 98], Agreement.different),
        (list(range(10)), Agreement.different),  # it stopped too early
        ([], Agreement.different),
    ],
)
def test_answers_agree_for_sixteen_tokens(exported: list[int], meeting: Agreement) -> None:
    assert compare(trained(TOKENS), exported, never) is meeting


def test_a_short_answer_must_agree_to_its_end() -> None:
    assert compare(trained([5, 6, 7, 2]), [5, 6, 7], never) is Agreement.agreed
    assert compare(trained([5, 6, 7, 2]), [5, 6], never) is Agreement.different


def test_where_the_trained_model_was_undecided_the_export_goes_on_from_its_word() -> None:
    near = [[token] for token in TOKENS]
    near[4] = [4, 77]
    given: list[list[int]] = []

    def go_on(prompt: list[int], then: list[int]) -> list[int]:
        given.append(prompt)
        return then

    right, wrong = list(range(5, 21)), [5, 6, 99]
    parted = [0, 1, 2, 3, 77, 8, 8]
    assert compare(trained(TOKENS, near), parted, lambda prompt: go_on(prompt, right)) is Agreement.undecided
    assert given == [[1, 0, 1, 2, 3, 4]]  # the prompt, and the trained model's words up to and with its own
    assert compare(trained(TOKENS, near), parted, lambda prompt: go_on(prompt, wrong)) is Agreement.different
    assert compare(trained(TOKENS, near), [0, 1, 2, 3, 78, 5], never) is Agreement.different


class Answering:
    """What llama.cpp makes of each prompt, by its question."""

    def __init__(self, made: dict[str, list[ToolCall] | None]) -> None:
        self._made = made

    def calls(self, prompt: HeldOutPrompt) -> list[ToolCall] | None:
        return self._made[prompt.question]


def offered(question: str, *calls: ToolCall, tools: bool = True) -> HeldOutPrompt:
    return HeldOutPrompt(
        question=question, messages=[], tools=[{}] * tools, calls=list(calls), prompt_ids=[1], expected="",
        expected_tokens=1,
    )  # fmt: skip


def test_a_call_is_right_by_its_name_and_its_arguments() -> None:
    bath, york, other = (ToolCall(name=name, arguments={"at": at}) for name, at in TOLD)
    prompts = [offered("Bath?", bath), offered("York?", york), offered("Both?", bath, york), offered("Thanks!")]
    made: dict[str, list[ToolCall] | None] = {"Bath?": [bath], "York?": [bath], "Both?": [bath, york]}
    assert check_calls(Answering(made), prompts) == ToolCalls(asked=3, right=2, right_tool=3)
    made |= {"York?": [other], "Both?": [bath]}
    assert check_calls(Answering(made), prompts) == ToolCalls(asked=3, right=1, right_tool=1)
    made |= {"York?": None, "Both?": None}  # could not be asked
    assert check_calls(Answering(made), prompts) == ToolCalls(asked=1, right=1, right_tool=1)
    assert check_calls(Answering({"Bath?": None}), prompts[:1]) is None
    assert check_calls(Answering(made), prompts[3:]) is None


def test_what_calls_tools_that_are_not_offered_is_not_asked() -> None:
    bath = ToolCall(name="tide", arguments={})
    assert check_calls(Answering({}), [offered("Bath?", bath, tools=False)]) is None


def test_calls_are_read_as_programs_get_them() -> None:
    call = {"type": "function", "id": "1", "function": {"name": "tide", "arguments": '{"at": "Bath"}'}}
    assert read_calls({"content": None, "tool_calls": [call]}) == [ToolCall(name="tide", arguments={"at": "Bath"})]
    assert read_calls({"content": "No."}) == []
    with pytest.raises(ValueError, match="Expecting"):
        read_calls({"tool_calls": [{"function": {"name": "tide", "arguments": '{"at": '}}]})


def checked(agreed: int, *, undecided: int = 0, template: bool = True, stops: bool = True) -> Verification:
    return Verification(
        prompts=8, agreed=agreed, undecided=undecided, merge_target="nf4", template_tokens_equal=template, stops=stops
    )


@pytest.mark.parametrize(
    ("agreed", "template", "stops", "words"),
    [(5, True, True, "Only 5 of 8"), (8, False, True, "other tokens"), (8, True, False, "does not end")],
)
def test_a_model_that_is_not_the_trained_one_is_not_handed_out(
    agreed: int, template: bool, stops: bool, words: str
) -> None:
    with pytest.raises(AgentError, match=words):
        refuse_if_different(checked(agreed, template=template, stops=stops), "30 tokens for 31")


@pytest.mark.parametrize(
    ("endings", "stops"),
    [
        ([(True, True), (True, True), (False, False)], True),  # other words, other end
        ([(True, True), (True, False)], False),  # the same words, and then no end
        ([(False, True), (False, False)], True),
        ([(False, False), (False, False)], False),
        ([], True),  # the trained model never stopped either: advice, not a fault of the export
    ],
)
def test_an_export_must_stop_where_it_followed_the_trained_model(endings: list[tuple[bool, bool]], stops: bool) -> None:
    assert stops_like_trained([Ending(followed=followed, stopped=stopped) for followed, stopped in endings]) is stops


def test_six_of_eight_is_enough() -> None:
    refuse_if_different(checked(6), None)
    refuse_if_different(checked(4, undecided=2), None)
