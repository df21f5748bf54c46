"""Read a model's card from its config and tokenizer: sizes counted on torch's meta device, no weights."""

import json
from pathlib import Path
from typing import Any

from agent.base_models.card import BaseModelCard
from agent.base_models.experts import unknown_experts
from agent.base_models.shape import read_shape, text_config_of
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _

# Tokens that end a turn or a text in the families we know; a Modelfile names each that the tokenizer has.
END_TOKENS = (
    "<|im_end|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|end_of_text|>",
    "<end_of_turn>",
    "<|end|>",
    "<|return|>",
    "</s>",
)


def describe_model(
    name: str, folder: Path, *, revision: str, license_name: str | None, gguf_problem: str | None
) -> BaseModelCard:
    """Build the card of the model in `folder`. Raises AgentError: model_unusable."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        with torch.device("meta"):
            model: Any = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    except (ValueError, OSError, KeyError, ImportError) as error:
        raise AgentError(
            _(
                "{name} cannot be loaded by transformers: {reason}. Choose another model.",
                name=name,
                reason=str(error).splitlines()[0][:200],
            ),
            code=ErrorCode.model_unusable,
            param="model",
        ) from error
    values = config.to_dict()
    _check_experts(name, values)
    template = _chat_template(name, tokenizer)
    if not (folder / "tokenizer.json").is_file():
        raise AgentError(
            _(
                "{name} has no tokenizer.json, by which its tokens are counted before anything is "
                "trained. Choose a newer upload of it.",
                name=name,
            ),
            code=ErrorCode.model_unusable,
            param="model",
        )
    linears = _adapted_linears(model)
    text_config = config.get_text_config()
    weights = sum(p.stat().st_size for p in folder.glob("*.safetensors")) or _expected_weights(folder, model)
    return BaseModelCard(
        name=name,
        revision=revision,
        folder=str(folder),
        architecture=type(model).__name__,
        parameters=sum(p.numel() for p in model.parameters()),
        hidden_size=text_config.hidden_size,
        intermediate_size=getattr(text_config, "intermediate_size", 4 * text_config.hidden_size),
        layers=text_config.num_hidden_layers,
        vocab_size=text_config.vocab_size,
        context_length=getattr(text_config, "max_position_embeddings", 4096),
        linear_parameters=sum(layer.in_features * layer.out_features for layer in linears.values()),
        lora_parameters_per_rank=sum(layer.in_features + layer.out_features for layer in linears.values()),
        linear_names=list(dict.fromkeys(name.rpartition(".")[2] for name in linears)),
        weights_bytes=weights,
        license=license_name,
        chat_template=template,
        eos_tokens=end_tokens(folder, tokenizer),
        gguf_problem=gguf_problem,
        shape=read_shape(values),
    )


def _check_experts(name: str, config: dict[str, Any]) -> None:
    if unknown := unknown_experts(text_config_of(config)):
        raise AgentError(
            _(
                "{name} is made of experts in a way that is not known here (its config says “{key}”), so nobody could "
                "say how much memory it takes. Choose another model.",
                name=name,
                key=unknown[0],
            ),
            code=ErrorCode.model_unusable,
            param="model",
        )


def end_tokens(folder: Path, tokenizer: Any) -> list[str]:
    """List every token after which the model may stop, the tokenizer's own end of turn first."""
    ids = [tokenizer.eos_token_id]
    for file in ("generation_config.json", "config.json"):
        if (folder / file).is_file():
            value = json.loads((folder / file).read_text(encoding="utf-8")).get("eos_token_id")
            ids += value if isinstance(value, list) else [value]
    texts = [tokenizer.convert_ids_to_tokens(i) for i in ids if isinstance(i, int)]
    special = set(tokenizer.all_special_tokens) | {t.content for t in tokenizer.added_tokens_decoder.values()}
    texts += [token for token in END_TOKENS if token in special]
    return list(dict.fromkeys(text for text in texts if text))


def _chat_template(name: str, tokenizer: Any) -> str:
    template = tokenizer.chat_template
    if isinstance(template, dict):
        template = template.get("default")
    if not template:
        raise AgentError(
            _(
                "{name} has no chat template, so it would not know where a turn ends. Choose its "
                "instruct or chat variant.",
                name=name,
            ),
            code=ErrorCode.model_unusable,
            param="model",
        )
    return str(template)


def _adapted_linears(model: Any) -> dict[str, Any]:
    import torch

    head = model.get_output_embeddings()
    return {name: m for name, m in model.named_modules() if isinstance(m, torch.nn.Linear) and m is not head}


def _expected_weights(folder: Path, model: Any) -> int:
    stated = folder / "weights_bytes"
    if stated.is_file():
        return int(stated.read_text())
    return int(2 * sum(p.numel() for p in model.parameters()))
