"""What follows `/finetune`, read from the words of a person. Pure."""

from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bot.errors import BadCallError
from bot.words.arguments import unquoted
from bot.words.mapping import READING, combined, read_mapping
from bot.words.option_limits import describe_setting
from bot.words.option_names import (
    DEFAULT_MODEL,
    DEFAULT_SEED,
    OWN_NAMES,
    PRESETS,
    TYPED_NAMES,
    written,
)
from bot.words.option_words import nearest, option_words, parted
from bot.words.start_time import read_when
from shared.hyperparameters import BODIES, PREFERENCES, Method, MethodType, PreferenceHyperparameters
from shared.language import _
from shared.mapping import Mapping
from shared.plans import ModelName, Plan, PlanChanges, PlanRequest, Preset

METHOD_WORDS: dict[str, MethodType] = {"sft": "supervised", "pre-training": "pretraining", "cpt": "pretraining"}
SEVERAL = ("target_modules", "layers_to_transform")  # values with commas between
OF_A_METHOD = ("beta", "lora_dropout", "learning_rate", "neftune_noise_alpha")  # what suits one method alone


@dataclass(frozen=True, kw_only=True)
class Options:
    """What was asked; None: not said. `words` are the arguments that are no option."""

    model: str | None = None
    method_type: MethodType | None = None
    preset: Preset | None = None
    name: str | None = None
    seed: int | None = None
    file: str | None = None  # file-…, uploaded before
    like: str | None = None  # the job that this is to be like, wherever nothing else is said
    of: str | None = None  # insp-…, what was understood of a file, or with .2 behind it an answer to what was asked
    mapping: Mapping | None = None  # how the file is to be read
    plan: str | None = None  # start this one
    look: str | None = None  # show the card of this one, changed by whatever else is said
    change: str | None = None  # the same, and go on changing
    part: str | None = None  # of what can be changed: show this
    forget: str | None = None  # do not start this plan
    at: int | None = None  # not before; seconds since 1970
    hyperparameters: PreferenceHyperparameters = field(default_factory=PreferenceHyperparameters)
    words: tuple[str, ...] = ()
    says_when: bool = False  # also where that is now

    def method(self, suggested: MethodType) -> Method:
        """Return the method, with the settings that were said. Raises BadCallError for one that it has not."""
        return _method(self.method_type or suggested, self.hyperparameters)

    def request(self, file_id: str, suggested: MethodType) -> PlanRequest:
        """Return what to plan of a file, with the defaults for what was not said, and a method that suits it."""
        return PlanRequest(
            model=self.model or DEFAULT_MODEL,
            training_file=file_id,
            mapping=self.mapping,
            method=self.method(suggested),
            preset=self.preset or Preset.balanced,
            suffix=self.name,
            seed=DEFAULT_SEED if self.seed is None else self.seed,
        )

    def changes(self, file_id: str) -> PlanChanges:
        """Return what to plan otherwise than a job was, of a file that may be another."""
        return PlanChanges(
            model=self.model,
            training_file=file_id,
            mapping=self.mapping,
            method=self._changed_method(),
            preset=self.preset,
            suffix=self.name,
            seed=self.seed,
        )

    def _changed_method(self) -> Method | None:
        """Return what is said of the method; where its type is not, the body of the type that has every setting."""
        if self.method_type is not None:
            return self.method(self.method_type)
        if not self.hyperparameters.model_fields_set:
            return None
        return self.method("dpo" if "beta" in self.hyperparameters.model_fields_set else "supervised")

    @property
    def changes_a_plan(self) -> bool:
        """Whether anything was said that another plan has to be made for; another time to start needs none."""
        own = (self.model, self.method_type, self.preset, self.name, self.seed, self.mapping)
        return any(it is not None for it in own) or bool(self.hyperparameters.model_fields_set)

    def over(self, plan: Plan) -> PlanRequest:
        """Return the request of a plan with what is said now in its place. Another preset begins anew."""
        asked = {} if self.preset is not None else plan.method.hyperparameters.model_dump(exclude_unset=True)
        way = self.method_type or plan.method.type
        if way != plan.method.type:
            asked = {name: value for name, value in asked.items() if name not in OF_A_METHOD}
        given = asked | self.hyperparameters.model_dump(exclude_unset=True)
        return PlanRequest(
            model=self.model or plan.model,
            training_file=plan.training_file,
            validation_file=plan.validation_file,
            mapping=combined(self.mapping, plan.mapping),
            method=_method(way, PreferenceHyperparameters.model_validate(given)),
            preset=self.preset or plan.preset,
            suffix=self.name or plan.suffix,
            seed=plan.seed if self.seed is None else self.seed,
        )


def read_options(arguments: tuple[str, ...], *, now: float) -> Options:
    """Read what was typed; raise BadCallError that says which option, what is wrong and what exists.

    `now` is when they were typed: from then on counts a time of day.
    """
    own: dict[str, Any] = {}
    reading: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    words = []
    for word in option_words(arguments):
        option = parted(word)
        if option is None:
            words.append(word)
            continue
        name, value = option[0], unquoted(option[1])
        if name == "without":
            reading[name] = (*reading.get(name, ()), value)
        elif name in READING:
            reading[name] = value
        elif name in OWN_NAMES:
            own[name] = _own_value(name, value, now=now)
        elif name in PreferenceHyperparameters.model_fields:
            settings[name] = _value(name, value)
        else:
            raise _unknown(name)
    mapping = read_mapping(reading) if reading else None
    own["method_type"] = own.pop("method", None)
    if character_of := own.pop("character_of", None):
        own |= {"change": character_of, "part": "character"}
    return Options(
        **own,
        mapping=mapping,
        hyperparameters=_hyperparameters(settings),
        words=tuple(words),
        says_when="at" in own,
    )


def option_names() -> list[str]:
    """Return every option a person may type, short names where they exist."""
    return [
        "model",
        "method",
        "preset",
        "name",
        "seed",
        "at",
        *(TYPED_NAMES.get(name, name) for name in PreferenceHyperparameters.model_fields),
        *READING,
    ]


def _value(name: str, value: str) -> object:
    if name in SEVERAL and value not in {"auto", "all-linear"}:
        return value.split(",")
    return True if name == "init_lora_weights" and value == "true" else value


def _own_value(name: str, value: str, *, now: float) -> str | int | None:
    if name == "preset":
        return _preset(value)
    if name == "method":
        return _method_type(value)
    if name == "seed":
        if not value.isdecimal() or int(value) >= 2**31:
            raise BadCallError(
                _("seed:{value} is not possible. It is a whole number from 0 to 2147483647.", value=value), param=name
            )
        return int(value)
    if name == "name":
        return _model_name(value)
    if name == "at":
        return read_when(value, now=now)
    if not value:
        raise BadCallError(
            _(
                "{name}: needs a value after the colon, as in {name}:{default_model}.",
                name=name,
                default_model=DEFAULT_MODEL,
            ),
            param=name,
        )
    return value


def _method_type(value: str) -> MethodType:
    known: dict[str, MethodType] = {name: name for name in BODIES} | METHOD_WORDS
    if value.lower() not in known:
        raise BadCallError(
            _("method:{value} is not possible. It is one of: {methods}.", value=value, methods=", ".join(BODIES)),
            param="method",
        )
    return known[value.lower()]


def _method(type: MethodType, hyperparameters: PreferenceHyperparameters) -> Method:
    try:
        return Method.of(type, hyperparameters)
    except ValidationError as cause:
        raise BadCallError(
            _("beta belongs to the methods {methods}, and this one is {method}.",
              methods=", ".join(PREFERENCES), method=type),
            param="beta",
        ) from cause  # fmt: skip


def _preset(value: str) -> Preset:
    known = PRESETS | {preset.value: preset for preset in Preset}
    if value.lower() not in known:
        raise BadCallError(
            _(
                "preset:{value} is not possible. It is quick (a look), balanced or thorough.",
                value=value,
            ),
            param="preset",
        )
    return known[value.lower()]


def _model_name(value: str) -> str:
    try:
        return TypeAdapter(ModelName).validate_python(value)
    except ValidationError as cause:
        raise BadCallError(
            _(
                "name:{value} is not possible. A name is small letters, digits and dashes, at most 40, "
                "as in name:toast.",
                value=value,
            ),
            param="name",
        ) from cause


def _unknown(typed: str) -> BadCallError:
    near = nearest(typed)
    hint = _("Did you mean {near}? ", near=near) if near else ""
    return BadCallError(
        _(
            "I know no option “{typed}”. {hint}There are: {options}.",
            typed=typed,
            hint=hint,
            options=", ".join(option_names()),
        ),
        param=typed,
    )


def _hyperparameters(settings: dict[str, Any]) -> PreferenceHyperparameters:
    try:
        return PreferenceHyperparameters.model_validate(settings)
    except ValidationError as cause:
        name = str(cause.errors()[0]["loc"][0])
        typed = TYPED_NAMES.get(name, name)
        raise BadCallError(
            _(
                "{typed}:{written} is not possible. {typed} is {possible}.",
                typed=typed,
                written=written(settings[name]),
                possible=describe_setting(name),
            ),
            param=name,
        ) from cause
