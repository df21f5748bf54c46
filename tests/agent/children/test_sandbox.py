"""What each child can reach: its own, and never a key, a setting, the store or somebody else's job or dataset."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.base_models.catalog import BaseModelSource, SourceKind
from agent.chat.answerer import gguf_policy
from agent.children.environment import child_environment
from agent.children.sandbox import ROOT, Policy, Sandbox, landlock, own_network
from agent.intake.inspector import dataset_policy, download_policy, source_policy
from agent.job_folder.folder import JobFolder, Phase
from agent.running.job_spec import policy_of
from tests.agent.fake_inspector import CARD
from tests.agent.pipeline.finished import SPEC

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform != "linux", reason="Landlock and namespaces are Linux's"),
]

PROBE = """
import json, os, socket, sys
asked = json.load(sys.stdin)
found = {"read": [], "write": [], "reached": False}
for path in asked["paths"]:
    try:
        open(path, "rb").read(1)
        found["read"].append(path)
    except OSError:
        pass
    try:
        os.close(os.open(path, os.O_WRONLY))
        found["write"].append(path)
    except OSError:
        pass
try:
    socket.create_connection(("127.0.0.1", asked["port"]), 2).close()
    found["reached"] = True
except OSError:
    pass
try:
    os.kill(os.getppid(), 0)
    found["signals"] = True
except OSError:
    found["signals"] = False
print(json.dumps(found))
"""


@dataclass(frozen=True, kw_only=True)
class House:
    """An agent's data folder, and the models beside it."""

    data: Path
    models: Path
    own: JobFolder
    cache: Path

    @property
    def forbidden(self) -> list[Path]:
        """Return what no child may open."""
        return [
            self.data / "agent.key",
            self.data / "bot.key",
            self.data / "hearth.sqlite3",
            self.data / "jobs" / "other" / "adapter.safetensors",
            self.data / "files" / "file-other",
            self.data.parent / ".env",
            ROOT / "README.md",  # beside which a checkout has its .env
            Path(f"/proc/{os.getpid()}/environ"),
        ]


@pytest.fixture
def house(tmp_path: Path) -> House:
    data, models = tmp_path / "data", tmp_path / "models"
    own, cache = JobFolder(path=data / "jobs" / "own"), data / "base_models" / "tiny"
    for folder in (own.path, own.export, data / "jobs" / "other", data / "files", cache, models):
        folder.mkdir(parents=True)
    written = [own.log, own.export / "m.gguf", data / "files" / "file-own", cache / "card.json", models / "m.gguf"]
    made = House(data=data, models=models, own=own, cache=cache)
    for path in [*written, *made.forbidden]:
        if not path.exists():
            path.write_text("x")
    return made


@pytest.fixture
def port() -> Iterator[int]:
    """A server of this machine that is not the child's own."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def probe(policy: Policy, paths: list[Path], port: int) -> dict[str, Any]:
    asked = json.dumps({"paths": [str(path) for path in paths], "port": port})
    done = subprocess.run(
        Sandbox().wrap((sys.executable, "-c", PROBE), policy),
        input=asked, capture_output=True, text=True, timeout=60, check=False, env=child_environment(offline=True),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def policies(house: House) -> dict[str, tuple[Policy, list[Path], list[Path]]]:
    """Return of each child its policy, what it must read, and what of that it must write."""
    spec = SPEC.model_copy(
        update={
            "dataset_path": str(house.data / "files" / "file-own"),
            "base_model_cache": str(house.cache),
            "base_model_kind": "gguf",
            "base_model_location": str(house.models / "m.gguf"),
        }
    )
    of_hub = spec.model_copy(update={"base_model": "a/b", "base_model_kind": "hub", "base_model_location": "a/b"})
    card = CARD.model_copy(update={"folder": str(house.cache)})
    local = BaseModelSource(name="m", kind=SourceKind.gguf, location=str(house.models / "m.gguf"), cache=house.cache)
    hub = BaseModelSource(name="a/b", kind=SourceKind.hub, location="a/b", cache=house.cache)
    dataset, output = house.data / "files" / "file-own", house.own.path / "mended"
    output.write_text("")
    held = house.data / "files" / "file-held"
    held.write_text("")
    cached, log, gguf = house.cache / "card.json", house.own.log, house.own.export / "m.gguf"
    model = house.models / "m.gguf"
    return {
        "describe": (source_policy(local), [model, cached], [cached]),
        "download": (download_policy(hub), [cached], [cached]),
        "describe from the hub": (source_policy(hub), [cached], [cached]),
        "inspect": (dataset_policy(dataset, card), [dataset, cached], []),
        "mend": (dataset_policy(dataset, card, output), [dataset, cached, output], [output]),
        "fetch": (policy_of(Phase.fetch, house.own, of_hub), [cached, log], [cached, log]),
        "convert": (policy_of(Phase.fetch, house.own, spec), [model, cached, log], [cached, log]),
        "train": (policy_of(Phase.train, house.own, spec), [dataset, model, cached, log], [log]),
        "inspect what is held out": (dataset_policy(held, card, training=dataset), [held, dataset, cached], []),
        "train beside what is held out": (
            policy_of(Phase.train, house.own, spec.model_copy(update={"validation_path": str(held)})),
            [dataset, held, model, cached, log],
            [log],
        ),
        "hand over": (policy_of(Phase.hand_over, house.own, spec), [cached, model, log, gguf], [log, gguf]),
        "chat": (gguf_policy(gguf, scratch=house.own.path / "tmp"), [gguf], []),
    }


CHILDREN = [
    "download", "describe", "describe from the hub", "inspect", "mend", "fetch", "convert", "train", "hand over",
    "chat", "inspect what is held out", "train beside what is held out",
]  # fmt: skip
WITH_NETWORK = {"download", "fetch", "hand over"}
SYSTEM = [Path("/dev/urandom"), Path("/proc/self/status"), Path(sys.executable), ROOT / "agent" / "__init__.py"]


@pytest.mark.skipif(not landlock(), reason="this kernel has no Landlock")
@pytest.mark.parametrize("child", CHILDREN)
def test_a_child_reaches_its_own_and_nothing_of_others(house: House, port: int, child: str) -> None:
    policy, reads, writes = policies(house)[child]
    found = probe(policy, [*reads, *SYSTEM, *house.forbidden], port)
    assert found["read"] == [str(path) for path in [*reads, *SYSTEM]]
    assert set(map(str, writes)) <= set(found["write"])
    assert not set(found["write"]) & {str(path) for path in [*set(reads) - set(writes), *SYSTEM[2:], *house.forbidden]}
    assert found["signals"] is (landlock() < 6)


@pytest.mark.skipif(not own_network(), reason="this system grants no network namespace")
@pytest.mark.parametrize("child", CHILDREN)
def test_only_a_child_that_needs_a_network_has_the_machines(house: House, port: int, child: str) -> None:
    assert probe(policies(house)[child][0], [], port)["reached"] is (child in WITH_NETWORK)


def test_switched_off_it_changes_no_command() -> None:
    assert Sandbox(on=False).wrap(("true",), Policy()) == ("true",)


def test_what_cannot_be_started_says_so() -> None:
    done = subprocess.run(
        Sandbox().wrap(("/nowhere/trainer",), Policy()), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "/nowhere/trainer cannot be started confined" in done.stderr
