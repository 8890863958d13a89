"""Whoever can go, as use cases see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from dispatch.model import Responder
from hub.ports.everyday import OwnVisit

__all__ = ["Responders"]


class Responders(Protocol):
    def on_duty(self, area_path: Sequence[str], at: datetime | None = None) -> list[Responder]:
        """Active responders on duty, with live counts, keys and residents known to them.

        `at`: also who is on shift then by the rota, and without those who are absent.
        """

    def everyone(self) -> list[Responder]:
        """All active responders, on duty or not."""

    def get(self, responder_id: str) -> Responder | None: ...

    def hold(self, *responder_ids: str) -> None:
        """Until the end of the transaction nobody else gives these people work behind the same lock.

        Whoever locks orders or visits as well does so after it.
        """

    def provider_of(self, responder_id: str) -> str | None:
        """Whose somebody is: the own provider, else the station's."""

    def visits(self, responder_id: str, now: datetime) -> list[OwnVisit]:
        """What somebody has to do, by time: visits offered, accepted and under way."""

    def moved(self, responder_id: str, lat: float, lon: float, at: datetime, accuracy_m: float | None = None) -> None:
        """Where somebody was `at` that time; an older position than the stored one changes nothing."""

    def set_on_duty(self, responder_id: str, on_duty: bool) -> None: ...
