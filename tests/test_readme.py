"""What the README says of GPUs is what the planner says, and what it says to type can be typed."""

import ast
import re
import shlex
import subprocess
from itertools import pairwise

import pytest

from agent.base_models.known import KNOWN
from agent.command_line.arguments import read_command_line
from agent.plan.memory import MemoryEstimate, estimate_memory
from agent.plan.setup import TrainingSetup
from tests.bot.process import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
LEAVING = (ROOT / "LEAVING_OPENAI.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d+) GB \| (.+) \|$", README, re.MULTILINE)
OF_A_MODEL = re.compile(r"(?:^|, )([\w.-]+)(?:, 22B)? \(([\d.]+) GiB(?: of RAM)?\)")
DESKTOP_GIB = 1


def estimate(name: str, device: str) -> MemoryEstimate:
    """Return what a model of the table takes, as the text above it says that it is trained."""
    [model] = [it for it in KNOWN if it.id.rpartition("/")[2] in {f"{name}-Instruct", f"{name}-it", name, named(name)}]
    setup = TrainingSetup(
        device="cuda" if device == "cuda" else "cpu", rows=1, length=1024, activation_checkpointing=True,
        attention=model.shape.attention,
    )  # fmt: skip
    return estimate_memory(model.shape, setup)


def named(short: str) -> str:
    """Return a name whose version stands behind the word Instruct."""
    stem, _dash, version = short.rpartition("-")
    return f"{stem}-Instruct-{version}"


@pytest.mark.parametrize(("gigabytes", "models"), ROWS)
def test_what_a_card_trains_is_what_fits_and_takes_what_is_said(gigabytes: str, models: str) -> None:
    free = (int(gigabytes) - DESKTOP_GIB) * 1024
    told = OF_A_MODEL.findall(models)
    assert told
    for name, gib in told:
        assert estimate(name, "cuda").fits(free)
        assert f"{estimate(name, 'cuda').total / 1024:.1f}" == gib


def test_each_card_of_the_table_has_a_model_that_the_one_before_cannot_train() -> None:
    assert [size for size, _models in ROWS] == ["6", "8", "12", "16", "24"]
    for (smaller, _), (_, models) in pairwise(ROWS):
        name, _gib = OF_A_MODEL.findall(models)[0]
        assert not estimate(name, "cuda").fits((int(smaller) - DESKTOP_GIB) * 1024)


def test_a_cpu_takes_the_memory_that_is_said() -> None:
    [models] = re.findall(r"^\| none: CPU \| (.+) \|$", README, re.MULTILINE)
    for name, gib in OF_A_MODEL.findall(models):
        assert f"{estimate(name, 'cpu').total / 1024:.1f}" == gib


def test_it_is_short_and_its_links_lead_somewhere() -> None:
    assert len(README.splitlines()) <= 120
    for where in re.findall(r"\]\(([^)#:]+)\)|src=\"([^\"]+)\"", README):
        assert (ROOT / "".join(where)).is_file(), where


@pytest.mark.parametrize("block", re.findall(r"^```\n(.+?)^```", README, re.MULTILINE | re.DOTALL))
def test_each_command_of_a_block_is_one_that_is_there(block: str) -> None:
    for line in filter(None, block.splitlines()):
        for words in _commands(line):
            if words[0] == "make":
                subprocess.run(["make", "--dry-run", *words[1:]], cwd=ROOT, check=True, capture_output=True)
            else:
                assert words[0] in ("git", "cd"), line


def test_what_is_typed_in_a_sentence_is_there_too() -> None:
    for target in re.findall(r"`make (\w+)`", README):
        subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True)
    for copied in re.findall(r"`cp (\S+) \.env`", README):
        assert (ROOT / copied).is_file()


def test_the_program_is_python() -> None:
    [program] = re.findall(r"```python\n(.+?)```", README, re.DOTALL)
    ast.parse(re.sub(r"^  ", "", program, flags=re.MULTILINE))


def test_the_page_for_those_who_leave_openai_has_links_a_program_and_commands_that_are_there() -> None:
    for where in re.findall(r"\]\(([^)#:]+)\)", LEAVING):
        assert (ROOT / where).is_file(), where
    [program] = re.findall(r"```python\n(.+?)```", LEAVING, re.DOTALL)
    ast.parse(program)
    [typed] = re.findall(r"^```\n(hearth-agent .+?)^```", LEAVING, re.MULTILINE | re.DOTALL)
    for line in typed.splitlines():
        assert read_command_line([*shlex.split(line)[1:], "--help"]) is not None


def _commands(line: str) -> list[list[str]]:
    """Return the commands of a line, without its comment."""
    return [shlex.split(part, comments=True) for part in line.split(" && ")]
