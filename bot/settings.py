"""The environment (and `.env`), read once into a frozen object. A bad value stops the start."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.agent_api.transport import UNIX, Address
from bot.errors import SettingsError
from shared.paths import ADDRESS_FILE as ADDRESS_FILE
from shared.paths import BOT_KEY_FILE, KEY_FILE, Folder, default_bot_dir, default_data_dir

LOCAL = "local"  # as HEARTH_AGENT_URL: the agent of HEARTH_DATA_DIR, wherever it listens, with the key it made
OFF = "off"  # as a token: this chat is not served, whatever `.env` says
DEFAULT_AGENT_URL = "http://127.0.0.1:8420"


class Settings(BaseSettings):
    """HEARTH_… as the bot needs it."""

    model_config = SettingsConfigDict(
        env_prefix="HEARTH_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    agent_url: str | None = None  # default: the address file, else 127.0.0.1:8420
    agent_key: SecretStr | None = None  # default: the key files that the agent made
    data_dir: Folder = Field(default_factory=default_data_dir)  # the agent's, for its keys and address
    bot_dir: Folder = Field(default_factory=default_bot_dir)  # the bot's small database and log
    files_dir: Folder = Path("hearth-files")  # where the terminal saves results

    telegram_token: SecretStr | None = Field(default=None, validation_alias="TELEGRAM_TOKEN")
    telegram_api_base: str | None = Field(default=None, validation_alias="TELEGRAM_API_BASE")  # a local Bot API server
    discord_token: SecretStr | None = Field(default=None, validation_alias="DISCORD_TOKEN")
    discord_api_base: str | None = Field(default=None, validation_alias="DISCORD_API_BASE")  # with /api/v10
    discord_gateway: str | None = Field(default=None, validation_alias="DISCORD_GATEWAY")

    discord_read_messages: bool = False  # what is said in threads is heard without a mention: a privileged intent

    @field_validator("agent_url")
    @classmethod
    def _agent_url(cls, url: str | None) -> str | None:
        if not url or url == LOCAL:
            return url or None
        if url.startswith(f"{UNIX}/"):
            return url
        return _address(url, {"http", "https"}, "http://192.168.1.20:8420 or unix:/run/hearth.sock")

    @field_validator("telegram_api_base")
    @classmethod
    def _telegram_api_base(cls, url: str | None) -> str | None:
        return _address(url, {"http", "https"}, "http://127.0.0.1:8081") if url else None

    @field_validator("discord_api_base")
    @classmethod
    def _discord_api_base(cls, url: str | None) -> str | None:
        return _address(url, {"http", "https"}, "http://127.0.0.1:3001/api/v10") if url else None

    @field_validator("discord_gateway")
    @classmethod
    def _discord_gateway(cls, url: str | None) -> str | None:
        return _address(url, {"ws", "wss"}, "ws://127.0.0.1:3002") if url else None

    @field_validator("telegram_token", "discord_token")
    @classmethod
    def _token(cls, token: SecretStr | None) -> SecretStr | None:
        """Refuse what would be split over two lines of a header or an address."""
        if token is not None and len(token.get_secret_value().split()) != 1:
            raise ValueError("one word, as the platform gave it")
        word = token.get_secret_value().strip() if token is not None else OFF
        return None if word == OFF else SecretStr(word)

    @property
    def remote_url(self) -> str | None:
        """The address that was set; None for an agent whose data folder lies here."""
        return None if self.agent_url == LOCAL else self.agent_url

    def agent_address(self, *, owner: bool) -> Address:
        """Return where the agent is now, with the key of its owner, for who sits at a terminal here, or of a bot."""
        local = local_address(self.data_dir, owner=owner)
        given = self.agent_key.get_secret_value() if self.agent_key and self.agent_url != LOCAL else ""
        first, second = (local.key, given) if owner and self.remote_url is None else (given, local.key)
        return Address(url=self.remote_url or local.url, key=first or second)


def load_settings() -> Settings:
    """Read the settings; raise SettingsError with name, value and expectation."""
    try:
        return Settings()
    except ValidationError as cause:
        error = cause.errors()[0]
        name = setting_name(str(error["loc"][0]))
        expected = str(error["msg"]).removeprefix("Value error, ")
        value = "…" if "KEY" in name or "TOKEN" in name else repr(error["input"])
        raise SettingsError(f"{name} is {value}. Expected: {expected}.", param=name) from cause


def setting_name(field: str) -> str:
    """Return the variable that a field, or its alias, is read from."""
    known = Settings.model_fields.get(field.lower())
    return field.upper() if known is None or known.validation_alias else f"HEARTH_{field.upper()}"


def local_address(data_dir: Path, *, owner: bool) -> Address:
    """Return the address and a key that an agent left in its data folder. An older one made no key for bots."""
    address = _first_line(data_dir / ADDRESS_FILE)
    key = "" if owner else _first_line(data_dir / BOT_KEY_FILE)
    return Address(
        url=f"http://{address}" if address else DEFAULT_AGENT_URL, key=key or _first_line(data_dir / KEY_FILE)
    )


def _address(url: str, schemes: set[str], example: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname:
        raise ValueError(f"an address such as {example}")
    return url.rstrip("/")


def _first_line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip().partition("\n")[0]
    except OSError:
        return ""
