import re

from hypothesis import given
from hypothesis import strategies as st

from agent.data.any_of import any_of

LETTERS = st.text(alphabet="ab<|.*", min_size=1, max_size=5)


@given(words=st.lists(LETTERS, min_size=1, max_size=8), text=st.text(alphabet="ab<|.*", max_size=30))
def test_the_longest_word_is_found_wherever_one_stands(words: list[str], text: str) -> None:
    plain = re.compile("|".join(map(re.escape, sorted(words, key=len, reverse=True))))
    assert [match.span() for match in any_of(words).finditer(text)] == [match.span() for match in plain.finditer(text)]


def test_one_long_chain_of_words_leaves_all_others_quick() -> None:
    chain = ["a" * length for length in range(1, 600)]
    pattern = any_of([*chain, *(f"<|token_{number}|>" for number in range(5000))])
    assert "|<\\|token_1" not in pattern.pattern  # no token stands as an alternative of its own
    assert pattern.fullmatch("a" * 599)
    assert pattern.fullmatch("<|token_4999|>")


def test_words_that_begin_each_other_are_found_however_many() -> None:
    # More of them than Python calls itself: a tree of this depth is neither built nor matched by recursion.
    found = any_of("a" * length for length in range(1, 1200)).search("b" + "a" * 50)
    assert found is not None
    assert found.span() == (1, 51)
