"""A pressed button becomes a person at the door: over a real broker, a real database, HTTP and the live stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.live import listening, sender
from tests.fixtures.hub import RunningHub

Json = dict[str, Any]

WANG, CHEN, ZHAO, GUOHUA, SUN = "W-001", "W-002", "W-003", "W-004", "W-005"
"""The watches of the community's named residents, each for a story of its own."""


@pytest.fixture(scope="module")
def desk(hub: RunningHub) -> Iterator[httpx.Client]:
    with hub.sign_in("operator") as client:
        yield client


@pytest.fixture(scope="module")
def field(hub: RunningHub) -> Iterator[dict[str, httpx.Client]]:
    """Staff, by user name."""
    with ExitStack() as stack:
        names = ("sunwei", "wuqiang", "hemei", "mafang", "liuyan")
        yield {name: stack.enter_context(hub.sign_in(name)) for name in names}


def post(client: httpx.Client, place: str, body: Json | None = None, status: int = 200) -> Json:
    answer = client.post(f"/api/v1{place}", json=body or {})
    assert answer.status_code == status, f"{place}: {answer.status_code} {answer.text}"
    found: Json = answer.json()
    return found


def get(client: httpx.Client, place: str, **params: Any) -> Json:
    answer = client.get(f"/api/v1{place}", params=params)
    assert answer.status_code == 200, f"{place}: {answer.status_code} {answer.text}"
    found: Json = answer.json()
    return found


def about(device_id: str, class_: str = "emergency") -> Any:
    """Whether an event is about an incident of that device."""

    def wanted(data: Json) -> bool:
        incident = data["incident"]
        return incident["class"] == class_ and (incident["device"] or {}).get("id") == device_id

    return wanted


def test_from_the_press_to_the_supervised_close(
    hub: RunningHub, desk: httpx.Client, field: dict[str, httpx.Client], tmp_path: Path
) -> None:
    place = get(desk, "/incidents", state="live")["cursor"]
    staff = field["sunwei"]
    ledger = tmp_path / "ledger.jsonl"
    with listening(desk, place) as console, sender(hub, CHEN, ledger=ledger) as watch:
        ref = watch.press("sos", note="厨房")
        raised = console.wait("incident.raised", about(CHEN))["incident"]
        assert watch.wait(ref, "received") == ["received"]

        # What the stream said is what a page that has just been opened finds.
        incident = get(desk, f"/incidents/{raised['id']}")
        assert (incident["state"], incident["class"], incident["type"], incident["priority"]) == (
            "open",
            "emergency",
            "sos",
            "critical",
        )
        assert incident["resident"]["name"] == "陈秀英"
        assert incident["alarms"] == 1
        assert incident["alarm_rows"][0]["ref"] == ref
        assert [row["id"] for row in get(desk, "/incidents", state="live")["items"]] == [raised["id"]]
        here = f"/incidents/{raised['id']}"

        post(desk, f"{here}/acknowledge")
        assert watch.wait(ref, "hold") == ["received", "hold"]
        with hub.sign_in("operator2") as second:
            lost = post(second, f"{here}/acknowledge", status=409)
        assert lost["by"]["name"] == "周敏"
        assert lost["at"]

        candidates = get(desk, f"{here}/candidates")["items"]
        first = candidates[0]
        assert first["eligible"]
        assert first["reasons"], "every choice says why"
        assert first["eta_s"] <= min(one["eta_s"] for one in candidates if one["eligible"] and one["eta_s"])
        sunwei = next(one for one in candidates if one["responder"]["id"] == "S-SUNWEI")
        assert sunwei["eligible"]
        kinds = [one["eligible"] for one in candidates]
        assert kinds == sorted(kinds, reverse=True), "who cannot go comes last"
        assert all(one["reasons"] for one in candidates if not one["eligible"])

        assert all((task["incident"] or {}).get("id") != raised["id"] for task in get(staff, "/my/tasks")["items"])
        post(desk, f"{here}/assign", {"responder_id": "S-SUNWEI", "note": "东门进"})
        console.wait("assignment.updated", lambda data: data["assignment"]["state"] == "offered")
        task = get(staff, "/my/tasks")["items"][0]
        assert task["incident"]["id"] == raised["id"]
        assert task["incident"]["resident"]["address"] == "柳岸新村西里 3 幢 2 单元 501"
        assert task["next"] == "accept"
        mine = f"/assignments/{task['assignment']['id']}"
        post(field["wuqiang"], f"{mine}/accept", status=404)  # somebody else's does not exist

        for step, then, state in (
            ("accept", "en-route", "accepted"),
            ("en-route", "on-scene", "en_route"),
            ("on-scene", "complete", "on_scene"),
        ):
            assert post(staff, f"{mine}/{step}")["state"] == state
            console.wait("assignment.updated", lambda data, state=state: data["assignment"]["state"] == state)
            assert get(staff, "/my/tasks")["items"][0]["next"] == then
            assert get(desk, here)["state"] == "in_progress"
        assert get(desk, here)["on_scene"]
        assert post(staff, f"{mine}/complete", {"outcome": "已扶起，无外伤"})["state"] == "completed"
        assert all((task["incident"] or {}).get("id") != raised["id"] for task in get(staff, "/my/tasks")["items"])

        assert post(desk, f"{here}/close", {"disposition": "genuine", "summary": "跌坐，已扶起"})["state"] == "resolved"
        # Hold twice: when the operator claimed it, and when somebody went.
        assert watch.wait(ref, "handled") == ["received", "hold", "hold", "handled"]
        assert get(desk, "/incidents", state="live")["items"] == []

        # Whoever resolves cannot supervise; neither can an operator.
        post(desk, f"{here}/supervise", {"verdict": "confirmed"}, status=403)
        with hub.sign_in("supervisor") as supervisor:
            done = post(supervisor, f"{here}/supervise", {"verdict": "confirmed", "note": "已回访"})
        assert (done["state"], done["supervision"]) == ("closed", "done")
        console.wait("incident.updated", lambda data: data["incident"]["state"] == "closed")
        cursors = [ident for _, ident, _ in console.events if ident]
        numbers = [int(ident.rpartition("-")[2]) for ident in cursors]
        assert numbers == sorted(numbers)

    entries = list(reversed(get(desk, f"{here}/timeline")["items"]))
    # What the notice of the offer went through stands between these lines whenever its sender came to it, and so does
    # what became of the words that its own device was asked to say.
    aside = ("notified", "noted", "commanded", "command_failed", "command_answered", "command_expired", "no_voice")
    assert [entry["kind"] for entry in entries if entry["kind"] not in aside] == [
        *("raised", "acknowledged", "offered", "accepted", "en_route", "on_scene", "completed"),
        *("resolved", "supervised", "closed"),
    ]
    assert [entry["seq"] for entry in entries] == sorted(entry["seq"] for entry in entries)
    assert [entry["at"] for entry in entries] == sorted(entry["at"] for entry in entries)
    who = {entry["kind"]: (entry["actor"] or {}).get("name") for entry in entries}
    assert (who["acknowledged"], who["accepted"], who["resolved"]) == ("周敏", "孙伟", "周敏")
    assert who["supervised"] == "方磊"
    found = hub.hub("reconcile", "--sent", str(ledger))
    assert found.returncode == 0, found.stdout


def test_a_supervisor_cannot_supervise_what_he_resolved(hub: RunningHub, desk: httpx.Client) -> None:
    with sender(hub, GUOHUA) as watch, hub.sign_in("supervisor") as supervisor:
        ref = watch.press("sos")
        watch.wait(ref)
        here = f"/incidents/{live(desk, GUOHUA)['id']}"
        post(supervisor, f"{here}/acknowledge")
        post(supervisor, f"{here}/close", {"disposition": "no_contact", "summary": ""}, status=422)
        resolved = post(supervisor, f"{here}/close", {"disposition": "no_contact", "summary": "三次未接通"})
        assert (resolved["state"], resolved["supervision"]) == ("resolved", "required")
        refused = post(supervisor, f"{here}/supervise", {"verdict": "confirmed"}, status=403)
        assert refused["detail"]
        with hub.sign_in("admin") as other:
            assert post(other, f"{here}/supervise", {"verdict": "confirmed"})["state"] == "closed"


def live(desk: httpx.Client, device_id: str, class_: str = "emergency") -> Json:
    """The one live incident of that device and class."""
    found = get(desk, "/incidents", state="live", **{"class": class_})["items"]
    mine = [row for row in found if (row["device"] or {}).get("id") == device_id]
    assert len(mine) == 1, found
    row: Json = mine[0]
    return row


def test_a_second_press_after_the_claim_alerts_again(hub: RunningHub, desk: httpx.Client) -> None:
    with sender(hub, ZHAO) as watch:
        first = watch.press("sos")
        watch.wait(first)
        incident = live(desk, ZHAO)
        here = f"/incidents/{incident['id']}"
        post(desk, f"{here}/acknowledge")
        watch.wait(first, "hold")
        place = get(desk, "/incidents", state="live")["cursor"]
        with listening(desk, place) as console:
            second = watch.press("sos")
            # It is not hidden behind the first: counted, alerted again, and the device hears that somebody has it.
            # What came of the words its own device was asked to say may be told before it.
            told = console.wait(
                "incident.updated",
                lambda data: (
                    about(ZHAO)(data) and any(one["kind"] == "pressed" for one in data.get("entries", [data["entry"]]))
                ),
            )
            kinds = {entry["kind"] for entry in told.get("entries", [told["entry"]])}
            assert {"pressed", "realerted"} <= kinds
        assert watch.wait(second, "hold")[:2] == ["received", "hold"]
        after = get(desk, here)
        assert (after["alarms"], after["acknowledged_by"]["name"]) == (2, "周敏")
        assert {row["ref"] for row in after["alarm_rows"]} == {first, second}
        assert after["last_alarm_at"] > after["first_alarm_at"]

        # What is resolved never absorbs: the next press is a matter of its own.
        post(desk, f"{here}/close", {"disposition": "false", "summary": "误按"})
        assert watch.wait(first, "handled")[-1] == watch.wait(second, "handled")[-1] == "handled"
        third = watch.press("sos")
        watch.wait(third)
        fresh = live(desk, ZHAO)
        assert fresh["id"] != incident["id"]
        assert fresh["alarms"] == 1
        post(desk, f"/incidents/{fresh['id']}/close", {"disposition": "false", "summary": "误按"})


def test_a_test_call_and_technical_alarms_are_no_emergencies(hub: RunningHub, desk: httpx.Client) -> None:
    with sender(hub, SUN) as watch:
        refs = {word: watch.press(word) for word in ("test_call", "low_battery", "tamper")}
        for ref in refs.values():
            assert watch.wait(ref) == ["received"]
        emergencies = get(desk, "/incidents", state="live", **{"class": "emergency"})["items"]
        assert all((row["device"] or {}).get("id") != SUN for row in emergencies)
        technical = live(desk, SUN, "technical")
        assert (technical["priority"], technical["alarms"]) == ("low", 2)
        assert set(technical["types"]) == {"low_battery", "tamper"}
        called = live(desk, SUN, "test")
        assert (called["type"], called["priority"], called["alarms"]) == (
            "test_call",
            "low",
            1,
        )
        assert get(desk, f"/incidents/{called['id']}")["alarm_rows"][0]["test"] is True
        assert get(desk, f"/incidents/{called['id']}")["assignments"] == [], "nobody is sent to a test"


def test_a_wrong_body_is_answered_and_kept(hub: RunningHub) -> None:
    with sender(hub, WANG) as watch:
        watch.send_raw("alarm", b'{"ref": "a-19", "ty')
        heard = watch.happenings

        def answered() -> bool:
            return any("rejected without a ref" in one.text for one in heard)

        ref = watch.press("test_call")
        watch.wait(ref)
        assert answered(), heard
    kept = hub.rows("SELECT payload, reason FROM uplinks WHERE outcome = 'rejected' AND device_id = %s", WANG)
    assert [bytes(row["payload"]) for row in kept] == [b'{"ref": "a-19", "ty']
    assert "not JSON" in kept[0]["reason"]


# --- everyday services ------------------------------------------------------------------------------------------------


def wanted(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


def order(coordinator: httpx.Client, kind: str, resident: str, hours: float) -> Json:
    body = {"kind": kind, "resident_id": resident, "wanted_from": wanted(hours), "note": "e2e"}
    made = post(coordinator, "/orders", body, status=201)
    assert (made["state"], made["visit"]["state"]) == ("requested", "planned")
    return made


def task_of(staff: httpx.Client, order_id: str) -> Json:
    tasks = get(staff, "/my/tasks")["items"]
    found: Json = next(task for task in tasks if (task["order"] or {}).get("id") == order_id)
    return found


def test_a_meal_is_ordered_and_brought(hub: RunningHub, field: dict[str, httpx.Client]) -> None:
    with hub.sign_in("coordinator") as coordinator:
        made = order(coordinator, "meal_delivery", "R-0004", 1)
        here = f"/orders/{made['id']}"
        candidates = get(coordinator, f"{here}/candidates")["items"]
        assert candidates[0]["eligible"]
        by_id = {one["responder"]["id"]: one for one in candidates}
        assert by_id["S-WUQIANG"]["eligible"]
        assert not by_id["S-SUNWEI"]["eligible"]
        refused = post(coordinator, f"{here}/assign", {"responder_id": "S-SUNWEI"}, status=409)
        assert "孙伟" in refused["detail"]
        assert refused["reasons"], "it says why"
        assert get(coordinator, here)["state"] == "requested"

        assert post(coordinator, f"{here}/assign", {"responder_id": "S-WUQIANG"})["state"] == "assigned"
        courier = field["wuqiang"]
        task = task_of(courier, made["id"])
        assert task["next"] == "accept"
        mine = f"/assignments/{task['assignment']['id']}"
        for step, then in (("accept", "en-route"), ("en-route", "on-scene"), ("on-scene", "complete")):
            post(courier, f"{mine}/{step}")
            assert task_of(courier, made["id"])["next"] == then
        assert get(coordinator, here)["state"] == "in_service"
        post(courier, f"{mine}/complete", {"outcome": "当面交付"})
        done = get(coordinator, here)
        assert (done["state"], done["visit"]["state"], done["visit"]["outcome"]) == (
            "completed",
            "completed",
            "当面交付",
        )
        assert done["visit"]["started_at"] <= done["visit"]["ended_at"]


def test_an_escort_to_the_clinic_is_done_by_visit_steps(hub: RunningHub, field: dict[str, httpx.Client]) -> None:
    with hub.sign_in("coordinator") as coordinator:
        made = order(coordinator, "medical_escort", "R-0003", 30)
        here, visit = f"/orders/{made['id']}", f"/visits/{made['visit']['id']}"
        refused = post(coordinator, f"{here}/assign", {"responder_id": "S-WUQIANG"}, status=409)
        assert refused["reasons"]
        post(coordinator, f"{here}/assign", {"responder_id": "S-HEMEI"})
        carer = field["hemei"]
        post(field["wuqiang"], f"{visit}/accept", status=404)
        states = [
            post(carer, f"{visit}/{step}", body)["state"]
            for step, body in (
                ("accept", {}),
                ("start", {}),
                ("check-in", {"fix": {"lat": 31.336, "lon": 118.392, "accuracy_m": 15}}),
                ("check-out", {"outcome": "已就诊取药"}),
            )
        ]
        assert states == ["accepted", "en_route", "in_service", "completed"]
        assert get(coordinator, here)["state"] == "completed"


def test_a_bath_wants_two_qualified_carers_of_the_same_sex(hub: RunningHub, field: dict[str, httpx.Client]) -> None:
    with hub.sign_in("coordinator") as coordinator:
        made = order(coordinator, "bathing", "R-0002", 40)
        assert made["carers"] == 2
        here, visit = f"/orders/{made['id']}", f"/visits/{made['visit']['id']}"
        # Qualified, but a man for a woman; and a courier, who is not qualified.
        for who, code in (("S-GAOJUN", "sex_required"), ("S-WUQIANG", "skill_missing")):
            refused = post(coordinator, f"{here}/assign", {"responder_id": who}, status=409)
            assert code in {reason["code"] for reason in refused["reasons"]}
        post(coordinator, f"{here}/assign", {"responder_id": "S-MAFANG"})
        post(field["mafang"], f"{visit}/accept")
        assert post(coordinator, f"{here}/assign", {"responder_id": "S-LIUYAN"})["state"] == "assigned"
        third = post(coordinator, f"{here}/assign", {"responder_id": "S-MAFANG"}, status=409)
        assert third["detail"]
        post(field["liuyan"], f"{visit}/accept")
        for step, body in (("start", {}), ("check-in", {})):
            for name in ("mafang", "liuyan"):
                post(field[name], f"{visit}/{step}", body)
        assert get(coordinator, here)["state"] == "in_service"
        post(field["mafang"], f"{visit}/check-out", {"outcome": "完成"})
        assert get(coordinator, here)["state"] == "in_service", "one of the two is still there"
        post(field["liuyan"], f"{visit}/check-out", {"outcome": "完成"})
        done = get(coordinator, here)
        assert (done["state"], [one["state"] for one in done["visit"]["assignments"]]) == (
            "completed",
            ["completed", "completed"],
        )


def test_nobody_comes_whom_the_resident_refuses(hub: RunningHub) -> None:
    with hub.sign_in("coordinator") as coordinator:
        refuses = coordinator.patch("/api/v1/residents/R-0003", json={"never_responders": ["S-TANGBIN"]})
        assert refuses.status_code == 200, refuses.text
        made = order(coordinator, "meal_delivery", "R-0003", 2)
        refused = post(coordinator, f"/orders/{made['id']}/assign", {"responder_id": "S-TANGBIN"}, status=409)
        assert [reason["code"] for reason in refused["reasons"] if reason["code"] == "never"] == ["never"]
        post(coordinator, f"/orders/{made['id']}/assign", {"responder_id": "S-HANXUE"})


def test_who_is_in_hospital_gets_no_order(hub: RunningHub) -> None:
    with hub.sign_in("coordinator") as coordinator:
        post(coordinator, "/residents/R-0001/status", {"status": "hospital", "reason": "髋部骨折"})
        body = {"kind": "meal_delivery", "resident_id": "R-0001", "wanted_from": wanted(1)}
        refused = post(coordinator, "/orders", body, status=409)
        assert "hospital" in refused["detail"]
        post(coordinator, "/residents/R-0001/status", {"status": "home"})
        assert post(coordinator, "/orders", body, status=201)["state"] == "requested"
