"""What is learned is what was sent and what will be asked: many talks for every chat template, llama.cpp beside us."""

from hypothesis import HealthCheck, given, seed, settings

from agent.base_models.catalog import PACKAGED, BaseModelSource, find_base_model
from agent.data.turns import Message
from agent.settings import AgentSettings
from tests.agent.data.families import FAMILIES, OWN_FAMILIES
from tests.agent.data.test_families import broken_laws, talks
from tests.agent.export.test_finished_template import differences
from tests.soak.campaign import Campaign

TALKS = 400  # of each template


def run(campaign: Campaign) -> str:
    """Play it; return what happened."""
    for name in FAMILIES:
        campaign.tell(name)

        @seed(campaign.dice.randrange(2**32))
        @given(talk=talks())
        @settings(max_examples=TALKS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        def holds(talk: list[Message], name: str = name) -> None:
            broken = list(broken_laws(name, talk))
            campaign.promise(not broken, f"{name}: {broken} of {talk}")

        holds()
        campaign.note(f"at {name}")
    source = find_base_model(PACKAGED, AgentSettings(hearth_data_dir=campaign.work))
    assert isinstance(source, BaseModelSource)
    own = tuple(OWN_FAMILIES)
    campaign.tell("llama.cpp")
    different = differences(source.location, own)
    campaign.promise(not different, "\n".join(different))
    return f"{len(FAMILIES)} templates, {TALKS} talks each; {len(own)} asked alike in llama.cpp"
