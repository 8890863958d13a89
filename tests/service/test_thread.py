"""The whole thread: a press becomes an incident, somebody goes, it is closed and supervised; the device hears of it."""

from __future__ import annotations

import json

import pytest

from hub.errors import BadRequestError, ConflictError, ForbiddenError
from hub.ports import SessionRow
from tests.service.conftest import World


def test_from_press_to_supervised_close(world: World) -> None:
    taken = world.press("W1", "sos", ref="a1")
    assert taken.outcome == "accepted"
    assert [json.loads(reply.payload) for reply in taken.replies] == [{"ref": "a1", "status": "received"}]
    incident = world.row("SELECT * FROM incidents")
    incident_id = str(incident["id"])
    assert (incident["state"], incident["type"], incident["priority"], incident["class"]) == (
        "open",
        "sos",
        "critical",
        "emergency",
    )
    assert (incident["subject"], incident["area_path"]) == ("resident:R1", ["C", "G3"])

    operator, supervisor = world.actors["zhoumin"], world.actors["fanglei"]
    world.services.handling.acknowledge(incident_id, operator)
    assert world.told("W1") == [("a1", "hold")]

    best = world.services.recommending.of_incident(incident_id).candidates
    assert [one.responder_id for one in best if one.eligible] == ["S1", "S2"]
    assert any(reason.weight < 0 for reason in next(one for one in best if one.responder_id == "S3").reasons)
    assignment = world.services.dispatching.assign(incident_id, "S1", operator)
    step = world.services.dispatching.step
    with pytest.raises(ForbiddenError):
        step(assignment, "accept", world.actors["helin"])
    for action in ("accept", "en-route", "on-scene"):
        step(assignment, action, world.actors["sunwei"])  # type: ignore[arg-type]
    assert world.row("SELECT state, on_scene FROM incidents") == {"state": "in_progress", "on_scene": True}
    step(assignment, "complete", world.actors["sunwei"], outcome="helped up, no injury")
    world.services.handling.close(incident_id, operator, "genuine", "fell, helped up")
    assert world.told("W1")[-1] == ("a1", "handled")
    with pytest.raises(ForbiddenError):
        world.services.handling.supervise(incident_id, operator, "confirmed")
    world.services.handling.supervise(incident_id, supervisor, "confirmed")

    assert world.row("SELECT state, supervision FROM incidents") == {"state": "closed", "supervision": "done"}
    assert world.kinds(incident_id) == [
        "raised",
        "acknowledged",
        "offered",
        "accepted",
        "notified",  # the call-out that had not left yet is taken back
        "en_route",
        "on_scene",
        "completed",
        "resolved",
        "supervised",
        "closed",
        "noted",  # the return visit that was ordered
    ]
    assert world.rows("SELECT * FROM due") == []


def test_repeat_is_answered_and_not_raised_twice(world: World) -> None:
    world.press("W1", ref="a1", observed_at="2026-11-22T02:00:00Z")
    world.services.handling.acknowledge(str(world.row("SELECT id FROM incidents")["id"]), world.actors["zhoumin"])
    again = world.press("W1", ref="a1", observed_at="2026-11-22T02:00:00Z")
    assert again.outcome == "repeat"
    # The repeat hears what is true now.
    assert [json.loads(reply.payload)["status"] for reply in again.replies] == ["received", "hold"]
    assert world.row("SELECT count(*) AS n, sum(repeats) AS repeats FROM alarms") == {"n": 1, "repeats": 1}
    assert world.row("SELECT alarm_count FROM incidents")["alarm_count"] == 1


def test_second_press_is_counted_and_alerts_again(world: World) -> None:
    world.press("W1", ref="a1")
    incident_id = str(world.row("SELECT id FROM incidents")["id"])
    world.services.handling.acknowledge(incident_id, world.actors["zhoumin"])
    world.now = world.now.replace(minute=1)
    taken = world.press("W1", ref="a2")
    assert [json.loads(reply.payload)["status"] for reply in taken.replies] == ["received", "hold"]
    assert world.row("SELECT alarm_count FROM incidents")["alarm_count"] == 2
    assert "realerted" in world.kinds(incident_id)
    # The plan begins again: the nearest qualified are asked.
    assert {row["responder_id"] for row in world.rows("SELECT responder_id FROM assignments")} == {"S1", "S2"}


def test_two_presses_in_one_batch_are_one_incident(world: World) -> None:
    body = [{"ref": f"b{number}", "type": "sos", "observed_at": f"2026-11-22T02:00:0{number}Z"} for number in range(3)]
    taken = world.uplink("care/v1/W1/up/alarm", json.dumps(body).encode(), "W1")
    assert taken.alarms == 3
    assert world.row("SELECT alarm_count, state FROM incidents") == {"alarm_count": 3, "state": "open"}
    assert world.row("SELECT count(*) AS n FROM alarms")["n"] == 3


def test_nobody_claims(world: World) -> None:
    """Re-alert at 10 s, the plan goes on by itself at 30 s, a supervisor at 60 s; somebody accepts: silence."""
    with world.database.begin() as tx:  # a seat is taken, or it would escalate at once
        user = tx.users.by_name("zhoumin")
        assert user is not None
        tx.users.open_session(
            SessionRow(b"1" * 32, user.id, "console", world.now, world.now, world.now.replace(hour=14), on_duty=True)
        )
    world.press("W1", ref="a1")
    incident_id = str(world.row("SELECT id FROM incidents")["id"])
    world.wait(9)
    assert world.kinds(incident_id) == ["raised"]
    world.wait(2)
    assert world.kinds(incident_id) == ["raised", "realerted"]
    world.wait(20)
    assert world.kinds(incident_id)[2:] == ["escalated", "tier_called", "offered", "offered"]
    offers = world.rows("SELECT id, responder_id FROM assignments ORDER BY responder_id")
    assert [row["responder_id"] for row in offers] == ["S1", "S2"]
    world.services.dispatching.step(str(offers[0]["id"]), "accept", world.actors["sunwei"])
    states = {row["responder_id"]: row for row in world.rows("SELECT responder_id, state, reason FROM assignments")}
    assert states["S2"]["state"] == "stood_down"
    assert "孙伟" in states["S2"]["reason"]
    before = world.kinds(incident_id)
    world.wait(200)
    assert world.kinds(incident_id) == before


def test_one_bad_step_does_not_hold_up_the_others(world: World) -> None:
    """Nothing is forgotten: neither what stands behind a step that fails, nor that step."""
    world.press("W1")
    bad = world.row("SELECT id FROM incidents")["id"]
    world.rows(  # nothing of ours writes this
        "WITH spoilt AS (INSERT INTO escalation_policies (digest, body) VALUES ('spoilt', '{}') RETURNING digest)"
        " UPDATE incidents SET policy = (SELECT digest FROM spoilt) RETURNING id"
    )
    world.press("W2")
    good = world.row("SELECT id FROM incidents WHERE id <> %s", bad)["id"]
    with pytest.raises(BadRequestError, match="policy"):
        world.services.escalating.run_due()
    assert world.kinds(good) == ["raised"]
    ((row, error),) = world.services.escalating.run_singly()
    assert row.subject_id == str(bad)
    assert isinstance(error, BadRequestError)
    assert world.kinds(good)[:2] == ["raised", "escalated"]
    kept = world.row("SELECT due_at FROM due WHERE subject_id = %s AND step = %s", bad, row.step)
    assert (kept["due_at"] - world.now).total_seconds() == 60


def test_nobody_signed_in_escalates_at_once(world: World) -> None:
    world.press("W1", ref="a1")
    world.wait(0.001)
    assert world.kinds(world.row("SELECT id FROM incidents")["id"])[:2] == ["raised", "escalated"]


def test_lost_race_says_who_was_first(world: World) -> None:
    world.press("W1")
    incident_id = str(world.row("SELECT id FROM incidents")["id"])
    world.services.handling.acknowledge(incident_id, world.actors["zhoumin"])
    with pytest.raises(ConflictError) as refused:
        world.services.handling.acknowledge(incident_id, world.actors["liqiang"])
    assert refused.value.extra["by"] == {"id": world.actors["zhoumin"].user_id, "name": "zhoumin"}
    assert refused.value.extra["at"]


def test_untouched_claim_returns_to_the_queue(world: World) -> None:
    world.press("W1")
    incident_id = str(world.row("SELECT id FROM incidents")["id"])
    world.services.handling.acknowledge(incident_id, world.actors["zhoumin"])
    world.wait(119)
    assert world.row("SELECT state FROM incidents")["state"] == "acknowledged"
    world.wait(2)
    assert world.row("SELECT state, acknowledged_by FROM incidents") == {"state": "open", "acknowledged_by": None}
    assert "lease_expired" in world.kinds(incident_id)


def test_technical_alarms_stay_out_of_the_queue(world: World) -> None:
    world.press("W1", "low_battery")
    world.press("W1", "sos")
    classes = {row["class"] for row in world.rows("SELECT class FROM incidents")}
    assert classes == {"technical", "emergency"}


def test_resident_in_hospital_raises_nothing(world: World) -> None:
    world.services.care.set_resident_status("R1", "hospital", "hip", world.actors["zhoumin"])
    taken = world.press("W1", "sos", ref="h1")
    assert [json.loads(reply.payload)["status"] for reply in taken.replies] == ["received"]
    assert world.rows("SELECT * FROM incidents") == []
    assert world.row("SELECT incident_id, type FROM alarms") == {"incident_id": None, "type": "sos"}


def test_unknown_device_is_not_silenced(world: World) -> None:
    taken = world.press("NEW-7", "sos")
    assert taken.outcome == "accepted"
    assert world.row("SELECT subject FROM incidents")["subject"] == "device:NEW-7"
    assert world.row("SELECT adopted FROM devices WHERE id = 'NEW-7'")["adopted"] is False


def test_cancel_is_shown_and_never_closes(world: World) -> None:
    world.press("W1", "sos", ref="c1")
    incident = world.row("SELECT id FROM incidents")
    world.press("W1", "cancel", ref="c2", cancels="c1")
    assert world.kinds(incident["id"])[-1] == "cancel_seen"
    assert world.row("SELECT state, alarm_count FROM incidents") == {"state": "open", "alarm_count": 1}


def test_unreadable_body_is_kept_and_answered(world: World) -> None:
    taken = world.uplink("care/v1/W1/up/alarm", b"{nonsense", "W1")
    assert taken.outcome == "rejected"
    assert json.loads(taken.replies[0].payload)["status"] == "rejected"
    assert bytes(world.row("SELECT payload FROM uplinks")["payload"]) == b"{nonsense"


def test_watch_frame_becomes_an_incident(world: World) -> None:
    content = b"AL_LTE,310120,184251,V,0.0,N,0.0,E,22.0,0,-1,0,100,11,0,0,00010001,1,1,334,020,1,2,100,0,5"
    frame = b"[3G*9900000072*%04X*%s]" % (len(content), content)
    taken = world.uplink("", frame, "9900000072", family="watch")
    assert [reply.payload for reply in taken.replies] == [b"[3G*9900000072*0002*AL]"]
    incident = world.row("SELECT type, fix, resident_id FROM incidents WHERE class = 'emergency'")
    assert incident == {"type": "sos", "fix": None, "resident_id": "R1"}
    assert world.row("SELECT battery_pct FROM alarms WHERE type = 'sos'")["battery_pct"] == 11


def test_vitals_become_observations_once(world: World) -> None:
    body = json.dumps({"observed_at": "2026-11-22T01:59:00Z", "heart_rate_bpm": 71, "spo2_pct": 97}).encode()
    for _ in range(2):
        world.uplink("care/v1/W1/up/vitals", body, "W1", lane="telemetry")
    found = {row["metric"]: row for row in world.rows("SELECT * FROM observations")}
    assert {name: row["value"] for name, row in found.items()} == {"heart_rate_bpm": 71, "spo2_pct": 97}
    assert found["spo2_pct"]["resident_id"] == "R1"
    assert [row["outcome"] for row in world.rows("SELECT outcome FROM uplinks ORDER BY outcome")] == [
        "accepted",
        "repeat",
    ]


def test_an_id_borrowed_by_another_family_is_nobodys(world: World) -> None:
    """A frame on the watch port that claims the id of a care/v1 device: raised and shown, but not as the resident's."""
    frame = b"[3G*W2*0066*AL_LTE,310120,184251,V,0.0,N,0.0,E,22.0,0,-1,0,100,11,0,0,00010000,1,1,334,020,1,2,100,0,5]"
    world.uplink("", frame, "W2", family="watch")
    assert world.row("SELECT subject, resident_id FROM incidents") == {"subject": "device:W2", "resident_id": None}
    assert world.row("SELECT attributes FROM alarms")["attributes"]["adopted"] is False


def test_an_older_word_never_follows_a_newer_one(world: World) -> None:
    """`hold` that could not be delivered is given up when `handled` is due: the watch must not promise help again."""
    world.press("W1", ref="o1")
    incident_id = str(world.row("SELECT id FROM incidents")["id"])
    world.services.handling.acknowledge(incident_id, world.actors["zhoumin"])
    world.services.handling.close(incident_id, world.actors["zhoumin"], "false", "pressed by mistake")
    waiting = world.rows("SELECT body, error FROM outbox WHERE channel = 'device' AND target = 'W1' ORDER BY id")
    assert [(row["body"]["status"], row["error"]) for row in waiting] == [("hold", "superseded"), ("handled", None)]
