from pathlib import Path

import pytest
import torch
from bitsandbytes.nn import Linear4bit
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

from agent.errors import AgentError
from agent.export.merge import merged, read_adapter
from agent.export.nf4 import through_nf4


def adapter(folder: Path, *, broken: bool = False) -> tuple[Path, torch.nn.Module]:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=64, hidden_size=64, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2
    )
    model = get_peft_model(LlamaForCausalLM(config), LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj"]))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter)
            if broken:
                parameter.data[0, 0] = float("nan")
    model.save_pretrained(folder)
    return folder, model


def test_a_merged_weight_equals_pefts(tmp_path: Path) -> None:
    folder, model = adapter(tmp_path)
    name = "model.layers.0.self_attn.q_proj.weight"
    base = model.get_base_model().model.layers[0].self_attn.q_proj.base_layer.weight.detach().clone()  # type: ignore[operator]
    ours = merged(base, read_adapter(folder)[name], held_in="original")
    theirs = model.merge_and_unload().model.layers[0].self_attn.q_proj.weight  # type: ignore[operator]
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_nf4_merging_starts_from_the_weights_of_the_training() -> None:
    torch.manual_seed(0)
    weight = torch.randn(64, 128)
    layer = Linear4bit(128, 64, bias=False, quant_type="nf4", compress_statistics=True, compute_dtype=torch.float32)
    layer.load_state_dict({"weight": weight})
    layer.to("cpu")
    x = torch.randn(4, 128)
    assert torch.allclose(layer(x), x @ through_nf4(weight).T, atol=1e-4)


def test_an_adapter_with_values_that_are_no_numbers_is_refused(tmp_path: Path) -> None:
    folder, _ = adapter(tmp_path, broken=True)
    with pytest.raises(AgentError, match="not numbers"):
        read_adapter(folder)
