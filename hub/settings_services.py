"""Settings of everyday services."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ServicesSettings"]


class ServicesSettings(BaseModel):
    """Orders ahead, and what is asked afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    weeks_ahead: int = Field(default=4, ge=1, le=26)
    """So far ahead the orders of care plans and visit programmes are made."""
    return_visit_share: float = Field(default=0.1, ge=0, le=1)
    """Of the services that were done, beside the first of each care plan and all that were not done."""
    return_visit_days: float = Field(default=2, gt=0, le=30)
    """By when somebody has asked how it was."""
