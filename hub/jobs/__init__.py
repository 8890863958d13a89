"""Jobs: what happens because time has passed."""

from __future__ import annotations

from hub.jobs.rules import RulesJob
from hub.jobs.runner import Jobs, Wake
from hub.jobs.supervision import HearingBeat, SupervisionJob

__all__ = ["HearingBeat", "Jobs", "RulesJob", "SupervisionJob", "Wake"]
