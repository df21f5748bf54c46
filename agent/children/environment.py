"""The environment of every child, built from nothing, so that no secret of the agent is ever in it."""

import os
import platform

from shared.language import CHILD, spoken

INHERITED = ("PATH", "HOME", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "PYTHONPATH", "CUDA_VISIBLE_DEVICES")
LIBRARIES = {
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "PYDANTIC_DISABLE_PLUGINS": "__all__",  # it would read what every package of the environment declares
    # numpy's own, a thread for each core, made as it is imported: an eighth of the inspect child's time, on two cores.
    # What we do with numpy needs none. A trainer has its share, as torch uses them on ARM.
    "OPENBLAS_NUM_THREADS": "1",
    # bitsandbytes loads torch's compiler for what CPUs and CUDA have kernels for: 2 s and 250 MiB of a trainer's start.
    "TORCHDYNAMO_DISABLE": "1",
    # Where transformers would put a publisher's code before it runs it. No folder can be made there, so none ever runs,
    # also where a converter of llama.cpp's asks for it (`trust_remote_code=True`).
    "HF_MODULES_CACHE": f"{os.devnull}/no-remote-code",
    # llama.cpp's converters put nothing on sys.path: `agent.base_models.llama_cpp` imports their gguf.
    "NO_LOCAL_GGUF": "1",
}
# Batches of ever other lengths leave holes in a GPU's memory that nothing fits into, unless torch's segments may grow:
# then 8B parameters held 8.0 GB in place of 12.3, 3B 6.1 in place of 15.0 (H200; 7.4 and 5.3 in use). Under WSL some
# drivers before R615 fail at it (pytorch/pytorch#192330). What the owner sets wins, by the older name too.
ALLOCATOR, OLDER_NAME, GROWING = "PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True"
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
    usual = GROWING if _may_grow() else ""
    if allocator := os.environ.get(ALLOCATOR, os.environ.get(OLDER_NAME, usual)):
        environment[ALLOCATOR] = allocator
    return environment | OFFLINE if offline else environment


def _may_grow() -> bool:
    return platform.system() == "Linux" and "microsoft" not in platform.release().lower()
