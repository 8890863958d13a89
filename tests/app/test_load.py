"""`hub load`: people's files into the registers, good rows taken, bad ones returned with file, line and reason."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from psycopg.rows import dict_row

from hub.api.load_check import Known, check_rows
from hub.api.load_columns import column_of, table_named
from hub.api.load_files import RawRow, read_path
from hub.api.loading import load_into, write_bad
from hub.cli import main
from hub.clock import utc_now
from hub.errors import BadRequestError
from hub.service.credentials import fits
from hub.service.profiles import ProfileRegister
from hub.store.postgres import PostgresDatabase

NOTHING = Known({})


@pytest.fixture
def database(database_url: str) -> Iterator[PostgresDatabase]:
    with PostgresDatabase(database_url) as database:
        ProfileRegister(database, utc_now).seed()
        yield database


def rows_of(database: PostgresDatabase, query: str) -> list[dict[str, Any]]:
    with psycopg.connect(database.url, row_factory=dict_row) as connection:
        return connection.execute(query).fetchall()  # type: ignore[call-overload,no-any-return]


def place(folder: Path) -> Path:
    """A folder as a district sends it: a workbook, two CSV files, a map."""
    book = Workbook()
    people = book.active
    assert people is not None
    people.title = "老人"
    people.append(
        ["编号", "姓名", "性别", "出生日期", "联系电话", "住址", "所属网格", "独居", "慢性病", "纬度", "经度"]
    )
    people.append(
        ["R1", "陈秀英", "女", "1944年5月1日", 13900000001, "西里3幢501", "G3", "是", "高血压；糖尿病", 31.34, 118.39]
    )
    people.append(["R2", "赵国华", "男", "1941-02-30", "139", "西里3幢502", "G3", "否", "", "", ""])
    people.append(["R3", "孙桂兰", "女", "1940/1/2", "", "", "G9", "", "", "", ""])
    contacts = book.create_sheet("联系人")
    contacts.append(["老人编号", "姓名", "关系", "电话", "类型", "有钥匙", "呼叫顺序"])
    contacts.append(["R1", "陈静", "女儿", "13800000003", "家属", "有", 1])
    contacts.append(["R2", "赵敏", "儿子", "13800000004", "家属", "无", 1])
    book.save(folder / "people.xlsx")
    (folder / "staff.csv").write_bytes(
        "工号,姓名,岗位,技能,服务区域,电话\nS1,孙伟,网格员,first_response,G3,\nS2,何琳,护士,nursing:2027-03-31;flying,G3,\n".encode(
            "gb18030"
        )
    )
    (folder / "devices.csv").write_text(
        "id;family;resident;profile;上游\nW1;care;R1;;bridge-7\n9900000072;watch;R1;watch;\nW3;care;R2;;\nW4;care;R1;watch;\n",
        encoding="utf-8-sig",
    )
    square = [[[118.38, 31.33], [118.40, 31.33], [118.40, 31.35], [118.38, 31.33]]]
    features = [
        {"type": "Feature", "properties": {"id": "C", "name": "柳岸", "kind": "community"}, "geometry": None},
        {
            "type": "Feature",
            "properties": {"id": "G3", "name": "第3网格", "kind": "网格", "parent_id": "C", "households": 310},
            "geometry": {"type": "Polygon", "coordinates": square},
        },
        {
            "type": "Feature",
            "properties": {"id": "G4", "name": "第4网格", "kind": "grid", "parent_id": "nowhere"},
            "geometry": None,
        },
    ]
    (folder / "areas.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return folder


def test_good_rows_are_taken_and_bad_ones_returned(database: PostgresDatabase, tmp_path: Path) -> None:
    done = load_into(database, place(tmp_path))
    told = {(one.raw.file, one.raw.line): one.reason for one in done.bad}
    assert told == {
        ("areas.geojson", 3): "parent_id: there is no area nowhere",
        ("people.xlsx[老人]", 3): "出生日期: '1941-02-30' is not a day such as 1944-05-01",
        ("people.xlsx[老人]", 4): "area_id: there is no area G9",
        ("people.xlsx[联系人]", 3): "resident_id: there is no resident R2",
        ("staff.csv", 3): told["staff.csv", 3],
        ("devices.csv", 4): "resident_id: there is no resident R2",
        ("devices.csv", 5): "profile_id: watch is for watch, the device is care",
    }
    assert "there is no skill 'flying'" in told["staff.csv", 3]
    assert done.written == {"areas": 2, "residents": 1, "staff": 1, "contacts": 1, "devices": 2}
    (resident,) = rows_of(database, "SELECT * FROM residents")
    assert resident["phone"] == "13900000001"
    assert resident["born_on"].isoformat() == "1944-05-01"
    assert resident["lives_alone"] is True
    assert resident["conditions"] == ["高血压", "糖尿病"]
    (grid,) = rows_of(database, "SELECT * FROM areas WHERE id = 'G3'")
    assert grid["path"] == ["C", "G3"]
    assert grid["boundary"]["type"] == "Polygon"
    assert grid["lat"] == pytest.approx(31.34)
    assert set(done.secrets) == {"W1"}
    (device,) = rows_of(database, "SELECT * FROM devices WHERE id = 'W1'")
    assert device["upstream"] == "bridge-7"
    assert fits(done.secrets["W1"], device["broker_hash"])
    assert rows_of(database, "SELECT count(*) AS n FROM device_watch")[0]["n"] == 2


def test_the_same_load_again_changes_nothing_and_a_correction_is_taken(
    database: PostgresDatabase, tmp_path: Path
) -> None:
    load_into(database, place(tmp_path))
    again = load_into(database, tmp_path)
    assert again.written == {}
    assert again.secrets == {}
    assert len(rows_of(database, "SELECT 1 FROM contacts")) == 1
    bad = tmp_path / "bad"
    bad.mkdir()
    write_bad(bad / "residents.csv", [one for one in again.bad if "老人" in one.raw.file][:1])
    lines = list(csv.DictReader((bad / "residents.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert lines[0]["line"] == "3"
    fixed = (bad / "residents.csv").read_text(encoding="utf-8-sig").replace("1941-02-30", "1941-02-28")
    (bad / "residents.csv").write_text(fixed, encoding="utf-8")
    put_right = load_into(database, bad)
    assert put_right.bad == []
    assert put_right.written == {"residents": 1}
    assert put_right.checked.unknown == {"residents.csv": {"file", "line", "reason"}}


def test_strict_takes_all_or_nothing_and_a_preview_nothing(database: PostgresDatabase, tmp_path: Path) -> None:
    strict = load_into(database, place(tmp_path), strict=True)
    dry = load_into(database, tmp_path, dry=True)
    assert not strict.taken
    assert not dry.taken
    assert dry.checked.good["residents"]
    assert rows_of(database, "SELECT 1 FROM areas") == []


def test_what_a_file_does_not_mention_stays(database: PostgresDatabase, tmp_path: Path) -> None:
    (tmp_path / "residents.csv").write_text("id,name,notes\nR1,陈秀英,old\n")
    load_into(database, tmp_path)
    (tmp_path / "residents.csv").write_text("id,name,phone\nR1,陈秀英,139\n")
    load_into(database, tmp_path)
    (resident,) = rows_of(database, "SELECT notes, phone FROM residents")
    assert resident == {"notes": "old", "phone": "139"}


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("residents.csv", "id,name\n,甲\n", "id: is missing"),
        ("residents.csv", "id,name\nR1,甲\nR1,乙\n", "id R1 is in residents.csv, line 2 already"),
        ("residents.csv", "id,name,lat\nR1,甲,31\n", "lon: is missing; both or none"),
        ("residents.csv", "id,name,lat,lon\nR1,甲,91,118\n", "lat: "),
        ("residents.csv", "id,name,独居\nR1,甲,也许\n", "是/否"),
        ("residents.csv", "id,name\nR1,甲,丙\n", "more cells than headings"),
        ("areas.csv", "id,name,kind,parent\nA,甲,grid,B\nB,乙,grid,A\n", "would lie below itself"),
        ("devices.csv", "id,family\nhub-alarm,care\n", "not beginning with hub-"),
        ("devices.csv", "id,family\nW1,nokia\n", "there is no family 'nokia'"),
        ("things.csv", "id,name\n1,2\n", "nothing says what it is about"),
        ("stations.csv", 'id,name,kind\nS1,"unended,clinic\n', "not CSV from here on"),
    ],
)
def test_every_fault_says_what_is_wrong(tmp_path: Path, name: str, text: str, reason: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    found = check_rows(read_path(tmp_path), NOTHING)
    assert found.bad
    assert reason in found.bad[0].reason
    assert found.bad[0].raw.file == name
    assert found.bad[0].raw.line >= 2


def test_a_position_of_another_map_is_moved(tmp_path: Path) -> None:
    (tmp_path / "stations.csv").write_text(
        "id,name,kind,lat,lon,坐标系\nS1,站,照料站,31.2304,121.4737,gcj02\n", encoding="utf-8"
    )
    (good,) = check_rows(read_path(tmp_path), NOTHING).good["stations"]
    assert 0.001 < abs(good.values["lon"] - 121.4737) < 0.01
    assert "crs" not in good.values


def test_sheets_and_headings_in_both_languages() -> None:
    assert table_named("设备清单 2026") == "devices"
    assert table_named("residents_2026-11") == "residents"
    assert table_named("Sheet1") is None
    assert column_of("residents", "家庭住址") == "address"
    assert column_of("residents", "Born On") == "born_on"
    assert column_of("contacts", "老人编号") == "resident_id"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(raw=st.binary(max_size=400), suffix=st.sampled_from([".csv", ".xlsx", ".geojson"]))
def test_any_bytes_give_rows_or_one_clear_error(tmp_path: Path, raw: bytes, suffix: str) -> None:
    file = tmp_path / f"residents{suffix}"
    file.write_bytes(raw)
    told: str | None = None
    try:
        found = check_rows(read_path(file), NOTHING)
    except BadRequestError as error:
        told = error.detail
    assert told is None or str(file) in told
    assert told is not None or all(one.reason for one in found.bad)


@given(
    st.dictionaries(
        st.sampled_from(["id", "姓名", "lat", "经度", "独居", "出生日期", "慢性病", "x"]), st.text(max_size=20)
    )
)
def test_any_cells_are_good_or_refused(cells: dict[str, str]) -> None:
    row = RawRow("residents.csv", 2, "residents", {name: cell for name, cell in cells.items() if cell})
    found = check_rows([row], NOTHING)
    assert len(found.bad) + len(found.good["residents"]) == 1


def command(url: str, *words: str) -> Result:
    return CliRunner().invoke(main, list(words), env={"HUB_DATABASE__URL": url})


def test_the_command_shows_takes_and_returns(database: PostgresDatabase, tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    place(files)
    bad = tmp_path / "bad.csv"
    shown = command(database.url, "load", str(files), "--preview")
    assert "residents: 1 good rows" in shown.stderr
    assert "preview only" in shown.stderr
    done = command(database.url, "load", str(files), "--bad", str(bad))
    assert done.exit_code == 1
    assert "staff.csv:3: skills" in done.stderr or "staff.csv:3: 技能" in done.stderr
    assert "taken; made or changed" in done.stderr
    assert done.stdout.startswith("W1,")
    assert len(bad.read_text(encoding="utf-8-sig").splitlines()) == 8
    more = tmp_path / "more.csv"
    more.write_text("id,family\nW7,care\nW8,care\n")
    added = command(database.url, "device", "add", "--file", str(more))
    assert added.exit_code == 0, added.output
    assert [line.partition(",")[0] for line in added.stdout.splitlines()] == ["W7", "W8"]
    missing = command(database.url, "load", str(tmp_path / "nothing.csv"))
    assert missing.exit_code == 1
    assert "there is no such file" in missing.stderr
