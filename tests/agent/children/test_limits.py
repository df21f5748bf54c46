"""Each wall around the inspect child, run into for real, and said in words."""

import subprocess
import sys
from pathlib import Path

import pytest

from agent.children.environment import child_environment
from agent.children.refusals import dataset_refusal
from agent.children.run import run_child
from agent.children.sandbox import Policy, Sandbox
from agent.errors import AgentError

pytestmark = pytest.mark.process

CHILD = """
import os, socket, sys
from agent.children.limits import limit_in_words, limit_this_process
limit_this_process({memory_mib}, {cpu_s}, {file_bytes})
try:
    {act}
except (MemoryError, OSError) as error:
    print(limit_in_words(error, {memory_mib}))
"""


@pytest.mark.parametrize(
    ("act", "words"),
    [
        ("bytes(1 << 30)", "needs more memory than the 500 MiB"),
        ("[open(os.devnull) for n in range(99)]", "needs more than 64 open files"),
        ("open('made', 'wb', 0).write(bytes(99)); open('made', 'ab', 0).write(bytes(99))", "write more than it may"),
        ("socket.socket()", "wanted the network, which it does not have"),
        ("socket.getaddrinfo('example.org', 80)", "wanted the network, which it does not have"),
    ],
)
def test_a_wall_is_named(tmp_path: Path, act: str, words: str) -> None:
    done = _run(tmp_path, CHILD.format(act=act, memory_mib=500, cpu_s=20, file_bytes=99))
    assert words in done.stdout, done.stderr


def test_a_file_that_is_mapped_is_not_taken_for_memory(tmp_path: Path) -> None:
    with (tmp_path / "weights").open("wb") as file:
        file.truncate(2 << 30)
    mapped = "file = open('weights', 'rb'); whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)"
    act = f"import mmap; {mapped}; print('mapped'); bytes(1 << 30)"
    done = _run(tmp_path, CHILD.format(act=act, memory_mib=500, cpu_s=20, file_bytes="0, maps_files=True"))
    assert done.stdout.startswith("mapped\nneeds more memory than the 500 MiB"), done.stderr


@pytest.mark.parametrize(
    ("act", "words"),
    [
        ("while True: pass", "took more processor time than it may have, and was stopped"),
        ("os.abort()", "gave up, most likely at its memory limit"),
        ("os.kill(os.getpid(), 9)", "was killed, most likely because the machine has no memory left"),
        ("os.kill(os.getpid(), 11)", r"crashed \(SIGSEGV\)"),
        ("sys.exit(3)", r"ended unexpectedly \(exit 3\), by a fault of Hearth"),
    ],
)
async def test_an_end_without_a_word_is_named(tmp_path: Path, act: str, words: str) -> None:
    child = CHILD.format(act=act, memory_mib=500, cpu_s=1, file_bytes=0)
    (tmp_path / "hearth_walled.py").write_text(child, encoding="utf-8")
    environment = child_environment(offline=True) | {"PYTHONPATH": str(tmp_path)}
    with pytest.raises(AgentError, match=f"Reading the file {words}. Send a smaller"):
        await run_child(
            "hearth_walled", "", environment, 60, dataset_refusal,
            sandbox=Sandbox(), policy=Policy(read=(tmp_path,), write=(tmp_path,)),
        )  # fmt: skip


def _run(folder: Path, program: str) -> "subprocess.CompletedProcess[str]":
    environment = child_environment(offline=True)
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=folder, env=environment, timeout=60,
        check=False,
    )  # fmt: skip
