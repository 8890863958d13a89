"""docs/howto/add-a-device.md, followed literally, gives a working codec: its code runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import Codec, DeviceRef, Uplink
from tests.devices.examples import NOW

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "add-a-device.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def codec() -> Codec:
    source = next(block for block in BLOCKS if "class DoorbellCodec" in block)
    module = ModuleType("doorbell")
    exec(compile(source, "docs/howto/add-a-device.md", "exec", dont_inherit=True), module.__dict__)
    found: Codec = module.DoorbellCodec()
    return found


def said(codec: Codec, body: bytes, topic: str = "doorbell/d-1/ring", **more: Any) -> list[tuple[str, str | None]]:
    decoded = codec.decode(Uplink(body, NOW, topic, **more), DeviceRef(""))
    return [(event.kind, event.type) for event in decoded.events]


def test_the_example_of_the_page_decodes(codec: Codec) -> None:
    (example,) = re.findall(r"Uplink\(b'(\{.*?\})', NOW, \"(.*?)\"\)", PAGE)
    decoded = codec.decode(Uplink(example[0].encode(), NOW, example[1]), DeviceRef(""))
    (event,) = decoded.events
    assert (event.device_id, event.type, event.battery_pct) == ("d-1", "sos", 80)
    assert event.observed_at is not None
    assert event.observed_at.isoformat() == "2026-11-22T07:18:20+00:00"
    assert event.key is not None


def test_it_keeps_the_rules_of_the_page(codec: Codec) -> None:
    assert said(codec, b'{"ring": "somebody"}') == [("alarm", "assistance")]
    assert said(codec, b'{"ring": "visitor"}') == [("activity", None)]
    assert said(codec, b'{"ring": "help"}', retained=True) == [("activity", None)]
    assert said(codec, b'{"level": 2}', "doorbell/d-1/light") == [("unsupported", None)]
    assert said(codec, b"{") == []
    assert said(codec, b"{}", "elsewhere") == []


def test_the_line_of_the_page_is_a_line_of_the_registry() -> None:
    line = next(block for block in BLOCKS if "Family(DoorbellCodec()" in block)
    assert "from devices.codecs.doorbell import DoorbellCodec" in line


@given(st.binary(max_size=200), st.text(max_size=40))
def test_it_never_raises(codec: Codec, body: bytes, topic: str) -> None:
    for where in (topic, "doorbell/d-1/ring"):
        codec.decode(Uplink(body, NOW, where), DeviceRef(""))
