import pytest

from bot.errors import BadCallError
from bot.words import options
from bot.words.arguments import split_words
from bot.words.option_limits import within_limits
from bot.words.option_lines import write_again
from bot.words.options import Options
from shared.hyperparameters import PreferenceHyperparameters
from shared.mapping import Mapping
from shared.plans import Preset
from tests.fakes.agent_server import NOW


def read_options(arguments: tuple[str, ...]) -> Options:
    return options.read_options(arguments, now=NOW)


def test_short_names_and_full_names_mean_the_same() -> None:
    short = read_options(("epochs:3", "lr:2e-4", "rank:16", "batch:8", "4bit:no"))
    full = read_options(("n_epochs=3", "learning_rate=0.0002", "r=16", "batch_size=8", "load_in_4bit=false"))
    assert short.hyperparameters == full.hyperparameters
    assert short.hyperparameters.n_epochs == 3
    assert short.hyperparameters.load_in_4bit is False


def test_kinds_of_adapters_are_typed_by_short_names() -> None:
    typed = read_options(("dora:yes", "rslora:true", "init:true", "loraplus:16", "neftune:5")).hyperparameters
    assert (typed.use_dora, typed.use_rslora, typed.init_lora_weights) == (True, True, True)
    assert (typed.loraplus_lr_ratio, typed.neftune_noise_alpha) == (16, 5)
    assert read_options(("layers:28,29",)).hyperparameters.layers_to_transform == [28, 29]
    assert read_options(("init:pissa",)).hyperparameters.init_lora_weights == "pissa"


def test_words_without_a_colon_are_left_to_the_command() -> None:
    assert read_options(("sample", "model:HuggingFaceTB/SmolLM2-135M")).words == ("sample",)


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("epochz:3", "Did you mean epochs?"),
        ("colour:red", "There are: model, method, preset, name, seed, at, epochs"),
        ("epochs:100", "epochs is auto, or a number above 0 to 50"),
        ("rank:many", "rank is auto, or a whole number from 1 to 256"),
        ("scheduler:zigzag", "cosine, linear, constant, constant_with_warmup"),
        ("name:My_Toast", "as in name:toast"),
        ("init:zero", "init is auto, or true, gaussian, olora, pissa"),
        ("layers:-1", "layers is auto, or numbers of layers from 0 on, with commas between"),
        ("loraplus:0.5", "loraplus is auto, or a number from 1 to 64"),
        ("seed:-1", "a whole number from 0"),
        ("model:", "needs a value"),
        ("preset:wild", "It is quick (a look), balanced or thorough"),
    ],
)
def test_a_wrong_option_says_what_is_right(argument: str, said: str) -> None:
    with pytest.raises(BadCallError) as caught:
        read_options((argument,))
    assert said in caught.value.message


def test_what_is_written_to_be_asked_again_reads_back_as_the_same_request() -> None:
    asked = PreferenceHyperparameters(n_epochs=3, target_modules=["q_proj", "v_proj"], load_in_4bit=True)
    options = Options(
        model="other", name="toast", seed=7, preset=Preset.thorough, hyperparameters=asked,
        mapping=Mapping(assistant="Mia Lund", without=("Tom", "Ada Berg")),
    )  # fmt: skip
    read = read_options(tuple(write_again(options, "file-1").removeprefix("/finetune ").split()))
    assert read.hyperparameters == asked
    assert (read.file, read.model, read.name, read.seed) == ("file-1", "other", "toast", 7)
    assert read.preset is Preset.thorough
    assert read.mapping == Mapping(assistant="Mia_Lund", without=("Tom", "Ada_Berg"))


def test_how_a_file_is_read_goes_together_or_is_said() -> None:
    read = read_options(("question:Frage", "answer:Antwort"))
    assert read.mapping == Mapping(question="Frage", answer="Antwort")
    for words in (("question:Frage",), ("text:a", "assistant:Mia"), ("answer:",)):
        with pytest.raises(BadCallError, match="do not go together"):
            read_options(words)


def test_who_the_model_is_to_be_is_a_text_and_beside_two_columns_a_third() -> None:
    ruth = "You are Ruth, a pirate."
    assert read_options((f"system:{ruth}",)).mapping == Mapping(character=ruth)
    columns = ("question:Frage", "answer:Antwort")
    assert read_options((*columns, "system:Wer")).mapping == Mapping(question="Frage", answer="Antwort", system="Wer")
    mapping = read_options((*columns, f"character:{ruth}")).mapping
    assert mapping == Mapping(question="Frage", answer="Antwort", character=ruth)
    for asked in (mapping, Mapping(character=ruth), Mapping(assistant="Mia", character=ruth)):
        line = write_again(Options(mapping=asked, hyperparameters=PreferenceHyperparameters(n_epochs=2)), "file-1")
        read = read_options(split_words(line.removeprefix("/finetune ")))
        assert (read.mapping, read.hyperparameters.n_epochs) == (asked, 2)
    for words in (("text:a", f"system:{ruth}"), ("system:" + "x" * 2001,), ("system:",)):
        with pytest.raises(BadCallError, match=r"character:.*do not go together"):
            read_options(words)


def test_a_change_beyond_the_limits_is_brought_within_them() -> None:
    change = {"r": 512, "n_epochs": 52, "learning_rate": 1e-9, "lora_dropout": 0.1}
    assert within_limits(change) == {"r": 256, "n_epochs": 50, "learning_rate": 1e-6, "lora_dropout": 0.1}


def test_a_change_that_cannot_be_typed_is_left_out() -> None:
    assert within_limits({"eval_steps": 5, "n_epochs": 0, "r": 1.5}) == {}
