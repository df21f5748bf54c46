"""Adapt and export a two-layer model of each family, and ask llama.cpp whether it is the model that was adapted.

`python -m tests.agent.export.families CARD_FOLDER FOLDER FAMILY…` prints what came of each, one a line. They speak with
the packaged model's tokenizer, whose card is in CARD_FOLDER, not with their family's own; base and adapter are trained
together, for seconds.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import CONFIG_MAPPING, AutoModelForCausalLM, AutoTokenizer
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from agent.base_models.llama_cpp import Prepared, read_prepared
from agent.data.held_out import HeldOutPrompt, TunedAnswer
from agent.export.gguf import QUANTIZED_FILE, write_adapter_gguf, write_gguf
from agent.export.verify_child import VerifyReply, VerifyRequest
from agent.job_folder.durable import replace_file
from agent.pipeline.model import LoadedModel, save_peft
from shared.schema import Response
from tests.fakes import tiny_model

OWN: dict[str, dict[str, Any]] = {
    "gemma2": {"query_pre_attn_scalar": 16, "sliding_window": 128},
    "gemma3_text": {"query_pre_attn_scalar": 16, "sliding_window": 128},
    "mistral": {"sliding_window": None},
}
STEPS = 60
TOKENS = 16


class Exported(Response):
    """What came of one family."""

    family: str
    reply: VerifyReply
    changed: int  # answers that are others than without the adapter

    def is_the_adapted_model(self) -> bool:
        """Say whether llama.cpp gave the adapted model's answers, and those are others than the base model's."""
        reply = self.reply
        same = reply.agreed > 0 and reply.agreed + reply.undecided == len(reply.texts)
        return same and self.changed > 0 and reply.template_tokens_equal is True and reply.stops


def export_in_child(card_folder: Path, work: Path, families: Sequence[str]) -> list[Exported]:
    """Have a process of its own export each family; AssertionError with its last words when it fails."""
    command = [sys.executable, "-m", "tests.agent.export.families", str(card_folder), str(work), *families]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-3000:]
    return [Exported.model_validate_json(line) for line in done.stdout.splitlines()]


def export(family: str, card_folder: Path, folder: Path) -> Exported:
    """Build, adapt, export and ask."""
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(card_folder)
    config = CONFIG_MAPPING[family](
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=16, max_position_embeddings=512, bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.eos_token_id, **OWN.get(family, {}),
    )  # fmt: skip
    config.architectures = [MODEL_FOR_CAUSAL_LM_MAPPING_NAMES[family]]
    model: Any = AutoModelForCausalLM.from_config(config)
    peft = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM"))
    for name, weight in peft.named_parameters():
        weight.requires_grad_(True)
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    tiny_model.train(peft, tokenizer, steps=STEPS)
    base, adapter, out = folder / "base", folder / "adapter", folder / "model.gguf"
    save_peft(peft, adapter)
    replace_file(adapter / QUANTIZED_FILE, b"[]")
    loaded = LoadedModel(peft=peft, tokenizer=tokenizer, eos_ids=[tokenizer.eos_token_id], device="cpu")
    prompts = [tiny_model.prompt_ids(tokenizer, question) for question, _ in tiny_model.ROWS]
    tuned = loaded.answer(prompts, adapter=True, max_new_tokens=TOKENS, tick=lambda: None)
    plain = loaded.answer(prompts, adapter=False, max_new_tokens=TOKENS, tick=lambda: None)
    peft.unload().save_pretrained(base)
    for file in card_folder.glob("tokenizer*"):
        shutil.copy(file, base)
    prepared = read_prepared(card_folder.parent)
    assert prepared is not None
    prepared = Prepared(config=json.dumps(config.to_dict()), vocabulary=prepared.vocabulary)
    write_gguf(base, adapter, out, name=family, target="original", prepared=prepared)
    write_adapter_gguf(base, adapter, folder / "adapter.gguf", prepared=prepared)
    answers = [
        TunedAnswer(
            prompt=HeldOutPrompt(
                question=question, messages=[{"role": "user", "content": question}], prompt_ids=ids, expected="",
                expected_tokens=TOKENS,
            ),
            tokens=answer.tokens, near=answer.near, text="", stopped=answer.tokens[-1] == tokenizer.eos_token_id,
        )
        for (question, _), ids, answer in zip(tiny_model.ROWS, prompts, tuned, strict=True)
    ]  # fmt: skip
    request = VerifyRequest(gguf=str(out), answers=answers, max_new_tokens=TOKENS, threads=1, gpu_layers=0)
    asked = subprocess.run(
        [sys.executable, "-m", "agent.export.verify_child"],
        input=request.model_dump_json().encode(),
        capture_output=True,
    )
    if asked.returncode:
        sys.exit(f"{family}: {asked.stderr.decode()[-3000:]}")
    return Exported(
        family=family,
        reply=VerifyReply.model_validate_json(asked.stdout),
        changed=sum(before.tokens != after.tokens for before, after in zip(plain, tuned, strict=True)),
    )


if __name__ == "__main__":
    for each in sys.argv[3:]:
        work = Path(sys.argv[2]) / each
        work.mkdir()
        print(export(each, Path(sys.argv[1]), work).model_dump_json(), flush=True)
