"""Options as people write them on phones, in shells and in German."""

import pytest

from bot.words.arguments import split_words
from bot.words.option_words import nearest, option_words


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("epochs: 3", ["n_epochs:3"]),
        ("Epochs 3", ["n_epochs:3"]),
        ("--epochs=3", ["n_epochs:3"]),
        ("—epochs 3", ["n_epochs:3"]),  # a phone makes one dash of two
        ("3 epochs", ["n_epochs:3"]),
        ("3 Epochen", ["n_epochs:3"]),
        ("12 epochs 5", ["12", "n_epochs:5"]),  # of job 12
        ("#12 lr 1e-4", ["#12", "learning_rate:1e-4"]),
        ("--lr = 2e–4", ["learning_rate:2e-4"]),
        ("lr 0,0001", ["learning_rate:0.0001"]),
        ("learning rate 1e-4", ["learning_rate:1e-4"]),
        ("Learning-Rate: 1e-4", ["learning_rate:1e-4"]),
        ("learningrate=1e-4", ["learning_rate:1e-4"]),
        ("lr=1e-4, epochs=3; rank 8", ["learning_rate:1e-4", "n_epochs:3", "r:8"]),
        ("batch size 8 max length 1,024", ["batch_size:8", "max_length:1024"]),
        ("dropout 5%", ["lora_dropout:0.05"]),
        ("4bit nein", ["load_in_4bit:no"]),
        ("target_modules:q_proj,v_proj", ["target_modules:q_proj,v_proj"]),
        ("sample, name Pirate", ["sample", "name:pirate"]),
        ("sample quick", ["sample", "preset:quick"]),
        ("model https://huggingface.co/Qwen/Qwen2.5-0.5B-Instruct", ["model:Qwen/Qwen2.5-0.5B-Instruct"]),
        ("hf.co/Qwen/Qwen2.5-0.5B/tree/main", ["model:Qwen/Qwen2.5-0.5B"]),
        ("https://huggingface.co/datasets/a/b", ["https://huggingface.co/datasets/a/b"]),
        ("model:llama3.2:3b", ["model:llama3.2:3b"]),
        (r"C:\Users\me\toast.jsonl", [r"C:\Users\me\toast.jsonl"]),
        ("https://example.org/toast.jsonl", ["https://example.org/toast.jsonl"]),
        ("at tomorrow 7:30 epochs 2", ["at:tomorrow 7:30", "n_epochs:2"]),
        ("at:tomorrow at 7:30 pm", ["at:tomorrow at 7:30 pm"]),
        ("in 2 hours", ["at:in 2 hours"]),
        ("sample tonight", ["sample", "at:tonight"]),
        ("morgen um 7:30", ["at:morgen um 7:30"]),
        ("um 22 Uhr", ["at:22 Uhr"]),
        ("at the latest", ["at", "the", "latest"]),
        ('system: "You are Ruth, 3 epochs old.", epochs 3', ['system:"You are Ruth, 3 epochs old."', "n_epochs:3"]),
        ("ohne:Tom without:Ada", ["without:Tom", "without:Ada"]),
        ("question Frage", ["question", "Frage"]),  # words of a file: only with a colon
        ("Colour:red", ["colour:red"]),
        ("epochs", ["epochs"]),
    ],
)  # fmt: skip
def test_what_is_meant_is_read(typed: str, read: list[str]) -> None:
    words = option_words(split_words(typed))
    assert list(words) == read
    assert option_words(words) == words, "what was read once is read the same again"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("epochz", "epochs"), ("learnrate", "lr"), ("modle", "model"), ("colour", None), ("temperature", None)],
)
def test_a_hint_is_near_or_there_is_none(typed: str, meant: str | None) -> None:
    assert nearest(typed) == meant
