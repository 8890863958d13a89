"""Settings as the use cases and the store want them: the same for a running hub and for single commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from zoneinfo import ZoneInfo

from devices import FAMILIES, Codec
from dispatch import HaversineTravel, Travel
from hub.alarms import DEFAULT_POLICY, PRIORITIES, EscalationPolicy
from hub.api import hash_password
from hub.app.channels import outlets_of, quiet_of, wording_of
from hub.clock import Clock, new_id, utc_now
from hub.ports import Database
from hub.roads import OsrmRoads, Roads, RoadTravel, ValhallaRoads, read_matrix
from hub.service import Counted, EverydayTimes, LoopTimes, ReturnVisitTimes, Services, build_services, count_nothing
from hub.settings import Settings
from hub.store import Retention

__all__ = ["all_codecs", "everyday_of", "loop_of", "policy_of", "retention_of", "sampler", "services_on", "travel_of"]


def sampler(rate: float) -> Callable[[str], bool]:
    """Draws the share `rate` (0..1) of incidents for supervision, by their id: the same answer on every hub."""

    def drawn(incident_id: str) -> bool:
        digest = blake2b(incident_id.encode(), digest_size=8).digest()
        return int.from_bytes(digest) < rate * 2**64

    return drawn


def policy_of(settings: Settings) -> EscalationPolicy:
    """The default clocks with the lease of the settings."""
    critical = replace(DEFAULT_POLICY.critical, lease_s=settings.incidents.lease_seconds)
    return replace(DEFAULT_POLICY, critical=critical)


def retention_of(settings: Settings) -> Retention:
    """How long what is kept, by the settings."""
    kept = settings.retention
    return Retention(
        observations=timedelta(days=kept.observations_days),
        minutes=timedelta(days=kept.by_minute_days),
        hours=timedelta(days=kept.by_hour_days),
        days=timedelta(days=kept.by_day_days),
        fixes=timedelta(days=kept.fixes_days),
        uplinks=timedelta(days=kept.uplinks_days),
        telemetry_log=timedelta(days=min(kept.telemetry_log_days, kept.uplinks_days)),
        keys=timedelta(days=kept.ledger_days),
        photos=timedelta(days=kept.photos_days),
    )


def loop_of(settings: Settings) -> LoopTimes:
    """Deadlines of reported matters, and of the visit after a closing."""
    kept = settings.supervision
    hours = {
        "critical": kept.red_hours,
        "high": kept.orange_hours,
        "medium": kept.yellow_hours,
        "low": kept.blue_hours,
    }
    return LoopTimes({level: timedelta(hours=hours[level]) for level in PRIORITIES}, kept.return_visit_days)


def everyday_of(settings: Settings) -> EverydayTimes:
    """How far ahead orders are made, and what is asked afterwards."""
    kept = settings.services
    return EverydayTimes(
        kept.weeks_ahead, ReturnVisitTimes(kept.return_visit_share, timedelta(days=kept.return_visit_days))
    )


def travel_of(settings: Settings) -> Travel:
    """Expected arrivals by the road network of the settings, else as the crow flies. SettingError: a bad file."""
    asked = settings.travel
    roads: Roads
    if asked.router == "osrm":
        roads = OsrmRoads(asked.url or "", asked.profiles, timeout_s=asked.timeout_seconds)
    elif asked.router == "valhalla":
        roads = ValhallaRoads(asked.url or "", asked.profiles, timeout_s=asked.timeout_seconds)
    elif asked.router == "matrix":
        roads = read_matrix(asked.matrix_file or Path(), snap_m=asked.snap_m)
    else:
        return HaversineTravel()
    rest = timedelta(seconds=asked.rest_seconds)
    return RoadTravel(roads, utc_now, timeout_s=asked.timeout_seconds, nearest=asked.nearest, rest=rest)


def all_codecs() -> dict[str, Codec]:
    """The codec of each family."""
    return {name: family.codec for name, family in FAMILIES.items()}


def services_on(
    database: Database,
    settings: Settings,
    codecs: Mapping[str, Codec] | None = None,
    counted: Counted = count_nothing,
    clock: Clock = utc_now,
) -> Services:
    """The use cases on a database, for the running hub and for single commands alike; `codecs` None: all families.

    `counted`: told of each notice tried.
    """
    return build_services(
        database,
        clock=clock,
        new_id=new_id,
        codecs=codecs or all_codecs(),
        travel=travel_of(settings),
        sample=sampler(settings.supervision.sample),
        hash_secret=hash_password,
        policy=policy_of(settings),
        zone=ZoneInfo(settings.site.time_zone),
        loop=loop_of(settings),
        outlets={} if settings.shadow else outlets_of(settings),
        shadow=settings.shadow,
        wording=wording_of(settings),
        quiet=quiet_of(settings),
        everyday=everyday_of(settings),
        counted=counted,
        hours_expire=timedelta(days=settings.site.hours_expire_days) if settings.site.hours_expire_days else None,
    )
