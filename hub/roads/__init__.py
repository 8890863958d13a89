"""Road networks: how long the way really is, behind dispatch's protocol. At the rim: servers are asked, files read."""

from __future__ import annotations

from hub.roads.matrix import MatrixRoads, read_matrix
from hub.roads.model import Roads, RoadsError, RoadWay
from hub.roads.travel import RoadTravel
from hub.roads.web import OSRM_PROFILES, VALHALLA_COSTINGS, OsrmRoads, ValhallaRoads

__all__ = [
    "OSRM_PROFILES",
    "VALHALLA_COSTINGS",
    "MatrixRoads",
    "OsrmRoads",
    "RoadTravel",
    "RoadWay",
    "Roads",
    "RoadsError",
    "ValhallaRoads",
    "read_matrix",
]
