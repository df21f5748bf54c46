"""What a setting may be: its limits, in words and to keep a change within them. Pure."""

import contextlib
from collections import abc
from typing import Any

from pydantic import ValidationError

from bot.words.format import short
from bot.words.option_names import written
from shared.hyperparameters import PreferenceHyperparameters
from shared.language import _


def within_limits(change: abc.Mapping[str, float]) -> dict[str, object]:
    """Return a change with each figure brought within its limits; what is no setting is left out."""
    fitting: dict[str, object] = {}
    for name, value in change.items():
        if name in PreferenceHyperparameters.model_fields:
            fitted = _fitted(name, value)
            with contextlib.suppress(ValidationError):  # out of a limit that has no nearest value, as above 0
                PreferenceHyperparameters.model_validate({name: fitted})
                fitting[name] = fitted
    return fitting


def describe_setting(name: str) -> str:
    """Return in words what a setting may be: "auto, or a number above 0, up to 50"."""
    return _(", or ").join(_describe(choice) for choice in _choices(name))


def _choices(name: str) -> list[dict[str, Any]]:
    choices: list[dict[str, Any]] = PreferenceHyperparameters.model_json_schema()["properties"][name]["anyOf"]
    return choices


def _fitted(name: str, value: float) -> float:
    for limits in _choices(name):
        if "maximum" in limits:
            low, high = float(limits.get("minimum", value)), float(limits["maximum"])
            return value if low <= value <= high else min(max(value, low), high)
    return value


def _describe(choice: dict[str, Any]) -> str:
    if "const" in choice:
        return str(choice["const"])
    if "enum" in choice:
        return ", ".join(map(written, choice["enum"]))
    if choice["type"] == "boolean":
        return _("yes or no")
    if choice["type"] == "array":
        if choice["items"]["type"] == "integer":
            return _("numbers of layers from 0 on, with commas between")
        return _("names of layers with commas between")
    kind = _("a whole number") if choice["type"] == "integer" else _("a number")
    low = (
        _("from {low}", low=short(choice["minimum"]))
        if "minimum" in choice
        else _("above {low}", low=short(choice["exclusiveMinimum"]))
    )
    return _("{kind} {low} to {high}", kind=kind, low=low, high=short(choice["maximum"]))
