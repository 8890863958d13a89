"""The `fix` of `care/v1`: a position with its accuracy, source and datum, always WGS-84 afterwards."""

from __future__ import annotations

from typing import Any, TypeVar

from devices.fields import Faults, extras, latitude_longitude, number, show, utc_time
from devices.geo import bd09_to_wgs84, gcj02_to_wgs84
from devices.model import Fix, FixSource

__all__ = ["read_fix"]

_W = TypeVar("_W", bound=str)

_SOURCES: dict[str, FixSource] = {
    "gnss": "gnss",
    "gps": "gnss",
    "wifi": "wifi",
    "cell": "cell",
    "lbs": "cell",
    "beacon": "beacon",
    "manual": "manual",
    "last_known": "last_known",
}
_DATUMS = {
    "wgs84": "wgs84",
    "wgs-84": "wgs84",
    "gcj02": "gcj02",
    "gcj-02": "gcj02",
    "bd09": "bd09",
    "bd-09": "bd09",
}


def read_fix(sent: object, faults: Faults, attributes: dict[str, Any]) -> Fix | None:
    """The position of a body, or None with the reason in `faults`.

    A refused position stays readable in `attributes["fix_as_sent"]`; a converted one leaves its datum in
    `attributes["crs"]`.
    """
    if sent is None:
        return None
    if not isinstance(sent, dict):
        faults["fix"] = f"{show(sent)} is not an object"
        return None
    place = latitude_longitude(sent.get("lat"), sent.get("lon"))
    datum = _word(sent.get("crs"), _DATUMS, "wgs84")
    if isinstance(place, str) or datum is None:
        faults["fix"] = place if isinstance(place, str) else f"crs {show(sent.get('crs'))} is not wgs84, gcj02 or bd09"
        attributes["fix_as_sent"] = extras(sent, (), limit=8)
        return None
    if datum != "wgs84":
        place = gcj02_to_wgs84(*place) if datum == "gcj02" else bd09_to_wgs84(*place)
        attributes["crs"] = datum
    source = _word(sent.get("source"), _SOURCES, "gnss")
    if source is None:
        faults["fix.source"] = f"{show(sent.get('source'))} is not one of {' '.join(dict.fromkeys(_SOURCES.values()))}"
    accuracy_m = number(sent.get("accuracy_m"))
    if accuracy_m is None and sent.get("accuracy_m") not in (None, ""):
        faults["fix.accuracy_m"] = f"{show(sent.get('accuracy_m'))} is not a number"
    observed_at = sent.get("observed_at")
    return Fix(
        lat=place[0],
        lon=place[1],
        # 0 and -1 are fillers: no receiver is exact.
        accuracy_m=accuracy_m if accuracy_m is not None and accuracy_m > 0 else None,
        source=source or "gnss",
        observed_at=None if observed_at is None else utc_time(observed_at, faults, "fix.observed_at"),
    )


def _word(sent: object, words: dict[str, _W], default: _W) -> _W | None:
    if sent is None or sent == "":
        return default
    return words.get(sent.strip().lower()) if isinstance(sent, str) else None
