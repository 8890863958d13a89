from __future__ import annotations

import pytest

from devices import topics


@pytest.mark.parametrize("device_id", ["w-1", "A_b.c:d-9", "x" * 64, "hub", "hubert"])
def test_good_ids_make_the_round_trip(device_id: str) -> None:
    for channel in topics.UP_CHANNELS:
        assert topics.parse_up(topics.up_topic(device_id, channel)) == (device_id, channel)
    assert topics.down_topic(device_id, "ack") == f"care/v1/{device_id}/down/ack"


@pytest.mark.parametrize("device_id", ["", "x" * 65, "a/b", "a+b", "#", "hub-1", "hub-", "王", "a b", "a\n"])
def test_bad_ids_are_refused(device_id: str) -> None:
    assert not topics.is_device_id(device_id)
    assert topics.parse_up(f"care/v1/{device_id}/up/alarm") is None
    with pytest.raises(ValueError, match="not a device id"):
        topics.down_topic(device_id, "ack")


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "care/v1/w-1/up",
        "care/v1/w-1/down/ack",
        "care/v2/w-1/up/alarm",
        "/care/v1/w-1/up/alarm",
        "care/v1/w-1/up/alarm/x",
    ],
)
def test_foreign_topics_are_not_ours(topic: str) -> None:
    assert topics.parse_up(topic) is None


def test_the_lanes_cover_every_channel_once() -> None:
    assert topics.ALARM_FILTER == "care/v1/+/up/alarm"
    assert sorted([topics.ALARM_FILTER, *topics.TELEMETRY_FILTERS]) == sorted(
        f"care/v1/+/up/{channel}" for channel in topics.UP_CHANNELS
    )
    assert topics.shared("hub-telemetry", topics.TELEMETRY_FILTERS[0]) == "$share/hub-telemetry/care/v1/+/up/vitals"
