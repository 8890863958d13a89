"""Registers kept by hand: residents, contacts, areas and crews on the desk's pages, and as files."""

from __future__ import annotations

import base64
import csv
import io
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook

from hub.api.area_shapes import bad_rings, contains, overlaps, shape_of
from hub.clock import utc_now
from tests.api.desk import Desk, Json
from tests.api.settlement import ok

P = "/api/v1"
WELL_MADE = "340202194405011227"  # made up; its check character is right


def square(west: float, south: float, side: float = 0.01) -> Json:
    ring = [[west, south], [west + side, south], [west + side, south + side], [west, south + side], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def sent(name: str, content: str | bytes, **more: Any) -> Json:
    raw = content.encode() if isinstance(content, str) else content
    return {"name": name, "content": base64.b64encode(raw).decode(), **more}


def grids(*features: tuple[str, str, Json, Json]) -> str:
    return json.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {"type": "Feature", "properties": {"编号": ident, "名称": name, **more}, "geometry": geometry}
                for ident, name, geometry, more in features
            ],
        }
    )


def audit_of(boss: httpx.Client, subject: str) -> list[Json]:
    return [one for one in ok(boss.get(f"{P}/audit", params={"limit": 500}))["items"] if one["subject"] == subject]


def test_a_resident_is_added_and_changed_with_before_and_after_in_the_audit(shared: Desk) -> None:
    coordinator, operator, boss = shared.seat("coord"), shared.seat("zhoumin"), shared.seat("boss")
    new = {"id": "N1", "name": "何桂英", "born_on": "1944-05-01", "phone": "13900001111", "conditions": ["高血压"]}
    assert operator.post(f"{P}/residents", json=new).status_code == 403
    made = ok(coordinator.post(f"{P}/residents", json=new), 201)
    assert (made["phone"], made["conditions"]) == ("139****1111", []), "the page's answer is masked"
    changes = {"address": "西里 4 幢 201", "conditions": ["高血压", "糖尿病"], "access": {"gate": "1234"}}
    ok(coordinator.patch(f"{P}/residents/N1", json=changes, headers={"If-Match": f'"{made["version"]}"'}))

    line = audit_of(boss, "residents:N1")[0]
    assert (line["action"], line["name"]) == (
        "residents.change",
        coordinator.get(f"{P}/session").json()["user"]["name"],
    )
    assert line["detail"]["changes"]["address"] == [None, "西里 4 幢 201"]
    assert line["detail"]["changes"]["conditions"] == ["***", "***"], "no second register of illnesses"
    assert "1234" not in str(line)
    told = ok(coordinator.get(f"{P}/residents/N1/changes"))["items"]
    assert [one["action"] for one in told] == ["residents.change", "residents.add"]
    assert told[1]["detail"]["changes"]["phone"] == [None, "139****1111"]
    assert operator.get(f"{P}/residents/N1/changes").status_code == 403

    lost = operator.patch(
        f"{P}/residents/N1", json={"address": "西里 9 幢"}, headers={"If-Match": f'"{made["version"]}"'}
    )
    assert lost.status_code == 412
    body = lost.json()
    assert body["by"]["name"] == line["name"]
    assert set(body["fields"]) == {"access", "address", "conditions"}
    assert body["at"]


def test_somebody_who_seems_to_be_there_is_asked_about(shared: Desk) -> None:
    coordinator = shared.seat("coord")
    first = {"id": "D1", "name": "万福生", "born_on": "1938-01-02", "id_number": WELL_MADE}
    ok(coordinator.post(f"{P}/residents", json=first), 201)
    for again, why in (
        ({"name": "万复生", "id_number": WELL_MADE.lower()}, "id_number"),
        ({"name": "万福生", "born_on": "1938-01-02"}, "name_born"),
    ):
        refused = coordinator.post(f"{P}/residents", json=again)
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:care-hub:duplicate")
        (match,) = refused.json()["matches"]
        assert (match["id"], match["why"]) == ("D1", why)
    twin = ok(
        coordinator.post(
            f"{P}/residents",
            params={"duplicates": "accept"},
            json={"id": "D2", "name": "万福生", "born_on": "1938-01-02"},
        ),
        201,
    )
    assert coordinator.patch(f"{P}/residents/D1", json={"address": "东门"}).status_code == 200, "nothing of it is new"
    asked = coordinator.patch(f"{P}/residents/{twin['id']}", json={"id_number": WELL_MADE})
    assert asked.status_code == 409
    for wrong in ("340202194405011221", "340202194413011222", "12345678901234567", "#"):
        refused = coordinator.patch(f"{P}/residents/D2", json={"id_number": wrong})
        assert (refused.status_code, refused.json()["field"]) == (422, "id_number"), wrong


def test_the_number_of_an_id_card_is_nobodys_business(shared: Desk) -> None:
    coordinator = shared.seat("coord")
    ok(coordinator.patch(f"{P}/residents/R1", json={"id_number": "G12345678"}))
    shown = ok(coordinator.get(f"{P}/residents/R1"))
    assert shown["id_number"] == "***78"
    assert "id_number" in shown["masked"]
    assert ok(shared.seat("chenjing").get(f"{P}/residents/R1"))["id_number"] is None
    opened = ok(coordinator.post(f"{P}/residents/R1/reveal", json={"reason": "核对"}))
    assert opened["resident"]["id_number"] == "G12345678"


def test_a_stay_in_hospital_has_its_dates(shared: Desk) -> None:
    desk, boss = shared.seat("zhoumin"), shared.seat("boss")
    ok(shared.seat("coord").post(f"{P}/residents", json={"id": "H1", "name": "施友兰"}), 201)
    now = utc_now()
    since, until = (now - timedelta(days=2)).isoformat(), (now + timedelta(days=5)).date().isoformat()
    stay = {"status": "hospital", "since": since, "until": until, "reason": "骨折"}
    there = ok(desk.post(f"{P}/residents/H1/status", json=stay))
    assert (there["status"], there["status_until"]) == ("hospital", until)
    assert there["status_since"][:16] == since[:16]
    later = (now + timedelta(days=9)).date().isoformat()
    assert ok(desk.post(f"{P}/residents/H1/status", json={**stay, "until": later}))["status_until"] == later
    for wrong, field in (
        ({"status": "hospital", "since": (now + timedelta(hours=1)).isoformat()}, "since"),
        ({"status": "moved", "until": until}, "until"),
        ({"status": "away", "until": (now - timedelta(days=3)).date().isoformat()}, "until"),
    ):
        assert desk.post(f"{P}/residents/H1/status", json=wrong).json()["field"] == field
    assert ok(desk.post(f"{P}/residents/H1/status", json={"status": "home"}))["status_until"] is None
    (line, *_) = audit_of(boss, "residents:H1")
    assert line["detail"]["changes"]["status"] == ["hospital", "home"]


def test_contacts_are_ordered_confirmed_and_removed(shared: Desk) -> None:
    desk, boss = shared.seat("zhoumin"), shared.seat("boss")
    ok(shared.seat("coord").post(f"{P}/residents", json={"id": "C1", "name": "程学文", "area_id": "G3"}), 201)
    ids = []
    for position, name in enumerate(("程伟", "程芳"), 1):
        new = {"resident_id": "C1", "name": name, "phone": f"1390000222{position}", "position": position}
        ids.append(ok(desk.post(f"{P}/contacts", json=new), 201)["id"])
    more = {"other_phones": ["0553-3812345"], "hours": "工作日 18 点后", "consented_on": "2026-03-01"}
    changed = ok(desk.patch(f"{P}/contacts/{ids[0]}", json=more))
    assert changed["other_phones"] == ["055****2345"]
    calling = ok(desk.get(f"{P}/contacts", params={"phone": "+86 553 3812345"}))["items"]
    assert [one["id"] for one in calling] == [ids[0]], "whoever calls from the second number is known too"
    ordered = ok(desk.post(f"{P}/residents/C1/contacts/order", json={"ids": ids[::-1]}))["items"]
    assert [one["name"] for one in ordered] == ["程芳", "程伟"]
    assert desk.post(f"{P}/residents/C1/contacts/order", json={"ids": ids[:1]}).status_code == 409

    waiting = {"unconfirmed_days": 30, "station": "ST1"}
    listed = ok(desk.get(f"{P}/contacts", params=waiting))["items"]
    assert {one["name"] for one in listed if one["resident"]["id"] == "C1"} == {"程伟", "程芳"}
    before = next(row for row in ok(desk.get(f"{P}/reports/contacts"))["items"] if row["station"])
    confirmed = ok(desk.post(f"{P}/contacts/{ids[0]}/confirm", json={}))
    assert confirmed["confirmed_on"] == utc_now().astimezone(shared.hub.zone).date().isoformat()
    after = next(row for row in ok(desk.get(f"{P}/reports/contacts"))["items"] if row["station"])
    assert (before["unconfirmed"] - after["unconfirmed"], after["contacts"]) == (1, before["contacts"])
    assert ids[0] not in [one["id"] for one in ok(desk.get(f"{P}/contacts", params=waiting))["items"]]

    assert desk.delete(f"{P}/contacts/{ids[1]}").status_code == 204
    assert desk.get(f"{P}/contacts/{ids[1]}").status_code == 404
    assert audit_of(boss, f"contacts:{ids[1]}")[0]["detail"]["changes"] == {"contacts": ["程芳", None]}
    refused = desk.delete(f"{P}/contacts/K1")
    assert (refused.status_code, refused.json()["accounts"]) == (409, ["chenjing"])


def test_the_tree_of_areas_has_its_people_and_what_is_in_use_is_not_retired(shared: Desk) -> None:
    coordinator, operator = shared.seat("coord"), shared.seat("zhoumin")
    ok(coordinator.patch(f"{P}/areas/G3", json={"boundary": square(118.39, 31.33)}))
    new = {"id": "G4", "parent_id": "C", "kind": "grid", "name": "第4网格", "boundary": square(118.40, 31.33)}
    ok(coordinator.post(f"{P}/areas", json=new), 201)
    ok(coordinator.patch(f"{P}/responders/S1", json={"area_ids": ["G4"]}))
    tree = {one["id"]: one for one in ok(coordinator.get(f"{P}/areas/tree"))["items"]}
    assert [one["name"] for one in tree["G4"]["officers"]] == ["孙伟"]
    assert [one["id"] for one in tree["C"]["stations"]] == ["ST1"]
    assert tree["G3"]["residents"] >= 2
    assert "boundary" not in tree["G3"]

    at = ok(operator.get(f"{P}/areas/at", params={"lat": 31.335, "lon": 118.405}))
    assert (at["area"]["id"], [one["id"] for one in at["path"]]) == ("G4", ["C", "G4"])
    assert ok(operator.get(f"{P}/areas/at", params={"lat": 30, "lon": 118.405}))["area"] is None

    refused = coordinator.patch(f"{P}/areas/G3", json={"active": False})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:care-hub:area-in-use")
    assert refused.json()["hanging"]["residents"] == tree["G3"]["residents"]
    ok(coordinator.patch(f"{P}/areas/G4", json={"active": False}))
    assert "G4" not in [one["id"] for one in ok(operator.get(f"{P}/areas", params={"active": "true"}))["items"]]
    assert ok(operator.get(f"{P}/areas/at", params={"lat": 31.335, "lon": 118.405}))["area"] is None
    open_ring = {"type": "Polygon", "coordinates": [[[118, 31], [118.1, 31], [118.1, 31.1], [118, 31.1]]]}
    wrong = coordinator.patch(f"{P}/areas/G4", json={"boundary": open_ring})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "boundary")
    assert "not closed" in wrong.json()["detail"]


def test_a_map_is_looked_at_before_it_is_taken_and_never_by_half(desk: Desk) -> None:
    coordinator = desk.seat("coord")
    ok(coordinator.patch(f"{P}/areas/C", json={"boundary": square(118.30, 31.30, 0.2)}))
    bow = {
        "type": "Polygon",
        "coordinates": [[[118.4, 31.4], [118.41, 31.41], [118.41, 31.4], [118.4, 31.41], [118.4, 31.4]]],
    }
    drawn = [
        ("W1", "西一网格", square(118.35, 31.35), {}),
        ("W2", "西二网格", square(118.355, 31.35), {}),
        ("W3", "界外网格", square(119.9, 31.35), {}),
    ]
    look = f"{P}/registers/areas/preview"
    bad = ok(
        coordinator.post(look, json=sent("grids.geojson", grids(*drawn, ("W4", "蝴蝶网格", bow, {})), kind="grid"))
    )
    assert [(one["name"], one["line"]) for one in bad["bad"]] == [("蝴蝶网格", 4)]
    assert "crosses itself" in bad["bad"][0]["reason"]
    assert (bad["kinds"], bad["tables"]) == ({"grid": 3}, {"areas": {"good": 3, "known": 0}})
    told = {(one["name"], one["code"]): one for one in bad["warnings"]}
    assert told["西一网格", "parent_found"]["other"] == "柳岸"
    assert ("界外网格", "no_parent") in told
    assert (told["西一网格", "overlap"]["other"], told["西一网格", "overlap"]["percent"]) == ("西二网格", 50)

    take = f"{P}/registers/areas/import"
    for how in ("all", "good"):
        file = sent("grids.geojson", grids(*drawn, ("W4", "蝴蝶网格", bow, {})), kind="grid", take=how)
        refused = coordinator.post(take, json=file)
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:care-hub:bad-rows")
    assert coordinator.get(f"{P}/areas/W1").status_code == 404, "half a map is none"
    done = ok(coordinator.post(take, json=sent("grids.geojson", grids(*drawn[:1]), kind="grid", crs="gcj02")))
    assert done["written"] == {"areas": 1}
    area = ok(coordinator.get(f"{P}/areas/W1"))
    assert area["parent_id"] == "C"
    # GCJ-02 lies some 500 m east of WGS-84 here.
    assert area["boundary"]["coordinates"][0][0][0] == pytest.approx(118.35 - 0.0054, abs=4e-4)
    assert area["lon"] == pytest.approx(118.355 - 0.0054, abs=4e-4)


def test_residents_come_from_a_workbook_and_go_out_again(desk: Desk) -> None:
    coordinator, boss = desk.seat("coord"), desk.seat("boss")
    text = (
        "编号,姓名,身份证号,出生日期,电话,纬度,经度,慢性病\r\n"
        f"M1,马秀兰,{WELL_MADE},1944-05-01,13900003331,31.335,118.395,高血压;糖尿病\r\n"
        "M2,陈秀英,,1944-05-01,,,,\r\n"
        "M3,坏行,123,,,,,\r\n"
    )
    ok(coordinator.patch(f"{P}/areas/G3", json={"boundary": square(118.39, 31.33)}))
    seen = ok(coordinator.post(f"{P}/registers/residents/preview", json=sent("老人.csv", text)))
    assert (seen["written"], seen["bad_rows"], seen["tables"]["residents"]["good"]) == (None, 1, 2)
    assert (seen["bad"][0]["line"], seen["bad"][0]["name"]) == (4, "坏行")
    codes = {(one["name"], one["code"], one["other"]) for one in seen["warnings"]}
    assert ("马秀兰", "area_found", "第3网格") in codes
    assert ("陈秀英", "alike", "陈秀英 R1") in codes
    assert coordinator.get(f"{P}/residents/M1").status_code == 404
    done = ok(coordinator.post(f"{P}/registers/residents/import", json=sent("老人.csv", text, take="good")))
    assert done["written"] == {"residents": 2}
    assert audit_of(boss, "residents:M1")[0]["detail"]["line"] == 2
    once_more = ok(coordinator.post(f"{P}/registers/residents/import", json=sent("老人.csv", text, take="good")))
    assert once_more["written"] == {"residents": 0}, "the same file again changes nothing"

    out = f"{P}/registers/residents/export"
    assert coordinator.get(out).json()["field"] == "reason"
    asked = {"reason": "年度核对", "format": "csv"}
    told = list(csv.DictReader(io.StringIO(coordinator.get(out, params=asked).content.decode("utf-8-sig"))))
    assert "身份证号" not in told[0]
    assert {one["编号"]: one["姓名"] for one in told}["M1"] == "马秀兰"
    whole = boss.get(out, params={**asked, "format": "xlsx"})
    sheet = load_workbook(io.BytesIO(whole.content)).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    at = rows[0].index("身份证号")
    assert WELL_MADE in [row[at] for row in rows[1:]]
    again = ok(boss.post(f"{P}/registers/residents/preview", json=sent("residents.xlsx", whole.content)))
    assert (again["bad_rows"], again["unknown"]) == (0, {}), "what goes out comes in again"
    assert audit_of(boss, "registers:residents")[0]["detail"]["reason"] == "年度核对"
    form = coordinator.get(out, params={"empty": "true", "format": "csv", "language": "en"})
    assert form.content.decode("utf-8-sig").startswith("id,name,sex,born_on")
    assert coordinator.post(f"{P}/registers/residents/preview", json=sent("x.pdf", b"%PDF")).status_code == 422


def test_a_crew_has_its_days_and_hours_and_comes_by_file(shared: Desk) -> None:
    coordinator = shared.seat("coord")
    crew = {"id": "T1", "name": "助浴一组", "vehicle": "皖B·1", "members": ["S1", "S2"], "days": [1, 3, 5]}
    made = ok(coordinator.post(f"{P}/crews", json={**crew, "begins": "08:00", "ends": "16:30"}), 201)
    assert (made["days"], made["begins"], made["ends"], made["active"]) == ([1, 3, 5], "08:00", "16:30", True)
    assert [one["name"] for one in made["people"]] == ["孙伟", "何琳"]
    for wrong in ({"begins": "09:00", "ends": "08:00"}, {"begins": "09:00"}, {"days": [8]}, {"members": ["S-NO"]}):
        assert coordinator.patch(f"{P}/crews/T1", json=wrong).status_code in (409, 422), wrong
    with shared.database.begin() as tx:
        monday = next(one for one in tx.day_plans.carers(_day(0)) if one.id == "S1")
        tuesday = next(one for one in tx.day_plans.carers(_day(1)) if one.id == "S1")
    assert (monday.crew_id, str(monday.crew_begins)) == ("T1", "08:00:00")
    assert tuesday.crew_id is None

    text = "编号,班组,车牌,成员,出车日,开始,结束\r\nT2,助浴二组,皖B·2,S3,周一至周三,8:30,12:00\r\n,无编号,,,,,\r\n"
    seen = ok(coordinator.post(f"{P}/registers/crews/preview", json=sent("班组.csv", text)))
    assert (seen["tables"], seen["bad"][0]["reason"]) == ({"crews": {"good": 1, "known": 0}}, "id: is missing")
    ok(coordinator.post(f"{P}/registers/crews/import", json=sent("班组.csv", text, take="good")))
    taken = ok(coordinator.get(f"{P}/crews/T2"))
    assert (taken["days"], taken["begins"], taken["members"]) == ([1, 2, 3], "08:30", ["S3"])


def _day(weekday: int) -> Any:
    today = utc_now().date()
    return today + timedelta(days=(weekday - today.weekday()) % 7)


def test_shapes_are_measured() -> None:
    def shape(ident: str, geometry: Json) -> Any:
        return shape_of(ident, ident, "grid", geometry)

    ring = square(0, 0, 1)["coordinates"][0]
    hole = [[0.4, 0.4], [0.6, 0.4], [0.6, 0.6], [0.4, 0.6], [0.4, 0.4]]
    holed = shape("h", {"type": "Polygon", "coordinates": [ring, hole]})
    assert contains(holed, 0.2, 0.2)
    assert not contains(holed, 0.5, 0.5)
    beside, over = shape("b", square(1, 0, 1)), shape("o", square(0.75, 0, 1))
    found = {(one.id, other.id): share for one, other, share in overlaps([shape("s", square(0, 0, 1)), beside, over])}
    assert set(found) == {("s", "o"), ("b", "o")}, "neighbours share a border, no ground"
    assert found["s", "o"] == pytest.approx(0.25, abs=0.02)
    assert found["b", "o"] == pytest.approx(0.75, abs=0.02)
    assert bad_rings({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [0, 0]]]}) == [
        "ring 1: 3 positions; a ring has four at least"
    ]
    assert bad_rings({"type": "Point", "coordinates": [0, 0]})
