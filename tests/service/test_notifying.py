"""Asking for somebody to be told, and taking it back: rows of the transaction that made it necessary or pointless."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.errors import BadRequestError
from hub.notices import Notice
from hub.service import notify, withdraw
from tests.service.conftest import World


def incident(world: World) -> str:
    world.press("W1")
    return str(world.row("SELECT id FROM incidents")["id"])


CALL = {"what": "紧急呼救", "place": "第3网格"}


def test_a_notice_is_a_row_and_goes_with_the_accept(world: World) -> None:
    incident_id = incident(world)
    with world.database.begin() as tx:
        first = notify(tx, Notice(incident_id, "responder:S1", "voice", "call_out", CALL), now=world.now)
        told = notify(
            tx,
            Notice(incident_id, "contact:C1", "sms", "resolved", {"what": "跌倒"}, until="sent"),
            now=world.now,
        )
    row = world.row("SELECT * FROM notices WHERE id = %s", first.id)
    assert (row["lane"], row["state"], row["next_channels"]) == ("alarm", "waiting", ["sms"])
    assert row["late_at"] == world.now + timedelta(seconds=45)
    with world.database.begin() as tx:
        assert withdraw(tx, incident_id, "孙伟 accepted first", now=world.now) == 1
    states = {str(row["id"]): row["state"] for row in world.rows("SELECT id, state FROM notices")}
    assert states == {first.id: "withdrawn", told.id: "waiting"}
    assert world.kinds(incident_id)[-1] == "notified"


def test_the_same_key_is_the_same_notice(world: World) -> None:
    with world.database.begin() as tx:
        asked = Notice(None, "user:u", "mail", "desk", {"text": "你好"}, "routine", until="sent", key="k1")
        first, second = notify(tx, asked, now=world.now), notify(tx, asked, now=world.now)
    assert (first.id, first.made, second.made) == (second.id, True, False)


@pytest.mark.parametrize(
    ("notice", "words"),
    [
        (Notice(None, "S1", "sms", "test", until="sent"), "kind:id"),
        (Notice(None, "responder:S1", "sms", "nothing", until="sent"), "no template"),
        (Notice(None, "responder:S1", "sms", "call_out", {"what": "x"}, until="sent"), "place is missing"),
        (Notice(None, "responder:S1", "sms", "test", {"text": "x"}, until="sent"), "there is no text"),
        (Notice(None, "responder:S1", "sms", "test"), "about no incident"),
    ],
)
def test_a_wrong_notice_is_refused(world: World, notice: Notice, words: str) -> None:
    with world.database.begin() as tx, pytest.raises(BadRequestError, match=words):
        notify(tx, notice, now=world.now)
