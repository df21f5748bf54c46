"""The base models that the seed documents recommend, with what a person wants to know before a download. Pure.

Shapes and counts are those of each model's config.json and of its page on Hugging Face; a test holds the two together.
"""

from dataclasses import dataclass

from agent.base_models.shape import ModelShape
from shared.language import N_


@dataclass(frozen=True, kw_only=True)
class KnownModel:
    """One model of the hub, described without asking it."""

    id: str  # owner/name
    shape: ModelShape
    parameters: int  # as its page says
    license: str  # as the hub names it; "other": its own, read it
    gated: bool  # a person must accept the licence on the hub, and HF_TOKEN be set
    template: str  # the family of its chat template
    strengths: str  # a msgid

    @property
    def weights_bytes(self) -> int:
        """Return the size of the download: 16 bits a weight."""
        return 2 * self.parameters


MULTILINGUAL = N_("many languages, code, mathematics")
SMALL = N_("very small, for tries and simple styles")
SMALLER = N_("small, quick to train, best in English")
GENERAL = N_("sound in English, widely used")
REASONS = N_("thinks aloud before it answers")
PER_WEIGHT = N_("much quality for its size")
RESEARCH = N_("efficient, good at conversation")
QUICK = N_("quick, a strong baseline")


def _known(
    name: str,
    counted: int,
    sizes: tuple[int, int, int, int, int, int],
    *,
    family: str,
    license_name: str,
    template: str,
    strengths: str,
    tied: bool = False,
    gated: bool = False,
    head_dim: int | None = None,
    context: int = 32768,
) -> KnownModel:
    """Read one line of the table; `sizes`: hidden, intermediate, layers, heads, key-value heads, vocabulary."""
    hidden, intermediate, layers, heads, kv_heads, vocab = sizes
    shape = ModelShape(
        model_type=family,
        hidden_size=hidden,
        intermediate_size=intermediate,
        layers=layers,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim or hidden // heads,
        vocab_size=vocab,
        context_length=context,
        tied=tied,
        qkv_bias=family == "qwen2",
    )
    return KnownModel(
        id=name, shape=shape, parameters=counted, license=license_name, gated=gated, template=template,
        strengths=strengths,
    )  # fmt: skip


def _smollm2(size: str, counted: int, sizes: tuple[int, int, int, int, int, int]) -> KnownModel:
    return _known(
        f"HuggingFaceTB/SmolLM2-{size}-Instruct", counted, sizes, family="llama", license_name="apache-2.0",
        template="chatml", strengths=SMALL if counted < 10**9 else SMALLER, tied=True, context=8192,
    )  # fmt: skip


def _qwen(
    size: str, counted: int, sizes: tuple[int, int, int, int, int, int], *, tied: bool, license_name: str = "apache-2.0"
) -> KnownModel:
    return _known(
        f"Qwen/Qwen2.5-{size}-Instruct", counted, sizes, family="qwen2", license_name=license_name, template="chatml",
        strengths=MULTILINGUAL, tied=tied,
    )  # fmt: skip


def _llama(
    name: str, counted: int, sizes: tuple[int, int, int, int, int, int], *, license_name: str, tied: bool = False
) -> KnownModel:
    return _known(
        f"meta-llama/{name}", counted, sizes, family="llama", license_name=license_name, template="llama-3",
        strengths=GENERAL, tied=tied, gated=True, context=131072,
    )  # fmt: skip


def _gemma(size: str, counted: int, sizes: tuple[int, int, int, int, int, int], head_dim: int) -> KnownModel:
    return _known(
        f"google/gemma-2-{size}-it", counted, sizes, family="gemma2", license_name="gemma", template="gemma",
        strengths=RESEARCH, tied=True, gated=True, head_dim=head_dim, context=8192,
    )  # fmt: skip


def _deepseek(
    name: str, counted: int, sizes: tuple[int, int, int, int, int, int], *, family: str, license_name: str = "mit"
) -> KnownModel:
    return _known(
        f"deepseek-ai/DeepSeek-R1-Distill-{name}", counted, sizes, family=family, license_name=license_name,
        template="deepseek", strengths=REASONS, context=131072,
    )  # fmt: skip


KNOWN = (
    _smollm2("135M", 134_515_008, (576, 1536, 30, 9, 3, 49152)),
    _smollm2("360M", 361_821_120, (960, 2560, 32, 15, 5, 49152)),
    _smollm2("1.7B", 1_711_376_384, (2048, 8192, 24, 32, 32, 49152)),
    _known(
        "TinyLlama/TinyLlama-1.1B-Chat-v1.0", 1_100_048_384, (2048, 5632, 22, 32, 4, 32000), family="llama",
        license_name="apache-2.0", template="zephyr", strengths=SMALL, context=2048,
    ),
    _qwen("0.5B", 494_032_768, (896, 4864, 24, 14, 2, 151936), tied=True),
    _qwen("1.5B", 1_543_714_304, (1536, 8960, 28, 12, 2, 151936), tied=True),
    _qwen("3B", 3_085_938_688, (2048, 11008, 36, 16, 2, 151936), tied=True, license_name="other"),
    _qwen("7B", 7_615_616_512, (3584, 18944, 28, 28, 4, 152064), tied=False),
    _qwen("14B", 14_770_033_664, (5120, 13824, 48, 40, 8, 152064), tied=False),
    _qwen("32B", 32_763_876_352, (5120, 27648, 64, 40, 8, 152064), tied=False),
    _qwen("72B", 72_706_203_648, (8192, 29568, 80, 64, 8, 152064), tied=False, license_name="other"),
    _llama("Llama-3.2-1B-Instruct", 1_235_814_400, (2048, 8192, 16, 32, 8, 128256), license_name="llama3.2", tied=True),
    _llama("Llama-3.2-3B-Instruct", 3_212_749_824, (3072, 8192, 28, 24, 8, 128256), license_name="llama3.2", tied=True),
    _llama("Llama-3.1-8B-Instruct", 8_030_261_248, (4096, 14336, 32, 32, 8, 128256), license_name="llama3.1"),
    _llama("Llama-3.3-70B-Instruct", 70_553_706_496, (8192, 28672, 80, 64, 8, 128256), license_name="llama3.3"),
    _known(
        "microsoft/phi-4", 14_659_507_200, (5120, 17920, 40, 40, 10, 100352), family="phi3", license_name="mit",
        template="chatml", strengths=PER_WEIGHT, context=16384,
    ),
    _gemma("2b", 2_614_341_888, (2304, 9216, 26, 8, 4, 256000), 256),
    _gemma("9b", 9_241_705_984, (3584, 14336, 42, 16, 8, 256000), 256),
    _gemma("27b", 27_227_128_320, (4608, 36864, 46, 32, 16, 256000), 128),
    _deepseek("Qwen-1.5B", 1_777_088_000, (1536, 8960, 28, 12, 2, 151936), family="qwen2"),
    _deepseek("Qwen-7B", 7_615_616_512, (3584, 18944, 28, 28, 4, 152064), family="qwen2"),
    _deepseek("Llama-8B", 8_030_261_248, (4096, 14336, 32, 32, 8, 128256), family="llama"),
    _deepseek("Llama-70B", 70_553_706_496, (8192, 28672, 80, 64, 8, 128256), family="llama"),
    _known(
        "mistralai/Mistral-7B-Instruct-v0.3", 7_248_023_552, (4096, 14336, 32, 32, 8, 32768), family="mistral",
        license_name="apache-2.0", template="mistral", strengths=QUICK,
    ),
    _known(
        "mistralai/Mistral-Small-Instruct-2409", 22_247_282_688, (6144, 16384, 56, 48, 8, 32768), family="mistral",
        license_name="other", template="mistral", strengths=QUICK, gated=True, head_dim=128,
    ),
)  # fmt: skip
