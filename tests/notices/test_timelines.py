"""Timelines of notices with virtual time: who is told when, by what, and who is not told any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.errors import UnavailableError
from hub.notices import Notice
from hub.notices.pacing import RateRule
from hub.ports import Message, SendFailedError
from hub.service import withdraw
from tests.notices.night import Night


def service(text: str, to: str = "group:night", **fields: object) -> Notice:
    channel = "chat" if to.startswith("group") else "sms"
    return Notice(None, to, channel, "service", {"text": text}, "routine", until="sent", **fields)  # type: ignore[arg-type]


def test_an_alarm_does_not_wait_behind_meal_notices(night: Night) -> None:
    """Ten minutes' worth of meal notices are waiting at a robot of 20 a minute; the alarm leaves in the same second."""
    night.outlets["chat"].rate = RateRule(20, timedelta(seconds=60), reserved=5)
    for number in range(400):
        night.ask(service(f"第{number}份午餐未领取，" + "请送餐员核对地址并联系家属。" * 20))
    night.turn()
    meals = len(night.outlets["chat"].sent)
    assert meals == 15
    offer = night.offered()[0]
    night.call_out(offer, "chat", then=("sms",))
    incident_id = offer["incident_id"]
    night.ask(Notice(str(incident_id), "group:night", "chat", "desk", {"text": "SOS"}, until="closed"))
    asked_at = night.now
    night.turn()
    left = [at for at, message in night.outlets["chat"].sent if message.lane == "alarm"]
    assert left == [asked_at]
    # S1 is no chat group: the next channel takes over in the next turn.
    night.turn()
    assert [message.address for message in night.told_by("sms")] == ["13800000001"]
    night.sleep(300, step=5)
    times = sorted(at for at, _ in night.outlets["chat"].sent)
    for start in times:
        assert sum(start <= at < start + timedelta(seconds=60) for at in times) <= 20


def test_routine_messages_for_one_group_go_together(night: Night) -> None:
    night.outlets["chat"].rate = RateRule(20, timedelta(seconds=60), reserved=5)
    for number in range(60):
        night.ask(service(f"第{number}份午餐未领取"))
    night.sleep(5)
    texts = [message.full for message in night.told_by("chat")]
    assert len(texts) <= 3
    assert sum(text.count("午餐未领取") for text in texts) == 60
    assert night.row("SELECT count(*) AS n FROM notices WHERE state = 'sent'")["n"] == 60


def test_quiet_hours_hold_routine_notices_and_no_alarm(night: Night) -> None:
    night.now = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)  # 23:00 in Shanghai
    meal = night.ask(service("明日午餐 11:30", "responder:S1"))
    offer = night.offered()[0]
    night.call_out(offer, "sms")
    night.turn()
    assert [message.template for message in night.told_by("sms")] == ["call_out"]
    assert night.row("SELECT due_at FROM notices WHERE id = %s", meal)["due_at"] == datetime(
        2026, 11, 22, 23, 0, tzinfo=UTC
    )
    night.now = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)
    night.turn()
    assert [message.template for message in night.told_by("sms")][-1] == "service"


def test_the_first_to_accept_has_it_and_nobody_is_notified_after_that(night: Night) -> None:
    first, second = night.offered()
    night.call_out(first, "sms")
    later = night.call_out(second, "sms", due_at=night.now + timedelta(seconds=30))
    night.turn()
    night.services.dispatching.step(str(first["id"]), "accept", night.actors["sunwei"])
    night.sleep(120)
    assert [message.address for message in night.told_by("sms")] == ["13800000001"]
    assert night.state(later) == "withdrawn"
    assert night.tries(first["incident_id"])[-1] == ("sms", "withdrawn")


def test_withdrawal_is_part_of_the_transaction_that_accepts(night: Night) -> None:
    offer = night.offered()[0]
    notice = night.call_out(offer, "sms")

    def falls_over() -> None:
        with night.database.begin() as tx:
            assert withdraw(tx, str(offer["incident_id"]), "accepted", now=night.now) == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        falls_over()
    assert night.state(notice) == "waiting"
    with night.database.begin() as tx:
        withdraw(tx, str(offer["incident_id"]), "accepted", now=night.now, keep=[str(offer["id"])])
    assert night.state(notice) == "waiting"


def test_a_claim_waits_while_somebody_decides(night: Night) -> None:
    """Whoever holds the incident may be accepting it: the notice is put off, and withdrawn once that is known."""
    offer = night.offered()[0]
    notice = night.call_out(offer, "sms")
    with night.database.begin() as tx:
        tx.incidents.get(str(offer["incident_id"]), lock=True)
        night.turn()
        assert night.told_by("sms") == []
    night.services.dispatching.step(str(offer["id"]), "accept", night.actors["sunwei"])
    night.sleep(5)
    assert (night.state(notice), night.told_by("sms")) == ("withdrawn", [])


def test_a_closed_incident_calls_nobody(night: Night) -> None:
    offer = night.offered()[0]
    notice = night.call_out(offer, "sms", due_at=night.now + timedelta(seconds=10))
    night.services.handling.close(str(offer["incident_id"]), night.actors["zhoumin"], "false", "pressed by mistake")
    night.sleep(60)
    assert (night.state(notice), night.told_by("sms")) == ("withdrawn", [])


def test_it_is_tried_again_and_then_goes_by_the_next_channel(night: Night) -> None:
    offer = night.offered()[0]
    night.outlets["sms"].trouble = [SendFailedError("busy"), SendFailedError("no such number", final=True)]
    night.call_out(offer, "sms", then=("voice",))
    night.sleep(10)
    assert night.told_by("sms") == []
    assert [message.address for message in night.told_by("voice")] == ["13800000001"]
    incident_id = offer["incident_id"]
    assert night.tries(incident_id)[:3] == [("sms", "failed"), ("sms", "failed"), ("voice", "sent")]
    assert "escalated" not in night.kinds(incident_id)


def test_what_does_not_leave_in_time_goes_by_the_next_channel_and_the_desk_is_told(night: Night) -> None:
    offer = night.offered()[0]
    night.outlets["sms"].trouble = [SendFailedError("away")] * 50
    night.call_out(offer, "sms", then=("voice",), late_after=timedelta(seconds=8))
    night.sleep(7)
    assert night.told_by("voice") == []
    night.sleep(3)
    assert len(night.told_by("voice")) == 1
    assert "escalated" in night.kinds(offer["incident_id"])
    assert ("sms", "late") in night.tries(offer["incident_id"])


def test_a_call_nobody_answers_is_followed_by_a_message(night: Night) -> None:
    offer = night.offered()[0]
    notice = night.call_out(offer, "voice")
    night.turn()
    night.outlets["voice"].outcomes[f"ref-{notice}"] = "no_answer"
    night.sleep(3)
    assert len(night.told_by("sms")) == 1
    call = night.row("SELECT number, direction, outcome, incident_id, party FROM calls")
    assert call == {
        "number": "13800000001",
        "direction": "out",
        "outcome": "no_answer",
        "incident_id": offer["incident_id"],
        "party": "responder:S1",
    }


def test_a_call_of_which_nothing_is_heard_is_late(night: Night) -> None:
    offer = night.offered()[0]
    night.call_out(offer, "voice")
    night.sleep(44)
    assert night.told_by("sms") == []
    night.sleep(3)
    assert len(night.told_by("sms")) == 1


def test_a_phone_that_rings_in_vain_is_hung_up(night: Night) -> None:
    first, second = night.offered()
    night.call_out(first, "voice")
    ringing = night.call_out(second, "voice")
    night.turn()
    night.services.dispatching.step(str(first["id"]), "accept", night.actors["sunwei"])
    with night.database.begin() as tx:
        withdraw(tx, str(first["incident_id"]), "孙伟 accepted first", now=night.now)
    night.sleep(2)
    assert f"ref-{ringing}" in night.outlets["voice"].hung_up


def test_a_crash_between_sending_and_marking_sends_it_again_under_the_same_key(night: Night) -> None:
    offer = night.offered()[0]
    notice = night.call_out(offer, "sms", late_after=timedelta(seconds=300))
    parcels = night.services.sending.claim("alarm", "sms", 5)
    night.outlets["sms"].send(parcels[0].message)  # ... and the process dies here
    night.sleep(29)
    assert len(night.told_by("sms")) == 1
    night.sleep(5)
    assert [message.key for message in night.told_by("sms")] == [notice, notice]
    tries = night.rows("SELECT number, result FROM notice_tries ORDER BY number")
    assert tries == [{"number": 1, "result": "unknown"}, {"number": 2, "result": "sent"}]


def test_the_database_goes_away_while_it_is_sent(night: Night) -> None:
    offer = night.offered()[0]
    notice = night.call_out(offer, "sms", late_after=timedelta(seconds=300))

    def away(_message: Message) -> None:
        raise UnavailableError("away")

    night.outlets["sms"].during = away
    night.turn()
    night.outlets["sms"].during = lambda _message: None
    night.sleep(40)
    assert night.state(notice) == "sent"


def test_what_was_taken_back_while_it_left_stays_withdrawn(night: Night) -> None:
    offer = night.offered()[0]
    notice = night.call_out(offer, "sms")

    def accepts(_message: Message) -> None:
        night.services.dispatching.step(str(offer["id"]), "accept", night.actors["sunwei"])
        with night.database.begin() as tx:
            withdraw(tx, str(offer["incident_id"]), "accepted", now=night.now)

    night.outlets["sms"].during = accepts
    night.turn()
    assert night.state(notice) == "withdrawn"
    assert night.tries(offer["incident_id"])[-1] == ("sms", "sent_too_late")


def test_what_cannot_be_sent_in_time_expires_and_the_desk_is_told(night: Night) -> None:
    offer = night.offered()[0]
    night.outlets["push"].trouble = [SendFailedError("away")] * 50
    expires = night.now + timedelta(seconds=5)
    notice = night.ask(
        Notice(str(offer["incident_id"]), "number:13900000000", "sms", "desk", {"text": "x"}, expires_at=expires)
    )
    night.outlets["sms"].trouble = [SendFailedError("away", after_s=3.0)] * 9
    night.sleep(10)
    assert night.state(notice) in ("failed", "expired")
    assert "escalated" in night.kinds(offer["incident_id"])


def test_a_channel_that_is_not_set_up_is_passed_over(night: Night) -> None:
    offer = night.offered()[0]
    del night.outlets["push"]
    night.call_out(offer, "push")
    night.turn()
    night.turn()
    assert [message.address for message in night.told_by("voice")] == ["13800000001"]


def test_two_senders_send_each_once(night: Night) -> None:
    for number in range(20):
        night.ask(service(f"{number}", "responder:S1", key=f"k{number}"))
    with night.database.begin() as tx:
        taken = tx.notices.ripe("routine", "sms", night.now, 5)
        assert len(taken) == 5
        night.turn(limit=50)
        assert len(night.told_by("sms")) == 15
    night.turn(limit=50)
    assert len({message.short for message in night.told_by("sms")}) == len(night.told_by("sms")) == 20
