import pytest

from agent.base_models.card import BaseModelCard
from agent.data.character import Character
from agent.data.chat_template import ChatTemplate
from agent.export.modelfile import (
    describe_model,
    find_family,
    parse_modelfile,
    survives,
    write_modelfile,
)
from tests.agent.data.families import template_of


def test_smollm2_gets_chatml_with_its_system_text_and_every_stop(smollm2_card: BaseModelCard) -> None:
    text = write_modelfile(
        gguf_name="toast.gguf", template=ChatTemplate(smollm2_card), stops=smollm2_card.eos_tokens,
        longest_answer=70, character=Character(), card_name="smollm2-135m",
    )  # fmt: skip
    commands = parse_modelfile(text)
    assert commands[0] == ("from", "./toast.gguf")
    assert dict(commands)["template"].startswith("{{- range .Messages }}<|im_start|>")
    assert dict(commands)["system"] == "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
    assert [value for command, value in commands if command == "stop"] == ["<|im_end|>", "<|endoftext|>"]
    assert dict(commands)["num_predict"] == "280"


LLAMA3 = (
    "{{ '<|begin_of_text|>' }}{% for m in messages %}{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\n\n' "
    "+ m.content + '<|eot_id|>' }}{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
GEMMA = (
    "{{ '<bos>' }}{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    "{% for m in messages %}"
    "{{ '<start_of_turn>' + ('model' if m.role == 'assistant' else m.role) + '\n' + m.content + '<end_of_turn>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)
OWN = "{% for m in messages %}{{ '## ' + m.role + ': ' + m.content + '</s>' }}{% endfor %}"


@pytest.mark.parametrize(("template", "family"), [(LLAMA3, "llama3"), (GEMMA, "gemma"), (OWN, None)])
def test_a_family_is_known_by_what_it_renders(smollm2_card: BaseModelCard, template: str, family: str | None) -> None:
    found = find_family(ChatTemplate(smollm2_card.model_copy(update={"chat_template": template})))
    assert (found.name if found else None) == family


def test_a_template_without_a_default_system_adds_none(smollm2_card: BaseModelCard) -> None:
    template = ChatTemplate(smollm2_card.model_copy(update={"chat_template": LLAMA3}))
    assert find_family(template) is not None
    assert template.habits.own_system == ""


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("You are Toast.", True),
        ("Two\nlines, and a \"quote\".", True),
        ('It ends with """\nand goes on', False),
        ('ends in a quote"', True),  # Ollama takes the last three quotes
        ("zero\u200dwidth", False),
    ],
)  # fmt: skip
def test_only_text_that_survives_ollamas_parser_becomes_system(value: str, kept: bool) -> None:
    assert survives("system", value) is kept


@pytest.mark.parametrize("text", ["PARAMETER stop x", "FROM ./x\nRUN ls", 'FROM ./x\nSYSTEM """open'])
def test_the_parser_refuses_what_ollama_refuses(text: str) -> None:
    with pytest.raises(ValueError, match=r"FROM|unknown|never closed"):
        parse_modelfile(text)


PERSONA = "You are Captain Ruth.\nYou answer in one sentence."


def test_the_system_text_of_the_rows_is_the_models_own(smollm2_card: BaseModelCard) -> None:
    settings = describe_model(
        template=ChatTemplate(smollm2_card), stops=[], longest_answer=1, character=Character(system=PERSONA)
    )
    assert settings.system == PERSONA


def test_a_model_that_was_trained_with_tools_wants_an_ollama_that_offers_them(smollm2_card: BaseModelCard) -> None:
    for tools, wanted in ((True, [("requires", "0.30.0")]), (False, [])):
        text = write_modelfile(
            gguf_name="a.gguf", template=template_of("qwen2_5"), stops=[], longest_answer=1,
            character=Character(tools=tools), card_name=smollm2_card.name,
        )  # fmt: skip
        assert [each for each in parse_modelfile(text) if each[0] == "requires"] == wanted


@pytest.mark.parametrize(("thinks", "opening"), [(False, "<think>\n\n</think>\n\n"), (True, "")])
def test_a_model_that_was_trained_without_thoughts_is_asked_for_none(thinks: bool, opening: str) -> None:
    settings = describe_model(
        template=template_of("qwen3"), stops=[], longest_answer=1, character=Character(thinks=thinks)
    )
    assert settings.template is not None
    assert settings.template.endswith(f"<|im_start|>assistant\n{opening}")
