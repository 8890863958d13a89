from __future__ import annotations

from typing import Any

import pytest

from devices.codecs.watch_commands import WATCH_COMMANDS, watch_command, watch_content
from tests.devices.captures import needs, rows
from tests.devices.examples import watch

_COMMANDS = "captures/watch_commands.jsonl"


@needs(_COMMANDS)
@pytest.mark.parametrize("row", rows(_COMMANDS), ids=lambda row: str(row["intent"]))
def test_published_commands_are_built_byte_for_byte(row: dict[str, str]) -> None:
    vendor, device_id, _, content = row["frame"].strip("[]").split("*", 3)
    assert watch_command(vendor, device_id, content).decode().lower() == row["frame"].lower()


@pytest.mark.parametrize(
    ("command", "params", "content"),
    [
        ("locate", {}, "CR"),
        ("find", {}, "FIND"),
        ("reboot", {}, "RESET"),
        ("measure", {}, "hrtstart,1"),
        ("measure", {"metric": "temperature_c"}, "bodytemp2"),
        ("measure_interval", {"seconds": 300}, "HEALTHAUTOSET,1,1,300"),
        ("speak", {"text": "text"}, "MESSAGE,0074006500780074"),
        ("speak", {"text": "吃药"}, "MESSAGE,5403836f"),
        ("call", {"number": "13900000000"}, "CALL,13900000000"),
        ("set_interval", {"seconds": 600}, "UPLOAD,600"),
        ("set_sos_number", {"number": "123456789"}, "SOS1,123456789"),
        ("fall_alarm", {"call": True}, "FALLDOWN,1,1"),
        ("fall_sensitivity", {"level": 5}, "LSSET,5+8"),
        ("take_off_alarm", {}, "REMOVE,1"),
        ("low_battery_sms", {"on": False}, "LOWBAT,0"),
    ],
)
def test_canonical_commands(command: str, params: dict[str, Any], content: str) -> None:
    assert watch_content(command, params) == content
    # What a watch echoes back to it is known, and never answered.
    decoded = watch(watch_command("3G", "5550001234", content))
    assert [event.kind for event in decoded.events] == ["reply"]
    assert decoded.replies == ()


@pytest.mark.parametrize(
    ("command", "params"),
    [
        ("listen_in", {}),
        ("speak", {}),
        ("speak", {"text": " "}),
        ("speak", {"text": "x" * 201}),
        ("call", {}),
        ("call", {"number": "1][3G*5550001234*0005*RESET"}),
        ("call", {"number": 120}),
        ("set_interval", {"seconds": 1}),
        ("set_interval", {"seconds": "600"}),
        ("set_interval", {"seconds": True}),
        ("measure", {"metric": "weight"}),
        ("measure", {"metric": ["x"]}),
        ("fall_alarm", {"on": 1}),
        ("set_sos_number", {"slot": 4, "number": "123"}),
    ],
)
def test_what_a_watch_cannot_do_is_refused(command: str, params: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"knows no command|needed|characters|measures"):
        watch_content(command, params)


def test_every_command_is_covered_by_the_examples_above() -> None:
    (mark,) = (mark for mark in test_canonical_commands.pytestmark if mark.name == "parametrize")
    assert {example[0] for example in mark.args[1]} == set(WATCH_COMMANDS)


@pytest.mark.parametrize(
    ("vendor", "device_id", "content", "index"),
    [
        ("3GX", "5550001234", "CR", None),
        ("3G", "5550001234*", "CR", None),
        ("3G", "", "CR", None),
        ("3G", "5550001234", "CR][3G*5550001234*0005*RESET", None),
        ("3G", "5550001234", "", None),
        ("3G", "5550001234", "CR\r\n", None),
        ("ZJ", "5550001234", "CR", "7"),
    ],
)
def test_nothing_but_one_frame_is_ever_built(vendor: str, device_id: str, content: str, index: str | None) -> None:
    with pytest.raises(ValueError, match="watch"):
        watch_command(vendor, device_id, content, index)


def test_zj_frames_are_numbered() -> None:
    assert watch_command("ZJ", "555000123456789", "CR", "00a7") == b"[ZJ*555000123456789*00a7*0002*CR]"
    assert watch_command("ZJ", "555000123456789", "CR") == b"[ZJ*555000123456789*0001*0002*CR]"
