import pytest

from bot.words.arguments import quoted, split_words, unquoted


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("epochs:3  lr:1e-4\n", ("epochs:3", "lr:1e-4")),
        ('system:"You are Ruth, a pirate." epochs:3', ('system:"You are Ruth, a pirate."', "epochs:3")),
        ("system:“You are Ruth.” name:ruth", ("system:“You are Ruth.”", "name:ruth")),
        ("system=„Du bist Ruth.“", ("system=„Du bist Ruth.“",)),
        ('#3 say "hello there" to Mia', ("#3", "say", '"hello', 'there"', "to", "Mia")),
        ('name:"a b"c it\'s', ('name:"a', 'b"c', "it's")),
        ("", ()),
    ],
)
def test_words_are_parted_by_spaces_but_for_what_stands_in_quotes(typed: str, words: tuple[str, ...]) -> None:
    assert split_words(typed) == words


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("You are Ruth.", "You are Ruth."),
        ('You say "Ahoy".', 'You say "Ahoy".'),
        ("You are\nRuth.", "You are Ruth."),
        ("No “quotes” here.", "No “quotes” here."),
        ('Both "kinds” of quotes', "Both \"kinds' of quotes"),
    ],
)
def test_what_is_written_reads_back(text: str, read: str) -> None:
    (word,) = split_words(quoted("system", text))
    assert unquoted(word.removeprefix("system:")) == read
