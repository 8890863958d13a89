"""Settings of expected arrivals: which road network is asked. Read by `hub.settings`, like all settings."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["TravelSettings"]


class TravelSettings(BaseModel):
    """How long somebody needs to a door. Without a road network: as the crow flies times 1.3, at the mode's pace."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    router: Literal["none", "osrm", "valhalla", "matrix"] = "none"
    url: str | None = Field(default=None, pattern=r"^https?://[^\s?#]+$")
    """Of the OSRM or Valhalla server; its `/table` or `/sources_to_targets` is asked."""
    profiles: dict[Literal["foot", "bike", "car", "van"], str] | None = None
    """Profile (OSRM) or costing (Valhalla) of each mode; a mode that is left out is estimated."""
    matrix_file: Path | None = None
    snap_m: float = Field(default=400, gt=0, le=5_000)
    """Whoever is so near to a place of the matrix counts as there."""
    timeout_seconds: float = Field(default=0.5, ge=0.05, le=5)
    """An alarm waits so long for it at the most; then ways are estimated, and the server is left alone for a while."""
    nearest: int = Field(default=60, ge=1, le=500)
    """For so many of the nearest it is asked. OSRM takes 100 places by default."""
    rest_seconds: float = Field(default=30, ge=1, le=3_600)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.router in ("osrm", "valhalla") and self.url is None:
            raise ValueError(f"router {self.router} needs a url")
        if self.router == "matrix" and self.matrix_file is None:
            raise ValueError("router matrix needs a matrix_file")
        return self
