"""The templates of Modelfiles are rendered by Go's own text/template and held against what was recorded of it."""

import shutil

from tests.agent.export.go_templates import asked, recorded, rendered_by_go
from tests.soak.campaign import Campaign, Skipped


def run(campaign: Campaign) -> str:
    """Play it; return what happened."""
    if shutil.which("go") is None:
        raise Skipped("Go is not installed (Debian: golang-go)")
    talks, known = asked(), recorded()
    made = rendered_by_go(talks)
    other = sorted({talk.family for talk in talks if made[talk.key] != known.get(talk.key)})
    campaign.promise(not other, f"Go renders otherwise than was recorded: {', '.join(other)}")
    return f"{len(talks)} talks of {len({talk.family for talk in talks})} families rendered alike"
