"""The agent's environment, read once at start."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from agent.job_folder.folder import JobFolder
from shared.paths import BOT_KEY_FILE, KEY_FILE, Folder, default_data_dir


def _bindable(address: str) -> str:
    host, _, port = address.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    only_six_in_brackets = (":" in bare) == (bare != host)
    good_port = port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535
    if not (bare and only_six_in_brackets and good_port):
        raise ValueError("host:port, such as 127.0.0.1:8420 or [::1]:8420, with a port from 0 to 65535")
    return address


_OLLAMA_HOST = re.compile(r"(?:(https?)://)?(\[[0-9a-f:.]+\]|[a-z0-9._-]*)(?::([0-9]{1,5}))?/*", re.IGNORECASE)
OLLAMA_OFF = "off"  # ours: finished models are given to no Ollama
_DEFAULT_PORT = {None: 11434, "http": 80, "https": 443}


def _ollama_url(value: str) -> str:
    """Read a value of OLLAMA_HOST as Ollama's own client does. Raises ValueError."""
    value = value.strip(" \"'")
    found = _OLLAMA_HOST.fullmatch(f"[{value}]" if _is_ipv6(value) else value)
    scheme, host, port = found.groups() if found else (None, "", None)
    number = int(port) if port else _DEFAULT_PORT[scheme and scheme.lower()]
    good_host = _is_ipv6(host[1:-1]) if host.startswith("[") else not host.isdigit() and (host or port)
    if not (good_host and 1 <= number <= 65535):
        raise ValueError(
            "host, host:port, :port or http://host:port, such as 127.0.0.1:11434 or [::1]:11434, with a port from 1 to "
            "65535"
        )
    return f"{(scheme or 'http').lower()}://{(host or '127.0.0.1').lower()}:{number}"


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _ollama_host(value: str) -> str:
    if value.strip().lower() != OLLAMA_OFF:
        _ollama_url(value)
    return value


_PUBLIC_URL = re.compile(
    r"https?://(\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::([0-9]{1,5}))?(/[\w./~-]*)?",
    re.IGNORECASE | re.ASCII,
)


def _public_url(value: str) -> str:
    """Return the URL without a slash at its end. Raises ValueError."""
    found = _PUBLIC_URL.fullmatch(value)
    host, port = found.group(1, 2) if found else ("", None)
    if not host or (host.startswith("[") and not _is_ipv6(host[1:-1])) or not 1 <= int(port or 80) <= 65535:
        raise ValueError("a URL such as https://hearth.example.org, without user, query or fragment")
    return value.rstrip("/")


class AgentSettings(BaseSettings):
    """Each field is the variable of its name in capitals, from the environment or `.env`."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )

    hearth_data_dir: Folder = Field(default_factory=default_data_dir)
    hearth_models_dir: Folder | None = None  # folders and GGUF files that chat may name
    hearth_bind: Annotated[str, AfterValidator(_bindable)] = "127.0.0.1:8420"
    hearth_file_limit_mib: Annotated[int, Field(ge=1, le=102400)] = 1024  # the largest dataset taken
    hearth_threads: Annotated[int, Field(ge=0, le=1024)] = 0  # CPU threads of a trainer; 0: all cores
    hearth_keep_days: Annotated[int, Field(ge=0, le=3650)] = 30  # superseded checkpoints of ended jobs
    hearth_unused_days: Annotated[int, Field(ge=7, le=3650)] = 30  # datasets unused for so long may be offered to go
    hearth_disk_floor_mib: Annotated[int, Field(ge=0)] = 2048  # free disk: under it, things are removed in order
    hearth_bot_key_file: Folder | None = None  # where the key for bots of this machine is left; None: beside agent.key
    hearth_agent_key: SecretStr | None = None  # the bot's; read here only to say so where it fits no key
    hearth_sandbox: bool = True  # children reach what they need alone, where the kernel can hold them to it
    hf_token: SecretStr | None = None  # goes to the children that download alone
    hearth_public_url: Annotated[str, AfterValidator(_public_url)] | None = None  # where chats may fetch large results
    ollama_host: Annotated[str, AfterValidator(_ollama_host)] = "127.0.0.1:11434"  # Ollama's own variable
    ollama_models: Folder | None = None  # Ollama's own variable: the folder of its models; None: where it usually is
    hearth_ollama_open: bool = False  # models may go to an Ollama that others on the network can reach

    @property
    def host(self) -> str:
        """Return the address to listen on, an IPv6 one without its brackets."""
        return self.hearth_bind.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """Return the port to listen on; 0 lets the system choose."""
        return int(self.hearth_bind.rpartition(":")[2])

    @property
    def ollama_url(self) -> str | None:
        """Return where Ollama is to be found, with its port: http://127.0.0.1:11434; None: models go to none."""
        return _ollama_url(self.ollama_host) if self.ollama_host.strip().lower() != OLLAMA_OFF else None

    @property
    def key_file(self) -> Path:
        """Return the file that holds the owner's key."""
        return self.hearth_data_dir / KEY_FILE

    @property
    def bot_key_file(self) -> Path:
        """Return the file that holds the key of this machine's bots."""
        return self.hearth_bot_key_file or self.hearth_data_dir / BOT_KEY_FILE

    @property
    def jobs_dir(self) -> Path:
        """Return the folder of all job folders."""
        return self.hearth_data_dir / "jobs"

    def job_folder(self, job_id: str) -> JobFolder:
        """Return the folder in which agent and trainer meet."""
        return JobFolder(path=self.jobs_dir / job_id)

    @property
    def files_dir(self) -> Path:
        """Return the folder of uploaded files."""
        return self.hearth_data_dir / "files"

    @property
    def base_models_dir(self) -> Path:
        """Return the folder of fetched base models."""
        return self.hearth_data_dir / "base_models"
