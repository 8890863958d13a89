"""Ways by the road: the wire of OSRM and Valhalla, a matrix file, and an estimate with its reason where they fail."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dispatch import WHY_ESTIMATED, HaversineTravel, Mode, Place, Way, haversine_m, propose
from hub.errors import SettingError
from hub.roads import MatrixRoads, OsrmRoads, Roads, RoadTravel, ValhallaRoads, read_matrix
from tests.dispatch.builders import HOME, NOW, codes, north, request, responder
from tests.roads.stand_in import RoutingServer, routing_server

STARTS: list[tuple[Place, Mode]] = [(north(500), "bike"), (north(900), "foot"), (north(2_000), "car")]
FIXED = {"bike": 90, "foot": 60, "car": 180}
SPEED = {"bike": 4.0, "foot": 1.0, "car": 8.0}


@pytest.fixture(scope="module")
def running() -> Iterator[RoutingServer]:
    with routing_server() as server:
        yield server


@pytest.fixture
def server(running: RoutingServer) -> RoutingServer:
    running.__init__(running.url)  # type: ignore[misc]
    return running


class Hands:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Hands:
    return Hands()


Make = Callable[[Roads], RoadTravel]


@pytest.fixture
def make(clock: Hands) -> Iterator[Callable[..., RoadTravel]]:
    made: list[RoadTravel] = []

    def travel(roads: Roads, **more: Any) -> RoadTravel:
        made.append(RoadTravel(roads, clock, **{"timeout_s": 10, **more}))
        return made[-1]

    yield travel
    for one in made:
        one.close()


def _by_road(start: Place, mode: Mode) -> tuple[float, float]:
    metres = 2 * haversine_m(start, HOME)
    return metres, metres / SPEED[mode] + FIXED[mode]


@pytest.mark.parametrize("kind", ["osrm", "valhalla", "valhalla-plain"])
def test_each_mode_goes_by_its_own_roads(server: RoutingServer, make: Callable[..., RoadTravel], kind: str) -> None:
    server.plain_matrix = kind.endswith("plain")
    roads = OsrmRoads(server.url, timeout_s=10) if kind == "osrm" else ValhallaRoads(server.url + "/", timeout_s=10)
    ways = make(roads).estimates(STARTS, HOME)
    for (start, mode), way in zip(STARTS, ways, strict=True):
        assert (way.metres, way.seconds) == pytest.approx(_by_road(start, mode), rel=1e-3)
        assert (way.by, way.why) == (roads.name, None)
    profiles = ["bike", "car", "foot"] if kind == "osrm" else ["auto", "bicycle", "pedestrian"]
    assert sorted(server.asked) == [(profile, 1) for profile in profiles]


def test_where_no_road_leads_it_is_estimated_and_said(server: RoutingServer, make: Callable[..., RoadTravel]) -> None:
    server.unreachable.add(round(STARTS[0][0].lat, 6))
    ways = make(OsrmRoads(server.url, timeout_s=10)).estimates(STARTS, HOME)
    assert [way.why for way in ways] == ["no_road", None, None]
    assert ways[0][:2] == HaversineTravel().estimates(STARTS, HOME)[0][:2]


def test_only_the_nearest_are_asked_for_and_a_mode_without_a_profile_is_not(
    server: RoutingServer, make: Callable[..., RoadTravel]
) -> None:
    starts: list[tuple[Place, Mode]] = [(north(100 * n), "bike") for n in range(1, 11)] + [(north(50), "van")]
    roads = OsrmRoads(server.url, {"bike": "bike"}, timeout_s=10)
    ways = make(roads, nearest=4).estimates(starts, HOME)
    assert server.asked == [("bike", 4)]
    assert [way.why for way in ways] == [None] * 4 + ["not_asked"] * 7
    ways = make(roads, nearest=50).estimates(starts, HOME)
    assert ways[-1].why == "mode"


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (500, b"{}", "bad_answer"),
        (200, b"<html>", "bad_answer"),
        (200, b"[]", "bad_answer"),
        (200, b'{"code": "InvalidQuery", "message": "x"}', "bad_answer"),
        (200, b'{"code": "Ok", "durations": [[1]], "distances": []}', "bad_answer"),
        (200, b'{"code": "Ok", "durations": [["x"]], "distances": [[null]]}', "no_road"),
        (200, b'{"code": "Ok", "durations": [[NaN]], "distances": [[1]]}', "no_road"),
        (302, b"", "bad_answer"),
    ],
)
def test_an_answer_that_cannot_be_read_is_an_estimate(
    server: RoutingServer, make: Callable[..., RoadTravel], status: int, body: bytes, why: str
) -> None:
    server.status, server.body = status, body
    (way,) = make(OsrmRoads(server.url, timeout_s=10)).estimates(STARTS[:1], HOME)
    assert way == HaversineTravel().estimates(STARTS[:1], HOME)[0]._replace(why=why)


def test_a_server_that_does_not_answer_is_waited_for_once_and_then_left_alone(
    server: RoutingServer, make: Callable[..., RoadTravel], clock: Hands, caplog: pytest.LogCaptureFixture
) -> None:
    travel = make(OsrmRoads(server.url, timeout_s=20), timeout_s=0.2, rest=timedelta(seconds=30))
    server.held.clear()
    with caplog.at_level(logging.WARNING):
        assert {way.why for way in travel.estimates(STARTS, HOME)} == {"timeout"}
        assert {way.why for way in travel.estimates(STARTS, HOME)} == {"resting"}
    assert len(caplog.records) == 1  # one line, not one a person
    server.held.set()
    clock.now += timedelta(seconds=29)
    assert {way.why for way in travel.estimates(STARTS, HOME)} == {"resting"}
    clock.now += timedelta(seconds=2)
    fresh = make(OsrmRoads(server.url, timeout_s=20))
    assert {way.why for way in fresh.estimates(STARTS, HOME)} == {None}


def test_nobody_there_is_an_estimate_and_the_reason_reaches_whoever_reads(
    server: RoutingServer, make: Callable[..., RoadTravel]
) -> None:
    port = server.url.rpartition(":")[2]
    roads = ValhallaRoads(f"http://127.0.0.1:{port}/nowhere", timeout_s=10)
    roads._url = "http://127.0.0.1:1"  # a port that nothing may listen on
    judged = propose(request(), [responder("sun", 500)], now=NOW, travel=make(roads))
    assert codes(judged[0])[-1] == "eta_estimated"
    assert judged[0].reasons[-1].values == {"why": "down"}
    assert WHY_ESTIMATED["down"] in judged[0].reasons[-1].text
    by_road = propose(request(), [responder("sun", 500)], now=NOW, travel=make(OsrmRoads(server.url, timeout_s=10)))
    assert by_road[0].reasons[-1].values == {"by": "osrm"}


def test_nobody_to_ask_for_asks_nobody(server: RoutingServer, make: Callable[..., RoadTravel]) -> None:
    assert make(OsrmRoads(server.url)).estimates([], HOME) == []
    assert server.asked == []


# ---- a file


def _file(path: Path, **changes: Any) -> Path:
    body: dict[str, Any] = {
        "places": [[HOME.lat, HOME.lon], [north(1_000).lat, HOME.lon]],
        "modes": {"bike": {"seconds": [[0, 300], [310, 0]], "metres": [[0, 1_500], [1_600, 0]]}},
    }
    body.update(changes)
    path.write_text(json.dumps(body))
    return path


def test_a_matrix_is_read_from_row_to_column_and_the_rest_goes_as_the_crow_flies(
    tmp_path: Path, make: Callable[..., RoadTravel]
) -> None:
    travel = make(read_matrix(_file(tmp_path / "m.json")))
    there: list[tuple[Place, Mode]] = [(north(1_000), "bike"), (north(1_100), "bike"), (north(5_000), "bike")]
    ways = travel.estimates([*there, (north(1_000), "foot")], HOME)
    assert ways[0] == Way(pytest.approx(1_600, abs=1), pytest.approx(310 + 90, abs=1), "matrix")
    assert ways[1].metres == pytest.approx(1_600 + 130, abs=1)
    assert ways[1].seconds == pytest.approx(310 + 90 + 130 / 4.2, abs=1)
    assert [way.why for way in ways] == [None, None, "no_road", "mode"]
    assert travel.estimates(there[:1], north(9_000))[0].why == "no_road"


def test_no_road_in_the_file(tmp_path: Path) -> None:
    tables = {"bike": {"seconds": [[0, None], [None, 0]], "metres": [[0, None], [None, 0]]}}
    roads = read_matrix(_file(tmp_path / "m.json", modes=tables))
    assert isinstance(roads, MatrixRoads)
    assert roads.table([north(1_000), HOME], HOME, "bike") == [None, (0.0, 0.0)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"places": []}, "places"),
        ({"places": [[1, 2, 3]]}, "row 1"),
        ({"places": [[91, 0], [0, 0]]}, "degrees"),
        ({"modes": {}}, "modes"),
        ({"modes": {"boat": {}}}, "boat"),
        ({"modes": {"bike": {"seconds": [[1, 2]], "metres": [[1, 2]]}}}, "must have 2 rows"),
        ({"modes": {"bike": {"seconds": [[1, "x"], [1, 2]], "metres": [[1, 2], [1, 2]]}}}, "no number"),
        ({"modes": {"bike": {"seconds": [[1, -2], [1, 2]], "metres": [[1, 2], [1, 2]]}}}, "negative"),
        ({"modes": {"bike": {"seconds": [[1, 2], [1, 2]]}}}, "metres"),
    ],
)
def test_a_file_that_is_wrong_says_where(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        read_matrix(_file(tmp_path / "m.json", **changes))


def test_a_file_that_is_not_there_or_no_json(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="cannot be read"):
        read_matrix(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(SettingError, match="no JSON"):
        read_matrix(tmp_path / "bad.json")
