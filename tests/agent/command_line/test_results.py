"""`hearth-agent results`, as a process beside a running agent."""

import asyncio
import errno
import hashlib
import os
import sys
from pathlib import Path

import pytest

from agent.command_line.results import Results, copy_results, find_results
from agent.errors import AgentError
from agent.settings import AgentSettings
from agent.store.files import StoredFile
from shared.files import FileObject, FilePurpose
from tests.agent.running_agent import run_agent
from tests.fakes.trainer import GGUF
from tests.kernel_faults import CAN_REFUSE, in_child, refuse

pytestmark = pytest.mark.process


async def run(folder: Path, data_dir: Path, *arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent", "results", *arguments, cwd=folder, stdout=-1, stderr=-1,
        env={**os.environ, "HEARTH_DATA_DIR": str(data_dir)},
    )  # fmt: skip
    out, error = await process.communicate()
    return process.returncode or 0, out.decode(), error.decode()


async def test_results_are_copied_beside_a_running_agent_and_once_more_without(
    settings: AgentSettings, tmp_path: Path
) -> None:
    async with run_agent(settings) as agent:
        job = await agent.create()
        await agent.until_status(job, "succeeded")
        told = f"./toast-1/\n- toast.gguf, {len(GGUF)} B\n"
        assert await run(tmp_path, settings.hearth_data_dir, "1") == (0, told, "")
        assert (tmp_path / "toast-1" / "toast.gguf").read_bytes() == GGUF
    (tmp_path / "toast-1" / "toast.gguf").unlink()
    for _ in range(2):
        code, out, _ = await run(tmp_path, settings.hearth_data_dir, "#1")
        assert (code, out[:10]) == (0, "./toast-1/")
        assert [path.name for path in (tmp_path / "toast-1").iterdir()] == ["toast.gguf"]
    (tmp_path / "toast-1" / "toast.gguf").write_bytes(b"my own")
    code, _, error = await run(tmp_path, settings.hearth_data_dir, "1")
    assert (code, "is there already and is another file" in error) == (1, True)
    assert (tmp_path / "toast-1" / "toast.gguf").read_bytes() == b"my own"


async def test_what_cannot_be_copied_says_why_in_a_sentence(settings: AgentSettings, tmp_path: Path) -> None:
    data_dir = settings.hearth_data_dir
    with pytest.raises(AgentError, match=r"no agent's data in .*Set HEARTH_DATA_DIR"):
        find_results(tmp_path, "1")
    async with run_agent(settings, "hold") as agent:
        job = await agent.create()
        await agent.until_step(job)
        with pytest.raises(AgentError, match="There is no job #7"):
            find_results(data_dir, "7")
        with pytest.raises(AgentError, match="Job #1 has no results: it is running"):
            find_results(data_dir, "1")
        agent.go_on(job)
        await agent.until_status(job, "succeeded")
    found = find_results(data_dir, "1")
    [stored] = found.files
    source = data_dir / stored.path
    source.write_bytes(GGUF[::-1])
    with pytest.raises(AgentError, match="not as the job left it"):
        copy_results(found, data_dir, tmp_path / "here")
    source.unlink()
    with pytest.raises(AgentError, match=r"toast\.gguf is gone"):
        copy_results(found, data_dir, tmp_path / "here")
    assert list((tmp_path / "here").iterdir()) == []
    with pytest.raises(AgentError, match=r"cannot be copied to .*Go to a folder that you may write to"):
        copy_results(found, data_dir, data_dir / "hearth.sqlite3")
    (data_dir / "hearth.sqlite3").write_bytes(b"nonsense" * 1000)
    with pytest.raises(AgentError, match="cannot be read"):
        find_results(data_dir, "1")


def left(content: bytes, *, size: int | None = None) -> Results:
    file = FileObject(
        id="file-1", bytes=size or len(content), created_at=0, filename="toast.gguf",
        purpose=FilePurpose.fine_tune_results, sha256=hashlib.sha256(content).hexdigest(),
    )  # fmt: skip
    return Results(folder="toast-1", model=None, files=[StoredFile(file=file, path="made.gguf")])


def test_results_that_have_no_room_are_not_begun(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="Free some space, or go to a folder on another disk"):
        copy_results(left(b"", size=2**60), tmp_path, tmp_path / "here")
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.skipif(not CAN_REFUSE, reason="this machine filters no system calls")
def test_a_disk_that_fills_up_meanwhile_keeps_no_half_file(tmp_path: Path) -> None:
    (tmp_path / "made.gguf").write_bytes(b"x" * 50_000)

    def play() -> int:
        refuse(errno.ENOSPC, "write", from_bytes=10_000)
        with pytest.raises(AgentError, match="Free some space"):
            copy_results(left(b"x" * 50_000), tmp_path, tmp_path / "here")
        return 0

    assert in_child(play) == 0
    assert list((tmp_path / "here").iterdir()) == []


def test_what_somebody_else_has_laid_out_there_is_not_written_through(tmp_path: Path) -> None:
    theirs, target = tmp_path / "theirs", tmp_path / "toast-1"
    (tmp_path / "made.gguf").write_bytes(GGUF)
    theirs.mkdir()
    target.symlink_to(theirs)
    results = left(GGUF)
    with pytest.raises(AgentError, match="is a link or somebody else's"):
        copy_results(results, tmp_path, target)
    target.unlink()
    target.mkdir()
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    (target / ".toast.gguf.part").symlink_to(victim)
    copy_results(results, tmp_path, target)
    assert (target / "toast.gguf").read_bytes() == GGUF
    assert victim.read_bytes() == b"mine"
