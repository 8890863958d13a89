"""What must hold for every family, present and future."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import pytest

import devices
import devices.codecs
from devices.model import KINDS, Codec, DeviceRef, Uplink
from devices.registry import FAMILIES, Family, UnknownFamilyError, family_of
from devices.topics import is_device_id
from hub.alarms import table
from tests.devices.examples import EXAMPLES, NOW

_CONTRACT = {
    "care", "watch", "iw", "minifinder2", "gt06", "h02", "zigbee2mqtt", "owntracks", "fall_radar", "vda5050", "alink",
    "onenet", "huawei", "thingsboard",
}  # fmt: skip
_JUNK = [b"", b"\x00", b"\xff" * 40, b"{", b"[", b"[]", b"{}", b"null", b"[3G*1*", b"1" * 5000, b"[" * 100_000]

families = pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: str(family.name))


def test_names_are_the_contracts() -> None:
    assert set(FAMILIES) <= _CONTRACT
    assert all(name == family.name for name, family in FAMILIES.items())
    with pytest.raises(UnknownFamilyError, match=r"unknown family 'toaster'; known: .*care watch"):
        family_of("toaster")


def test_every_family_has_examples_and_every_example_a_family() -> None:
    assert set(EXAMPLES) == set(FAMILIES)


@families
def test_examples_decode_into_well_formed_events(family: Family) -> None:
    kinds = set()
    for uplink in EXAMPLES[family.name]:
        # Behind a login the connection says whose a message is.
        device = DeviceRef("355550001234567" if family.login else "", family.name)
        decoded = family.codec.decode(uplink, device)
        assert decoded.error is None
        assert decoded.events
        for event in decoded.events:
            kinds.add(event.kind)
            assert event.kind in KINDS
            assert event.kind != "unsupported"
            assert is_device_id(event.device_id)
            assert (event.type is not None) == (event.kind == "alarm")
            assert event.type is None or event.type in devices.ALARM_TYPES
            assert event.observed_at is None or event.observed_at.utcoffset() is not None
            assert all(
                isinstance(value, int | float) and not isinstance(value, bool) for value in event.vitals.values()
            )
        for reply in decoded.replies:
            assert bool(reply.topic) == (family.transport == "mqtt")
        # The same message twice gives the same keys: that is what de-duplication stands on.
        assert decoded == family.codec.decode(uplink, device)
    assert "alarm" in kinds


@families
@pytest.mark.parametrize("junk", _JUNK, ids=range(len(_JUNK)))
def test_junk_never_raises(family: Family, junk: bytes) -> None:
    for topic in {example.topic for example in EXAMPLES[family.name]} | {"", "x", "care/v1/hub-1/up/alarm"}:
        decoded = family.codec.decode(Uplink(junk, NOW, topic), DeviceRef(""))
        assert decoded.error is None or decoded.error.strip()


@families
def test_codecs_keep_nothing_between_messages(family: Family) -> None:
    codec: Codec = family.codec
    assert not getattr(codec, "__dict__", {})


@families
def test_framers_are_fresh_for_each_connection(family: Family) -> None:
    if family.framer is None:
        assert family.transport != "tcp"
        return
    first, second = family.framer(), family.framer()
    assert first is not second
    first.feed(EXAMPLES[family.name][0].payload[:1])
    assert (first.pending, second.pending) == (1, 0)


def test_alarm_words_are_the_hubs() -> None:
    assert set(table.ALARM_TYPES) == devices.ALARM_TYPES


def _modules() -> list[str]:
    found = [name for _, name, _ in pkgutil.walk_packages(devices.__path__, "devices.")]
    return sorted(found)


@pytest.mark.parametrize("name", _modules())
def test_every_module_says_what_it_offers_and_stays_small(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__file__ is not None
    if not name.endswith("codecs"):
        assert module.__all__ == sorted(
            module.__all__, key=lambda word: (not word.isupper(), not word[0].isupper(), word)
        )
        assert all(hasattr(module, word) for word in module.__all__)
        assert module.__doc__
    assert len(Path(module.__file__).read_text("utf-8").splitlines()) <= 400


def test_the_public_face_is_frozen() -> None:
    """What others import. A change here is a change of the package's promise: make it on purpose."""
    assert set(devices.__all__) == {
        "ALARM_TYPES", "AckStatus", "Codec", "Decoded", "DeviceRef", "Event", "EventKind", "FAMILIES", "Family",
        "Fix", "FixSource", "Framer",
        "KINDS", "Reply", "UnknownFamilyError", "Uplink", "Vitals", "ack_reply", "care_command",
        "command_payload", "family_of", "watch_command", "watch_content",
    }  # fmt: skip
    assert all(hasattr(devices, word) for word in devices.__all__)
