"""A lane on real brokers: commit, then acknowledge; nothing lost, whatever breaks."""

from __future__ import annotations

import pytest

from devices.model import Reply
from hub.bridge import BatchOptions
from tests.bridge.parts import Lane, MemoryIngest, broker_options, device, numbered, running_lane
from tests.fixtures.brokers import Broker, MosquittoBroker
from tests.waiting import wait_until


def test_everything_is_taken_once_and_acknowledged(broker: Broker) -> None:
    ingest = MemoryIngest()
    with running_lane(broker, ingest) as lane, device(broker) as watch:
        sent = numbered(500)
        watch.publish(sent)
        wait_until(lambda: len(ingest.rows) == len(sent), 20)
        lane.wait_acknowledged()
    assert [item.uplink.payload for item in ingest.order] == sent
    assert set(ingest.rows.values()) == {1}
    first = ingest.order[0]
    assert (first.device_id, first.family, first.lane, first.dup) == ("w-001", "care", "alarm", False)
    assert first.uplink.topic == "care/v1/w-001/up/alarm"
    assert lane.value("hub_bridge_received_total") == len(sent)
    assert lane.value("hub_bridge_settled_total", outcome="accepted") == len(sent)
    # What was acknowledged does not come again.
    again = MemoryIngest()
    with running_lane(broker, again), device(broker, "w-002") as other:
        other.publish([b"{}"])
        wait_until(lambda: again.order)
    assert [item.device_id for item in again.order] == ["w-002"]


def test_nothing_is_acknowledged_before_the_commit(broker: Broker) -> None:
    ingest = MemoryIngest()
    lane = Lane(broker, ingest)
    lane.start()
    lane.wait_connected()
    with device(broker) as watch:
        ingest.gate.clear()
        sent = numbered(10)
        watch.publish(sent)
        assert ingest.entered.acquire(timeout=10)
        wait_until(lambda: lane.client.state().unsettled == len(sent))
        # The hub dies here: the connection ends while the transaction is under way, and nothing was acknowledged.
        lane.batcher.request_stop()
        assert lane.client.stop(5)
        ingest.away = True
        ingest.gate.set()
        assert lane.batcher.stop(5)
    after = MemoryIngest()
    with running_lane(broker, after):
        wait_until(lambda: len(after.rows) == len(sent))
    assert after.payloads() == set(sent)


def test_replies_leave_after_the_commit_to_the_devices_own_topic(broker: Broker) -> None:
    ingest = MemoryIngest(replies=lambda item: (Reply(b"got " + item.uplink.payload, "care/v1/w-001/down/ack"),))
    with running_lane(broker, ingest), device(broker, listen=True) as watch:
        ingest.gate.clear()
        watch.publish([b"one"])
        assert ingest.entered.acquire(timeout=10)
        assert watch.told == []
        ingest.gate.set()
        wait_until(lambda: watch.told == [b"got one"])


def test_poison_is_quarantined_and_the_others_pass(broker: Broker) -> None:
    ingest = MemoryIngest(poison=b"bad", quarantine_away=1)
    with running_lane(broker, ingest) as lane, device(broker) as watch:
        ingest.gate.clear()
        watch.publish([b"a", b"b", b"bad", b"c", b"d"])
        wait_until(lambda: lane.client.state().unsettled == 5)
        ingest.gate.set()
        lane.wait_acknowledged()
        assert ingest.payloads() == {b"a", b"b", b"c", b"d"}
        assert [(item.uplink.payload, reason) for item, reason in ingest.quarantined] == [
            (b"bad", "ValueError: poison in the batch")
        ]
        assert lane.value("hub_bridge_settled_total", outcome="quarantined") == 1
        watch.publish([b"e"])
        wait_until(lambda: b"e" in ingest.payloads())
        lane.wait_acknowledged()
    again = MemoryIngest()
    with running_lane(broker, again), device(broker, "w-002") as other:
        other.publish([b"{}"])
        wait_until(lambda: again.order)
    assert len(again.order) == 1, "the poison was acknowledged: it does not come again"


def test_a_topic_that_names_no_device_is_quarantined(broker: Broker) -> None:
    if broker.user_per_connection:
        pytest.skip("a site broker does not let anybody write such a topic")
    ingest = MemoryIngest()
    with running_lane(broker, ingest) as lane, device(broker) as watch:
        watch._client.publish("care/v1/hub-x/up/alarm", b"forged", qos=1).wait_for_publish(10)
        watch.publish([b"real"])
        wait_until(lambda: b"real" in ingest.payloads() and ingest.quarantined)
        wait_until(lambda: lane.client.state().unsettled == 0)
    assert [reason for _, reason in ingest.quarantined] == ["the topic names no device"]
    assert ingest.payloads() == {b"real"}


def test_a_database_that_was_away_gets_everything_exactly_once(broker: Broker) -> None:
    ingest = MemoryIngest(away=True)
    with running_lane(broker, ingest) as lane, device(broker) as watch:
        sent = numbered(300)
        watch.publish(sent)
        wait_until(lambda: len(ingest.calls) > 3)
        assert lane.batcher.away_since() is not None
        assert not ingest.rows
        # It waits between the tries: a busy loop would have called hundreds of times by now.
        assert len(ingest.calls) < 100
        ingest.away = False
        wait_until(lambda: len(ingest.rows) == len(sent))
        wait_until(lambda: lane.client.state().unsettled == 0)
        assert lane.batcher.away_since() is None
    assert set(ingest.rows.values()) == {1}
    assert [item.uplink.payload for item in ingest.order] == sent


def test_a_slow_ingest_bounds_what_is_held_and_loses_nothing(broker: Broker) -> None:
    ingest = MemoryIngest()
    batch = BatchOptions(size=20, max_unsettled=50)
    with running_lane(broker, ingest, batch=batch) as lane, device(broker) as watch:
        ingest.gate.clear()
        sent = numbered(1200)
        watch.publish(sent)
        wait_until(lambda: lane.client.state().paused)
        assert lane.client.state().unsettled <= 50
        assert lane.batcher.depth() <= 50
        ingest.gate.set()
        wait_until(lambda: len(ingest.rows) == len(sent), 30)
    assert [item.uplink.payload for item in ingest.order] == sent
    assert lane.value("hub_bridge_paused_total") >= 1


def test_a_pause_longer_than_the_keepalive_keeps_the_connection(broker: Broker) -> None:
    ingest = MemoryIngest()
    batch = BatchOptions(size=20, max_unsettled=20)
    options = broker_options(broker, keepalive_s=1)
    with running_lane(broker, ingest, batch=batch, options=options) as lane, device(broker) as watch:
        ingest.gate.clear()
        sent = numbered(200)
        watch.publish(sent)
        wait_until(lambda: lane.client.state().paused)
        wait_until(lambda: lane.client.state().lag_s > 4)
        ingest.gate.set()
        wait_until(lambda: len(ingest.rows) == len(sent))
        assert lane.client.state().generation == 1
    assert set(ingest.rows.values()) == {1}


def test_a_stalled_transaction_over_a_reconnect(mosquitto_broker: MosquittoBroker) -> None:
    """The broker dies with a transaction under way and comes back knowing our session: everything counts once."""
    broker = mosquitto_broker
    ingest = MemoryIngest()
    batch = BatchOptions(size=100)
    with running_lane(broker, ingest, batch=batch) as lane, device(broker) as watch:
        ingest.gate.clear()
        sent = [b"keyless %d" % number for number in range(150)]
        watch.publish(sent)
        wait_until(lambda: lane.client.state().unsettled == len(sent))
        broker.restart()
        lane.wait_connected(2)
        ingest.gate.set()
        wait_until(lambda: len(ingest.presses) == len(sent), 20)
        wait_until(lambda: lane.client.state().unsettled == 0)
        wait_until(lambda: lane.value("hub_bridge_stale_acks_total") >= 1)
    # No press was hidden by DUP and none was raised twice, although none has a key.
    assert sorted(item.uplink.payload for item in ingest.presses) == sorted(sent)
    assert lane.value("hub_bridge_sessions_lost_total") == 0


def test_a_late_acknowledgement_never_takes_a_new_message(embedded_broker: Broker) -> None:
    """The broker dies and forgets everything; message ids begin anew. Old acks must not reach new messages."""
    broker = embedded_broker
    ingest = MemoryIngest()
    with running_lane(broker, ingest) as lane:
        with device(broker) as watch:
            ingest.gate.clear()
            watch.publish(numbered(10))
            wait_until(lambda: lane.client.state().unsettled == 10)
        broker.kill()
        broker.restart()
        lane.wait_connected(2)
        with device(broker) as watch:
            watch.publish(numbered(10, 100))
            wait_until(lambda: lane.client.state().unsettled == 20)
            # The old ten commit now; the new ten have the same message ids and are not committed.
            ingest.away = False
            stale = lane.value("hub_bridge_stale_acks_total")
            ingest.poison = b"10"  # the batch of the new ten fails, one by one, and so is not acknowledged yet
            ingest.quarantine_away = 10**9
            ingest.gate.set()
            wait_until(lambda: lane.value("hub_bridge_stale_acks_total") >= stale + 10)
        assert lane.batcher.stop(5)
        assert lane.client.stop(5)
    assert lane.value("hub_bridge_sessions_lost_total") == 1
    assert ingest.payloads() == set(numbered(10)), "the old ten were the only copies: they were kept and committed"
    after = MemoryIngest()
    with running_lane(broker, after):
        wait_until(lambda: len(after.rows) == 10)
    assert after.payloads() == set(numbered(10, 100))


def test_what_was_sent_while_the_hub_was_away_arrives(broker: Broker) -> None:
    first = MemoryIngest()
    with running_lane(broker, first):
        pass
    sent = numbered(500)
    with device(broker) as watch:
        watch.publish(sent)
    ingest = MemoryIngest()
    with running_lane(broker, ingest):
        wait_until(lambda: len(ingest.rows) == len(sent))
    assert set(ingest.rows.values()) == {1}


def test_a_full_session_and_a_slow_start_are_not_a_silent_broker(broker: Broker) -> None:
    """What waits in the session comes before the broker's word on the subscription, and is not read while too much is
    unsettled: a connection that is given up for that begins again at the same place, and again.
    """
    with running_lane(broker, MemoryIngest()):
        pass
    sent = numbered(60)
    with device(broker) as watch:
        watch.publish(sent)
    ingest = MemoryIngest()
    ingest.gate.clear()
    lane = Lane(
        broker,
        ingest,
        batch=BatchOptions(size=10, max_unsettled=20),
        options=broker_options(broker, ready_within_s=1.0),
    )
    lane.start()
    try:
        wait_until(lambda: lane.client.state().paused)
        wait_until(lambda: lane.client.state().lag_s > 4)
        assert lane.client.connected, "it receives: the session has its subscription"
        ingest.gate.set()
        wait_until(lambda: len(ingest.rows) == len(sent))
        assert lane.client.connected
        assert lane.client.state().generation == 1
    finally:
        ingest.gate.set()
        lane.stop()
    assert set(ingest.rows.values()) == {1}


def test_a_broker_that_restarts_is_found_again(broker: Broker) -> None:
    ingest = MemoryIngest()
    with running_lane(broker, ingest) as lane:
        with device(broker) as watch:
            watch.publish([b"before"])
            wait_until(lambda: b"before" in ingest.payloads())
        broker.kill()
        wait_until(lambda: not lane.client.connected)
        assert lane.client.state().error
        broker.restart()
        lane.wait_connected(2)
        with device(broker) as watch:
            watch.publish([b"after"])
            wait_until(lambda: b"after" in ingest.payloads())
        assert lane.client.state().error is None


def test_the_last_wills_are_known_at_the_start(broker: Broker) -> None:
    with device(broker) as watch:
        watch.publish([b'{"online": false}'], "status", retain=True)
    ingest = MemoryIngest()
    with running_lane(broker, ingest, kind="telemetry"):
        wait_until(lambda: ingest.order)
    assert ingest.order[0].uplink.retained
    assert ingest.order[0].uplink.topic.endswith("/up/status")


def test_messages_at_qos_0_are_taken_too(broker: Broker) -> None:
    ingest = MemoryIngest()
    with running_lane(broker, ingest) as lane, device(broker) as watch:
        watch.publish([b"x", b"y"], qos=0)
        wait_until(lambda: ingest.payloads() == {b"x", b"y"})
        wait_until(lambda: lane.client.state().unsettled == 0)


def test_a_big_message_arrives_whole(broker: Broker) -> None:
    ingest = MemoryIngest()
    with running_lane(broker, ingest) as lane, device(broker) as watch:
        big = bytes(range(256)) * 3000
        watch.publish([b"small", big, b"small again"])
        wait_until(lambda: len(ingest.order) == 3)
        wait_until(lambda: lane.client.state().unsettled == 0)
    assert [item.uplink.payload for item in ingest.order] == [b"small", big, b"small again"]


def test_a_wrong_password_is_said_plainly(mosquitto_broker: MosquittoBroker) -> None:
    options = broker_options(mosquitto_broker)
    wrong = type(options)(
        host=options.host, port=options.port, username="hub", password="wrong", user_per_connection=True
    )
    lane = Lane(mosquitto_broker, MemoryIngest(), options=wrong)
    lane.start()
    try:
        wait_until(lambda: "refused" in (lane.client.state().error or ""))
        assert "hub-alarm" in (lane.client.state().error or "")
        assert not lane.client.connected
    finally:
        lane.stop()


def test_stopping_is_quick_and_keeps_what_was_not_committed(broker: Broker) -> None:
    ingest = MemoryIngest(away=True)
    lane = Lane(broker, ingest)
    lane.start()
    lane.wait_connected()
    with device(broker) as watch:
        watch.publish(numbered(50))
        wait_until(lambda: ingest.calls)
    assert lane.batcher.stop(1)
    assert lane.client.stop(1)
    after = MemoryIngest()
    with running_lane(broker, after):
        wait_until(lambda: len(after.rows) == 50)
