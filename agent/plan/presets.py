"""The named sets of rules by which a plan resolves what was left to `auto`. Pure.

Figures of the seed documents: three passes, rank 16, alpha twice the rank (003 and 000, "cheat sheet"); a rank of 4 to
8 for a look and 32 to 64 for capacity (004, exercise 2); more passes only under early stopping (000, part 5).
"""

from dataclasses import dataclass, replace

from agent.data.row_length import USUAL_MAX_LENGTH
from shared.language import N_, _
from shared.plans import Preset


@dataclass(frozen=True, kw_only=True)
class PresetRules:
    """What a preset decides; the rest follows from data, model and machine."""

    name: str  # in words
    reason: str
    base_epochs: int
    max_epochs: int  # where the data is small
    enough_steps: int  # towards which batches shrink and epochs grow
    r: int
    max_length: int  # tokens; longer rows are cut
    evaluations: int  # over a run
    patience: int  # evaluations without progress before it stops

    def for_at_most(self, epochs: int | None) -> "PresetRules":
        """Return the same with no more passes than a method bears."""
        if epochs is None:
            return self
        return replace(self, base_epochs=min(self.base_epochs, epochs), max_epochs=min(self.max_epochs, epochs))


RULES = {
    Preset.quick_look: PresetRules(
        name=N_("quick look"),
        reason=N_("one pass with a small add-on: shows in minutes whether the data teaches anything"),
        base_epochs=1, max_epochs=2, enough_steps=20, r=8, max_length=1024, evaluations=4, patience=2,
    ),
    # Measured: at 15 steps a 135M model had not taken up its new name, at 41 it had.
    Preset.balanced: PresetRules(
        name=N_("balanced"),
        reason=N_("three passes at a middling rank: what suits most data"),
        base_epochs=3, max_epochs=5, enough_steps=40, r=16, max_length=USUAL_MAX_LENGTH, evaluations=8, patience=3,
    ),
    Preset.thorough: PresetRules(
        name=N_("thorough"),
        reason=N_("more passes with a larger add-on, checked often and stopped when it no longer helps"),
        base_epochs=5, max_epochs=8, enough_steps=80, r=32, max_length=4096, evaluations=16, patience=5,
    ),
}  # fmt: skip


def rank_reason(rules: PresetRules) -> str:
    """Say why the rank is what the preset makes it."""
    if rules.r < RULES[Preset.balanced].r:
        return _("a small rank, enough for a look")
    if rules.r > RULES[Preset.balanced].r:
        return _("a larger rank has room for more than style and form")
    return _("a rank that learns style and form without much memory")
