"""Supervision of devices as it crosses the floors."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from hub.ports.records import Json

__all__ = ["CutRow", "HearingRow", "PowerRow", "SharedRow", "Supervision", "SuspectRow", "WatchRow"]


class HearingRow(NamedTuple):
    """A way in (`mqtt`, `tcp`, `http`): whether any process hears it, and since when it is so."""

    way: str
    up: bool
    since: datetime


class SuspectRow(NamedTuple):
    """A device that could be silent, or is. `hearing_since` None: its way is deaf. `watched` False: it was revoked."""

    device_id: str
    family: str
    last_seen_at: datetime | None
    online: bool | None
    charging: bool | None
    upstream: str | None
    resident_id: str | None
    area_id: str | None
    resident_status: str | None
    added_at: datetime
    watched: bool
    interval_s: int | None
    silence: Mapping[str, object]
    profile_id: str | None
    hearing_since: datetime | None
    silent_since: datetime | None
    incident_id: str | None


class WatchRow(NamedTuple):
    """What was found of a device: when to look again, and since when it is silent (None: it is there)."""

    device_id: str
    check_at: datetime
    silent_since: datetime | None = None
    reason: str | None = None
    incident_id: str | None = None


class SharedRow(NamedTuple):
    """A matter of many silent devices, by its subject. `over_at`: when it ended by itself; None: it is open."""

    subject: str
    opened_at: datetime
    over_at: datetime | None


class PowerRow(NamedTuple):
    """An incident of one device without mains power, with the area it shares the fault with."""

    area_id: str
    area_name: str
    incident_id: str
    device_id: str


class CutRow(NamedTuple):
    """A device of a power cut: what it said since. `area_id`: its own, else its resident's."""

    device_id: str
    lost_at: datetime
    tells: bool
    back_at: datetime | None
    how: str | None
    last_seen_at: datetime | None
    resident_id: str | None
    family: str
    area_id: str | None


class Supervision(Protocol):
    def beat(self, process: str, ways: Mapping[str, bool], now: datetime) -> None:
        """This process hears (or does not hear) these ways now. A gap of more than 15 s counts as deafness."""

    def forget(self, process: str, now: datetime) -> None:
        """The process ends; rows of others that are long gone go too."""

    def hearing(self, now: datetime) -> dict[str, HearingRow]:
        """The ways any process speaks for."""

    def claim(self, now: datetime, limit: int, heard: Mapping[str, datetime | None]) -> tuple[int, list[SuspectRow]]:
        """Takes up to `limit` devices due for a look (SKIP LOCKED); gives how many, and those that are not simply
        there. `heard`: family -> since when the hub can hear it (None: deaf).
        """

    def settle(self, rows: Sequence[WatchRow]) -> None: ...

    def offline(self, device_ids: Collection[str]) -> None:
        """Shows them as offline."""

    def drop(self, device_ids: Collection[str]) -> None:
        """Looks at them no more."""

    def causes(
        self, upstreams: Collection[str], areas: Collection[str], found: Collection[str], since: datetime
    ) -> list[Json]:
        """(places, interval_s, devices, last_heard_at, silent) of what hangs on these: a row for each set of places
        (`upstream:KEY`, `area:KEY`) that devices hang on. Silent: since `since`, or one of `found`.
        """

    def shared(self, since: datetime) -> list[SharedRow]:
        """Open matters of upstreams and areas that are silent; and those opened after `since` that ended by themselves,
        the latest of each.
        """

    def singles(self, place: str, since: datetime) -> list[str]:
        """Open incidents of single devices, opened from `since` on, that are about silence only, that nobody is at work
        on, and whose silent devices all hang on the place.
        """

    def move(self, incident_ids: Collection[str], to: str) -> None:
        """The silent devices of these incidents belong to another one."""

    def areas(self, area_ids: Collection[str]) -> dict[str, Json]:
        """(id, name, path, kind)."""

    def left(self, incident_id: str) -> int:
        """How many devices of an incident are still silent."""

    def repair_of(self, incident_id: str) -> str | None:
        """The repair order of an incident that is not over yet."""

    def without_power(self, since: datetime, fewest: int) -> list[PowerRow]:
        """Live incidents since then that are only about mains power lost, of areas where so many devices say so, or
        where that is a shared matter already; an area is the smallest that is known.
        """

    def cut_join(self, shared_id: str, incident_id: str, device_id: str) -> None:
        """The device of a single incident belongs to a shared power cut; what it says of its power from now on."""

    def cuts_running(self) -> list[str]:
        """Live power cuts."""

    def cut_heard(self, incident_id: str, now: datetime) -> int:
        """Marks the devices that have said since that power is back; gives how many newly."""

    def cut_devices(self, incident_id: str) -> list[CutRow]: ...

    def cut_settle(self, incident_id: str, device_ids: Collection[str], now: datetime) -> None:
        """These count as back because they were heard."""

    def release(self, incident_id: str, now: datetime) -> None:
        """The devices of an incident are each looked at again, by themselves, after their whole span."""
