"""The agent's environment, read once at start."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.paths import KEY_FILE, Folder, default_data_dir


def _bindable(address: str) -> str:
    host, _, port = address.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    only_six_in_brackets = (":" in bare) == (bare != host)
    good_port = port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535
    if not (bare and only_six_in_brackets and good_port):
        raise ValueError("host:port, such as 127.0.0.1:8420 or [::1]:8420, with a port from 0 to 65535")
    return address


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
    hf_token: SecretStr | None = None  # goes to the fetch child alone

    @property
    def host(self) -> str:
        """Return the address to listen on, an IPv6 one without its brackets."""
        return self.hearth_bind.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """Return the port to listen on; 0 lets the system choose."""
        return int(self.hearth_bind.rpartition(":")[2])

    @property
    def key_file(self) -> Path:
        """Return the file that holds the bearer key."""
        return self.hearth_data_dir / KEY_FILE

    @property
    def jobs_dir(self) -> Path:
        """Return the folder of all job folders."""
        return self.hearth_data_dir / "jobs"

    @property
    def files_dir(self) -> Path:
        """Return the folder of uploaded files."""
        return self.hearth_data_dir / "files"

    @property
    def base_models_dir(self) -> Path:
        """Return the folder of fetched base models."""
        return self.hearth_data_dir / "base_models"
