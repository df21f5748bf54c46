"""`hearth-agent key` and `pairing-code`, typed beside a running agent and without one."""

import subprocess
import sys
from pathlib import Path

import pytest

from agent.auth.keys import digest
from tests.agent.test_main import environment, read_until, start
from tests.empty_store import put_empty_store

pytestmark = pytest.mark.process


def typed(data_dir: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "agent", *words],
        env=environment(data_dir, LANG="C.UTF-8"),
        cwd=data_dir.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    put_empty_store(folder)
    return folder


def test_a_key_is_shown_once_listed_and_revoked(data_dir: Path) -> None:
    made = typed(data_dir, "key", "add", "attic", "--bot", "--platform", "telegram")
    assert (made.returncode, made.stderr) == (0, "")
    [secret] = [line for line in made.stdout.splitlines() if line.startswith("hearth-")]
    assert "HEARTH_AGENT_KEY" in made.stdout
    listed = typed(data_dir, "key", "list").stdout
    assert "attic" in listed
    assert "a bot on telegram" in listed
    assert "never" in listed
    assert secret not in listed
    assert secret.encode() not in (data_dir / "hearth.sqlite3").read_bytes()
    assert digest(secret).encode() in (data_dir / "hearth.sqlite3").read_bytes()
    assert "already" in typed(data_dir, "key", "add", "attic").stderr
    assert "holds no more" in typed(data_dir, "key", "revoke", "attic").stdout
    assert "revoked" in typed(data_dir, "key", "list").stdout
    assert "no key" in typed(data_dir, "key", "revoke", "attic").stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "My Key"], "no name for a key"),
        (["add", "owner"], "“owner” is taken"),
        (["add", "x", "--person", "irc:5"], "no person"),
        (["add", "x", "--person", "12345"], "no person"),
    ],
)
def test_what_cannot_be_a_key_is_refused_in_words(data_dir: Path, words: list[str], said: str) -> None:
    done = typed(data_dir, "key", *words)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_without_an_agents_data_it_says_where_to_look(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    done = typed(tmp_path / "data", "key", "list")
    assert done.returncode == 1
    assert "HEARTH_DATA_DIR" in done.stderr


def test_the_agent_leaves_a_key_for_bots_and_shows_its_code_at_the_machine(data_dir: Path) -> None:
    with start(data_dir) as agent:
        read_until(agent, "serves on http://127.0.0.1:")
        assert (data_dir / "bot.key").stat().st_mode & 0o777 == 0o600
        assert (data_dir / "bot.key").read_text() != (data_dir / "agent.key").read_text()
        said = typed(data_dir, "pairing-code")
        assert said.returncode == 0, said.stderr
        assert "/pair " in said.stdout
        listed = typed(data_dir, "key", "list").stdout
        assert "the owner" in listed
        assert "a bot on discord / telegram" in listed
        assert "agent.key" in typed(data_dir, "key", "revoke", "owner").stderr
        assert typed(data_dir, "key", "revoke", "bot").returncode == 0
        assert not (data_dir / "bot.key").exists()
        agent.terminate()
    with start(data_dir) as agent:
        read_until(agent, "serves on http://127.0.0.1:")
        assert not (data_dir / "bot.key").exists()  # what was revoked is not made again
        agent.terminate()


def test_without_an_agent_the_pairing_code_says_so(data_dir: Path) -> None:
    done = typed(data_dir, "pairing-code")
    assert done.returncode == 1
    assert "No agent answers" in done.stderr


def test_a_key_in_the_agents_environment_that_fits_none_is_said(data_dir: Path) -> None:
    with start(data_dir, HEARTH_AGENT_KEY="hearth-other") as agent:
        said = read_until(agent, "serves on http://127.0.0.1:")
        assert "HEARTH_AGENT_KEY is what a bot reads" in said
        assert "hearth-other" not in said
        agent.terminate()
    owners = (data_dir / "agent.key").read_text().strip()
    with start(data_dir, HEARTH_AGENT_KEY=owners) as agent:
        assert "HEARTH_AGENT_KEY" not in read_until(agent, "serves on http://127.0.0.1:")
        agent.terminate()
