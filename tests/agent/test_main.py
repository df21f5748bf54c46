"""The agent as a process: what it loads, how it starts, how it refuses, how it stops."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from agent.store import Store, people
from shared.people import RequestedBy

pytestmark = pytest.mark.process

HEAVY = ("torch", "transformers", "peft", "trl", "bitsandbytes", "datasets", "accelerate", "matplotlib", "numpy")


def environment(data_dir: Path, **extra: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    return kept | {"HEARTH_DATA_DIR": str(data_dir), "HEARTH_BIND": "127.0.0.1:0"} | extra


def start(data_dir: Path, stdout: int | IO[str] | None = None, /, **extra: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "agent"],
        env=environment(data_dir, **extra),
        cwd=data_dir.parent,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )


def read_until(process: "subprocess.Popen[str]", words: str) -> str:
    assert process.stderr is not None
    seen = ""
    for line in process.stderr:
        seen += line
        if words in line:
            return seen
    raise AssertionError(seen)


def test_agent_loads_no_ml_library() -> None:
    code = f"import sys, agent.__main__, agent.serve; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_agent_starts_once_makes_a_private_key_and_stops_on_sigterm(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with start(data_dir, HF_TOKEN="hf_secret") as agent:
        log = read_until(agent, "serves on http://127.0.0.1:")
        key = data_dir / "agent.key"
        assert key.stat().st_mode & 0o777 == 0o600
        address = (data_dir / "agent.address").read_text()
        assert f"http://{address};" in log
        assert key.read_text().strip() not in log
        assert "hf_secret" not in log
        with start(data_dir) as second:
            assert "Another agent uses" in second.communicate()[1]
        assert second.returncode == 1
        agent.send_signal(signal.SIGTERM)
        rest = agent.communicate()[1]
    assert agent.returncode == 0, rest
    assert "Traceback" not in rest
    assert not (data_dir / "agent.address").exists()


def test_pairing_code_is_on_the_console_and_in_no_file(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with start(data_dir, subprocess.PIPE) as agent:
        log = read_until(agent, "serves on")
        assert agent.stdout is not None
        line = agent.stdout.readline()
        agent.send_signal(signal.SIGTERM)
        log += agent.communicate()[1]
    found = re.search(r"say /pair ([A-Z2-9]{4}-[A-Z2-9]{4}) to the bot", line)
    assert found is not None, line
    assert found[1] not in log
    assert not [path for path in data_dir.rglob("*") if path.is_file() and found[1].encode() in path.read_bytes()]
    with (tmp_path / "agent.log").open("w") as sink, start(data_dir, sink) as agent:
        read_until(agent, "serves on")
        agent.send_signal(signal.SIGTERM)
        agent.communicate()
    written = (tmp_path / "agent.log").read_text()
    assert "hearth-agent pairing-code" in written
    assert "/pair " not in written


def test_owned_machine_offers_no_code(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    asyncio.run(own(data_dir))
    with start(data_dir, subprocess.PIPE) as agent:
        read_until(agent, "serves on")
        agent.send_signal(signal.SIGTERM)
        assert agent.communicate()[0] == ""


async def own(data_dir: Path) -> None:
    store = await Store.open(data_dir / "hearth.sqlite3")
    await store.run(people.pair, RequestedBy(platform="telegram", person="1", chat="1"), now=1)
    await store.close()


def test_agent_serves_on_ipv6_and_writes_an_address_that_a_url_takes(tmp_path: Path) -> None:
    if not has_ipv6():
        pytest.skip("this machine has no ::1")
    data_dir = tmp_path / "data"
    with start(data_dir, HEARTH_BIND="[::1]:0") as agent:
        read_until(agent, "serves on http://[::1]:")
        assert (data_dir / "agent.address").read_text().startswith("[::1]:")
        agent.send_signal(signal.SIGTERM)
        agent.communicate()


def test_start_removes_bytes_that_no_row_knows(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    (data_dir / "files").mkdir(parents=True)
    for name in ("file-0123", ".incoming-file-0123", "mine.txt"):
        (data_dir / "files" / name).write_text("x")
    with start(data_dir) as agent:
        read_until(agent, "serves on")
        agent.send_signal(signal.SIGTERM)
        agent.communicate()
    assert [path.name for path in (data_dir / "files").iterdir()] == ["mine.txt"]


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HEARTH_BIND", "nowhere"),
        ("HEARTH_BIND", "127.0.0.1:70000"),
        ("HEARTH_FILE_LIMIT_MIB", "0"),
        ("HEARTH_THREADS", "many"),
    ],
)
def test_bad_setting_stops_the_start_with_its_name_value_and_expectation(tmp_path: Path, name: str, value: str) -> None:
    with start(tmp_path / "data", **{name: value}) as agent:
        said = agent.communicate()[1]
    assert agent.returncode == 2
    assert said.startswith(f"{name} is “{value}”; it must be ")
    assert "Traceback" not in said
