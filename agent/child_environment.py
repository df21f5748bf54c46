"""The environment of every child, built from nothing, so that no secret of the agent is ever in it."""

import os

from shared.language import CHILD, spoken

INHERITED = ("PATH", "HOME", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "PYTHONPATH", "CUDA_VISIBLE_DEVICES")
LIBRARIES = {
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # bitsandbytes loads torch's compiler for what CPUs and CUDA have kernels for: 2 s and 250 MiB of a trainer's start.
    "TORCHDYNAMO_DISABLE": "1",
    "NO_LOCAL_GGUF": "1",  # llama.cpp's converters put nothing on sys.path: `agent.llama_cpp` imports their gguf
}
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
INHERITED_ONLINE = ("HF_ENDPOINT", "SSL_CERT_FILE", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")


def child_environment(*, offline: bool) -> dict[str, str]:
    """Build a child's environment from nothing: no secret of the agent is in it."""
    inherited = INHERITED if offline else (*INHERITED, *INHERITED_ONLINE)
    environment = {name: os.environ[name] for name in inherited if name in os.environ}
    environment |= LIBRARIES | {
        "LANG": "C.UTF-8",
        CHILD: spoken(),
        "PYTHONUNBUFFERED": "1",
        "PYTHONSAFEPATH": "1",  # nothing in the folder it is started in is ever imported
    }
    return environment | OFFLINE if offline else environment
