"""Road networks behind HTTP: OSRM's `/table` and Valhalla's `/sources_to_targets`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import httpx

from dispatch import Mode, Place
from hub.roads.model import RoadsError, RoadWay

__all__ = ["OSRM_PROFILES", "VALHALLA_COSTINGS", "OsrmRoads", "ValhallaRoads"]

OSRM_PROFILES: Mapping[Mode, str] = {"foot": "foot", "bike": "bike", "car": "car", "van": "car"}
VALHALLA_COSTINGS: Mapping[Mode, str] = {"foot": "pedestrian", "bike": "bicycle", "car": "auto", "van": "auto"}
_LARGEST_ANSWER = 4_000_000


class _WebRoads:
    """A client with time-outs. `url` without a slash at its end; `profiles`: a mode that is not there is not asked."""

    name = "roads"

    def __init__(self, url: str, profiles: Mapping[Mode, str], timeout_s: float) -> None:
        self._url = url.rstrip("/")
        self._profiles = dict(profiles)
        # A proxy of the environment has no business between the hub and the site's own server.
        self._client = httpx.Client(timeout=timeout_s, trust_env=False, follow_redirects=False)

    def knows(self, mode: Mode) -> bool:
        return mode in self._profiles

    def close(self) -> None:
        self._client.close()

    def _ask(self, request: httpx.Request) -> Any:
        try:
            answer = self._client.send(request)
        except httpx.TimeoutException as error:
            raise RoadsError("timeout", f"{self.name} did not answer in time: {error!r}") from error
        except (httpx.HTTPError, httpx.InvalidURL, RuntimeError) as error:
            raise RoadsError("down", f"{self.name} cannot be reached: {error!r}") from error
        if answer.status_code != 200 or len(answer.content) > _LARGEST_ANSWER:
            said = answer.text[:200].replace("\n", " ")
            raise RoadsError("bad_answer", f"{self.name} answered {answer.status_code}: {said}")
        try:
            return answer.json()
        except ValueError as error:
            raise RoadsError("bad_answer", f"{self.name} answered what is no JSON") from error

    def _ways(self, pairs: Sequence[tuple[Any, Any]], wanted: int) -> list[RoadWay | None]:
        if len(pairs) != wanted:
            raise RoadsError("bad_answer", f"{self.name} answered {len(pairs)} ways of {wanted}")
        return [_way(metres, seconds) for metres, seconds in pairs]


def _way(metres: Any, seconds: Any) -> RoadWay | None:
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (metres, seconds))
    if not numbers or not isfinite(metres) or not isfinite(seconds) or metres < 0 or seconds < 0:
        return None
    return RoadWay(float(metres), float(seconds))


class OsrmRoads(_WebRoads):
    """OSRM: `GET {url}/table/v1/{profile}/{lon,lat;…}?sources=…&destinations=…&annotations=duration,distance`."""

    name = "osrm"

    def __init__(self, url: str, profiles: Mapping[Mode, str] | None = None, *, timeout_s: float = 0.5) -> None:
        super().__init__(url, OSRM_PROFILES if profiles is None else profiles, timeout_s)

    def table(self, starts: Sequence[Place], end: Place, mode: Mode) -> Sequence[RoadWay | None]:
        places = ";".join(f"{place.lon:.6f},{place.lat:.6f}" for place in (*starts, end))
        request = self._client.build_request(
            "GET",
            f"{self._url}/table/v1/{self._profiles[mode]}/{places}",
            params={
                "sources": ";".join(str(number) for number in range(len(starts))),
                "destinations": str(len(starts)),
                "annotations": "duration,distance",
            },
        )
        body = self._ask(request)
        try:
            if body["code"] != "Ok":
                raise RoadsError("bad_answer", f"osrm answered {body['code']}: {str(body.get('message'))[:200]}")
            seconds = [row[0] for row in body["durations"]]
            metres = [row[0] for row in body["distances"]]
        except (KeyError, TypeError, IndexError) as error:
            raise RoadsError("bad_answer", f"osrm's answer lacks {error}") from error
        return self._ways(list(zip(metres, seconds, strict=False)), len(starts))


class ValhallaRoads(_WebRoads):
    """Valhalla: `POST {url}/sources_to_targets`; both of its shapes of an answer are read."""

    name = "valhalla"

    def __init__(self, url: str, profiles: Mapping[Mode, str] | None = None, *, timeout_s: float = 0.5) -> None:
        super().__init__(url, VALHALLA_COSTINGS if profiles is None else profiles, timeout_s)

    def table(self, starts: Sequence[Place], end: Place, mode: Mode) -> Sequence[RoadWay | None]:
        body = self._ask(
            self._client.build_request(
                "POST",
                f"{self._url}/sources_to_targets",
                json={
                    "sources": [{"lat": one.lat, "lon": one.lon} for one in starts],
                    "targets": [{"lat": end.lat, "lon": end.lon}],
                    "costing": self._profiles[mode],
                    "units": "kilometers",
                },
            )
        )
        try:
            found = body["sources_to_targets"]
            if isinstance(found, dict):
                pairs = [
                    (_metres(far[0]), took[0]) for far, took in zip(found["distances"], found["durations"], strict=True)
                ]
            else:
                pairs = [(_metres(row[0]["distance"]), row[0]["time"]) for row in found]
        except (KeyError, TypeError, IndexError, ValueError) as error:
            raise RoadsError("bad_answer", f"valhalla's answer lacks {error}") from error
        return self._ways(pairs, len(starts))


def _metres(kilometres: Any) -> Any:
    return kilometres * 1_000 if isinstance(kilometres, int | float) else None
