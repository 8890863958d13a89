"""The view of an incident, told where people are sent: by the same rule by which responders are found."""

from __future__ import annotations

from datetime import datetime

from hub.alarms.positions import place_of
from hub.ports.records import Json

__all__ = ["placed"]


def placed(view: Json) -> Json:
    """The view with `place`; the columns that only serve to find it are taken out."""
    area = view.pop("area_lat"), view.pop("area_lon")
    elsewhere = view.pop("elsewhere")
    resident = view["resident"]
    at_home = resident is not None and (view["area"] is None or not elsewhere)
    lat, lon = (resident["lat"], resident["lon"]) if at_home else area
    place = place_of(
        view["fix"],
        None if lat is None or lon is None else (lat, lon),
        "home" if at_home else "area",
        view["types"],
        datetime.fromisoformat(view["opened_at"]),
        away=resident is not None and resident["status"] != "home",
    )
    return {**view, "place": None if place is None else place.to_json()}
