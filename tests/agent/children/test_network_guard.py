"""A process without a network reaches this machine and nothing else; a trainer is one."""

import subprocess
import sys
from pathlib import Path

import pytest

from agent.children.network_guard import stays_here
from shared.jobs import Stage
from tests.agent.pipeline.finished import finished_job

pytestmark = pytest.mark.process

PROBE = """
import socket, threading
from agent.children.network_guard import forbid_network
server = socket.create_server(("127.0.0.1", 0))
forbid_network()
socket.create_connection(server.getsockname(), timeout=5).close()
print("loopback")
for reach in (
    lambda: socket.create_connection(("192.0.2.1", 80), timeout=1),
    lambda: socket.getaddrinfo("huggingface.co", 443),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)),
):
    try:
        reach()
    except PermissionError as error:
        print("refused")
"""


def test_only_loopback_can_be_reached() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["loopback", "refused", "refused", "refused"]


@pytest.mark.parametrize(("host", "here"), [
    ("127.0.0.1", True), ("127.0.0.2", True), ("::1", True), ("localhost", True), (b"localhost", True), (None, True),
    ("192.168.1.20", False), ("::ffff:192.168.1.20", False), ("example.org", False), ("localhost.example.org", False),
])  # fmt: skip
def test_what_counts_as_this_machine(host: object, here: bool) -> None:
    assert stays_here(host) is here


TRAINER = """
import sys
from agent.pipeline import __main__ as trainer
from agent.pipeline.stages import StageStep
from shared.jobs import Stage

class Reaching(StageStep):
    def load(self):
        return lambda context: sys.audit("socket.connect", None, ("192.0.2.1", 80))

trainer.STAGES = (Reaching(stage=Stage.fetch, module="none", networked=True),)
trainer.main()
"""


@pytest.mark.parametrize(("arguments", "refused"), [(["--fetch"], False), ([], True)], ids=["fetch", "trainer"])
def test_a_trainer_forbids_itself_the_network_and_the_fetch_child_does_not(
    arguments: list[str], refused: bool, tmp_path: Path
) -> None:
    folder = finished_job(tmp_path, ollama_url=None).folder
    command = [sys.executable, "-c", TRAINER, str(folder.path), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ("a trainer has no network, and asked for '192.0.2.1'" in done.stderr) is refused
    assert folder.stage_marker(Stage.fetch).exists() is not refused
