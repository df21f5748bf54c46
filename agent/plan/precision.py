"""In how many bits the base model's linear layers are held, and why. Pure."""

from agent.errors import AgentError
from agent.plan.defaults import asked, plain
from shared.errors import ErrorCode
from shared.hyperparameters import MOVING, Hyperparameters, Precision
from shared.language import _
from shared.plans import Setting


def choose_precision(wishes: Hyperparameters) -> tuple[Precision, list[Setting]]:
    """Return the precision and why. Raises AgentError for what does not go together."""
    in_4, in_8 = asked(wishes.load_in_4bit), asked(wishes.load_in_8bit)
    beginning = asked(wishes.init_lora_weights)
    if in_4 and in_8:
        raise AgentError(
            _("load_in_4bit and load_in_8bit are both true, and weights lie in one of them. Leave one to “auto”."),
            code=ErrorCode.setting_invalid,
            param="load_in_8bit",
        )
    if in_8 and wishes.use_dora is True:
        raise AgentError(
            _(
                "use_dora is true, and peft's DoRA does not run on weights in 8 bits. Leave load_in_8bit to “auto”, "
                "or use_dora."
            ),
            code=ErrorCode.setting_invalid,
            param="load_in_8bit",
        )
    if beginning in MOVING and (in_4 or in_8):
        raise AgentError(
            _(
                "init_lora_weights is {beginning}, which takes a part out of the base model's weights, and those are "
                "quantized by {setting}. Leave {setting} to “auto”, or init_lora_weights.",
                beginning=beginning,
                setting="load_in_4bit" if in_4 else "load_in_8bit",
            ),
            code=ErrorCode.setting_invalid,
            param="init_lora_weights",
        )
    yours = _("as you asked")
    if in_4 is None and beginning in MOVING:
        nf4, why = False, _("no: {beginning} takes a part out of the weights, in 16 bits", beginning=beginning)
    elif in_4 is None and in_8:
        nf4, why = False, _("no, because you asked for 8 bits")
    elif in_4 is None:
        nf4, why = True, _("QLoRA: the base model in a quarter of the memory")
    else:
        nf4, why = in_4, yours
    reasons = [
        plain("load_in_4bit", _("yes, NF4 with double quantization") if nf4 else _("no"), why),
        plain(
            "load_in_8bit",
            _("yes, LLM.int8") if in_8 else _("no"),
            _("only when asked for: twice the memory of 4 bits, and closer to the original") if in_8 is None else yours,
        ),
    ]
    return "nf4" if nf4 else "int8" if in_8 else "original", reasons
