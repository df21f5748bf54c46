"""A small model of each family is adapted and exported; llama.cpp must give the adapted model's answers."""

from pathlib import Path

from agent.base_models.catalog import PACKAGED, find_base_model
from agent.base_models.describe import describe_source
from agent.settings import AgentSettings
from tests.agent.export.families import export_in_child
from tests.soak.campaign import Campaign

FAMILIES = ("llama", "mistral", "qwen2", "qwen3", "phi3", "gemma2", "gemma3_text")


def run(campaign: Campaign) -> str:
    """Play it; return what happened."""
    card = describe_source(find_base_model(PACKAGED, AgentSettings(hearth_data_dir=campaign.work)))
    exported = export_in_child(Path(card.folder), campaign.work, FAMILIES)
    for each in exported:
        campaign.promise(each.is_the_adapted_model(), f"the export is another model: {each}")
    campaign.promise([each.family for each in exported] == list(FAMILIES), "a family is missing")
    return ", ".join(FAMILIES)
