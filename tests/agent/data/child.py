"""The inspect child, confined as the agent confines it, asked by itself."""

from pathlib import Path

from agent.children.environment import child_environment
from agent.children.refusals import dataset_refusal
from agent.children.run import run_child
from agent.children.sandbox import Policy, Sandbox
from agent.data.findings import InspectReply, InspectRequest


async def ask_child(request: InspectRequest, *, limit_s: float = 60) -> InspectReply:
    """Return what the child says of a dataset; it may read the dataset's folder, and write a mended copy."""
    folder = Path(request.dataset).parent
    policy = Policy(read=(folder, Path(request.card.folder)), write=tuple(folder.glob("mended")))
    output = await run_child(
        "agent.data.inspect", request.model_dump_json(), child_environment(offline=True), limit_s, dataset_refusal,
        sandbox=Sandbox(), policy=policy,
    )  # fmt: skip
    return InspectReply.model_validate_json(output)
