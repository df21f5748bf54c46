"""The base model with its adapter, in memory: loaded as planned, asked questions, its adapter saved and restored."""

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model, set_peft_model_state_dict
from safetensors.torch import load_file
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
    set_seed,
)

from agent.base_models.card import BaseModelCard
from agent.data.chat_template import ChatTemplate
from agent.export.gguf import QUANTIZED_FILE
from agent.job_folder.durable import replace_file
from agent.job_folder.folder import ADAPTER_FILE
from agent.job_folder.spec import JobSpec
from agent.pipeline.moved_base import MovedBase
from shared.hyperparameters import Precision, ResolvedSettings
from shared.results import COMPARED_TOKENS

# A token this close to the best, in nats, is as good as it: the last bits of a weight decide, and those that llama.cpp
# drops of what it multiplies with them. Measured on SmolLM2 in Q8_0: a right export parted from the model at gaps of
# 0.001 to 0.03 on a processor with AVX-512, of up to 0.17 on one without; a wrong one (other target) at 0.35 to 4.2.
TIE_NATS = 0.25
QUANTIZED = {"Linear4bit", "Linear8bitLt"}


def compute_dtype(device: str) -> torch.dtype:
    """Return the type of the computation: fp32 on CPU, bf16 on GPUs that have it, else fp16."""
    if device == "cpu":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def save_peft(peft: Any, folder: Path) -> None:
    """Write adapter_model.safetensors and adapter_config.json, without looking the base model up on a hub."""
    peft.save_pretrained(folder, safe_serialization=True, save_embedding_layers=False)


@dataclass(frozen=True, kw_only=True)
class GreedyAnswer:
    """New tokens, the end token included where one was reached; and for the first of them what else was as likely."""

    tokens: list[int]
    near: list[list[int]]  # at each of the first positions, the tokens within TIE_NATS of the best


class NearTokens(LogitsProcessor):  # type: ignore[misc]
    """Changes nothing: notes, for the first tokens of an answer, between which ones the model was undecided."""

    def __init__(self) -> None:
        self._steps: list[list[list[int]]] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Look at the scores of one position, of shape (rows, vocabulary)."""
        del input_ids
        if len(self._steps) < COMPARED_TOKENS:
            likely = scores >= scores.max(dim=-1, keepdim=True).values - TIE_NATS
            self._steps.append([row.nonzero().flatten().tolist() for row in likely])
        return scores

    def of_row(self, number: int) -> list[list[int]]:
        """Return what was noted for one prompt."""
        return [step[number] for step in self._steps]


class Ticking(StoppingCriteria):  # type: ignore[misc]
    """Never stops an answer by itself; lets somebody look up between two tokens."""

    def __init__(self, tick: Callable[[], None]) -> None:
        self._tick = tick

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **kwargs: Any) -> torch.Tensor:
        """Return False for each row."""
        del scores, kwargs
        self._tick()
        return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)


@dataclass(kw_only=True)
class LoadedModel:
    """A PEFT model, its tokenizer, and where answers end."""

    peft: Any
    tokenizer: Any
    eos_ids: list[int]
    device: str
    moved: MovedBase | None = None  # the adapter began as a part of the base's weights, which lack it since

    def save_adapter(self, folder: Path) -> None:
        """Write adapter_model.safetensors, adapter_config.json, and the names of the weights held in 4 or 8 bits."""
        save_peft(self.peft, folder)
        if self.moved is not None:
            self.moved.hand_out(folder)
        replace_file(folder / QUANTIZED_FILE, json.dumps(self.quantized_weights()).encode())

    def quantized_weights(self) -> list[str]:
        """Name the weights that bitsandbytes quantized, as the base model's files name them."""
        modules = self.peft.get_base_model().named_modules()
        found = (name for name, module in modules if type(module).__name__ in QUANTIZED)
        return sorted(f"{name.removesuffix('.base_layer')}.weight" for name in found)

    def restore_adapter(self, folder: Path) -> None:
        """Put back the weights that `save_adapter` or a checkpoint wrote."""
        weights = load_file(folder / ADAPTER_FILE)
        set_peft_model_state_dict(self.peft, self.moved.trained_part(weights) if self.moved is not None else weights)

    @contextmanager
    def answering(self, *, adapter: bool) -> Iterator[Any]:
        """Give the model in evaluation mode, with the adapter or as the base model."""
        training = self.peft.training
        self.peft.eval()
        try:
            if adapter:
                yield self.peft
            else:
                with self.moved.as_it_began() if self.moved is not None else self.peft.disable_adapter():
                    yield self.peft
        finally:
            self.peft.train(training)

    def answer(
        self, prompts: list[list[int]], *, adapter: bool, max_new_tokens: int, tick: Callable[[], None]
    ) -> list[GreedyAnswer]:
        """Answer each prompt greedily; `tick` is called at each token and may raise."""
        near = NearTokens()
        width = max(len(prompt) for prompt in prompts)
        pad = self.eos_ids[0]
        ids = torch.tensor([[pad] * (width - len(p)) + p for p in prompts], device=self.device)
        mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=self.device)
        with self.answering(adapter=adapter) as model, torch.inference_mode():
            output = model.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=max_new_tokens,
                do_sample=False,
                temperature=None,
                top_p=None,
                top_k=None,
                repetition_penalty=1.0,
                eos_token_id=self.eos_ids,
                pad_token_id=pad,
                logits_processor=LogitsProcessorList([near]),
                stopping_criteria=StoppingCriteriaList([Ticking(tick)]),
            )
        return [
            GreedyAnswer(tokens=_until_end(row[width:].tolist(), set(self.eos_ids)), near=near.of_row(number))
            for number, row in enumerate(output)
        ]


def _until_end(tokens: list[int], eos_ids: set[int]) -> list[int]:
    for position, token in enumerate(tokens):
        if token in eos_ids:
            return tokens[: position + 1]
    return tokens


def load_model(spec: JobSpec, card: BaseModelCard) -> LoadedModel:
    """Load the base model in 4, 8 or 16 bits and put a fresh, seeded adapter on it."""
    peft = load_peft(Path(card.folder), spec.settings, device=spec.device, seed=spec.seed)
    peft.peft_config["default"].base_model_name_or_path = spec.base_model  # not a path of this machine
    eos_ids = ChatTemplate(card).token_ids(card.eos_tokens)
    tokenizer = AutoTokenizer.from_pretrained(card.folder, trust_remote_code=False)
    moved = MovedBase(peft, spec.settings) if spec.settings.moves_base else None
    return LoadedModel(peft=peft, tokenizer=tokenizer, eos_ids=sorted(eos_ids), device=spec.device, moved=moved)


def _quantization(held_in: Precision, dtype: torch.dtype) -> BitsAndBytesConfig | None:
    match held_in:
        case "nf4":
            return BitsAndBytesConfig(
                load_in_4bit=True,
                bnb_4bit_quant_type="nf4",
                bnb_4bit_use_double_quant=True,
                bnb_4bit_compute_dtype=dtype,
            )
        case "int8":
            return BitsAndBytesConfig(load_in_8bit=True)
        case "original":
            return None


def load_peft(folder: Path, settings: ResolvedSettings, *, device: str, seed: int) -> Any:
    """Load the weights in `folder` as planned, with a fresh adapter on them, ready to be trained."""
    dtype = compute_dtype(device)
    quantization = _quantization(settings.held_in, dtype)
    with warnings.catch_warnings():
        # bitsandbytes looks for a CPU kernel on a hub and warns that it may not; the built-in one is what we want.
        warnings.filterwarnings("ignore", message=".*kernels.*")
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder,
            quantization_config=quantization,
            dtype=dtype,
            device_map={"": device},
            trust_remote_code=False,
            use_safetensors=True,
        )
    model.config.use_cache = False
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            # On some CPUs bitsandbytes would compute in bf16 once it has answered, and go on so in training.
            module.support_avx512bf16_for_cpu = False
    set_seed(seed)
    lora = LoraConfig(
        r=settings.r,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        target_modules=settings.target_modules,
        layers_to_transform=settings.layers_to_transform,
        use_rslora=settings.use_rslora,
        use_dora=settings.use_dora,
        init_lora_weights=settings.init_lora_weights,
        bias="none",
        task_type="CAUSAL_LM",
    )
    peft = get_peft_model(model, lora)
    for parameter in peft.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()  # DoRA's lengths come in the base's type
    if settings.activation_checkpointing:
        model.enable_input_require_grads()
        model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    return peft
