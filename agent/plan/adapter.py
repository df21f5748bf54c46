"""The adapter that is trained: its place, size, scale and beginning, each with its reason. Pure."""

from dataclasses import dataclass
from typing import Literal

from agent.base_models.card import BaseModelCard, shape_of
from agent.base_models.known import KNOWN
from agent.errors import AgentError
from agent.methods.record import TrainingMethod
from agent.plan.defaults import asked, choose_dropout, plain
from agent.plan.presets import PresetRules, rank_reason
from shared.errors import ErrorCode
from shared.hyperparameters import MOVING, Beginning, Hyperparameters
from shared.language import _
from shared.plans import Setting

RSLORA_ALPHA = 8  # by √16 it is 2, as 32 by 16 is: at the usual rank the scale stays what it was
KNOWN_BUILDS = {model.shape.model_type for model in KNOWN}


@dataclass(frozen=True, kw_only=True)
class Adapter:
    """What is resolved of it, named as peft names it."""

    r: int
    lora_alpha: int
    lora_dropout: float
    target_modules: Literal["all-linear"] | list[str]
    layers_to_transform: list[int] | None
    use_rslora: bool
    use_dora: bool
    init_lora_weights: Beginning
    loraplus_lr_ratio: float
    neftune_noise_alpha: float
    reasons: list[Setting]

    @property
    def moves_base(self) -> bool:
        """Say whether the base's weights are others while it is trained."""
        return self.init_lora_weights in MOVING


def choose_adapter(wishes: Hyperparameters, method: TrainingMethod, rules: PresetRules, card: BaseModelCard) -> Adapter:
    """Resolve the settings of the adapter. Raises AgentError for what does not go together."""
    _check_targets(wishes, card)
    layers = _layers(wishes, card)
    r = asked(wishes.r) or rules.r
    use_rslora, use_dora = asked(wishes.use_rslora) or False, asked(wishes.use_dora) or False
    beginning: Beginning = asked(wishes.init_lora_weights) or True
    moves = beginning in MOVING
    _check_beginning(beginning, use_dora=use_dora)
    noise = asked(wishes.neftune_noise_alpha) or 0.0
    _check_noise(noise, method)
    dropout, dropout_reason = choose_dropout(
        asked(wishes.lora_dropout), card.parameters, possible=method.dropout, use_dora=use_dora, moves_base=moves
    )
    alpha, alpha_reason = _alpha(asked(wishes.lora_alpha), r, use_rslora=use_rslora, moves=moves)
    targets: Literal["all-linear"] | list[str] = asked(wishes.target_modules) or "all-linear"
    if layers is not None and targets == "all-linear":
        targets = _all_names(card)  # peft takes layers with names alone
    ratio = asked(wishes.loraplus_lr_ratio) or 1.0
    yours, yes, no = _("as you asked"), _("yes"), _("no")
    reasons = [
        plain("r", r, yours if asked(wishes.r) else rank_reason(rules)),
        plain("lora_alpha", alpha, alpha_reason),
        plain("lora_dropout", dropout, dropout_reason),
        plain(
            "target_modules",
            targets,
            yours if asked(wishes.target_modules) else _("all linear layers learn better than attention alone"),
        ),
        plain(
            "layers_to_transform",
            _("all") if layers is None else layers,
            _("all layers learn; the last ones alone forget less and learn less") if layers is None else yours,
        ),
        plain(
            "use_rslora",
            yes if use_rslora else no,
            _("only when asked for: worth a try at rank 64 and more") if wishes.use_rslora == "auto" else yours,
        ),
        plain(
            "use_dora",
            yes if use_dora else no,
            _("only when asked for: it can learn a little more, and takes up to twice as long")
            if wishes.use_dora == "auto"
            else yours,
        ),
        plain(
            "init_lora_weights",
            str(beginning).lower(),
            _("the usual beginning: at first the adapter changes nothing")
            if wishes.init_lora_weights == "auto"
            else yours,
        ),
        plain(
            "loraplus_lr_ratio",
            ratio,
            _("one rate for both matrices; LoRA+ gives the second one up to 16 times as much")
            if wishes.loraplus_lr_ratio == "auto"
            else yours,
        ),
        plain(
            "neftune_noise_alpha",
            noise,
            _("no noise; NEFTune's 5 can make long answers better") if wishes.neftune_noise_alpha == "auto" else yours,
        ),
    ]
    return Adapter(
        r=r,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules=targets,
        layers_to_transform=layers,
        use_rslora=use_rslora,
        use_dora=use_dora,
        init_lora_weights=beginning,
        loraplus_lr_ratio=ratio,
        neftune_noise_alpha=noise,
        reasons=reasons,
    )


def linear_names(card: BaseModelCard) -> list[str] | None:
    """Return the names that target_modules may have; None where a card of before does not say."""
    if card.linear_names is not None:
        return card.linear_names
    shape = shape_of(card)
    return [linear.name for linear in shape.linears] if shape.model_type in KNOWN_BUILDS else None


def _alpha(requested: int | None, r: int, *, use_rslora: bool, moves: bool) -> tuple[int, str]:
    if requested:
        return requested, _("as you asked")
    if use_rslora:
        return RSLORA_ALPHA, _("divided by the root of the rank, and so the same for every rank")
    if moves:
        return r, _("the rank, so that the adapter begins as the part of the weights that it took")
    return 2 * r, _("twice the rank, the rule of thumb")


def _check_targets(wishes: Hyperparameters, card: BaseModelCard) -> None:
    """Raise AgentError for a name that the model has not: peft ignores it beside one that the model has."""
    targets, names = asked(wishes.target_modules), linear_names(card)
    if targets is None or targets == "all-linear" or names is None:
        return
    unknown = next((target for target in targets if target not in names), None)
    if unknown is not None:
        raise AgentError(
            _(
                "target_modules names {unknown}, and {model} has no such linear layer. It has: {names}. Choose among "
                "them, or “all-linear”.",
                unknown=unknown,
                model=card.name,
                names=", ".join(names),
            ),
            code=ErrorCode.setting_invalid,
            param="target_modules",
        )


def _layers(wishes: Hyperparameters, card: BaseModelCard) -> list[int] | None:
    """Return the numbers of the layers that learn, in order; None for all. Raises AgentError for one there is not."""
    layers = asked(wishes.layers_to_transform)
    if layers is None:
        return None
    if max(layers) >= card.layers:
        raise AgentError(
            _(
                "layers_to_transform names layer {layer}, and {model} has {layers} layers, from 0 to {last}. Choose "
                "among those, or “auto” for all.",
                layer=max(layers),
                model=card.name,
                layers=card.layers,
                last=card.layers - 1,
            ),
            code=ErrorCode.setting_invalid,
            param="layers_to_transform",
        )
    return sorted(set(layers))


def _all_names(card: BaseModelCard) -> list[str]:
    names = linear_names(card)
    if names is None:
        raise AgentError(
            _(
                "layers_to_transform needs the names of the linear layers, and those of {model} are not known. Name "
                "them in target_modules, or leave layers_to_transform to “auto”.",
                model=card.name,
            ),
            code=ErrorCode.setting_invalid,
            param="target_modules",
        )
    return names


def _check_beginning(beginning: Beginning, *, use_dora: bool) -> None:
    if beginning in MOVING and use_dora:
        raise AgentError(
            _(
                "init_lora_weights is {beginning} and use_dora is true: what is handed out could not have both. "
                "Choose one, and leave the other to “auto”.",
                beginning=beginning,
            ),
            code=ErrorCode.setting_invalid,
            param="init_lora_weights",
        )


def _check_noise(noise: float, method: TrainingMethod) -> None:
    if noise and not method.noise:
        raise AgentError(
            _(
                "neftune_noise_alpha is {noise:g}, and the method {method} weighs answers against each other, which "
                "noise would blur. Leave it to “auto”, or choose the method supervised.",
                noise=noise,
                method=method.type,
            ),
            code=ErrorCode.setting_invalid,
            param="neftune_noise_alpha",
        )
