"""What lies in deploy/ is well-formed, confined, and names no setting that does not exist."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from ruamel.yaml import YAML

from agent.settings import AgentSettings
from bot.settings import Settings
from shared.paths import BOT_KEY_FILE

DEPLOY = Path("deploy").absolute()
AGENT, BOT = (DEPLOY / f"hearth-{side}.service" for side in ("agent", "bot"))
DOCKERFILES = sorted(DEPLOY.glob("*.Dockerfile"))
SERVICES: dict[str, dict[str, Any]] = YAML(typ="safe").load((DEPLOY / "compose.yaml").read_text())["services"]
INSTALLED = "/opt/hearth/.venv/bin/"

AGENT_SETTINGS = {name.upper() for name in AgentSettings.model_fields}
BOT_SETTINGS = {f"HEARTH_{name.upper()}" for name in Settings.model_fields}

# systemd's own score in tenths: 0 is sealed, 100 wide open. What is left is the network and, for the agent, the GPU.
EXPOSURE = {AGENT: 20, BOT: 15}

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
each_unit = pytest.mark.parametrize("unit", [AGENT, BOT], ids=["agent", "bot"])
each_service = pytest.mark.parametrize("name", sorted(SERVICES))
each_dockerfile = pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.stem)


def service_section(unit: Path) -> dict[str, list[str]]:
    """Read [Service]: every key with all its values, in order."""
    values = defaultdict(list)
    section = unit.read_text(encoding="utf-8").partition("[Service]\n")[2].partition("\n[")[0]
    for line in section.splitlines():
        if line and not line.startswith("#"):
            key, _, value = line.partition("=")
            values[key].append(value)
    return values


def systemd_analyze(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60, check=False)


def instructions(dockerfile: Path) -> list[str]:
    text = re.sub(r"(?m)^#.*\n", "", dockerfile.read_text(encoding="utf-8")).replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip()]


# --- systemd units


@pytest.mark.process
@needs_systemd
@each_unit
def test_systemd_finds_nothing_wrong_with_a_unit(unit: Path, tmp_path: Path) -> None:
    installed = tmp_path / unit.name  # as it is, but with the scripts of this environment
    installed.write_text(unit.read_text(encoding="utf-8").replace(INSTALLED, f"{Path(sys.executable).parent}/"))
    verdict = systemd_analyze("verify", "--man=no", "--recursive-errors=no", str(installed))
    complaints = [line for line in verdict.stderr.splitlines() if unit.name in line]
    assert (complaints, verdict.returncode) == ([], 0)


@pytest.mark.process
@needs_systemd
@each_unit
def test_a_unit_is_no_more_exposed_than_it_has_to_be(unit: Path) -> None:
    if "--offline" not in systemd_analyze("--help").stdout:
        pytest.skip("this systemd-analyze cannot judge a unit offline")
    gate = f"--threshold={EXPOSURE[unit]}"
    verdict = systemd_analyze("security", "--no-pager", "--offline=true", gate, str(unit))
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


@pytest.mark.process
@needs_systemd
def test_the_agent_may_call_what_it_needs_for_its_children() -> None:
    assert service_section(AGENT)["SystemCallFilter"] == ["@system-service", "~@privileged"]
    allowed, refused = (set(syscalls(name)) for name in ("@system-service", "@privileged"))
    needed = {"setsid", "setpriority", "prlimit64", "kill", "flock", "sched_setaffinity", "bind", "listen"}
    assert needed <= allowed - refused


def syscalls(group: str) -> list[str]:
    """Return the system calls of a group, those of the groups within it too."""
    listed = [line.strip() for line in systemd_analyze("syscall-filter", group).stdout.splitlines()[1:]]
    found = [name for name in listed if name and name[0] not in "#@"]
    for inner in (name for name in listed if name.startswith("@")):
        found += syscalls(inner)
    return found


def test_a_trainer_outlives_its_agent_and_the_oom_killer_spares_the_agent() -> None:
    service = service_section(AGENT)
    assert (service["KillMode"], service["OOMPolicy"]) == (["process"], ["continue"])
    for ends_with_the_unit in ("RemoveIPC", "PrivateUsers", "DynamicUser"):
        assert ends_with_the_unit not in service


def test_the_agent_sees_the_gpu_and_may_compile_for_it() -> None:
    service = service_section(AGENT)
    assert "char-nvidia* rw" in service["DeviceAllow"]
    assert not {"PrivateDevices", "MemoryDenyWriteExecute"} & set(service)


def test_the_agent_may_list_the_machines_addresses() -> None:
    """It uses a netlink socket to see whether others can reach an Ollama."""
    (families,) = service_section(AGENT)["RestrictAddressFamilies"]
    assert families.split() == ["AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK"]


@each_unit
def test_a_unit_starts_an_installed_command(unit: Path) -> None:
    scripts = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    (command,) = service_section(unit)["ExecStart"]
    assert command.removeprefix(INSTALLED) in scripts


def test_no_unit_runs_as_root() -> None:
    assert service_section(AGENT)["User"] == ["hearth"]
    assert service_section(BOT)["DynamicUser"] == ["yes"]


def test_the_units_set_what_their_side_reads() -> None:
    for unit, settings in ((AGENT, AGENT_SETTINGS), (BOT, BOT_SETTINGS)):
        names = {value.partition("=")[0] for value in service_section(unit)["Environment"]}
        assert names
        assert names <= settings


def test_the_bot_finds_its_credential_where_it_looks_for_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = service_section(BOT)
    assert "HEARTH_DATA_DIR=%d" in service["Environment"]
    (credential,) = service["LoadCredential"]
    (tmp_path / credential.partition(":")[0]).write_text("hearth-abc\n")
    monkeypatch.delenv("HEARTH_AGENT_KEY", raising=False)
    monkeypatch.setenv("HEARTH_DATA_DIR", str(tmp_path))
    assert Settings(_env_file=None).agent_address(owner=False).key == "hearth-abc"


# --- compose


@pytest.mark.process
def test_compose_follows_its_schema() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [*check, str(DEPLOY / "compose.yaml")], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@each_service
def test_the_log_of_a_service_does_not_grow_for_ever(name: str) -> None:
    assert SERVICES[name]["logging"]["driver"] == "local"  # rotates; Docker's default, json-file, does not


@each_service
def test_a_service_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] == "10001:10001"
    assert not {"ports", "privileged", "cap_add", "network_mode", "pid", "ipc", "devices"} & set(service)


@each_service
def test_a_service_mounts_volumes_and_nothing_of_the_host(name: str) -> None:
    for mount in SERVICES[name]["volumes"]:
        source = mount["source"] if isinstance(mount, dict) else mount.partition(":")[0]
        assert re.fullmatch(r"[a-z-]+", source)


@each_service
def test_a_service_sets_what_its_program_reads(name: str) -> None:
    known = {"agent": AGENT_SETTINGS, "bot": BOT_SETTINGS, "terminal": BOT_SETTINGS, "ollama": {"OLLAMA_HOST"}}
    assert set(SERVICES[name]["environment"]) <= known[name]


def test_compose_settings_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in AGENT_SETTINGS | BOT_SETTINGS:
        monkeypatch.delenv(name, raising=False)
    for name, value in (SERVICES["agent"]["environment"] | SERVICES["bot"]["environment"]).items():
        monkeypatch.setenv(name, value)
    agent, bot = AgentSettings(_env_file=None), Settings(_env_file=None)
    assert (agent.host, agent.hearth_ollama_open, agent.ollama_url) == ("0.0.0.0", True, "http://ollama:11434")
    assert bot.agent_url == f"http://agent:{agent.port}"


def test_the_bot_may_read_its_own_key_and_nothing_else_of_the_agents() -> None:
    (shared,) = (mount for mount in SERVICES["bot"]["volumes"] if isinstance(mount, dict))
    assert (shared["source"], shared["target"]) == ("bot-key", SERVICES["bot"]["environment"]["HEARTH_DATA_DIR"])
    key_file = PurePosixPath(SERVICES["agent"]["environment"]["HEARTH_BOT_KEY_FILE"])
    assert f"bot-key:{key_file.parent}" in SERVICES["agent"]["volumes"]
    assert key_file.name == BOT_KEY_FILE
    assert shared["read_only"] is True


def test_ollama_is_on_a_network_that_leads_nowhere() -> None:
    networks = YAML(typ="safe").load((DEPLOY / "compose.yaml").read_text())["networks"]
    assert SERVICES["ollama"]["networks"] == ["inside"]
    assert networks["inside"] == {"internal": True}


def test_compose_builds_from_dockerfiles_that_are_there() -> None:
    for service in SERVICES.values():
        build = service["build"]
        assert (DEPLOY / build["context"] / build["dockerfile"]).is_file()


# --- images


@each_dockerfile
def test_an_image_runs_as_the_user_of_compose(dockerfile: Path) -> None:
    users = [line.split()[1] for line in instructions(dockerfile) if line.startswith("USER ")]
    assert users[-1:] == ["10001:10001"]


@each_dockerfile
def test_an_image_installs_what_was_tried_together(dockerfile: Path) -> None:
    installs = [part for line in instructions(dockerfile) for part in line.split("&&") if "pip install" in part]
    assert all("--constraint /app/constraints.txt" in part for part in installs)
    assert "latest" not in instructions(dockerfile)[0]


def test_the_bots_image_holds_neither_agent_nor_torch() -> None:
    text = "\n".join(instructions(DEPLOY / "bot.Dockerfile"))
    assert "agent" not in text
    assert "torch" not in text


@each_dockerfile
def test_an_image_copies_only_what_the_build_may_see(dockerfile: Path) -> None:
    """.dockerignore keeps out everything but these, so no .env and no data gets into an image."""
    ignored = Path(".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    visible = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = {source for line in instructions(dockerfile) if line.startswith("COPY ") for source in line.split()[1:-1]}
    assert copied <= visible
