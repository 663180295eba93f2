"""The frozen settings: `config/default.toml`, then `CALLCENTRE_*` variables; unknown keys are refused."""

from __future__ import annotations

import os
import re
import secrets
import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from callcentre.errors import ConfigurationError
from callcentre.tuning import RetryTuning

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "CALLCENTRE_"
ELSEWHERE = {"CALLCENTRE_TEST_POSTGRESQL_URL", "CALLCENTRE_CONFIG_DIR"}
"""Variables with our prefix that are not settings of the program."""


class Settings(BaseModel):
    """Every setting, with its unit in its name where the type has none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    config_dir: Path = ROOT / "config"
    programme: str
    data_dir: Path
    database_url: str = ""
    secret_key: str = ""
    mode: Literal["offline", "sandbox", "live"]
    clock_start: datetime | None = None
    clock_anchor: datetime | None = None
    lease_seconds: int = Field(ge=1, le=3600)
    lease_renew_seconds: int = Field(ge=1)
    lease_sweep_seconds: int = Field(ge=1)
    settle_minutes: int = Field(ge=1)
    undo_minutes: int = Field(ge=0)
    balance_cache_seconds: float = Field(ge=0)
    session_idle_minutes: int = Field(ge=1)
    session_hours: int = Field(ge=1)
    idempotency_days: int = Field(ge=1)
    audit_days: int = Field(ge=1, le=1096)
    upload_megabytes: int = Field(ge=1)
    drop_folder: str = ""
    retry: RetryTuning
    """Constants of the rule that learns when to try again; a programme may override any of them."""
    database_page_limit: int | None = None
    public_url: str = ""
    twilio_api_url: str = ""
    twilio_account_sid: str = ""
    twilio_auth_token: str = Field(default="", repr=False)
    twilio_auth_token_before: str = Field(default="", repr=False)
    twilio_api_key_sid: str = ""
    twilio_api_key_secret: str = Field(default="", repr=False)
    twilio_twiml_app_sid: str = ""
    softphone_script: Path
    twilio_messaging_service_sid: str = ""
    twilio_number: str = ""
    twilio_whatsapp_from: str = ""
    twilio_receives_replies: bool
    allowed_numbers: str = ""
    allowed_countries: str
    calls_per_hour: int = Field(ge=1)
    calls_per_day: int = Field(ge=1)
    messages_per_second: float = Field(gt=0)
    message_cents: float = Field(ge=0)
    call_minute_cents: float = Field(ge=0)

    @model_validator(mode="after")
    def _provider(self) -> Self:
        if self.twilio_api_url and not _is_loopback(self.twilio_api_url):
            raise ValueError("twilio_api_url may only name this machine, e.g. http://127.0.0.1:8010")
        if self.twilio_api_url and self.mode == "live":
            raise ValueError("twilio_api_url is a stand-in and is refused in live mode")
        if re.match(r"\+33[67]", self.twilio_number):
            raise ValueError(
                "twilio_number may not be a mobile number (06, 07): the operators cut such calls"
            )
        if self.mode != "offline" or self.twilio_api_url:
            needed = ("twilio_account_sid", "twilio_auth_token", "twilio_number", "public_url")
            missing = [name for name in needed if not getattr(self, name)]
            if missing:
                raise ValueError(f"{', '.join(missing)} must be set to speak to the provider")
        host = urlsplit(self.public_url).hostname or ""
        if "_" in host:
            raise ValueError("public_url: the provider refuses a host name with an underscore")
        if self.mode == "live" and not self.public_url.startswith("https://"):
            raise ValueError("public_url must begin with https:// in live mode")
        return self

    @property
    def has_provider(self) -> bool:
        """Whether requests go to Twilio or to its stand-in."""
        return bool(self.twilio_api_url) or self.mode != "offline"

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.clock_start is not None and self.clock_start.tzinfo is None:
            raise ValueError("clock_start needs a zone, e.g. 2026-11-23T10:00:00+01:00")
        if self.clock_start is not None and self.mode != "offline":
            raise ValueError("clock_start is refused in sandbox and live mode: real people live in real time")
        if self.lease_renew_seconds >= self.lease_seconds:
            raise ValueError("lease_renew_seconds must be shorter than lease_seconds")
        return self

    @property
    def has_softphone(self) -> bool:
        """Whether officers may telephone in their browser: a key for it is set, and its script is installed."""
        keys = (self.twilio_api_key_sid, self.twilio_api_key_secret, self.twilio_twiml_app_sid)
        return self.has_provider and all(keys) and self.softphone_file.is_file()

    @property
    def softphone_file(self) -> Path:
        """The provider's script for the browser; a relative path is one of the project."""
        return ROOT / self.softphone_script

    @property
    def url(self) -> str:
        """The address of the database: `database_url`, else a SQLite file in `data_dir`."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'callcentre.sqlite3'}"


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; raises ConfigurationError naming the file or variable, the key and the remedy.

    `config_dir` comes from CALLCENTRE_CONFIG_DIR, so that another territory may keep its files elsewhere.
    """
    environment = os.environ if environment is None else environment
    config_dir = Path(environment.get("CALLCENTRE_CONFIG_DIR", ROOT / "config"))
    file = config_dir / "default.toml"
    try:
        values: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            file=str(file), key="(file)", problem=f"{error}.", remedy="Restore it from the project."
        ) from error
    overrides = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and name not in ELSEWHERE and value != ""
    }
    try:
        settings = Settings.model_validate({**values, **overrides, "config_dir": config_dir})
    except ValidationError as error:
        raise _explained(error, file, overrides) from error
    return settings if settings.secret_key else settings.model_copy(update={"secret_key": _secret(settings)})


def _explained(error: ValidationError, file: Path, overrides: Mapping[str, str]) -> ConfigurationError:
    first: Any = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "(settings)"
    unknown = first["type"] == "extra_forbidden"
    where = "environment" if key in overrides or (not first["loc"] and overrides) else file.name
    name = f"{PREFIX}{key.upper()}" if key in overrides else key
    remedy = (
        "Remove it or correct its spelling; config/default.toml lists them all."
        if unknown
        else "Correct this value."
    )
    return ConfigurationError(file=where, key=name, problem=f"{first['msg']}.", remedy=remedy)


def _is_loopback(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and parts.hostname in {"127.0.0.1", "localhost", "::1"}


def _secret(settings: Settings) -> str:
    """Return the installation's own secret, made once and kept in the data folder, readable by its owner only."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    file = settings.data_dir / "secret_key"
    if not file.exists():
        draft = file.with_name(f"secret_key.{os.getpid()}")
        with os.fdopen(
            os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii"
        ) as handle:
            handle.write(secrets.token_urlsafe(48))
        try:
            os.link(draft, file)  # whole or not at all: web and worker may start together
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_text(encoding="ascii").strip()
