"""Bad input: the error says what is wrong and where."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from hub.errors import BadRequestError
from hub.planning import day_file, hhcrsp, solomon, uhhc
from hub.planning.reading import read_bytes

PLACE = {"x": 0, "y": 0}
CARER = {"id": "a", "shift": [0, 600], "depot": "d"}
VISIT = {"id": "v", **PLACE, "duration_min": 30, "window": [60, 90]}
DAY: dict[str, Any] = {"depots": [{"id": "d", **PLACE}], "responders": [CARER], "visits": [VISIT]}


def refused(path: Path, problem: Any) -> str:
    with pytest.raises(BadRequestError) as caught:
        day_file.read(path, problem if isinstance(problem, bytes) else json.dumps(problem).encode())
    return caught.value.detail


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"visits": [{**VISIT, "window": [90, 60]}]}, "$.visits[0] (v): window: ends before it begins"),
        ({"visits": [{**VISIT, "window": ["9am", 60]}]}, "$.visits[0] (v): window: '9am' is not a time"),
        ({"visits": [{**VISIT, "window": ["2026-11-23T09:00:00", 60]}]}, "the offset is missing"),
        ({"visits": [VISIT, VISIT]}, "$.visits: v is there twice"),
        ({"visits": [{**VISIT, "carers": 3}]}, "$.visits[0].carers"),
        ({"visits": [{**VISIT, "duration_min": -1}]}, "$.visits[0] (v): duration_min"),
        ({"visits": [{**VISIT, "x": None}]}, "$.visits[0] (v): lat and lon, or x and y, are missing"),
        ({"visits": [{**VISIT, "lat": 95, "lon": 0}]}, "this is no position"),
        ({"visits": [{**VISIT, "carers": 2, "skills": [["a"]]}]}, "skills: a list of words for each of 2"),
        ({"visits": [{**VISIT, "carers": 2, "gap_min": [9, 3]}]}, "gap_min: the greatest gap is below the least"),
        ({"visits": [{**VISIT, "priority": "huge"}]}, "priority: huge is none of"),
        ({"visits": [{**VISIT, "frozen": True}]}, "frozen: where and when?"),
        ({"visits": [{**VISIT, "frozen": {"responder": "x", "start": 70}}]}, "frozen: there is no responder x"),
        ({"visits": [{**VISIT, "depot": "nowhere"}]}, "there is no depot nowhere"),
        ({"responders": [{**CARER, "depot": "nowhere"}]}, "$.responders[0] (a): there is no depot nowhere"),
        ({"responders": [{**CARER, "breaks": [5]}]}, "$.responders[0] (a): breaks"),
        ({"responders": [{**CARER, "start": {"x": 1}}]}, "start: lat and lon, or x and y, are missing"),
        ({"responders": [{**CARER, "shift": [1]}]}, "$.responders[0].shift"),
        (
            {"responders": [{**CARER, "crew": "c"}, {**CARER, "id": "b", "crew": "c", "end": {"x": 9, "y": 9}}]},
            "the crew c",
        ),
        ({"travel": {"speed_kmh": 0}}, "$.travel.speed_kmh: 0.0 is not possible"),
        ({"travel": {"matrix": [[0, 1], [1]]}}, "$.travel.matrix: 2 rows of 2"),
        ({"travel": {"matrix": [[0]]}}, "the matrix has no place 1"),
        ({"objective": {"speed": 1}}, "there is no weight speed"),
        ({"day": "tomorrow"}, "$.day"),
        ({"visits": 7}, "$.visits"),
    ],
)
def test_what_is_wrong_with_a_day_and_where(change: dict[str, Any], words: str) -> None:
    detail = refused(Path("day.json"), {**DAY, **change})
    assert detail.startswith("day.json: ")
    assert words in detail


def test_files_that_are_none(tmp_path: Path) -> None:
    assert "day.json" in refused(Path("day.json"), b"{")
    assert "day.json" in refused(Path("day.json"), b"\xff\xfe")
    with pytest.raises(BadRequestError, match="No such file"):
        read_bytes(tmp_path / "none")
    with pytest.raises(BadRequestError):
        read_bytes(tmp_path)
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(b"x" * 1000)[:20])
    with pytest.raises(BadRequestError, match="gzip"):
        read_bytes(broken)
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(b"{}"))
    assert read_bytes(packed) == b"{}"


HHCRSP: dict[str, Any] = {
    "patients": [{"id": "p1", "time_window": [0, 9], "required_caregivers": [{"service": "s1", "duration": 5}]}],
    "services": [{"id": "s1"}],
    "caregivers": [{"id": "c1", "abilities": ["s1"]}],
    "central_offices": [{"id": "d"}],
    "distances": [[0, 1], [1, 0]],
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"distances": [[0, 1]]}, "$.distances: 2 rows of 2"),
        ({"caregivers": [{"id": "c1", "abilities": []}]}, "$.patients[0] (p1): no caregiver can do s1"),
        ({"central_offices": []}, "$.central_offices"),
        ({"patients": [{"id": "p1"}]}, "$.patients[0]"),
    ],
)
def test_what_is_wrong_with_an_instance_of_mankowska(change: dict[str, Any], words: str) -> None:
    path = Path("a.json")
    hhcrsp.read(path, json.dumps(HHCRSP).encode())
    with pytest.raises(BadRequestError) as caught:
        hhcrsp.read(path, json.dumps({**HHCRSP, **change}).encode())
    assert words in caught.value.detail


def test_what_is_wrong_with_a_unified_instance() -> None:
    with pytest.raises(BadRequestError, match="metadata"):
        uhhc.read(Path("a.json"), b"{}")


SOLOMON = "X\n\nVEHICLE\nNUMBER CAPACITY\n 2 10\n\nCUSTOMER\nCUST NO. X\n\n0 0 0 0 0 100 0\n1 3 4 5 0 50 10\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SOLOMON.replace("1 3 4 5 0 50 10", "1 3 4 5 0 50"), "line 11: 7 numbers"),
        (SOLOMON.replace("1 3 4 5 0 50 10", "2 3 4 5 0 50 10"), "line 11: customer 1 is expected"),
        (SOLOMON.replace("1 3 4 5 0 50 10", "1 3 4 5 60 50 10"), "line 11: the due date"),
        (SOLOMON.replace("1 3 4 5 0 50 10", "1 3 4 x 0 50 10"), "line 11: numbers are expected"),
        ("X\n", "no line with the number of vehicles"),
        (SOLOMON.replace("1 3 4 5 0 50 10\n", ""), "no customers"),
    ],
)
def test_what_is_wrong_with_an_instance_of_solomon(text: str, words: str) -> None:
    path = Path("x.txt")
    assert solomon.read(path, SOLOMON.encode()).vehicles == 2
    with pytest.raises(BadRequestError) as caught:
        solomon.read(path, text.encode())
    assert words in caught.value.detail
