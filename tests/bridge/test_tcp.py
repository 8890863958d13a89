"""The watch gateway over real sockets: frames whole and in pieces, limits, conflicts, answers only after the commit."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from hub.bridge import TcpOptions
from hub.errors import SettingError, UnavailableError
from tests.bridge.tcp_parts import (
    ALARM,
    ID,
    LINK,
    OTHER,
    UPDATE,
    Gateway,
    frame,
    gateway,
    linked,
)
from tests.waiting import wait_until


def test_a_heartbeat_is_answered_at_once_whatever_the_database_does() -> None:
    with gateway() as hub, closing(hub.connect()) as watch:
        hub.telemetry.away = True
        linked(watch)
        linked(watch)
        assert hub.tcp.state().devices == 1


def test_an_alarm_is_answered_only_after_its_commit() -> None:
    with gateway() as hub, closing(hub.connect()) as watch:
        hub.alarms.gate.clear()
        watch.send(ALARM)
        assert hub.alarms.entered.acquire(timeout=10)
        assert watch.silent(), "an answer left before the commit"
        hub.alarms.gate.set()
        assert watch.read(len(frame("AL"))).lower() == frame("AL").lower()
    (taken,) = hub.alarms.order
    assert (taken.device_id, taken.family, taken.lane, taken.marks) == (ID, "watch", "tcp", ())
    assert taken.uplink.payload == ALARM
    assert taken.uplink.topic == ""


def test_an_alarm_that_cannot_be_committed_is_not_answered() -> None:
    with gateway() as hub, closing(hub.connect()) as watch:
        hub.alarms.away = True
        watch.send(ALARM)
        wait_until(lambda: len(hub.alarms.calls) > 3)
        assert watch.silent()
        hub.alarms.away = False
        assert watch.read(len(frame("AL"))).lower() == frame("AL").lower()


def test_alarms_and_telemetry_go_their_own_lines() -> None:
    with gateway() as hub, closing(hub.connect()) as watch:
        watch.send(LINK + UPDATE + ALARM + UPDATE)
        wait_until(lambda: len(hub.alarms.order) == 1 and len(hub.telemetry.order) == 3)


@pytest.mark.parametrize("piece", [1, 2, 5, 17, 10_000])
def test_frames_come_out_whole_however_they_were_sent(piece: int) -> None:
    stream = LINK + b"\r\n" + UPDATE + ALARM + b"noise" + UPDATE
    with gateway() as hub, closing(hub.connect()) as watch:
        for start in range(0, len(stream), piece):
            watch.send(stream[start : start + piece])
        wait_until(lambda: len(hub.alarms.order) == 1 and len(hub.telemetry.order) == 3)
    assert [item.uplink.payload for item in hub.telemetry.order] == [LINK, UPDATE, UPDATE]
    assert hub.alarms.order[0].uplink.payload == ALARM


def test_garbage_closes_the_connection_and_is_counted() -> None:
    with gateway(max_garbage=1000) as hub, closing(hub.connect()) as scanner:
        scanner.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
        assert scanner.ended()
        wait_until(lambda: hub.value("hub_bridge_tcp_closed_total", reason="garbage") == 1)
        assert hub.value("hub_bridge_tcp_garbage_bytes_total") > 1000
        with closing(hub.connect()) as watch:
            linked(watch)
    assert not hub.alarms.order


def test_a_frame_without_end_is_garbage() -> None:
    with gateway(max_garbage=100_000) as hub, closing(hub.connect()) as watch:
        linked(watch)
        watch.send(b"[3G*" + ID.encode() + b"*FFFF*" + b"x" * 300_000)
        assert watch.ended()
        wait_until(lambda: hub.value("hub_bridge_tcp_closed_total", reason="garbage") == 1)


def test_who_says_nothing_is_closed() -> None:
    with gateway(first_frame_s=0.2) as hub, closing(hub.connect()) as silent:
        assert silent.ended()
        wait_until(lambda: hub.value("hub_bridge_tcp_closed_total", reason="no frame") == 1)


def test_who_trickles_is_closed() -> None:
    """Slow loris: a byte now and then keeps no connection open."""
    with gateway(first_frame_s=0.4, frame_s=0.3) as hub, closing(hub.connect()) as slow:
        slow.sock.settimeout(0.02)

        def trickle() -> bool:
            try:
                slow.send(b"[3G*" if not sent else b"x")
                sent.append(1)
                return slow.sock.recv(1) == b""
            except TimeoutError:
                return False
            except ConnectionError:
                return True

        sent: list[int] = []
        wait_until(trickle, 5)
        wait_until(lambda: hub.tcp.state().connections == 0)
        assert hub.value("hub_bridge_tcp_closed_total", reason="ended") == 0


def test_who_was_idle_too_long_is_closed() -> None:
    with gateway(idle_s=0.3) as hub, closing(hub.connect()) as watch:
        linked(watch)
        assert watch.ended()
        wait_until(lambda: hub.value("hub_bridge_tcp_closed_total", reason="idle") == 1)


def test_an_alarm_with_a_lone_bracket_does_not_wait_for_the_next_frame() -> None:
    broken = ALARM[:-1].replace(b"*00", b"*0f", 1) + b",1,home[,aa-bb,-60]"
    with gateway(pause_s=0.2) as hub, closing(hub.connect()) as watch:
        watch.send(broken)
        wait_until(lambda: hub.alarms.order, 5)
    assert hub.alarms.order[0].device_id == ID


def test_a_flood_slows_down_itself_alone() -> None:
    with gateway(rate=20.0, burst=10) as hub, closing(hub.connect()) as flood, closing(hub.connect()) as watch:
        flood.send(LINK * 400)
        flood.send(frame("LK", OTHER))
        linked(watch, frame("LK", "8800000017"), "8800000017")
        watch.send(ALARM.replace(ID.encode(), b"8800000017"))
        wait_until(lambda: hub.alarms.order, 5)
        assert len(hub.telemetry.order) < 200


def test_reading_stops_while_too_many_alarms_wait() -> None:
    with gateway(max_pending=5, rate=1e6, burst=10**6) as hub, closing(hub.connect()) as watch:
        hub.alarms.gate.clear()
        count = 300
        for number in range(count):
            watch.send(ALARM.replace(b",134652,", b",%06d," % number))
        assert hub.alarms.entered.acquire(timeout=10)
        assert hub.lines[0].depth() <= 5
        hub.alarms.gate.set()
        wait_until(lambda: len(hub.alarms.order) == count, 20)
    stamps = [item.uplink.payload.split(b",")[2] for item in hub.alarms.order]
    assert stamps == [b"%06d" % number for number in range(count)]


def test_telemetry_that_waits_for_the_database_does_not_hold_up_an_alarm() -> None:
    with gateway(max_pending=5, patience_s=0.05) as hub, closing(hub.connect()) as watch:
        hub.telemetry.away = True
        watch.send(UPDATE * 20 + ALARM)
        wait_until(lambda: hub.alarms.order, 10)
        assert hub.value("hub_bridge_tcp_shed_total") >= 10
        assert hub.lines[1].depth() <= 5


def test_a_second_connection_is_shown_and_does_not_replace_the_first() -> None:
    with gateway() as hub, closing(hub.connect()) as first:
        linked(first)
        with closing(hub.connect()) as second:
            linked(second)
            assert hub.tcp.state().conflicts == (ID,)
            assert hub.value("hub_bridge_tcp_conflicts_total", kind="second_connection") == 1
            # Both are heard: which of the two is the real one nobody can know.
            second.send(ALARM)
            wait_until(lambda: hub.alarms.order)
            assert hub.alarms.order[0].marks == ("conflict",)
            assert hub.tcp.send(ID, lambda _: b"[down]")
            assert first.read(6) == b"[down]"
        wait_until(lambda: not hub.tcp.state().conflicts)


def test_the_downlink_moves_when_the_first_connection_is_dead() -> None:
    with gateway(takeover_s=0.2) as hub, closing(hub.connect()) as first, closing(hub.connect()) as second:
        linked(first)

        def heard_lately() -> bool:
            linked(second)
            assert hub.tcp.send(ID, lambda _: b"[down]")
            second.sock.settimeout(0.05)
            try:
                return second.read(6) == b"[down]"
            except TimeoutError:
                return False
            finally:
                second.sock.settimeout(10)

        wait_until(heard_lately, 5)
        assert hub.value("hub_bridge_tcp_conflicts_total", kind="takeover") == 1


def test_two_ids_on_one_connection_are_shown_and_taken() -> None:
    with gateway() as hub, closing(hub.connect()) as watch:
        linked(watch)
        watch.send(ALARM.replace(ID.encode(), OTHER.encode()))
        wait_until(lambda: hub.alarms.order)
    assert (hub.alarms.order[0].device_id, hub.alarms.order[0].marks) == (OTHER, ("conflict",))
    assert hub.value("hub_bridge_tcp_conflicts_total", kind="second_id") == 1


def test_an_unknown_watch_is_taken_by_default_and_refused_where_that_is_set() -> None:
    def only_one(device_id: str) -> bool:
        return device_id == ID

    with gateway() as hub, closing(hub.connect()) as stranger:
        stranger.send(ALARM.replace(ID.encode(), OTHER.encode()))
        wait_until(lambda: hub.alarms.order)
    with gateway(only_one, unknown="refuse") as hub:
        with closing(hub.connect()) as watch:
            linked(watch)
        with closing(hub.connect()) as stranger:
            stranger.send(ALARM.replace(ID.encode(), OTHER.encode()))
            assert stranger.ended()
        wait_until(lambda: hub.value("hub_bridge_tcp_closed_total", reason="unknown device") == 1)
    assert not hub.alarms.order


def test_a_database_that_is_away_turns_no_alarm_away() -> None:
    def away(_: str) -> bool:
        raise UnavailableError("the database is away")

    with gateway(away, unknown="refuse") as hub, closing(hub.connect()) as watch:
        watch.send(ALARM)
        wait_until(lambda: hub.alarms.order)


def test_a_reserved_id_is_no_device() -> None:
    with gateway(max_garbage=20) as hub, closing(hub.connect()) as forger:
        forger.send(frame("LK", "hub-alarm"))
        assert forger.ended()
    assert not hub.telemetry.order


def test_no_more_connections_than_allowed() -> None:
    with gateway(max_connections=1) as hub, closing(hub.connect()) as first:
        linked(first)
        with closing(hub.connect()) as second:
            assert second.ended()
        linked(first)
        assert hub.value("hub_bridge_tcp_closed_total", reason="full") == 1


def test_a_downlink_reaches_an_open_connection_only() -> None:
    with gateway() as hub:
        assert not hub.tcp.send(ID, lambda _: b"x")
        with closing(hub.connect()) as watch:
            linked(watch)
            assert hub.tcp.send(ID, lambda last: b"after " + last)
            assert watch.read(6 + len(LINK)) == b"after " + LINK
            with pytest.raises(ValueError, match="no such word"):
                hub.tcp.send(ID, _refuse)
        wait_until(lambda: not hub.tcp.connected(ID))
        assert not hub.tcp.send(ID, lambda _: b"x")


def _refuse(_: bytes) -> bytes:
    raise ValueError("no such word")


def test_a_port_that_is_taken_stops_the_start() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        taken = Gateway(TcpOptions(port=other.getsockname()[1]), None)
        with pytest.raises(SettingError, match="HUB_TCP__WATCH_PORT"):
            taken.tcp.start()


def test_stopping_closes_open_connections() -> None:
    with gateway() as hub:
        watch = hub.connect()
        linked(watch)
        assert hub.tcp.stop(2)
        assert watch.ended()
        watch.close()
        assert not hub.tcp.state().listening
        assert not hub.tcp.send(ID, lambda _: b"x")
