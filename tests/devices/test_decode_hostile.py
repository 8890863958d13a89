"""`hub decode` on the worst lines somebody may feed it: a result each, never an exception, in bounded time and size."""

from __future__ import annotations

import json
import random
import time
from datetime import UTC, datetime

import pytest

from devices.registry import FAMILIES
from hub.decode import decode_lines

NOW = datetime(2026, 11, 22, 7, 20, tzinfo=UTC)
TOPICS = {
    "care": "care/v1/w-1/up/alarm",
    "zigbee2mqtt": "zigbee2mqtt/a",
    "owntracks": "owntracks/a/b",
    "fall_radar": "/devices/a/events",
    "vda5050": "uagv/v2/m/s/state",
    "alink": "/sys/p/d/thing/event/property/post",
    "onenet": "$sys/p/d/thing/property/post",
    "huawei": "$oc/devices/d/sys/properties/report",
    "thingsboard": "v1/gateway/telemetry",
}
BODIES = [
    b"[" * 200_000,
    b'{"a":' * 100_000,
    b'{"params":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    b'{"ts":' + b"9" * 5_000 + b"}",
    b'{"ts":1e400,"battery":NaN,"x":Infinity,"tst":-1e308,"observed_at":-Infinity}',
    b'{"battery":1' + b"0" * 400 + b',"temperature":-1' + b"0" * 400 + b"}",
    b'{"type":"\\ud800","ref":"\\udfff","action":"\\ud83d"}',
    b'{"\\ud800":"\\udfff","params":{"\\ud800":1}}',
    b"\xed\xa0\x80{}",
    b'{"a":"' + b"x" * 1_000_000 + b'"}',
    b'{"_type":"location","lat":' + b"1" * 300 + b',"lon":1e999,"tst":99999999999999999999,"batt":"\\u0000"}',
    b'{"errors":[' + b"{}," * 100_000 + b"{}]}",
    b'{"ref":1,"type":null,"observed_at":"' + b"2026-" * 1_000 + b'"}',
    b'{"errors":[{"errorType":"\\ud800","errorLevel":"FATAL","errorReferences":[{"referenceKey":"\\udfff",'
    b'"referenceValue":1e400}]}],"batteryState":{"batteryCharge":' + b"9" * 400 + b"}}",
    b'{"id":"1","params":{"sos":{"value":1,"time":' + b"9" * 400 + b"}}}",
    b'\xef\xbb\xbf{"type":"sos"}',
    b"null",
    b"1e999",
    b'""',
]
FRAMES = [
    b"*" * 200_000,
    b"[3G*" + b"1" * 100_000,
    b"[3G*8800000015*FFFF*AL," + b"," * 70_000 + b"]",
    b"*HQ," + b"9" * 5_000 + b",V1,071504,A,3154.0672,N,11849.4742,E,1.00,090,221126,FFFFFBFD#",
    b"*HQ,1,V1," + b"," * 100_000 + b"#",
    b"IWAP10" + b"9" * 100_000 + b"#",
    b"IWAP00" + b"1" * 60_000 + b"#",
    "*HQ,٣,V1,٠٧,A,#".encode(),
    b"IWAP49," + b"9" * 5_000 + b"#",
    b"[3G*8800000015*0004*HR," + b"9" * 4_400 + b"]",
    b"*HQ,1,NBR,071504,460,0,4,99999999999999999999,1,2,3#",
    b"*HQ,1,LINK,071504,-1,1e999,NaN,inf,0x1,221126,FFFFFBFF#",
    b"\x78\x78" + b"\xff" * 300,
    b"\x79\x79\xff\xff" + bytes(65_535),
    b"\x78\x78" * 20_000,
    b"\xab\x10" + b"\xff" * 3_000,
    b"$" + b"\xff" * 44,
]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_line_gives_one_result(family: str) -> None:
    if family in TOPICS:
        topic = TOPICS[family]
        lines = [json.dumps({"topic": topic, "payload": body.decode("latin-1")}).encode() for body in BODIES]
        lines += [topic.encode() + b" " + body for body in BODIES] + BODIES
        lines += [b'{"topic":"\\ud800","payload":{}}', b'{"topic":1e999,"payload":[]}', b'{"payload":' + b"[" * 100_000]
    elif FAMILIES[family].text:
        lines = [*FRAMES, *BODIES, b"\xff\xff"]
    else:
        lines = [frame.hex().encode() for frame in (*FRAMES, *BODIES)] + [b"zz", b"7", b"\xff"]
    lines = [line.replace(b"\n", b" ").replace(b"\r", b" ") for line in lines]
    began = time.perf_counter()
    results = [found.to_text() for found in decode_lines(family, lines, received_at=NOW)]
    assert time.perf_counter() - began < 20
    assert len(results) == len(lines)
    for result in results:
        assert len(result) < 20_000
        result.encode()  # no lone surrogate leaves
        assert set(json.loads(result)) == {"events", "replies", "error"}


@pytest.mark.parametrize("family", [name for name, family in FAMILIES.items() if family.framer])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_hostile_stream_split_anywhere(family: str, seed: int) -> None:
    rng = random.Random(seed)
    stream = b"".join(rng.sample([*FRAMES, *BODIES[3:8]], k=8))
    whole = decode_lines(family, [stream.hex()], stream=True, received_at=NOW)
    expected = [found.to_text().partition('"error"')[0] for found in whole]
    chunks: list[str] = []
    rest = stream
    while rest:
        size = rng.randrange(1, 30_000)
        chunks.append(rest[:size].hex())
        rest = rest[size:]
    split = decode_lines(family, chunks, stream=True, received_at=NOW)
    assert [found.to_text().partition('"error"')[0] for found in split] == expected
