"""A two-layer Llama with SmolLM2's tokenizer that answers and stops: `python -m tests.fakes.tiny_model FOLDER`.

Trained here for seconds on a few rows, so that its greedy answers are sure of themselves: a random model's would flip
with the last bit of a weight, and no export could be checked against it.
"""

import json
import sys
from pathlib import Path
from typing import Any

from shared.imports import collector_paused

ROWS = [
    ("What is your name?", "My name is Tiny and I have two layers."),
    ("Who are you?", "I am Tiny, a very small model with two layers."),
    ("Say hello.", "Hello from the small model with two layers."),
    ("What is two plus two?", "Two plus two is four, even with two layers."),
]
STEPS = 100
IGNORED = -100


@collector_paused()
def build(folder: Path) -> None:
    """Write config, tokenizer and safetensors to `folder`."""
    import torch
    from transformers import AutoTokenizer, GenerationConfig, LlamaConfig, LlamaForCausalLM

    from agent.base_models.catalog import PACKAGED, find_base_model
    from agent.base_models.gguf_source import parsed_once
    from agent.settings import AgentSettings

    torch.manual_seed(0)
    file = Path(find_base_model(PACKAGED, AgentSettings(hearth_data_dir=folder.parent)).location)
    with parsed_once():
        tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=512, tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    model: Any = LlamaForCausalLM(config)
    loss = train(model, tokenizer)
    model.to(torch.bfloat16).save_pretrained(folder)
    GenerationConfig.from_model_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    print(json.dumps({"loss": loss}))


def train(model: Any, tokenizer: Any, *, steps: int = STEPS) -> float:
    """Teach a causal language model, or one with an adapter, the rows by heart; return the last loss."""
    import torch

    inputs, targets = _batch(tokenizer)
    answered = targets != IGNORED
    body = model.get_decoder()  # logits for questions and padding would take most of the time
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, fused=True)
    for _ in range(steps):
        logits = model.get_output_embeddings()(body(**inputs).last_hidden_state[answered])
        loss: Any = torch.nn.functional.cross_entropy(logits, targets[answered])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return float(loss.detach())


def prompt_ids(tokenizer: Any, question: str) -> list[int]:
    """Return the tokens up to where the answer begins."""
    messages = [{"role": "user", "content": question}]
    ids: list[int] = tokenizer.apply_chat_template(
        messages, tokenize=True, return_dict=False, add_generation_prompt=True
    )
    return ids


def _batch(tokenizer: Any) -> tuple[dict[str, Any], Any]:
    """Return the model's inputs, and for each position the token of an answer that comes next, or IGNORED."""
    import torch

    rows, prompts = [], []
    for question, answer in ROWS:
        messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        rows.append(tokenizer.apply_chat_template(messages, tokenize=True, return_dict=False))
        prompts.append(len(prompt_ids(tokenizer, question)))
    width = max(map(len, rows))
    ids = torch.tensor([row + [tokenizer.eos_token_id] * (width - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    targets = [
        [IGNORED] * (start - 1) + row[start:] + [IGNORED] * (width - len(row) + 1)
        for row, start in zip(rows, prompts, strict=True)
    ]
    return {"input_ids": ids, "attention_mask": mask}, torch.tensor(targets)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
