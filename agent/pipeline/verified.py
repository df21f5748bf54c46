"""What verifying found, as the report reads it: without torch, which a model that is handed over needs no more."""

from agent.pipeline.context import Context
from shared.results import Verification
from shared.schema import Response

VERIFIED_FILE = "verified.json"


class Verified(Response):
    """What `report/verified.json` holds."""

    verification: Verification
    tuned_texts: list[str]  # the GGUF's answers to the held-out prompts


def read_verified(context: Context) -> Verified:
    """Read what the stage wrote."""
    return Verified.model_validate_json((context.folder.report / VERIFIED_FILE).read_bytes())
