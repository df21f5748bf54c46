"""The chat templates of many families, as TRL carries them, each with a tiny tokenizer that has its special tokens."""

import atexit
import importlib.util
import re
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from agent.base_models.card import BaseModelCard
from agent.data.chat_template import ChatTemplate
from tests.agent.plan.cases import SMALLEST, card_of

SPEC = importlib.util.find_spec("trl")
assert SPEC is not None
assert SPEC.origin is not None
FOLDER = Path(SPEC.origin).parent / "chat_templates"
FAMILIES = sorted(path.stem for path in FOLDER.glob("*.jinja"))
OWN_FAMILIES = [name for name in FAMILIES if not name.endswith("_training")]  # the others are TRL's, for training alone
ENDS = [  # that a model's own generation config, or its tokenizer, names as ends of a turn
    "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>", "<end_of_turn>", "<|end|>", "<|return|>", "</s>",
    "<｜end▁of▁sentence｜>", "<|END_OF_TURN_TOKEN|>", "<turn|>", "<|eom_id|>", "<|user|>", "<|eot|>",
    "<end_of_utterance>",
]  # fmt: skip
BEGINS = {"deepseek": "<｜begin▁of▁sentence｜>"}


@cache
def _folder(begin: str) -> Path:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_tokens(pre_tokenizers.ByteLevel.alphabet())
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in [begin, *ENDS]])
    folder = Path(mkdtemp(prefix="hearth-family-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(f'{{"bos_token": "{begin}", "eos_token": "</s>"}}', encoding="utf-8")
    return folder


@cache
def card_of_family(name: str) -> BaseModelCard:
    """Return the card of a model with a family's template."""
    begin = next((token for start, token in BEGINS.items() if name.startswith(start)), "<s>")
    update = {
        "chat_template": (FOLDER / f"{name}.jinja").read_text(encoding="utf-8"),
        "eos_tokens": ENDS,
        "folder": str(_folder(begin)),
        "context_length": 1 << 16,
    }
    return card_of(SMALLEST.shape, name=name).model_copy(update=update)


@cache
def template_of(name: str) -> ChatTemplate:
    """Return a family's template, ready to render."""
    return ChatTemplate(card_of_family(name))


def plain(text: str) -> str:
    """Return a text without its spaces: templates take some away and add others."""
    return re.sub(r"\s+", "", text)
