"""The download child: brings the small files of a hub's model onto this disk, and parses none of them.

`python -m agent.children agent.base_models.download` reads a BaseModelSource on stdin and writes a DownloadReply on
stdout. Beside the job's first stage it alone has the network and the hub's token.
"""

import os
import sys

from filelock import FileLock

from agent.base_models.card import DownloadReply
from agent.base_models.catalog import BaseModelSource
from agent.base_models.hub import download_small_files
from agent.errors import AgentError
from shared.errors import ErrorDetail


def main() -> None:
    """Answer one request."""
    source = BaseModelSource.model_validate_json(sys.stdin.buffer.read())
    out = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints goes to the log, not into the reply
    try:
        source.cache.mkdir(parents=True, exist_ok=True)
        with FileLock(source.cache / ".lock"):
            download_small_files(source)
        reply = DownloadReply()
    except AgentError as error:
        reply = DownloadReply(
            error=ErrorDetail(message=error.message, type="invalid_request_error", code=error.code, param=error.param)
        )
    os.write(out, reply.model_dump_json().encode())
