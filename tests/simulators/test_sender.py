"""A simulated device on a real broker: repeats until told, keeps what it cannot send, obeys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from iotcore import Broker

from simulators.ledger import read_ledger
from simulators.sender import AlarmSender
from simulators.wire import WireError
from tests.fixtures.brokers import Broker as SiteBroker
from tests.simulators.responder import EchoHub, free_port
from tests.waiting import wait_until

QUICK = (0.05, 0.15)


@pytest.fixture
def device(broker_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AlarmSender]:
    name = f"d-{request.node.name[:50].replace('[', '.').replace(']', '')}"
    with AlarmSender(broker_url, name, ledger=tmp_path / "ledger.jsonl", repeat_s=QUICK, retry_s=(0.05, 0.2)) as sender:
        yield sender


def test_an_alarm_is_repeated_unchanged_until_it_is_told(hub: EchoHub, device: AlarmSender, tmp_path: Path) -> None:
    hub.answer = lambda _device, _alarm, times: "received" if times >= 4 else None
    ref = device.press("sos")
    assert read_ledger(tmp_path / "ledger.jsonl")[0].told is None
    assert set(device.wait(ref)) == {"received"}
    sent = hub.alarms_of(device.device_id)
    assert len(sent) >= 4
    assert all(alarm == sent[0] for alarm in sent)
    assert device.open == []
    assert read_ledger(tmp_path / "ledger.jsonl")[0].told == "received"


def test_once_told_it_is_silent(hub: EchoHub, device: AlarmSender) -> None:
    first = device.press("sos")
    device.wait(first)
    sent = device.sends(first)
    # A second press that is repeated often shows that time for repeats has passed.
    hub.answer = lambda _device, _alarm, times: "received" if times >= 6 else None
    device.wait(device.press("fall"))
    assert device.sends(first) == sent


def test_repeats_carry_one_ref(hub: EchoHub, device: AlarmSender) -> None:
    hub.answer = lambda _device, _alarm, _times: None
    ref = device.press("sos")
    wait_until(lambda: device.sends(ref) >= 5, 10)
    hub.answer = lambda _device, _alarm, _times: "received"
    device.wait(ref)
    assert len({alarm["ref"] for alarm in hub.alarms_of(device.device_id)}) == 1


def test_every_answer_is_kept_in_order(hub: EchoHub, device: AlarmSender, tmp_path: Path) -> None:
    ref = device.press("sos")
    device.wait(ref)
    for status in ("hold", "handled", "received"):
        hub.tell(device.device_id, {"ref": ref, "status": status, "message": "我们马上联系您"})
    wait_until(lambda: device.answers(ref)[-2:] == ["handled", "received"])
    # A repeat that was under way may have had its own "received".
    assert [status for status, _ in groupby(device.answers(ref))] == ["received", "hold", "handled", "received"]
    assert read_ledger(tmp_path / "ledger.jsonl")[0].told == "handled"


def test_a_rejected_press_is_not_repeated(hub: EchoHub, device: AlarmSender) -> None:
    hub.answer = lambda _device, _alarm, _times: "rejected"
    ref = device.press("sos")
    assert set(device.wait(ref, "rejected")) == {"rejected"}
    assert device.open == []


def test_a_second_press_never_waits_for_the_first(hub: EchoHub, device: AlarmSender) -> None:
    hub.answer = lambda _device, alarm, _times: "received" if alarm["type"] == "fall" else None
    first, second = device.press("sos"), device.press("fall")
    assert first != second
    device.wait(second)
    assert device.open == [first]


def test_a_cancel_is_an_alarm_of_its_own(hub: EchoHub, device: AlarmSender) -> None:
    ref = device.press("sos")
    cancel = device.press("cancel", cancels=ref)
    device.wait(cancel)
    assert hub.alarms_of(device.device_id)[-1]["cancels"] == ref


def test_nothing_is_lost_while_the_network_is_away(hub: EchoHub, device: AlarmSender) -> None:
    device.cut()
    wait_until(lambda: not device.connected)
    ref = device.press("sos")
    assert device.sends(ref) == 0
    for beats in (70, 71, 72):
        assert not device.send("vitals", {"observed_at": "2026-11-22T07:20:00Z", "heart_rate_bpm": beats})
    device.restore()
    device.wait(ref)
    kept = wait_until(lambda: hub.of(device.device_id, "vitals"))
    assert [body["heart_rate_bpm"] for body in kept[0]] == [70, 71, 72]


def test_a_half_open_line_passes_nothing_until_it_is_restored(hub: EchoHub, device: AlarmSender) -> None:
    device.cut(half_open=True)
    ref = device.press("sos")
    # Another device's press goes round the same broker, so this one's would have been seen.
    with AlarmSender(f"mqtt://127.0.0.1:{hub.port}", "witness", repeat_s=QUICK) as witness:
        witness.wait(witness.press("sos"))
    assert hub.alarms_of(device.device_id) == []
    device.restore()
    device.wait(ref)
    assert hub.alarms_of(device.device_id)[0]["ref"] == ref


def test_its_last_will_and_its_return_are_heard(hub: EchoHub, device: AlarmSender) -> None:
    device.cut()
    wait_until(lambda: {"online": False} in hub.of(device.device_id, "status"))
    device.restore()
    wait_until(lambda: hub.of(device.device_id, "status")[-1]["online"] is True)


def test_a_dead_broker_loses_no_press(tmp_path: Path) -> None:
    port = free_port()
    with Broker(port=port, listen="127.0.0.1"):
        sender = AlarmSender(
            f"mqtt://127.0.0.1:{port}", "survivor", ledger=tmp_path / "l", repeat_s=QUICK, retry_s=(0.05, 0.2)
        )
        sender.__enter__()
    try:
        wait_until(lambda: not sender.connected)
        ref = sender.press("sos")
        with Broker(port=port, listen="127.0.0.1"), EchoHub(f"mqtt://127.0.0.1:{port}") as hub:
            assert "received" in sender.wait(ref, seconds=20)
            assert hub.alarms_of("survivor")[0]["ref"] == ref
    finally:
        sender.__exit__(None, None, None)


def test_commands_are_answered_once_done_and_twice_answered(hub: EchoHub, device: AlarmSender) -> None:
    for command in (
        {"id": "c-1", "command": "set_interval", "seconds": 300},
        {"id": "c-1", "command": "set_interval", "seconds": 300},
        {"id": "c-2", "command": "set_interval", "seconds": "soon"},
        {"id": "c-3", "command": "dance"},
    ):
        hub.tell(device.device_id, command, "command")
    replies = wait_until(lambda: len(found := hub.of(device.device_id, "reply")) == 4 and found)
    assert [(reply["id"], reply["status"]) for reply in replies] == [
        *(("c-1", "done"), ("c-1", "done"), ("c-2", "refused"), ("c-3", "unsupported")),
    ]
    assert sum(happening.what == "command" for happening in device.happenings) == 3


def test_a_body_the_hub_cannot_read_is_reported(hub: EchoHub, device: AlarmSender) -> None:
    assert hub.seen == []
    assert device.send_raw("alarm", b'{"ref": "a-19", "ty')
    wait_until(lambda: any("not JSON" in happening.text for happening in device.happenings))


def test_an_answer_that_cannot_be_read_does_no_harm(hub: EchoHub, device: AlarmSender) -> None:
    hub.tell(device.device_id, {"ref": 7, "status": "received"})
    wait_until(lambda: any("ack.ref" in happening.text for happening in device.happenings))
    device.wait(device.press("sos"))


def test_a_type_the_device_does_not_have_is_refused(device: AlarmSender) -> None:
    with pytest.raises(WireError, match="raises no 'moo'"):
        device.press("moo")


def test_without_a_broker_the_error_says_where() -> None:
    port = free_port()
    with pytest.raises(TimeoutError, match=f"127.0.0.1:{port}"):
        AlarmSender(f"mqtt://127.0.0.1:{port}", "nobody", connect_s=0.5).__enter__()


def test_the_ledger_line_is_written_before_the_message_leaves(
    hub: EchoHub, device: AlarmSender, tmp_path: Path
) -> None:
    path = tmp_path / "ledger.jsonl"
    written: list[bool] = []

    def answer(_device: str, alarm: dict[str, object], _times: int) -> str:
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        written.append(any(row["ref"] == alarm["ref"] for row in rows))
        return "received"

    hub.answer = answer
    for _ in range(20):
        device.wait(device.press("sos"))
    assert len(written) >= 20
    assert all(written)


@pytest.mark.mosquitto
def test_a_site_broker_wants_the_devices_own_credential(mosquitto_broker: SiteBroker) -> None:
    url = urlsplit(mosquitto_broker.device_url("site-watch"))
    where = f"mqtt://{url.hostname}:{url.port}"
    with AlarmSender(where, "site-watch", password=unquote(url.password or "")) as sender:
        assert sender.connected
    with pytest.raises(TimeoutError, match="refused site-watch"):
        AlarmSender(where, "site-watch", password="wrong", connect_s=1.5).__enter__()
