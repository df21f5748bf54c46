"""The agent's environment, read once at start."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.paths import KEY_FILE, default_data_dir


class AgentSettings(BaseSettings):
    """Each field is the variable of its name in capitals, from the environment or `.env`."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True)

    hearth_data_dir: Path = Field(default_factory=default_data_dir)
    hearth_models_dir: Path | None = None  # folders and GGUF files that chat may name
    hearth_bind: Annotated[str, Field(pattern=r"^.+:\d{1,5}$")] = "127.0.0.1:8420"
    hearth_file_limit_mib: Annotated[int, Field(ge=1, le=102400)] = 1024  # the largest dataset taken
    hearth_threads: Annotated[int, Field(ge=0, le=1024)] = 0  # CPU threads of a trainer; 0: all cores
    hf_token: SecretStr | None = None  # goes to the fetch child alone

    @property
    def host(self) -> str:
        """Return the address to listen on."""
        return self.hearth_bind.rpartition(":")[0]

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
