"""Settings about devices: how they are supervised, and how a site's broker learns who may sign in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

__all__ = ["BrokerSettings", "DeviceSettings", "RulesSettings"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _in_a_folder(path: Path) -> Path:
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {path.parent}")
    return path


class DeviceSettings(_Section):
    """The supervision of devices."""

    checks_per_second: int = Field(default=5_000, ge=10, le=100_000)
    """Most devices looked at in a second: what supervision may cost, however many are silent at once."""


class RulesSettings(_Section):
    """The alarm rules (docs/alarm-rules.md)."""

    every_seconds: float = Field(default=15, ge=1, le=600)
    """A resident whose devices are heard is looked at so often at the most."""
    per_second: int = Field(default=200, ge=1, le=20_000)
    """Most residents looked at in a second: what the rules may cost, however many devices report at once."""


class BrokerSettings(_Section):
    """How the site's broker learns which devices may sign in."""

    password_file: Annotated[Path, AfterValidator(_in_a_folder)] | None = None
    """Mosquitto's password file: the hub keeps the devices' lines in it and leaves all others alone."""
    pid_file: Path | None = None
    """Mosquitto's pid file: told by SIGHUP after a change. Without it something else must watch the file (systemd)."""
    hook_secret: SecretStr | None = None
    """EMQX's HTTP hook must carry it as a bearer token; without it the hook refuses everybody."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.pid_file is not None and self.password_file is None:
            raise ValueError("HUB_BROKER__PASSWORD_FILE: is missing; HUB_BROKER__PID_FILE is of no use without it")
        if self.hook_secret is not None and len(self.hook_secret.get_secret_value()) < 16:
            raise ValueError("HUB_BROKER__HOOK_SECRET: must have at least 16 characters")
        return self
