import pytest

from bot.words.arguments import quoted, split_words, unescaped, unquoted


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
    "text",
    ["You are Ruth.", 'You say "Ahoy".', "You are\nRuth.\n\nBe brief.", "No “quotes” here.", 'C:\\new "x', '"', "\\n"],
)
def test_what_is_written_reads_back(text: str) -> None:
    (word,) = split_words(quoted("character", text))
    assert unescaped(unquoted(word.removeprefix("character:"))) == text
