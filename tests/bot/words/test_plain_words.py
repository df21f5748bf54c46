"""Sentences as people write them to a bot, with slips, in English and German."""

import pytest

from bot.words.meanings import MEANINGS
from bot.words.plain_words import SURE, guesses


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("How far is it??", "status"),
        ("hey how far are you", "status"),
        ("is my model ready yet?", "status"),
        ("staus", "status"),
        ("whats the eta", "status"),
        ("wie lange dauert das noch", "status"),
        ("where do i download my model", "status"),
        ("please stop the training", "cancel"),
        ("hör bitte auf", "cancel"),
        ("can you pause it please, i want to play", "pause"),
        ("i need my gpu back", "pause"),
        ("mach weiter", "resume"),
        ("i want to train a model", "finetune"),
        ("how do I fine tune?", "finetune"),
        ("ich will ein modell trainieren", "finetune"),
        ("let me chat with my model", "chat"),
        ("train it again", "retry"),
        ("nochmal bitte", "retry"),
        ("is it learning anything?", "plot"),
        ("why did my job fail?", "log"),
        ("was ist da passiert", "log"),
        ("why so slow", "gpu"),
        ("warum ist das so langsam", "gpu"),
        ("when is my turn", "queue"),
        ("which models can i use", "models"),
        ("what format does my file need", "dataset"),
        ("lösch das modell", "delete"),
        ("helo", "help"),
        ("was kannst du so", "help"),
    ],
)
def test_the_likeliest_is_what_was_meant(said: str, meant: str) -> None:
    assert guesses(said)[0].meaning.command == meant


@pytest.mark.parametrize(
    "said", ["The weather is nice today.", "asdf", "I like pizza", "thanks!", "", "?!", "#" * 5000]
)
def test_nothing_is_guessed_where_no_phrase_is_near(said: str) -> None:
    assert guesses(said) == []


def test_every_phrase_is_surely_its_own_meaning() -> None:
    for meaning in MEANINGS:
        for phrase in meaning.phrases:
            found = guesses(phrase)
            assert (found[0].meaning, found[0].score >= SURE) == (meaning, True), phrase
