"""Where the database is. Read by `hub.settings`, like all settings."""

from __future__ import annotations

from typing import Annotated, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

__all__ = ["DatabaseSettings"]


def _check_database_url(url: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(url.get_secret_value())
        _ = parts.port
    except ValueError:
        raise ValueError("is not a URL; characters such as / @ : # in a password are written %2F %40 %3A %23") from None
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError("must begin with postgresql://")
    if not parts.hostname and "host" not in parse_qs(parts.query):
        raise ValueError("names no host")
    if not parts.path.strip("/"):
        raise ValueError("names no database (postgresql://user:password@host:5432/database)")
    return url


class DatabaseSettings(BaseModel):
    """The database; without a URL an embedded one in the data directory."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Annotated[SecretStr, AfterValidator(_check_database_url)] | None = None
    pool_min: int = Field(default=1, ge=0, le=1000)
    pool_max: int = Field(default=10, ge=1, le=1000)
    """Connections a hub process keeps ready and may open at most, beside those of its lanes."""
    patience_seconds: float = Field(default=2.0, gt=0, le=300)
    """How long a page or program waits for a connection before it is told that the database is away."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.pool_min > self.pool_max:
            raise ValueError("HUB_DATABASE__POOL_MIN: must not be more than HUB_DATABASE__POOL_MAX")
        return self
